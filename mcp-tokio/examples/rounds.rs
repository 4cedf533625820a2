//! A tool that asks its user, and a client that answers: real requests to a legacy client, rounds of input to a modern one
//! (2026-07-28, Multi Round-Trip Requests), and the same code for both.

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::model::{ElicitResult, ElicitSchema, Json, StringSchema};
use mcp_tokio::{Client, Context, Server, ToolError, memory};
use serde_json::{Value, json};

/// Runs again from the start with each answer of a modern client: what must happen once goes through `once`.
async fn book(context: Context) -> Result<String, ToolError> {
    let number: u32 = context.once("number", async { 42 }).await?;
    let form = ElicitSchema::default().required("name", StringSchema::default());
    let answer = context.elicit("Who travels?", form).await?;
    let content: Value = answer
        .content
        .ok_or_else(|| ToolError::text("nobody travels"))?
        .decode()?;
    Ok(format!("Ticket {number} for {}", content["name"]))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder("travel", "1.0.0")
        .tool("book", "Books a ticket", book)
        .build();
    for mode in [Mode::Legacy(Revision::V2025_11_25), Mode::Modern] {
        let client = Client::builder("traveller", "1.0.0")
            .mode(mode)
            .on_elicit(|form, _| async move {
                println!("{}", form.message);
                Ok(ElicitResult::accept(Json::parse(r#"{"name": "Ada"}"#).expect("JSON")))
            });
        let client = memory::connect_memory(&server, client)?;
        let booked = client.call_tool("book", json!({})).await?.to_text();
        assert_eq!(booked, "Ticket 42 for \"Ada\"");
        println!("{mode:?}: {booked}");
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
