//! The shapes of closures: what they take in any order, `async` or not, and what they share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::support::{Client, Forecast, text};

use mcp_proto::Revision;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{BuildError, Context, NoArgs, State, Structured, ToolError};
use mcp_proto::model::ContentBlock;
use serde_json::json;

const REVISION: Revision = Revision::V2025_11_25;

#[derive(Clone, Default)]
struct App {
    calls: Arc<AtomicU32>,
}

#[derive(Clone)]
struct Unit(&'static str);

fn plain(args: Forecast) -> Result<String, ToolError> {
    let days = args.days.ok_or_else(|| ToolError::text("for how many days?"))?;
    Ok(format!("{days} days in {}", args.city))
}

async fn waiting(State(app): State<App>, args: Forecast) -> String {
    format!("{} {}", args.city, app.calls.fetch_add(1, Ordering::Relaxed))
}

fn six(a: State<App>, b: Context, args: Forecast, c: State<Unit>, d: State<App>, e: Context) -> String {
    assert_eq!(b.revision(), e.revision());
    a.calls.fetch_add(1, Ordering::Relaxed);
    format!("{} {} {}", args.city, c.0.0, d.calls.load(Ordering::Relaxed))
}

fn server() -> Server {
    Server::builder("shapes", "1")
        .tool("plain", "A function", plain)
        .tool("waiting", "An async function", waiting)
        .tool("six", "All there is", six)
        .tool("nothing", "Takes nothing", || "done")
        .tool("fails", "Fails at once", || Err::<(), _>(ToolError::text("no")))
        .tool("ok", "A result at once", || Ok("fine"))
        .tool("parses", "Uses `?`", |args: Forecast| {
            let number: i32 = args.city.parse()?;
            Ok(Structured(number))
        })
        .tool("infallible", "A future of no result", |_: NoArgs| async { "late" })
        .tool("context", "The context alone", |context: Context| async move {
            context.progress(1.0, None, None).await;
            Ok(ContentBlock::text(context.revision().as_str()))
        })
        .tool(
            "reversed",
            "The context first",
            |context: Context, args: Forecast| async move { format!("{} {}", args.city, context.revision()) },
        )
        .state(App::default())
        .state(Unit("first"))
        .state(Unit("°C"))
        .build()
}

#[test]
fn closures_take_what_they_want_in_any_order_async_or_not() {
    let mut client = Client::new(&server(), REVISION);
    let args = json!({"city": "Bern", "days": 2});
    for (tool, expected) in [
        ("plain", "2 days in Bern"),
        ("waiting", "Bern 0"),
        ("waiting", "Bern 1"),
        ("six", "Bern °C 3"),
        ("nothing", "done"),
        ("fails", "no"),
        ("ok", "fine"),
        ("parses", "invalid digit found in string"),
        ("infallible", "late"),
        ("context", "2025-11-25"),
        ("reversed", "Bern 2025-11-25"),
    ] {
        assert_eq!(text(&client.call(REVISION, tool, args.clone())), expected, "{tool}");
    }
    let misfit = client.call(REVISION, "six", json!({}));
    assert!(text(&misfit).starts_with("invalid arguments: "), "{misfit}");
}

#[test]
fn the_schema_is_that_of_the_arguments_wherever_they_stand() {
    let mut client = Client::new(&server(), REVISION);
    let (_, answer) = client.ask(REVISION, "tools/list", json!({}));
    for tool in answer["result"]["tools"].as_array().unwrap() {
        let takes_city = ["plain", "waiting", "six", "parses", "reversed"].contains(&tool["name"].as_str().unwrap());
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        assert_eq!(schema["properties"]["city"].is_object(), takes_city, "{tool}");
    }
}

#[test]
fn missing_state_is_told_when_the_server_is_built() {
    let builder = Server::builder("shapes", "1").tool("waiting", "Waits", waiting);
    let error = builder.try_build().unwrap_err();
    assert!(matches!(&error, BuildError::MissingState { name, .. } if name == "waiting"));
    let said = error.to_string();
    assert!(
        said.contains("`waiting` takes `State<") && said.contains("App>`"),
        "{said}"
    );
}

#[test]
#[should_panic(expected = "give it to the builder by `.state(..)`")]
fn a_server_that_lacks_state_is_not_built() {
    let _ = Server::builder("shapes", "1").tool("waiting", "Waits", waiting).build();
}
