//! Tools and handlers: what they are called with, and what becomes of what they return.

use super::support::{Client, Forecast, server, text};

use mcp_proto::Revision;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, Handler, ToolError, ToolOutput};
use mcp_proto::jsonrpc::{ErrorObject, RawJson};
use mcp_proto::model::{
    self, CallToolResult, ListToolsResult, PaginatedParams, ReadResourceParams, ReadResourceResult, ServerCapabilities,
    Tool,
};
use serde_json::{Value, json};

#[test]
fn typed_tools_are_listed_with_their_schemas() {
    let server = server().build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let (_, answer) = client.ask(Revision::V2025_11_25, "tools/list", json!({}));
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert_eq!(
        tools[0],
        json!({
            "name": "forecast",
            "description": "Weather",
            "inputSchema": {
                "title": "Forecast",
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "The name of a city."},
                    "days": {"type": ["integer", "null"], "format": "uint8", "minimum": 0, "maximum": 255}
                },
                "required": ["city"]
            }
        })
    );
    for name in ["nothing", "unit"] {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }
    let output = |answer: &Value, name: &str| {
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools.iter().find(|tool| tool["name"] == name).unwrap()["outputSchema"].clone()
    };
    assert_eq!(output(&answer, "sum")["properties"]["sum"]["type"], "integer");
    assert_eq!(output(&answer, "list"), Value::Null, "not an object");
    let mut other = Client::new(&server, Revision::V2026_07_28);
    let (_, modern) = other.ask(Revision::V2026_07_28, "tools/list", json!({}));
    assert_eq!(output(&modern, "list")["type"], "array");
    assert_eq!(modern["result"]["resultType"], "complete");
    let again = other.ask(Revision::V2026_07_28, "tools/list", json!({})).1;
    assert_eq!(again["result"], modern["result"]);
    let (_, cursor) = client.ask(Revision::V2025_11_25, "tools/list", json!({"cursor": "x"}));
    assert_eq!(cursor["error"]["code"], -32602);
}

