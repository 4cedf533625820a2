//! J3: a server that does everything it may, and some things it may not.

use super::*;
use crate::handle::server::Handler;
use crate::jsonrpc::ErrorObject;
use crate::model::{
    CallToolParams, ContentBlock, ListToolsResult, OutputError, PaginatedParams, ServerCapabilities, ToolsCapability,
};
use crate::rpc::CallError;
use crate::toolbox::{FindToolError, RemoteTool, Signature, ToolCallError, Toolbox, ValidateToolError};

/// Answers each tool with what is written here, and lists them on two pages.
struct Awkward;

const ANSWERS: [(&str, &str); 9] = [
    ("refusing", ""),
    ("empty", r#"{"content":[]}"#),
    ("none", "{}"),
    (
        "failing",
        r#"{"content":[{"type":"text","text":"disk full"},{"type":"image","data":"AA==","mimeType":"image/png"}],"isError":true,"structuredContent":{"code":28}}"#,
    ),
    (
        "kinds",
        r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"image","data":"AA==","mimeType":"image/png"},
        {"type":"audio","data":"AA==","mimeType":"audio/wav"},{"type":"resource_link","uri":"x:1","name":"n"},
        {"type":"resource","resource":{"uri":"x:2","text":"c"}},{"type":"hologram","depth":3}]}"#,
    ),
    ("data", r#"{"structuredContent":{"result":[1,2,3]}}"#),
    ("text_only", r#"{"content":[{"type":"text","text":"{\"a\":1}"}]}"#),
    ("not_a_result", r#"{"content":5}"#),
    (
        "second_page",
        r#"{"content":[{"type":"text","text":"found"}],"x-unknown":{"y":1}}"#,
    ),
];

impl Handler for Awkward {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            tools: Some(ToolsCapability::default()),
            ..ServerCapabilities::default()
        }
    }

    async fn list_tools(&self, params: PaginatedParams, _: server::Context) -> Result<ListToolsResult, ErrorObject> {
        let (first, second) = ANSWERS.split_at(8);
        let is_first = params.cursor.is_none();
        let page = if is_first { first } else { second };
        // Schemas without properties, or none at all to speak of.
        let tools = page
            .iter()
            .map(|(name, _)| Tool::new(*name, Json::parse("{}").unwrap()));
        let mut result = ListToolsResult::new(tools.collect::<Vec<_>>());
        result.next_cursor = is_first.then(|| "2".into());
        Ok(result)
    }

    async fn request(
        &self,
        method: crate::method::MethodName,
        _: Option<crate::jsonrpc::RawJson>,
        _: server::Context,
    ) -> Result<crate::server::ResultBody, ErrorObject> {
        Err(ErrorObject::method_not_found(method.as_str()))
    }

    async fn call_tool(&self, params: CallToolParams, _: server::Context) -> Result<CallToolResult, ToolError> {
        let answer = ANSWERS.iter().find(|(name, _)| *name == params.name);
        match answer {
            Some(("refusing", _)) => Err(ErrorObject::invalid_params("not like this").into()),
            Some((_, text)) => Ok(serde_json::from_str(text)?),
            None => Err(ErrorObject::invalid_params("unknown tool").into()),
        }
    }
}

fn awkward(mode: Mode) -> (Toolbox, World) {
    let (client, world) = World::new(mode, Server::builder("awkward", "1").handler(Awkward));
    (Toolbox::builder().server("awkward", client).build(), world)
}

fn call(toolbox: &Toolbox, world: &mut World, name: &str) -> Result<CallToolResult, ToolCallError> {
    run(&mut [world], toolbox.call(name, json!({})))
}

#[test]
fn j3_everything_a_server_may_return_is_represented() {
    for mode in ERAS {
        let (toolbox, mut world) = awkward(mode);
        let world = &mut world;
        for name in ["empty", "none"] {
            assert!(call(&toolbox, world, name).unwrap().content.is_empty());
        }
        let kinds = call(&toolbox, world, "kinds").unwrap();
        assert!(matches!(
            &kinds.content[..],
            [
                ContentBlock::Text(_),
                ContentBlock::Text(_),
                ContentBlock::Image(_),
                ContentBlock::Audio(_),
                ContentBlock::ResourceLink(_),
                ContentBlock::Resource(_),
                ContentBlock::Other(_),
            ]
        ));
        assert_eq!(kinds.to_text(), "a\nb\nc");
        let data = call(&toolbox, world, "data").unwrap();
        assert_eq!(data.decode_wrapped::<Vec<u8>>(), Ok([1, 2, 3].into()));
        let text = call(&toolbox, world, "text_only").unwrap();
        assert_eq!(text.decode_structured::<Value>(), Err(OutputError::Absent));
        let unknown = call(&toolbox, world, "second_page").unwrap();
        assert!(unknown.extra.get("x-unknown").is_some());
    }
}

