//! Clients that answer their servers, in both eras with the same closures.

use std::future::pending;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt;
use mcp_proto::Era;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::server::{Context, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_proto::model::request::{CreateMessage, Elicit, ListRoots};
use mcp_proto::model::{
    CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ElicitSchema, Json, RequestParams, Role,
    Root, StringSchema, TextContent,
};
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::{AnyPump, Flavour, Runtime, Site, listen, text};
use mcp_tests::world::{Number, mode};
use serde_json::{Value, json};

/// A server whose tools ask the client (legacy era).
fn server() -> Server {
    let failed = |error: CallError| ToolError::text(error.to_string());
    Server::builder("asking", "1")
        .tool("who", "Asks the user", move |_: Number, context: Context| async move {
            let form = ElicitSchema::default()
                .required("name", StringSchema::default())
                .optional("greeting", StringSchema::default().with_default("hello"));
            let answer = context.request::<Elicit>(&ElicitParams::form("Who?", form)).await;
            let content = answer.map_err(failed)?.content;
            Ok(content.map_or(String::new(), Json::into_string))
        })
        .tool("what", "Asks a model", move |_: Number, context: Context| async move {
            let params = CreateMessageParams::new(Vec::new(), 9u64);
            let sampled = context.request::<CreateMessage>(&params).await;
            Ok(sampled.map_err(failed)?.model)
        })
        .tool("where", "Lists roots", move |_: Number, context: Context| async move {
            let roots = context.request::<ListRoots>(&RequestParams::default()).await;
            let roots = roots.map_err(failed)?.roots;
            Ok(roots.iter().map(|root| root.uri.clone()).collect::<String>())
        })
        .build()
}

/// A client of an era that answers all of it.
fn answering(era: Era) -> ClientBuilder {
    Client::builder("answering", "1")
        .mode(mode(era))
        .on_elicit(|_, _| async { Ok(ElicitResult::accept(Json::parse(r#"{"name":"Ada"}"#).unwrap())) })
        .on_sample(|_, _| async {
            let content = TextContent::new("x");
            Ok(CreateMessageResult::new(Role::Assistant, content, "model"))
        })
        .roots([Root::new("file:///a")])
}

const WAYS: [&str; 3] = ["memory", "Unix", "HTTP"];

/// A client of a server over one of the ways.
fn connect(runtime: &dyn Runtime, way: &str, server: &Server, client: ClientBuilder) -> Client {
    match way {
        "memory" => {
            let (client, pump) = Client::over_stream(client);
            runtime.spawn(runtime.join(AnyPump::new(pump), AnyPump::new(server.pump())));
            client
        }
        "Unix" => {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (client, pump) = Client::over_stream(client);
            for (pump, stream) in [(AnyPump::new(pump), ours), (AnyPump::new(server.pump()), theirs)] {
                stream.set_nonblocking(true).unwrap();
                let driving = runtime.drive(pump, stream).unwrap();
                runtime.spawn(Box::pin(async { drop(driving.await) }));
            }
            client
        }
        _ => {
            let (listener, url) = listen();
            let serving = runtime.serve_http(listener, server, Box::pin(pending())).unwrap();
            // It serves as long as the runtime runs.
            std::mem::forget(serving);
            runtime.connect_answering(&url, client).unwrap()
        }
    }
}

async fn answer(client: &Client, tool: &str) -> String {
    let result = client.call_tool(tool, json!({"number": 0})).await.unwrap();
    result.content[0].as_text().unwrap_or_default().to_owned()
}

#[test]
fn a_legacy_server_is_answered_over_every_transport() {
    for flavour in Flavour::ALL {
        for way in WAYS {
            println!("{way}, {flavour}");
            flavour.run(async |runtime| {
                let client = connect(runtime, way, &server(), answering(Era::Legacy));
                assert_eq!(answer(&client, "who").await, r#"{"name":"Ada","greeting":"hello"}"#);
                assert_eq!(answer(&client, "what").await, "model");
                assert_eq!(answer(&client, "where").await, "file:///a");
                client.set_roots([Root::new("file:///b")]);
                assert_eq!(answer(&client, "where").await, "file:///b");
            });
        }
    }
}

/// Says when it is dropped.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_call_that_is_dropped_takes_the_question_along() {
    for flavour in Flavour::ALL {
        for way in WAYS {
            println!("{way}, {flavour}");
            flavour.run(async |runtime| {
                let (asked, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
                let (asking, dropping) = (asked.clone(), dropped.clone());
                let user = answering(Era::Legacy).on_elicit(move |_, _| {
                    asking.fetch_add(1, Ordering::Relaxed);
                    let alive = Alive(dropping.clone());
                    async move {
                        let _alive = alive;
                        pending().await
                    }
                });
                let client = connect(runtime, way, &server(), user);
                let call = client.call_tool("who", json!({"number": 0}));
                let until = |count: Arc<AtomicUsize>| async move {
                    while count.load(Ordering::Relaxed) == 0 {
                        runtime.sleep(std::time::Duration::from_millis(1)).await;
                    }
                };
                futures_util::future::select(call, Box::pin(until(asked))).await;
                // The call is dropped: the server takes back what it had asked for it; over HTTP the stream that would say
                // so ends with the call, which says it as well.
                until(dropped).await;
                assert_eq!(answer(&client, "where").await, "file:///a", "all else goes on");
            });
        }
    }
}

/// A modern server over HTTP that wants input for a call, and gives back what it was given; and what it was sent.
fn scripted(runtime: &dyn Runtime, rounds: usize) -> (String, Arc<Mutex<Vec<Value>>>) {
    let (listener, url) = listen();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let site = Site::new(move |request| {
        let sink = sink.clone();
        Box::pin(async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let request: Value = serde_json::from_slice(&body).unwrap();
            sink.lock().unwrap().push(request.clone());
            let state = request["params"]["requestState"].as_str();
            let round = state.map_or(0, |state| state.parse().unwrap());
            let result = if round < rounds {
                json!({"resultType": "input_required", "requestState": (round + 1).to_string(), "inputRequests": {
                    "who": {"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema":
                        {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}},
                    "what": {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 9}},
                    "where": {"method": "roots/list"}}})
            } else {
                let text = request["params"]["inputResponses"].to_string();
                json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
            };
            let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
            let mut answer = text(StatusCode::OK, answer.to_string());
            let json = HeaderValue::from_static("application/json");
            answer.headers_mut().insert(CONTENT_TYPE, json);
            answer
        })
    });
    std::mem::forget(runtime.serve_site(listener, site, None).unwrap());
    (url, seen)
}

#[test]
fn a_modern_server_is_given_its_input_round_by_round() {
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let (url, seen) = scripted(runtime, 3);
            let client = runtime.connect_answering(&url, answering(Era::Modern)).unwrap();
            let given: Value = serde_json::from_str(&answer(&client, "x").await).unwrap();
            assert_eq!(given["who"]["content"], json!({"name": "Ada"}));
            assert_eq!(given["what"]["model"], "model");
            assert_eq!(given["where"]["roots"][0]["uri"], "file:///a");
            let seen = seen.lock().unwrap();
            let ids: std::collections::BTreeSet<_> = seen.iter().map(|it| it["id"].to_string()).collect();
            assert_eq!((seen.len(), ids.len()), (4, 4), "an id for each");
        });
    }
}

#[test]
fn a_modern_server_that_asks_for_what_nobody_gives_or_without_end_fails_the_call() {
    for flavour in Flavour::ALL {
        flavour.run(async |runtime| {
            let (url, _) = scripted(runtime, 99);
            let client = runtime.connect_answering(&url, answering(Era::Modern)).unwrap();
            let endless = client.call_tool("x", json!({})).await.unwrap_err();
            assert_eq!(endless, CallError::TooManyRounds { most: 10 });
            let mute = Client::builder("mute", "1").mode(mode(Era::Modern)).roots([]);
            let client = runtime.connect_answering(&url, mute).unwrap();
            let error = client.call_tool("x", json!({})).await.unwrap_err();
            assert!(
                matches!(&error, CallError::Input(it) if it.method.as_ref() != "roots/list"),
                "{error}"
            );
        });
    }
}
