//! Our client and servers of the SDKs, in both eras.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use mcp_driver::child::Command;
use mcp_proto::client::{Change, Mode};
use mcp_proto::handle::Client;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::model::{CreateMessageResult, ElicitResult, Json, Role, SubscriptionFilter, TextContent};
use mcp_proto::{Era, Revision};
use mcp_tests::runtime::Runtime;
use serde_json::json;

use crate::home::script;
use crate::peer::Peer;
use crate::world::{everywhere, with_child, with_url};

const MODES: [Mode; 3] = [Mode::Legacy(Revision::LATEST_LEGACY), Mode::Modern, Mode::Auto];

fn client(mode: Mode) -> ClientBuilder {
    Client::builder("interop", "1")
        .mode(mode)
        .on_elicit(|_, _| async { Ok(ElicitResult::accept(Json::parse(r#"{"name":"Ada"}"#).unwrap())) })
        .on_sample(|_, _| async {
            let text = TextContent::new("sampled here");
            Ok(CreateMessageResult::new(Role::Assistant, text, "none"))
        })
}

/// What the two servers have in common.
async fn walk(runtime: &dyn Runtime, client: &Client, mode: Mode, asks: bool) {
    let facts = client.ready().await.expect("a server");
    match mode {
        Mode::Legacy(_) => assert_eq!(facts.revision, Revision::LATEST_LEGACY),
        // Each has both eras, and the probe finds the newer one.
        _ => assert_eq!(facts.revision.era(), Era::Modern),
    }
    assert!(
        client
            .list_tools()
            .await
            .expect("tools")
            .iter()
            .any(|tool| tool.name == "add")
    );
    let call = async |name: &str, arguments| client.call_tool(name, arguments).await.expect("a result");
    assert_eq!(call("add", json!({"a": 2, "b": 3})).await.to_text(), "5");
    assert!(call("fail", json!({})).await.is_failure());

    let reports = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reports);
    let reporting = client.call_tool("progress", json!({})).on_progress(move |_| {
        counted.fetch_add(1, SeqCst);
    });
    assert_eq!(reporting.await.expect("a result").to_text(), "done");
    assert_eq!(reports.load(SeqCst), 3);

    let note = client.read_resource("note://one").await.expect("a resource");
    assert!(format!("{:?}", note.contents).contains("a note"));
    let greeting = client.read_resource("greeting://Ada").await.expect("a resource");
    assert!(format!("{:?}", greeting.contents).contains("Hello, Ada!"));
    assert!(
        !client
            .list_resource_templates()
            .await
            .expect("templates")
            .into_vec()
            .is_empty()
    );
    let prompt = client
        .get_prompt("greet", json!({"name": "Ada"}))
        .await
        .expect("a prompt");
    assert!(format!("{:?}", prompt.messages).contains("Greet Ada"));

    if asks {
        assert_eq!(call("ask", json!({})).await.to_text(), "Hello, Ada!");
        assert_eq!(call("sample", json!({})).await.to_text(), "sampled here");
    }

    let given_up = runtime
        .within(Duration::from_millis(100), client.call_tool("wait", json!({})))
        .await;
    assert!(given_up.is_none());
    assert_eq!(call("add", json!({"a": 1, "b": 1})).await.to_text(), "2");
}

/// A subscription to a resource, which the server touches.
async fn listening(runtime: &dyn Runtime, client: &Client) {
    let filter = SubscriptionFilter::default().with_resource_subscriptions(vec!["note://one".into()]);
    let mut changes = client.listen(filter);
    changes.granted().await.expect("a subscription");
    client.call_tool("touch", json!({})).await.expect("a result");
    let change = runtime.within(Duration::from_secs(10), changes.next()).await;
    let change = change.expect("in time").expect("a change").expect("no loss");
    assert!(
        matches!(&change, Change::Resource { uri } if **uri == *"note://one"),
        "{change:?}"
    );
}

fn over_stdio(command: &Command) {
    everywhere(async |runtime| {
        for mode in MODES {
            println!("{mode:?}");
            with_child(runtime, command, client(mode), async |client| {
                walk(runtime, client, mode, true).await
            })
            .await;
        }
    });
}

#[test]
fn of_typescript_over_stdio() {
    over_stdio(&script("server.mjs").arg("stdio"));
}

#[test]
fn of_python_over_stdio() {
    over_stdio(&script("server.py").arg("stdio"));
}

#[test]
fn of_typescript_over_http() {
    let peer = Peer::start(&script("server.mjs").arg("http"));
    everywhere(async |runtime| {
        for mode in MODES {
            println!("{mode:?}");
            // Its legacy sessions over HTTP are without state: it cannot ask there.
            let asks = !matches!(mode, Mode::Legacy(_));
            let scenario = async |client: &Client| walk(runtime, client, mode, asks).await;
            with_url(runtime, &peer.url("/mcp"), client(mode), scenario).await;
        }
    });
}

#[test]
fn of_python_over_http() {
    let peer = Peer::start(&script("server.py").arg("streamable-http"));
    everywhere(async |runtime| {
        for mode in MODES {
            println!("{mode:?}");
            with_url(runtime, &peer.url("/mcp"), client(mode), async |client| {
                walk(runtime, client, mode, true).await;
                if !matches!(mode, Mode::Legacy(_)) {
                    listening(runtime, client).await;
                }
            })
            .await;
        }
    });
}

#[test]
fn of_python_over_http_sse() {
    let peer = Peer::start(&script("server.py").arg("sse"));
    everywhere(async |runtime| {
        let mode = Mode::Legacy(Revision::LATEST_LEGACY);
        let scenario = async |client: &Client| walk(runtime, client, mode, true).await;
        with_url(runtime, &peer.url("/sse"), client(mode), scenario).await;
    });
}
