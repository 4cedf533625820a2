//! Our client and the reference server that has everything, over each of its transports.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::client::Change;
use mcp_proto::handle::Client;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::model::{
    ContentBlock, CreateMessageResult, ElicitResult, Json, Role, Root, SubscriptionFilter, TextContent,
};
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::Runtime;
use serde_json::json;

use crate::home::package;
use crate::peer::Peer;
use crate::world::{everywhere, with_child, with_url};

const SERVER: &str = "server-everything/dist/index.js";

/// A client that answers whatever it is asked, and what it has been asked.
fn client(asked: &Arc<Mutex<Vec<&'static str>>>) -> ClientBuilder {
    let note = |what: &'static str| {
        let asked = Arc::clone(asked);
        move || asked.lock().unwrap().push(what)
    };
    let (form, url, sample) = (note("form"), note("url"), note("sample"));
    Client::builder("interop", "1")
        .on_elicit(move |_, _| {
            form();
            let content = Json::parse(r#"{"name":"Ada"}"#).unwrap();
            async move { Ok(ElicitResult::accept(content)) }
        })
        .on_elicit_url(move |_, _| {
            url();
            async { Ok(ElicitResult::accept(Json::empty_object())) }
        })
        .on_sample(move |_, _| {
            sample();
            async {
                let text = TextContent::new("sampled here");
                Ok(CreateMessageResult::new(Role::Assistant, text, "none"))
            }
        })
        .roots([Root::new("file:///interop")])
}

/// Every feature that the server has.
async fn walk(runtime: &dyn Runtime, client: &Client, asked: &Mutex<Vec<&'static str>>) {
    let facts = client.ready().await.expect("a server");
    assert_eq!(facts.revision, Revision::LATEST_LEGACY);
    tools(client).await;
    resources(client).await;
    prompts(client).await;
    progress(client).await;
    asks(client).await;
    assert_eq!(*asked.lock().unwrap(), ["form", "sample", "url"]);
    cancelled(runtime, client).await;
    listening(runtime, client).await;
    client.ping().await.expect("a pong");
}

async fn tools(client: &Client) {
    let tools = client.list_tools().await.expect("tools");
    assert!(tools.iter().any(|tool| tool.name == "echo"));
    let call = async |name: &str, arguments| client.call_tool(name, arguments).await.expect("a result");
    assert_eq!(call("echo", json!({"message": "hi"})).await.to_text(), "Echo: hi");
    assert!(call("get-sum", json!({"a": 2, "b": 3})).await.to_text().contains('5'));
    let weather = call("get-structured-content", json!({"location": "Chicago"})).await;
    let weather: serde_json::Value = weather.decode_structured().expect("structured content");
    assert_eq!(weather["temperature"], 36);
    let image = call("get-tiny-image", json!({})).await;
    assert!(
        image
            .content
            .iter()
            .any(|block| matches!(block, ContentBlock::Image(_)))
    );
    let links = call("get-resource-links", json!({"count": 3})).await;
    let is_link = |block: &&ContentBlock| matches!(block, ContentBlock::ResourceLink(_));
    assert_eq!(links.content.iter().filter(is_link).count(), 3);
    // A tool that fails is a result, and one that is not there is an error, or a result that says so.
    assert!(call("get-sum", json!({"a": "x"})).await.is_failure());
    match client.call_tool("absent", json!({})).await {
        Ok(result) => assert!(result.is_failure()),
        Err(error) => assert!(matches!(error, CallError::Rpc(_)), "{error}"),
    }
}

async fn resources(client: &Client) {
    let resources = client.list_resources().await.expect("resources").into_vec();
    assert!(!resources.is_empty());
    for resource in &resources {
        let read = client.read_resource(&resource.uri).await.expect("a resource");
        assert!(!read.contents.is_empty(), "{}", resource.uri);
    }
    let templates = client.list_resource_templates().await.expect("templates").into_vec();
    assert!(templates.len() >= 2);
    let read = client
        .read_resource("demo://resource/dynamic/text/7")
        .await
        .expect("a resource");
    assert!(format!("{:?}", read.contents).contains("Resource 7"));
}

