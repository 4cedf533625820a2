//! J, through a pool and a toolbox: what belongs to a call goes to that call, and what a tool returns is all there.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use mcp_proto::Era;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, Handler, ToolError};
use mcp_proto::jsonrpc::{ErrorObject, Params, RawJson};
use mcp_proto::method::MethodName;
use mcp_proto::model::{
    CallToolParams, CallToolResult, ContentBlock, Json, ListToolsResult, LoggingLevel, PaginatedParams,
    ServerCapabilities, Tool, ToolsCapability,
};
use mcp_proto::server::ResultBody;
use mcp_proto::toolbox::{FindToolError, ToolCallError, ToolCallEvent, Toolbox};
use mcp_tests::runtime::Runtime;
use mcp_tests::world::{Probe, Transport, server};
use serde_json::json;

use super::each_way;
use super::pool::{Place, WAYS, resolver};

fn place(runtime: &dyn Runtime, way: Transport, era: Era) -> Place {
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    Place::start(runtime, way, server, resolver(era))
}

/// Calls `stream`; the reports that come for this call.
async fn reports(toolbox: &Toolbox, name: &str, number: u32) -> Vec<String> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&reports);
    let call = toolbox.call("stream", json!({"text": name, "number": number}));
    let call = call.on_progress(move |report| sink.lock().unwrap().push(report.message.unwrap_or_default()));
    assert_eq!(call.await.unwrap().to_text(), name);
    let reports = reports.lock().unwrap();
    reports.clone()
}

fn expected(name: &str, number: u32) -> Vec<String> {
    (1..=number).map(|step| format!("{name} {step}")).collect()
}

#[test]
fn j1_each_of_many_calls_through_a_box_has_its_own_reports() {
    each_way("J1", &WAYS, async |runtime, way, era, figures| {
        let place = place(runtime, way, era);
        for calls in [2, 50] {
            let names: Vec<_> = (0..calls).map(|number| format!("call-{number}")).collect();
            let all = join_all(names.iter().map(|name| reports(&place.toolbox, name, 10))).await;
            for (name, found) in names.iter().zip(&all) {
                assert_eq!(*found, expected(name, 10));
            }
            let reports: usize = all.iter().map(Vec::len).sum();
            figures.print(&format!("pooled: reports of {calls} calls"), reports);
        }
        place.sessions.close().await;
    });
}