#[test]
fn j3_a_tool_that_fails_is_an_error_with_its_content_and_a_call_that_fails_another() {
    for mode in ERAS {
        let (toolbox, mut world) = awkward(mode);
        let world = &mut world;
        let error = call(&toolbox, world, "failing").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"tool "failing" of server "awkward" failed: disk full"#
        );
        let result = error.result().unwrap();
        assert_eq!((result.content.len(), error.is_unprocessed()), (2, false));
        assert_eq!(result.decode_structured(), Ok(json!({"code": 28})));
        assert!(error.call_error().is_none());

        let error = call(&toolbox, world, "no_such_tool").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"there is no tool "no_such_tool" of server "awkward""#
        );
        assert!(matches!(error, ToolCallError::Find(FindToolError::Missing(_))));
        let error = call(&toolbox, world, "refusing").unwrap_err();
        assert!(matches!(&error, ToolCallError::Call { tool, error: CallError::Rpc(_) }
            if *tool.tool == *"refusing" && tool.server.as_deref() == Some("awkward")));
        assert!(error.result().is_none());

        let unwritable: alloc::collections::BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();
        let error = run(&mut [world], toolbox.call("empty", unwritable)).unwrap_err();
        assert!(error.is_unprocessed(), "{error}");
        let not_an_object = run(&mut [world], toolbox.call("empty", 5)).unwrap_err();
        assert!(matches!(not_an_object, ToolCallError::Call { .. }));
    }
}

#[test]
fn j3_all_pages_are_listed_and_no_schema_is_too_odd() {
    for mode in ERAS {
        let (toolbox, mut world) = awkward(mode);
        let list = run(&mut [&mut world], toolbox.list());
        assert_eq!(list.problems, []);
        let names: Vec<_> = list.tools.iter().map(|tool| tool.definition.name.as_str()).collect();
        assert_eq!(names, ANSWERS.map(|(name, _)| name));
        assert_eq!(world.count("tools/list"), 2);
        let tool = toolbox.tool("second_page");
        assert_eq!(run(&mut [&mut world], tool.validate()).unwrap().name, "second_page");
    }
}

#[test]
fn validation_names_tool_and_server() {
    let (client, mut world) = World::new(Mode::Modern, Server::builder("awkward", "1").handler(Awkward));
    let tool = RemoteTool::new(client.clone(), "gone").of_server("awkward");
    let error = run(&mut [&mut world], tool.validate()).unwrap_err();
    assert!(matches!(&error, ValidateToolError::Find(FindToolError::Missing(_))));
    assert_eq!(error.to_string(), r#"there is no tool "gone" of server "awkward""#);

    let schema = Json::parse(r#"{"type":"object"}"#).unwrap();
    let tool = RemoteTool::new(client.clone(), "empty").expects(Signature::Schema(schema));
    let error = run(&mut [&mut world], tool.validate()).unwrap_err();
    assert!(matches!(&error, ValidateToolError::Mismatch { tool, .. } if *tool.tool == *"empty"));

    let tool = RemoteTool::new(client, "empty")
        .expects(Signature::inputs(["a"]))
        .overrides(crate::toolbox::ToolOverrides::name("blank"));
    assert_eq!(tool.name(), "blank");
    assert_eq!(run(&mut [&mut world], tool.validate()).unwrap().name, "blank");
    assert!(run(&mut [&mut world], tool.call(())).is_ok(), "by the server's name");
}

#[test]
fn a_server_that_is_gone_is_an_error_that_names_it() {
    let (toolbox, world) = awkward(Mode::Modern);
    drop(world);
    let error = run(&mut [], toolbox.call("empty", ())).unwrap_err();
    assert!(matches!(error.call_error(), Some(CallError::Closed(_))), "{error}");
    let error = run(&mut [], toolbox.tool("empty").validate()).unwrap_err();
    assert!(
        matches!(&error, ValidateToolError::Find(FindToolError::List { server, .. })
        if server.as_deref() == Some("awkward"))
    );
}
