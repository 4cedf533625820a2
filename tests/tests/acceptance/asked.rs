//! D6: requests of the server while a call is open, nested.

use std::time::Instant;

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::server::{Context, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_proto::model::request::CreateMessage;
use mcp_proto::model::{CreateMessageParams, CreateMessageResult, Role, TextContent};
use mcp_tests::runtime::{AnyPump, Flavour, Runtime, listen};
use mcp_tests::world::Number;
use serde_json::json;

use super::figures::Figures;

const LEGACY: Revision = Revision::LATEST_LEGACY;

/// A tool that has the client asked before it answers.
fn server() -> Server {
    Server::builder("asking", "1")
        .tool(
            "nest",
            "Asks the client, which calls it",
            |args: Number, context: Context| async move {
                let params = CreateMessageParams::new(Vec::new(), u64::from(args.number));
                let below = context.request::<CreateMessage>(&params).await;
                let below = below.map_err(|error| ToolError::text(error.to_string()))?;
                Ok(below.model)
            },
        )
        .build()
}

/// A client that calls the tool from within its answer, until it is deep enough.
fn client() -> ClientBuilder {
    Client::builder("asked", "1")
        .mode(Mode::Legacy(LEGACY))
        .on_sample(|params, context| async move {
            let model = match params.max_tokens {
                0 => String::from("0"),
                depth => {
                    let below = context.client().call_tool("nest", json!({ "number": depth - 1 }));
                    let below = below.await.expect("a result");
                    let below: u32 = below.content[0]
                        .as_text()
                        .unwrap_or_default()
                        .parse()
                        .expect("a number");
                    (below + 1).to_string()
                }
            };
            let text = TextContent::new("x");
            Ok(CreateMessageResult::new(Role::Assistant, text, model))
        })
}

async fn nested(client: &Client, figures: &Figures, way: &str) {
    for depth in [3, 30] {
        let began = Instant::now();
        let result = client.call_tool("nest", json!({ "number": depth })).await.unwrap();
        assert_eq!(result.content[0].as_text(), Some(&*depth.to_string()), "{way}");
        figures.within(
            &format!("{way}: {depth} deep"),
            began.elapsed(),
            50.0 + 5.0 * f64::from(depth),
        );
    }
}

fn in_memory(runtime: &dyn Runtime) -> Client {
    let (client, pump) = Client::over_stream(client());
    runtime.spawn(runtime.join(AnyPump::new(pump), AnyPump::new(server().pump())));
    client
}

#[test]
fn d6_a_client_that_is_asked_during_a_call_calls_tools_that_ask() {
    for flavour in Flavour::ONE_THREAD {
        let figures = Figures::of("D6", flavour, LEGACY.era());
        flavour.run(async |runtime| {
            nested(&in_memory(runtime), &figures, "memory").await;
            let (listener, url) = listen();
            let _serving = runtime
                .serve_http(listener, &server(), Box::pin(std::future::pending()))
                .unwrap();
            let client = runtime.connect_answering(&url, client()).unwrap();
            nested(&client, &figures, "HTTP").await;
        });
    }
}