#[test]
fn j2_whoever_listens_after_the_session_of_a_pool_is_made_hears_everything() {
    each_way("J2", &WAYS, async |runtime, way, era, figures| {
        let place = place(runtime, way, era);
        // There is no session yet, and this makes none.
        let mut notifications = place.session.notifications();
        let heard = runtime.run(async move { poll_fn(|cx| notifications.poll_next(cx)).await });
        place.toolbox.call("echo", json!({"text": "x"})).await.unwrap();
        assert_eq!(reports(&place.toolbox, "later", 10).await, expected("later", 10));

        let call = place.toolbox.call("stream", json!({"text": "events", "number": 3}));
        let mut events = call.events(LoggingLevel::Info);
        let mut messages = Vec::new();
        let outcome = loop {
            match events.next().await.unwrap() {
                ToolCallEvent::Progress(report) => messages.push(report.message.unwrap()),
                ToolCallEvent::Done(outcome) => break outcome,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            (messages, outcome.unwrap().to_text()),
            (expected("events", 3), "events".into())
        );
        if era == Era::Legacy {
            let level = Params::from_serialize(&json!({"level": "debug"})).unwrap();
            place.session.request_raw("logging/setLevel", level).await.unwrap();
        }

        // Over HTTP a log message comes in the response of its call; elsewhere nothing says whose it is.
        let logged = Arc::new(Mutex::new(0));
        let sink = Arc::clone(&logged);
        let call = place.toolbox.call("shout", json!({}));
        call.on_log(LoggingLevel::Info, move |_| *sink.lock().unwrap() += 1)
            .await
            .unwrap();
        let of_call = *logged.lock().unwrap();
        assert_eq!(of_call, usize::from(way.is_http()));
        let call = place.session.call_tool("shout", json!({}));
        call.log_level(LoggingLevel::Info).await.unwrap();
        let heard = heard.await.unwrap().unwrap();
        assert_eq!(heard.notification.method.as_str(), "notifications/message");
        figures.print("pooled: log messages that are a call's", of_call);
        place.sessions.close().await;
    });
}

/// Answers each tool with what is written here, and lists them on two pages.
struct Awkward;

const ANSWERS: [(&str, &str); 7] = [
    ("empty", r#"{"content":[]}"#),
    (
        "failing",
        r#"{"content":[{"type":"text","text":"disk full"},{"type":"image","data":"AA==","mimeType":"image/png"}],"isError":true}"#,
    ),
    (
        "image",
        r#"{"content":[{"type":"image","data":"AA==","mimeType":"image/png"}]}"#,
    ),
    (
        "texts",
        r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
    ),
    ("structured", r#"{"structuredContent":{"result":[1,2,3]}}"#),
    (
        "strange",
        r#"{"content":[{"type":"hologram","depth":3}],"x-unknown":1}"#,
    ),
    ("second_page", r#"{"content":[{"type":"text","text":"found"}]}"#),
];

impl Handler for Awkward {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default().with_tools(ToolsCapability::default())
    }

    async fn list_tools(&self, params: PaginatedParams, _: Context) -> Result<ListToolsResult, ErrorObject> {
        let (first, second) = ANSWERS.split_at(6);
        let is_first = params.cursor.is_none();
        let page = if is_first { first } else { second };
        // Schemas without properties.
        let tools = page.iter().map(|(name, _)| Tool::new(*name, Json::empty_object()));
        let mut result = ListToolsResult::new(tools.collect::<Vec<_>>());
        result.next_cursor = is_first.then(|| "2".into());
        Ok(result)
    }

    async fn request(&self, method: MethodName, _: Option<RawJson>, _: Context) -> Result<ResultBody, ErrorObject> {
        Err(ErrorObject::method_not_found(method.as_str()))
    }

    async fn call_tool(&self, params: CallToolParams, _: Context) -> Result<CallToolResult, ToolError> {
        match ANSWERS.iter().find(|(name, _)| *name == params.name) {
            Some((_, text)) => Ok(serde_json::from_str(text)?),
            None => Err(ErrorObject::invalid_params("unknown tool").into()),
        }
    }
}

#[test]
fn j3_an_awkward_server_is_represented_in_full() {
    each_way("J3", &WAYS, async |runtime, way, era, figures| {
        let server = Server::builder("awkward", "1").handler(Awkward).build();
        let place = Place::start(runtime, way, server, resolver(era));
        let call = async |name: &str| place.toolbox.call(name, json!({})).await;
        let list = place.toolbox.list().await;
        let names: Vec<_> = list.tools.iter().map(|tool| tool.definition.name.as_str()).collect();
        assert_eq!(names, ANSWERS.map(|(name, _)| name));
        assert!(list.problems.is_empty(), "{:?}", list.problems);
        figures.print("tools on two pages", names.len());

        assert!(call("empty").await.unwrap().content.is_empty());
        assert!(matches!(
            call("image").await.unwrap().content[..],
            [ContentBlock::Image(_)]
        ));
        assert_eq!(call("texts").await.unwrap().to_text(), "a\nb");
        let structured = call("structured").await.unwrap();
        assert_eq!(structured.decode_wrapped::<Vec<u8>>(), Ok([1, 2, 3].into()));
        let strange = call("strange").await.unwrap();
        assert!(matches!(strange.content[..], [ContentBlock::Other(_)]) && strange.extra.get("x-unknown").is_some());
        assert_eq!(call("second_page").await.unwrap().to_text(), "found");
        match call("failing").await {
            Err(ToolCallError::Tool { result, .. }) => {
                assert!(result.to_text() == "disk full" && result.content.len() == 2);
            }
            other => panic!("{other:?}"),
        }
        let absent = call("absent").await;
        assert!(
            matches!(absent, Err(ToolCallError::Find(FindToolError::Missing(_)))),
            "{absent:?}"
        );
        place.sessions.close().await;
    });
}
