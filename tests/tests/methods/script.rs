//! A server and a client that say everything that there is to say.

use std::future::pending;
use std::sync::Arc;

use futures_util::future::{Either, select};
use futures_util::pin_mut;
use mcp_proto::client::{Change, Mode};
use mcp_proto::handle::client::{AnswerContext, Changes, ClientBuilder};
use mcp_proto::handle::server::{Context, ServerConnection, ToolError, Typing, completes_prompt};
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::ErrorObject;
use mcp_proto::model::request::{CreateMessage, Discover, Ping};
use mcp_proto::model::{
    CreateMessageParams, CreateMessageResult, ElicitResult, ElicitSchema, Json, LoggingLevel, RequestParams,
    ResourcesCapability, Role, Root, ServerCapabilities, SubscriptionFilter, TextContent,
};
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_proto::{Era, Revision};
use serde_json::json;
use tokio::sync::Notify;

/// The prompt's argument.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Topic {
    topic: String,
}

/// The server of one revision; who waits is told when the tool that never ends has begun.
pub(crate) fn server(revision: Revision, waiting: Arc<Notify>) -> Server {
    let capabilities = ServerCapabilities::default()
        .with_logging(Json::empty_object())
        .with_resources(ResourcesCapability::default().with_subscribe(true));
    Server::builder("everything", "1")
        .capabilities(capabilities)
        .revisions(&[revision])
        .changing()
        .tool("report", "Reports and logs", async |context: Context| {
            context.progress(1.0, None, None).await;
            context.log(LoggingLevel::Error, None, "hey").await;
            "reported"
        })
        .tool("ask", "Asks for everything", ask)
        .tool("ping", "Pings", ping)
        .tool("wait", "Never ends", move || {
            waiting.notify_one();
            pending::<String>()
        })
        .resource("test://a", "A", || "a")
        .resource_template("test://{name}", "Named", || "named")
        .prompt("talk", "Talks", |topic: Topic| topic.topic)
        .completion(completes_prompt("talk"), "topic", |Typing(typed): Typing| vec![typed])
        .build()
}

async fn ask(context: Context) -> Result<String, ToolError> {
    let revision = context.revision();
    context.list_roots().key("roots").await?;
    if revision.era() == Era::Legacy {
        let params = CreateMessageParams::new(Vec::new(), 9u64);
        let options = CallOptions::new().with_progress();
        let sampled = context.request::<CreateMessage>(&params).options(options).await;
        sampled.map_err(|error| ToolError::text(error.to_string()))?;
    } else {
        context.sample(&CreateMessageParams::new(Vec::new(), 9u64)).await?;
    }
    if revision >= Revision::V2025_06_18 {
        context.elicit("Who?", ElicitSchema::default()).await?;
    }
    if revision == Revision::V2025_11_25 {
        context.elicit_url("Sign in", "https://example.com", "visit").await?;
        context.elicitation_complete("visit").await;
    }
    Ok(String::from("asked"))
}

/// Pings the client, and takes back a question.
async fn ping(context: Context) -> Result<String, ToolError> {
    let failed = |error: CallError| ToolError::text(error.to_string());
    let params = CreateMessageParams::new(Vec::new(), 1u64);
    let question = context.request::<CreateMessage>(&params);
    pin_mut!(question);
    let ping = async {
        // Both have been sent when the client has answered the one that it does not think about.
        context.request::<Ping>(&RequestParams::default()).await
    };
    pin_mut!(ping);
    match select(question, ping).await {
        Either::Left((answer, _)) => drop(answer.map_err(failed)?),
        Either::Right((pong, _)) => drop(pong.map_err(failed)?),
    }
    Ok(String::from("pinged"))
}

pub(crate) fn client(revision: Revision) -> ClientBuilder {
    Client::builder("everyone", "1")
        .mode(match revision.era() {
            Era::Modern => Mode::Modern,
            Era::Legacy => Mode::Legacy(revision),
        })
        .on_elicit(|_, _| async { Ok(ElicitResult::accept(Json::empty_object())) })
        .on_elicit_url(|_, _| async { Ok(ElicitResult::accept(Json::empty_object())) })
        .on_elicitation_complete(|_| {})
        .on_sample(sample)
        .roots([Root::new("file:///a")])
}