async fn prompts(client: &Client) {
    let prompts = client.list_prompts().await.expect("prompts").into_vec();
    assert!(prompts.iter().any(|prompt| prompt.name == "args-prompt"));
    let prompt = client
        .get_prompt("args-prompt", json!({"city": "Bern"}))
        .await
        .expect("a prompt");
    assert!(format!("{:?}", prompt.messages).contains("Bern"));
    let values = client
        .complete_prompt("completable-prompt", "department", "S")
        .await
        .expect("values");
    assert_eq!(values.completion.values, ["Sales", "Support"]);
}

async fn progress(client: &Client) {
    let reports = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reports);
    let call = client.call_tool("trigger-long-running-operation", json!({"duration": 0.4, "steps": 4}));
    let call = call.on_progress(move |_| {
        counted.fetch_add(1, SeqCst);
    });
    assert!(call.await.expect("a result").to_text().contains("completed"));
    assert_eq!(reports.load(SeqCst), 4);
}

/// What it asks its client while it runs.
async fn asks(client: &Client) {
    let call = async |name: &str, arguments| client.call_tool(name, arguments).await.expect("a result").to_text();
    assert!(call("trigger-elicitation-request", json!({})).await.contains("Ada"));
    assert!(
        call("trigger-sampling-request", json!({"prompt": "x"}))
            .await
            .contains("sampled here")
    );
    assert!(call("get-roots-list", json!({})).await.contains("file:///interop"));
    call("trigger-url-elicitation", json!({"url": "https://example.com/"})).await;
}

/// A call that is given up is over at once, and the session goes on.
async fn cancelled(runtime: &dyn Runtime, client: &Client) {
    let call = client.call_tool("trigger-long-running-operation", json!({"duration": 30, "steps": 2}));
    let given_up = runtime.within(Duration::from_millis(200), call).await;
    assert!(given_up.is_none());
    assert_eq!(
        client
            .call_tool("echo", json!({"message": "on"}))
            .await
            .expect("a result")
            .to_text(),
        "Echo: on"
    );
}

async fn listening(runtime: &dyn Runtime, client: &Client) {
    let uri = "demo://resource/dynamic/text/1";
    let filter = SubscriptionFilter::default().with_resource_subscriptions(vec![uri.into()]);
    let mut changes = client.listen(filter);
    changes.granted().await.expect("a subscription");
    client
        .call_tool("toggle-subscriber-updates", json!({}))
        .await
        .expect("a result");
    let change = runtime.within(Duration::from_secs(20), changes.next()).await;
    let change = change.expect("in time").expect("a change").expect("no loss");
    assert!(
        matches!(&change, Change::Resource { uri: changed } if **changed == *uri),
        "{change:?}"
    );
}

#[test]
fn over_stdio() {
    everywhere(async |runtime| {
        let asked = Arc::default();
        let command = package(SERVER).arg("stdio");
        with_child(runtime, &command, client(&asked), async |client| {
            walk(runtime, client, &asked).await
        })
        .await;
    });
}

#[test]
fn over_streamable_http() {
    everywhere(async |runtime| {
        let peer = Peer::start(&package(SERVER).arg("streamableHttp"));
        let asked = Arc::default();
        with_url(runtime, &peer.url("/mcp"), client(&asked), async |client| {
            walk(runtime, client, &asked).await
        })
        .await;
    });
}

#[test]
fn over_http_sse() {
    everywhere(async |runtime| {
        let peer = Peer::start(&package(SERVER).arg("sse"));
        let asked = Arc::default();
        with_url(runtime, &peer.url("/sse"), client(&asked), async |client| {
            walk(runtime, client, &asked).await
        })
        .await;
    });
}
