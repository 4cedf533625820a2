//! The server of the scenarios.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_proto::Timeouts;
use mcp_proto::handle::server::{Context, NoArgs, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::{ErrorCode, ErrorObject};
use mcp_proto::model::{Json, LoggingLevel, ServerCapabilities};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

/// What the tools work with, and tell the scenario.
#[derive(Default)]
pub(crate) struct Probe {
    /// A call of `wait` has begun.
    pub(crate) started: Notify,
    /// A call of `wait` was dropped.
    pub(crate) dropped: Notify,
    client: Mutex<Option<Client>>,
}

impl Probe {
    /// The client that `relay` and `nest` call their own server through.
    pub(crate) fn set_client(&self, client: Client) {
        *self.client.lock().expect("not poisoned") = Some(client);
    }

    /// The scenario has the only handles from now on.
    pub(crate) fn forget_client(&self) {
        self.client.lock().expect("not poisoned").take();
    }

    fn client(&self) -> Client {
        self.client.lock().expect("not poisoned").clone().expect("a client")
    }
}

/// The arguments of `echo` and `relay`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Echo {
    pub(crate) text: String,
}

/// The arguments of `nest` and `count`.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Number {
    pub(crate) number: u32,
}

pub(crate) fn server(probe: &Arc<Probe>) -> Server {
    let capabilities = ServerCapabilities {
        logging: Some(Json::empty_object()),
        ..ServerCapabilities::default()
    };
    // What still runs when a client has gone is given up soon, so that no scenario has to wait for it.
    let timeouts = Timeouts {
        close: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let builder = Server::builder("e2e", "1")
        .capabilities(capabilities)
        .timeouts(timeouts);
    let (relaying, nesting, waiting) = (probe.clone(), probe.clone(), probe.clone());
    builder
        .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
        .tool("fail", "Fails", || async {
            Err::<(), _>(ToolError::text("out of order"))
        })
        .tool("refuse", "Is refused", || async {
            Err::<(), _>(ErrorObject::new(ErrorCode(-7), "no").into())
        })
        .tool(
            "count",
            "Reports progress",
            |args: Number, context: Context| async move {
                for step in 1..=args.number {
                    context.progress(f64::from(step), f64::from(args.number), None).await;
                }
                Ok(args.number.to_string())
            },
        )
        .tool("shout", "Logs", |_: NoArgs, context: Context| async move {
            context.log(LoggingLevel::Warning, "shout", "hey").await;
            Ok("shouted")
        })
        .tool("relay", "Has echo called", move |args: Echo| {
            let client = relaying.client();
            async move { Ok(client.call_tool("echo", args).await?) }
        })
        .tool("nest", "Calls itself", move |args: Number| {
            let client = nesting.client();
            async move { nest(&client, args.number).await }
        })
        .tool("wait", "Never ends", move || {
            let probe = waiting.clone();
            async move {
                probe.started.notify_one();
                let _guard = Guard(&probe.dropped);
                pending::<Result<(), ToolError>>().await
            }
        })
        .build()
}

async fn nest(client: &Client, number: u32) -> Result<String, ToolError> {
    if number == 0 {
        return Ok(String::from("0"));
    }
    let below = client.call_tool("nest", json!({ "number": number - 1 })).await?;
    let below: u32 = below.content[0].as_text().unwrap_or_default().parse()?;
    Ok((below + 1).to_string())
}

/// Tells when it is dropped.
struct Guard<'a>(&'a Notify);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
