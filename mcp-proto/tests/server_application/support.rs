//! A client in one thread with the server, and a server with a tool of each kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder, ServerPump, Structured};
use mcp_proto::handle::{Pump, Server};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject, Params};
use mcp_proto::method::{ClientCapability, Method};
use mcp_proto::model::{ContentBlock, LoggingLevel};
use mcp_proto::{Revision, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Counts how often the driver is woken.
#[derive(Default)]
pub(crate) struct Driver(pub AtomicUsize);

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A client in one thread with the server.
pub(crate) struct Client {
    pub pump: ServerPump,
    pub driver: Arc<Driver>,
    pub next: u64,
}

impl Client {
    pub(crate) fn new(server: &Server, revision: Revision) -> Self {
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
    pub(crate) fn turn(&mut self) -> Vec<Value> {
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

    pub(crate) fn send(&mut self, message: &Value) -> Vec<Value> {
        self.pump.receive(Time::ORIGIN, format!("{message}\n").into());
        self.turn()
    }

    /// The answer to a request, and what came before it.
    pub(crate) fn ask(&mut self, revision: Revision, method: &str, mut params: Value) -> (Vec<Value>, Value) {
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

    pub(crate) fn call(&mut self, revision: Revision, tool: &str, arguments: Value) -> Value {
        self.ask(revision, "tools/call", json!({"name": tool, "arguments": arguments}))
            .1
    }
}

pub(crate) fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Forecast {
    /// The name of a city.
    pub city: String,
    pub days: Option<u8>,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

pub(crate) fn server() -> ServerBuilder {
    let capabilities = serde_json::from_str(r#"{"logging":{},"tools":{"listChanged":true}}"#).unwrap();
    Server::builder("test", "1")
        .capabilities(capabilities)
        .tool("forecast", "Weather", |args: Forecast| async move {
            Ok(format!("{} {:?}", args.city, args.days))
        })
        .tool("nothing", "Takes nothing", || async { Ok("done") })
        .tool("unit", "Takes the unit", |(): ()| async { Ok(()) })
        .tool("sum", "Adds", |numbers: Numbers| async move {
            Ok(Structured(Sum {
                sum: numbers.numbers.iter().sum(),
            }))
        })
        .tool("list", "Data that is no object", |_: NoArgs| async {
            Ok(Structured(vec![1, 2]))
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
            let result = context.request_raw(Method::CreateMessage, Params::NONE).await?;
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
