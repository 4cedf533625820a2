//! Servers as applications make them, on a byte stream without a runtime.
#![cfg(feature = "schema")]

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use async_trait::async_trait;
use mcp_proto::handle::server::{Context, Handler, Json, NoArgs, ServerBuilder, ServerPump, ToolError, ToolOutput};
use mcp_proto::handle::{Pump, Server};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject, Params, RawJson};
use mcp_proto::method::{ClientCapability, Method};
use mcp_proto::model::{
    self, CallToolResult, ContentBlock, ListToolsResult, LoggingLevel, PaginatedParams, ReadResourceParams,
    ReadResourceResult, ServerCapabilities, Tool,
};
use mcp_proto::rpc::{CallError, CloseReason, SendError};
use mcp_proto::{Revision, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Counts how often the driver is woken.
#[derive(Default)]
struct Driver(AtomicUsize);

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A client in one thread with the server.
struct Client {
    pump: ServerPump,
    driver: Arc<Driver>,
    next: u64,
}

impl Client {
    fn new(server: &Server, revision: Revision) -> Self {
        let mut client = Self {
            pump: server.pump(),
            driver: Arc::default(),
            next: 100,
        };
        if revision.has_initialize() {
            let params = json!({
                "protocolVersion": revision.as_str(),
                "capabilities": {"sampling": {}},
                "clientInfo": {"name": "c", "version": "1"}
            });
            client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
            client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        }
        client
    }

    /// One turn of the driver: all that the server writes.
    fn turn(&mut self) -> Vec<Value> {
        let waker = Waker::from(self.driver.clone());
        let mut cx = TaskContext::from_waker(&waker);
        let mut output = Vec::new();
        self.pump.poll_work(&mut cx, Time::ORIGIN);
        while let Poll::Ready(Some(bytes)) = self.pump.poll_transmit(&mut cx, Time::ORIGIN) {
            output.extend_from_slice(&bytes);
        }
        let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    fn send(&mut self, message: &Value) -> Vec<Value> {
        self.pump.receive(Time::ORIGIN, format!("{message}\n").into());
        self.turn()
    }

    /// The answer to a request, and what came before it.
    fn ask(&mut self, revision: Revision, method: &str, mut params: Value) -> (Vec<Value>, Value) {
        if revision.is_stateless() {
            let meta = params.as_object_mut().unwrap().entry("_meta").or_insert(json!({}));
            meta["io.modelcontextprotocol/protocolVersion"] = revision.as_str().into();
            let capabilities = &mut meta["io.modelcontextprotocol/clientCapabilities"];
            if capabilities.is_null() {
                *capabilities = json!({});
            }
        }
        self.next += 1;
        let mut messages = self.send(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        let answer = messages.pop().unwrap_or_else(|| panic!("no answer to {method}"));
        assert_eq!(answer["id"], self.next, "{answer}");
        (messages, answer)
    }

    fn call(&mut self, revision: Revision, tool: &str, arguments: Value) -> Value {
        self.ask(revision, "tools/call", json!({"name": tool, "arguments": arguments}))
            .1
    }
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[derive(Deserialize, JsonSchema)]
struct Forecast {
    /// The name of a city.
    city: String,
    days: Option<u8>,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

fn server() -> ServerBuilder {
    let capabilities = serde_json::from_str(r#"{"logging":{},"tools":{"listChanged":true}}"#).unwrap();
    Server::builder("test", "1")
        .capabilities(capabilities)
        .tool("forecast", "Weather", |args: Forecast| async move {
            Ok(format!("{} {:?}", args.city, args.days))
        })
        .tool("nothing", "Takes nothing", || async { Ok("done") })
        .tool("unit", "Takes the unit", |(): ()| async { Ok(()) })
        .tool("sum", "Adds", |numbers: Numbers| async move {
            Ok(Json(Sum {
                sum: numbers.numbers.iter().sum(),
            }))
        })
        .tool("list", "Data that is no object", |_: NoArgs| async {
            Ok(Json(vec![1, 2]))
        })
        .tool("fail", "Fails", |_: NoArgs, _: Context| async {
            Err::<(), _>("x".parse::<i32>().unwrap_err().into())
        })
        .tool("refuse", "Refuses", |_: NoArgs| async {
            Err::<(), _>(ErrorObject::new(ErrorCode(-1), "not today").into())
        })
        .tool(
            "require",
            "Needs elicitation",
            |_: NoArgs, context: Context| async move {
                context.require(ClientCapability::Elicitation)?;
                Ok("it has it")
            },
        )
        .tool("steps", "Reports", |_: NoArgs, context: Context| async move {
            context.progress(0.0, 2.0, None).await;
            context.progress(1.0, 2.0, "half").await;
            context.progress(1.0, None, None).await;
            context.log(LoggingLevel::Error, "here", "bad").await;
            context.log(LoggingLevel::Debug, None, &json!({"a": 1})).await;
            Ok(ContentBlock::text("ready"))
        })
        .tool("sample", "Samples", |_: NoArgs, context: Context| async move {
            let result = context
                .request_raw(Method::CreateMessage, Params::NONE, Default::default())
                .await?;
            Ok(result.to_string())
        })
        .tool("change", "Changes the list", |_: NoArgs, context: Context| async move {
            context
                .server()
                .notify(Method::ToolListChangedNotification, Params::NONE)?;
            Ok(vec![ContentBlock::text("changed")])
        })
}

#[derive(Deserialize, JsonSchema)]
struct Numbers {
    numbers: Vec<i64>,
}

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
    let (_, modern) = client.ask(Revision::V2026_07_28, "tools/list", json!({}));
    assert_eq!(output(&modern, "list")["type"], "array");
    assert_eq!(modern["result"]["resultType"], "complete");
    let again = client.ask(Revision::V2026_07_28, "tools/list", json!({})).1;
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

#[test]
fn a_handler_asks_the_client_in_the_legacy_era_alone() {
    let server = server().build();
    let revision = Revision::V2025_06_18;
    let mut client = Client::new(&server, revision);
    let asked = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sample"}}));
    assert_eq!(
        asked,
        [json!({"jsonrpc": "2.0", "id": 1, "method": "sampling/createMessage"})]
    );
    let answer = client.send(&json!({"jsonrpc": "2.0", "id": 1, "result": {"x": 1}}));
    assert_eq!(text(&answer[0]), r#"{"x":1}"#);
    let modern = client.call(Revision::V2026_07_28, "sample", json!({}));
    assert_eq!(modern["result"]["isError"], true);
    assert!(
        text(&modern).contains("not this side's to send in 2026-07-28"),
        "{modern}"
    );
}

#[test]
fn a_question_waits_for_the_handshake() {
    let server = server().build();
    let mut client = Client {
        pump: server.pump(),
        driver: Arc::default(),
        next: 0,
    };
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}});
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    let early = client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sample"}}));
    assert_eq!(early, [Value::Null; 0]);
    let asked = client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!(asked[0]["method"], "sampling/createMessage");
}

#[test]
fn a_dropped_question_is_cancelled() {
    let server = Server::builder("test", "1")
        .tool("impatient", "", |_: NoArgs, context: Context| async move {
            let mut question = Box::pin(context.request_raw(Method::Ping, Params::NONE, Default::default()));
            poll_fn(|cx| {
                assert!(question.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            Ok("enough")
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let (before, answer) = client.ask(Revision::V2025_11_25, "tools/call", json!({"name": "impatient"}));
    assert_eq!(before[0]["method"], "ping");
    assert_eq!(before[1]["method"], "notifications/cancelled");
    assert_eq!(before[1]["params"]["requestId"], before[0]["id"]);
    assert_eq!(text(&answer), "enough");
}

/// lessons 7
#[test]
fn a_cancelled_handler_is_dropped_and_its_clones_know() {
    struct OnDrop(mpsc::Sender<&'static str>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let (events, dropped) = mpsc::channel();
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let server = Server::builder("test", "1")
        .tool("wait", "", move |_: NoArgs, context: Context| {
            *keep.lock().unwrap() = Some(context);
            let guard = OnDrop(events.clone());
            async move {
                pending::<()>().await;
                drop(guard);
                Ok(())
            }
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let wait = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "wait", "_meta": {"progressToken": 1}}});
    assert_eq!(client.send(&wait), [Value::Null; 0]);
    let context: Context = kept.lock().unwrap().take().unwrap();
    assert!(!context.is_cancelled());
    let watcher: Arc<Driver> = Arc::default();
    let waker = Waker::from(watcher.clone());
    let mut cancelled = Box::pin(context.cancelled());
    assert!(
        cancelled
            .as_mut()
            .poll(&mut TaskContext::from_waker(&waker))
            .is_pending()
    );
    assert!(dropped.try_recv().is_err());
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}});
    assert_eq!(client.send(&cancel), [Value::Null; 0]);
    assert_eq!(dropped.try_recv(), Ok("dropped"));
    assert!(context.is_cancelled());
    assert_eq!(watcher.0.load(Ordering::SeqCst), 1);
    assert!(cancelled.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready());
    // What it says now is dropped, also when the id and the seat are in use again.
    assert_eq!(client.send(&wait), [Value::Null; 0]);
    let mut late = Box::pin(context.progress(1.0, None, None));
    assert!(late.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready());
    assert_eq!(client.turn(), [Value::Null; 0]);
    drop(client);
    assert_eq!(dropped.try_recv(), Ok("dropped"), "with the pump");
}

#[test]
fn handlers_wake_their_driver_and_run_beside_each_other() {
    let gate = Arc::new(Mutex::new((false, None::<Waker>)));
    let opened = gate.clone();
    let server = Server::builder("test", "1")
        .tool("gate", "", move || {
            let gate = opened.clone();
            poll_fn(move |cx| {
                let mut gate = gate.lock().unwrap();
                gate.1 = Some(cx.waker().clone());
                if gate.0 { Poll::Ready(Ok("open")) } else { Poll::Pending }
            })
        })
        .tool("quick", "", || async { Ok("quick") })
        .build();
    let revision = Revision::V2026_07_28;
    let mut client = Client::new(&server, revision);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    assert_eq!(
        client.send(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "gate", "_meta": meta}})
        ),
        [Value::Null; 0]
    );
    assert_eq!(text(&client.call(revision, "quick", json!({}))), "quick");
    let woken = client.driver.0.load(Ordering::SeqCst);
    let waker = {
        let mut gate = gate.lock().unwrap();
        gate.0 = true;
        gate.1.take().unwrap()
    };
    std::thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(client.driver.0.load(Ordering::SeqCst), woken + 1);
    assert_eq!(text(&client.turn()[0]), "open");
}

#[test]
fn a_handler_that_is_always_ready_does_not_hold_the_driver() {
    let server = Server::builder("test", "1")
        .tool("busy", "", || {
            poll_fn(|cx: &mut TaskContext<'_>| {
                cx.waker().wake_by_ref();
                Poll::<Result<(), ToolError>>::Pending
            })
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let before = client.driver.0.load(Ordering::SeqCst);
    client.send(&json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "busy"}}));
    assert_eq!(
        client.driver.0.load(Ordering::SeqCst),
        before + 1,
        "it asks for another turn"
    );
    let answer = client.ask(Revision::V2025_11_25, "ping", json!({})).1;
    assert_eq!(answer["result"], json!({}));
}

#[test]
fn everyone_hears_what_concerns_everyone() {
    let server = server().build();
    let mut first = Client::new(&server, Revision::V2025_11_25);
    let mut second = Client::new(&server, Revision::V2024_11_05);
    let mut modern = Client::new(&server, Revision::V2026_07_28);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let listen = json!({"notifications": {"toolsListChanged": true}, "_meta": meta});
    modern.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": listen}));
    let (before, _) = first.ask(Revision::V2025_11_25, "tools/call", json!({"name": "change"}));
    assert_eq!(before[0]["method"], "notifications/tools/list_changed");
    assert_eq!(second.turn()[0]["method"], "notifications/tools/list_changed");
    let heard = modern.turn();
    assert_eq!(heard[0]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);
    assert!(matches!(
        server.notify(Method::PromptListChangedNotification, Params::NONE),
        Err(SendError::NotSupported { .. })
    ));
    assert!(matches!(
        server.notify(Method::CallTool, Params::NONE),
        Err(SendError::OutOfEra { .. })
    ));
}

#[test]
fn a_slow_reader_makes_handlers_wait_and_announcements_come_once() {
    let limits = mcp_proto::Limits {
        outbox_bytes: 500,
        ..Default::default()
    };
    let server = server()
        .limits(limits)
        .tool("flood", "", |_: NoArgs, context: Context| async move {
            for step in 0..100 {
                context
                    .progress(f64::from(step), None, "a message of some length")
                    .await;
            }
            Ok("flooded")
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let params = json!({"name": "flood", "_meta": {"progressToken": 1}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    client.pump.receive(Time::ORIGIN, format!("{call}\n").into());
    let waker = Waker::from(client.driver.clone());
    let mut cx = TaskContext::from_waker(&waker);
    client.pump.poll_work(&mut cx, Time::ORIGIN);
    assert!(
        client.pump.poll_wants_input(&mut cx).is_pending(),
        "the reader has to read first"
    );
    for _ in 0..3 {
        server
            .notify(Method::ToolListChangedNotification, Params::NONE)
            .unwrap();
    }
    let Poll::Ready(Some(piece)) = client.pump.poll_transmit(&mut cx, Time::ORIGIN) else {
        panic!()
    };
    assert!(piece.len() < 800);
    let mut messages = Vec::new();
    while messages.last().is_none_or(|last: &Value| last["id"] != 1) {
        messages.extend(client.turn());
    }
    let changed = messages
        .iter()
        .filter(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(changed.count(), 1);
    let progress = messages
        .iter()
        .filter(|message| message["method"] == "notifications/progress");
    let before = piece
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    assert_eq!(progress.count() + before, 100);
}

#[test]
fn a_dropped_pump_ends_what_was_handed_elsewhere() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let server = Server::builder("test", "1")
        .tool("keep", "", move |_: NoArgs, context: Context| {
            *keep.lock().unwrap() = Some(context);
            pending::<Result<(), ToolError>>()
        })
        .build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "keep"}}));
    let context: Context = kept.lock().unwrap().take().unwrap();
    let waker = Waker::noop();
    let mut question = Box::pin(context.request_raw(Method::Ping, Params::NONE, Default::default()));
    assert!(question.as_mut().poll(&mut TaskContext::from_waker(waker)).is_pending());
    drop(client);
    let Poll::Ready(Err(error)) = question.as_mut().poll(&mut TaskContext::from_waker(waker)) else {
        panic!()
    };
    assert_eq!(error, CallError::Closed(CloseReason::DriverDropped));
    assert!(context.is_cancelled());
}

#[test]
fn an_end_of_input_lets_handlers_finish() {
    let server = server().build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    client.pump.receive(
        Time::ORIGIN,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"nothing\"}}".into(),
    );
    client.pump.receive_eof(Time::ORIGIN);
    let messages = client.turn();
    assert_eq!(text(&messages[0]), "done");
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert_eq!(client.pump.poll_transmit(&mut cx, Time::ORIGIN), Poll::Ready(None));
    assert_eq!(client.pump.poll_wants_input(&mut cx), Poll::Ready(false));
}

struct Library;

#[async_trait]
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