#[test]
fn typed_tools_are_called_in_every_revision() {
    let server = server().build();
    for revision in Revision::ALL {
        let mut client = Client::new(&server, revision);
        let answer = client.call(revision, "forecast", json!({"city": "Bern"}));
        assert_eq!(text(&answer), "Bern None", "{revision}");
        for tool in ["nothing", "unit", "list", "steps", "change"] {
            let answer = client.ask(revision, "tools/call", json!({"name": tool})).1;
            assert!(answer["result"]["content"].is_array(), "{revision}: {answer}");
        }
        let sum = client.call(revision, "sum", json!({"numbers": [1, 2]}));
        assert_eq!(text(&sum), r#"{"sum":3}"#);
        let data = sum["result"].get("structuredContent");
        assert_eq!(data.is_some(), revision.has_structured_content(), "{revision}");
        let unknown = client.call(revision, "unknown", json!({}));
        assert_eq!(unknown["error"]["code"], -32602);
        assert_eq!(unknown["error"]["message"], "unknown tool: unknown");
    }
}

#[test]
fn failures_are_told_to_the_model_and_error_objects_to_the_client() {
    let server = server().build();
    for revision in Revision::ALL {
        let mut client = Client::new(&server, revision);
        let failed = client.call(revision, "fail", json!({}));
        assert_eq!(failed["result"]["isError"], true);
        assert_eq!(text(&failed), "invalid digit found in string");
        let refused = client.call(revision, "refuse", json!({}));
        assert_eq!(refused["error"], json!({"code": -1, "message": "not today"}));
        // 2025-11-25 and later: arguments that do not fit are for the model to correct.
        for arguments in [json!({}), json!({"city": 5}), json!({"city": "x", "days": 300})] {
            let misfit = client.call(revision, "forecast", arguments);
            match revision.has_input_validation_results() {
                true => assert!(text(&misfit).starts_with("invalid arguments: "), "{misfit}"),
                false => assert_eq!(misfit["error"]["code"], -32602, "{misfit}"),
            }
        }
        for arguments in [json!([]), json!("x"), json!(1)] {
            let malformed = client.call(revision, "forecast", arguments);
            assert_eq!(malformed["error"]["code"], -32602, "{malformed}");
        }
        let lacking = client.call(revision, "require", json!({}));
        let code = if revision.is_stateless() { -32021 } else { -32600 };
        assert_eq!(lacking["error"]["code"], code);
    }
}

#[test]
fn progress_and_logs_come_before_the_answer() {
    let server = server().build();
    let revision = Revision::V2025_11_25;
    let mut client = Client::new(&server, revision);
    let (before, answer) = client.ask(
        revision,
        "tools/call",
        json!({"name": "steps", "_meta": {"progressToken": "t"}}),
    );
    let progress: Vec<&Value> = before
        .iter()
        .filter(|message| message["method"] == "notifications/progress")
        .collect();
    assert_eq!(
        progress[0]["params"],
        json!({"progressToken": "t", "progress": 0, "total": 2})
    );
    assert_eq!(
        progress[1]["params"],
        json!({"progressToken": "t", "progress": 1, "total": 2, "message": "half"})
    );
    assert_eq!(progress.len(), 2, "the third does not go up");
    let logs: Vec<&Value> = before
        .iter()
        .filter(|message| message["method"] == "notifications/message")
        .collect();
    assert_eq!(
        logs[0]["params"],
        json!({"level": "error", "logger": "here", "data": "bad"})
    );
    assert_eq!(logs.len(), 1);
    assert_eq!(text(&answer), "ready");

    let mut client = Client::new(&server, Revision::V2026_07_28);
    let quiet = client.ask(Revision::V2026_07_28, "tools/call", json!({"name": "steps"}));
    assert!(quiet.0.is_empty(), "neither token nor level: {:?}", quiet.0);
    let level = json!({"io.modelcontextprotocol/logLevel": "debug"});
    let loud = client.ask(
        Revision::V2026_07_28,
        "tools/call",
        json!({"name": "steps", "_meta": level}),
    );
    assert_eq!(loud.0.len(), 2);
}

struct Library;

impl Handler for Library {
    fn capabilities(&self) -> ServerCapabilities {
        serde_json::from_str(r#"{"resources":{},"tools":{}}"#).unwrap()
    }

    async fn list_tools(&self, _: PaginatedParams, _: Context) -> Result<ListToolsResult, ErrorObject> {
        let schema = model::Json::parse(r#"{"type":"object"}"#).unwrap();
        Ok(ListToolsResult::new(vec![Tool::new("dynamic", schema)]))
    }

    async fn call_tool(&self, params: model::CallToolParams, _: Context) -> Result<CallToolResult, ToolError> {
        match params.name.as_str() {
            "dynamic" => Ok(CallToolResult::text("from the object")),
            name => Err(ErrorObject::invalid_params(format!("no {name}")).into()),
        }
    }

    async fn read_resource(
        &self,
        params: ReadResourceParams,
        context: Context,
    ) -> Result<ReadResourceResult, ErrorObject> {
        Err(mcp_proto::handle::server::resource_not_found(&params.uri, &context))
    }

    async fn request(
        &self,
        method: mcp_proto::method::MethodName,
        params: Option<RawJson>,
        _: Context,
    ) -> Result<mcp_proto::server::ResultBody, ErrorObject> {
        match method.as_str() {
            "com.example/echo" => Ok(mcp_proto::server::ResultBody::from_raw(params.unwrap())?),
            other => Err(ErrorObject::method_not_found(other)),
        }
    }
}

#[test]
fn an_object_answers_what_closures_do_not() {
    let server = server().handler(Library).build();
    for revision in Revision::ALL {
        let mut client = Client::new(&server, revision);
        let tools = client.ask(revision, "tools/list", json!({})).1;
        let tools = tools["result"]["tools"].as_array().unwrap();
        assert_eq!(
            (tools[0]["name"].as_str(), tools.last().unwrap()["name"].as_str()),
            (Some("forecast"), Some("dynamic"))
        );
        assert_eq!(text(&client.call(revision, "dynamic", json!({}))), "from the object");
        assert_eq!(text(&client.call(revision, "nothing", json!({}))), "done");
        assert_eq!(
            client.call(revision, "other", json!({}))["error"]["message"],
            "no other"
        );
        let missing = client.ask(revision, "resources/read", json!({"uri": "a:b"})).1;
        let code = if revision.is_stateless() { -32602 } else { -32002 };
        assert_eq!(
            (&missing["error"]["code"], &missing["error"]["data"]),
            (&json!(code), &json!({"uri": "a:b"}))
        );
        assert_eq!(
            client.ask(revision, "resources/read", json!({})).1["error"]["code"],
            -32602
        );
        assert_eq!(
            client.ask(revision, "prompts/list", json!({})).1["error"]["code"],
            -32601
        );
        assert_eq!(
            client.ask(revision, "com.example/echo", json!({"x": 1})).1["result"]["x"],
            1
        );
        assert_eq!(
            client.ask(revision, "com.example/other", json!({})).1["error"]["code"],
            -32601
        );
    }
}

#[test]
fn a_raw_tool_keeps_its_schema_and_its_arguments() {
    let schema = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"a":{"$anchor":"b"}},"if":{},"then":{}}"#;
    let tool = Tool::new("raw", model::Json::parse(schema).unwrap());
    let server = Server::builder("test", "1")
        .raw_tool(tool, |arguments: RawJson, _| async move {
            Ok(arguments.as_str().to_owned())
        })
        .build();
    let revision = Revision::V2026_07_28;
    let mut client = Client::new(&server, revision);
    let listed = client.ask(revision, "tools/list", json!({})).1;
    let expected: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(listed["result"]["tools"][0]["inputSchema"], expected);
    assert_eq!(text(&client.call(revision, "raw", json!({"x": 1.0}))), r#"{"x":1.0}"#);
    assert_eq!(
        text(&client.ask(revision, "tools/call", json!({"name": "raw"})).1),
        "{}"
    );
}

#[test]
fn a_server_of_nothing_has_nothing() {
    let server = Server::builder("test", "1").title("Test").instructions("None.").build();
    let revision = Revision::V2026_07_28;
    let mut client = Client::new(&server, revision);
    let discovered = client.ask(revision, "server/discover", json!({})).1;
    assert_eq!(discovered["result"]["capabilities"], json!({}));
    assert_eq!(discovered["result"]["instructions"], "None.");
    assert_eq!(
        discovered["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["title"],
        "Test"
    );
    assert_eq!(client.ask(revision, "tools/list", json!({})).1["error"]["code"], -32601);
}

/// What a closure returns can be a type of the application's own.
struct Shout(String);

impl ToolOutput for Shout {
    fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self.0.to_uppercase()))
    }
}

#[test]
fn outputs_can_be_the_applications_own() {
    async fn shout(args: Forecast) -> Result<Shout, ToolError> {
        Ok(Shout(args.city))
    }
    let server = Server::builder("test", "1").tool("shout", "", shout).build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    assert_eq!(
        text(&client.call(Revision::V2025_11_25, "shout", json!({"city": "bern"}))),
        "BERN"
    );
}
