//! One handler that asks, in both eras, on both adapters, asked by a client that is written by hand.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mcp_driver::http::{HttpService, ServerRuntime};
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs};
use mcp_proto::http::server::Principal;
use mcp_proto::model::{ElicitResult, ElicitSchema, StringSchema};
use mcp_proto::server::StateKey;
use mcp_tests::runtime::Flavour;
use serde_json::{Value, json};

fn server() -> Server {
    Server::builder("test", "1")
        .state_keys([StateKey::new([7; 32])])
        .tool(
            "greet",
            "Asks for a name and greets",
            |_: NoArgs, context: Context| async move {
                let form = || ElicitSchema::default().required("name", StringSchema::default());
                let first = name(&context.elicit("first", form()).key("first").await?);
                let last = name(&context.elicit(format!("last of {first}"), form()).await?);
                Ok(format!("Hello, {first} {last}!"))
            },
        )
        .build()
}

fn name(answer: &ElicitResult) -> String {
    let content: Option<Value> = answer.content.as_ref().and_then(|content| content.decode().ok());
    content
        .and_then(|content| Some(content["name"].as_str()?.to_owned()))
        .unwrap_or_default()
}

fn answer(request: &Value) -> Value {
    json!({"action": "accept", "content": {"name": request["params"]["message"].as_str().unwrap().to_uppercase()}})
}

fn post(headers: &[(&str, &str)], principal: &str, body: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::post("/mcp")
        .header("host", "localhost")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Full::from(body.to_string())).unwrap();
    request.extensions_mut().insert(Principal::new(principal));
    request
}

/// A call of the modern era, by somebody: its response.
async fn modern<R: ServerRuntime>(service: &HttpService<R>, principal: &str, more: &Value) -> Value {
    let mut params = json!({"name": "greet", "arguments": {},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}});
    params
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "greet"),
    ];
    let response = service.respond(post(&headers, principal, &body)).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

fn retry(asked: &Value) -> Value {
    let requests = asked["result"]["inputRequests"].as_object().unwrap();
    let answers = requests.iter().map(|(key, request)| (key.clone(), answer(request)));
    let answers: serde_json::Map<_, _> = answers.collect();
    json!({"requestState": asked["result"]["requestState"], "inputResponses": answers})
}

async fn in_rounds<R: ServerRuntime>(service: HttpService<R>, other_node: HttpService<R>) {
    let first = modern(&service, "alice", &json!({})).await;
    assert_eq!(first["result"]["resultType"], "input_required", "{first}");
    assert_eq!(
        first["result"]["inputRequests"]["first"]["method"],
        "elicitation/create"
    );
    let first = retry(&first);
    // Nothing of it is kept here: another node with the same key goes on.
    let second = retry(&modern(&other_node, "alice", &first).await);
    assert_ne!(first["requestState"], second["requestState"]);
    for service in [&service, &other_node] {
        let done = modern(service, "alice", &second).await;
        assert_eq!(
            done["result"]["content"][0]["text"], "Hello, FIRST LAST OF FIRST!",
            "{done}"
        );
    }
    let stolen = modern(&service, "mallory", &second).await;
    assert_eq!(stolen["error"]["code"], -32602, "{stolen}");
    let mut tampered = second.clone();
    tampered["requestState"] = format!("{}-TAMPERED", second["requestState"].as_str().unwrap()).into();
    let tampered = modern(&service, "alice", &tampered).await;
    assert_eq!(tampered["error"]["data"]["requestState"], "invalid", "{tampered}");
}

/// The next message on a stream of events.
async fn next<B>(body: &mut B) -> Value
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Unpin,
{
    let mut text = String::new();
    loop {
        let frame = body.frame().await.expect("a message").unwrap();
        text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        let mut data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        if let Some(message) = data.rfind(|data| !data.is_empty()) {
            return serde_json::from_str(message).unwrap();
        }
    }
}

async fn by_requests<R: ServerRuntime>(service: HttpService<R>) {
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {}}, "clientInfo": {"name": "c", "version": "1"}}});
    let response: Response<_> = service.respond(post(&[], "alice", &hello)).await.unwrap();
    let session = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    drop(response.into_body().collect().await.unwrap());
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    let send = async |message: Value| {
        let response = service.respond(post(&headers, "alice", &message)).await.unwrap();
        assert!(response.status().is_success(), "{message}");
        response.into_body()
    };
    drop(send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "greet"}});
    let mut stream = send(call).await;
    for _ in 0..2 {
        let request = next(&mut stream).await;
        assert_eq!(request["method"], "elicitation/create", "{request}");
        drop(send(json!({"jsonrpc": "2.0", "id": request["id"], "result": answer(&request)})).await);
    }
    let done = next(&mut stream).await;
    assert_eq!(
        done["result"]["content"][0]["text"], "Hello, FIRST LAST OF FIRST!",
        "{done}"
    );
}

#[test]
fn one_handler_asks_modern_clients_in_rounds_and_legacy_ones_by_requests() {
    for flavour in Flavour::ALL {
        println!("{flavour}");
        flavour.run(async |_| {
            if flavour.is_tokio() {
                use mcp_tokio::http::service;
                in_rounds(service(server()), service(server())).await;
                by_requests(service(server())).await;
            } else {
                use mcp_smol::http::service;
                in_rounds(service(server()), service(server())).await;
                by_requests(service(server())).await;
            }
        });
    }
}