async fn sample(params: CreateMessageParams, context: AnswerContext) -> Result<CreateMessageResult, ErrorObject> {
    // The question that is taken back.
    if params.max_tokens == 1 {
        return pending().await;
    }
    context.progress(1.0, None, None);
    Ok(CreateMessageResult::new(
        Role::Assistant,
        TextContent::new("x"),
        "model",
    ))
}

/// Hears of everything that may change, the same in both eras.
async fn listen(client: &Client, server: &Server) -> Changes {
    let all = SubscriptionFilter::default()
        .with_tools_list_changed(true)
        .with_prompts_list_changed(true)
        .with_resources_list_changed(true)
        .with_resource_subscriptions(vec![String::from("test://a")]);
    let mut changes = client.listen(all.clone());
    assert_eq!(changes.granted().await.expect("a subscription"), all);
    server.tools().add("new", "New", || "new").expect("tools change");
    server.prompts().add("new", "New", || "new").expect("prompts change");
    let resource = server.resources().add("test://new", "New", || "new");
    resource.expect("resources change");
    server.notify_resource_updated("test://a").expect("resources change");
    let mut left = vec![
        Change::Tools,
        Change::Prompts,
        Change::Resources,
        Change::Resource { uri: "test://a".into() },
    ];
    while !left.is_empty() {
        let change = changes.next().await.expect("more").expect("a change");
        left.retain(|other| *other != change);
    }
    changes
}

/// Gives up a call that never ends.
async fn give_up(client: &Client, waiting: &Notify) {
    let call = client.call_tool("wait", json!({}));
    pin_mut!(call);
    let begun = waiting.notified();
    pin_mut!(begun);
    match select(call, begun).await {
        Either::Left((outcome, _)) => panic!("{outcome:?}"),
        // Given up with the end of this block.
        Either::Right(((), _)) => {}
    }
}

/// Says all that a client says, and has the server say all of its own, in the revision of both.
pub(crate) async fn converse(
    client: &Client,
    server: &Server,
    waiting: &Notify,
    connection: Option<&ServerConnection>,
    revision: Revision,
) {
    call(client, "report").await;
    call(client, "ask").await;
    client.list_resources().await.expect("resources");
    client.list_resource_templates().await.expect("templates");
    client.list_prompts().await.expect("prompts");
    client.list_tools().await.expect("tools");
    client.read_resource("test://a").await.expect("a resource");
    let topic = json!({"topic": "rain"});
    client.get_prompt("talk", topic).await.expect("a prompt");
    client
        .complete_prompt("talk", "topic", "r")
        .await
        .expect("a completion");
    match revision.era() {
        Era::Legacy => legacy(client).await,
        Era::Modern => {
            let discovered = client.request::<Discover>(&RequestParams::default()).await;
            discovered.expect("what there is");
        }
    }
    give_up(client, waiting).await;
    let mut changes = listen(client, server).await;
    // What comes after the call that was given up on the wire.
    call(client, "report").await;
    if let Some(connection) = connection {
        // A server ends its subscriptions with its connection (2026-07-28, Cancellation: MUST).
        connection.close();
        while changes.next().await.is_some() {}
    }
}

async fn legacy(client: &Client) {
    client.ping().await.expect("a pong");
    client.set_level(LoggingLevel::Debug).await.expect("a level");
    client.set_roots([Root::new("file:///b")]);
    call(client, "ping").await;
    client.subscribe("test://b").await.expect("a subscription");
    client.unsubscribe("test://b").await.expect("no subscription");
}

async fn call(client: &Client, tool: &str) {
    let call = client.call_tool(tool, json!({})).log_level(LoggingLevel::Debug);
    let result = call.on_progress(|_| {}).await.expect(tool);
    assert_ne!(result.is_error, Some(true), "{tool}: {}", result.to_text());
}
