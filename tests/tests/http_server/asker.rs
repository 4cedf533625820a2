//! Who asks, as a tool sees it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs};
use mcp_proto::http::server::Principal;
use mcp_proto::server::http::Sender;
use mcp_tests::runtime::Flavour;

/// What a layer knows of a user.
#[derive(Clone)]
struct User(&'static str);

fn server() -> Server {
    Server::builder("test", "1")
        .tool("who", "Says who asks", |_: NoArgs, context: Context| async move {
            let asker = context.asker().expect("over HTTP somebody asks");
            let user = context.extension::<User>().map_or("nobody", |user| user.0);
            let address = asker.sender.address.map(|address| address.port());
            let certificate = asker.sender.certificate.as_ref().map(Bytes::len);
            let principal = context.principal().map(Principal::as_bytes).unwrap_or_default();
            let principal = String::from_utf8_lossy(principal).into_owned();
            let path = asker.head.uri.path();
            let shown = format!("{context:?} {asker:?}");
            assert!(!shown.contains("secret"), "{shown}");
            Ok(format!("{user} {path} {address:?} {certificate:?} {principal}"))
        })
        .build()
}

fn request(extensions: bool) -> Request<Full<Bytes>> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let mut request = Request::post("/there")
        .header("host", "localhost")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "who")
        .header("authorization", "Bearer secret")
        .body(Full::from(body))
        .unwrap();
    if extensions {
        request.extensions_mut().insert(User("alice"));
        request.extensions_mut().insert(Principal::new("claimed"));
    }
    request
}

fn sender() -> Sender {
    Sender::new()
        .with_address(SocketAddr::from(([127, 0, 0, 1], 4711)))
        .with_certificate(Bytes::from_static(b"der"))
        .with_principal(Principal::new("shown"))
}

#[test]
fn a_tool_sees_what_is_in_front_of_its_request() {
    for flavour in Flavour::ALL {
        flavour.run(async |_| {
            let mut texts = Vec::new();
            for (extensions, known) in [(true, false), (true, true), (false, false)] {
                let sender = if known { sender() } else { Sender::new() };
                let body = if flavour.is_tokio() {
                    let service = mcp_tokio::http::service(server()).with_sender(sender);
                    let response = service.respond(request(extensions)).await.unwrap();
                    response.into_body().collect().await.unwrap().to_bytes()
                } else {
                    let service = mcp_smol::http::service(server()).with_sender(sender);
                    let response = service.respond(request(extensions)).await.unwrap();
                    response.into_body().collect().await.unwrap().to_bytes()
                };
                texts.push(String::from_utf8(body.to_vec()).unwrap());
            }
            assert!(texts[0].contains("alice /there None None claimed"), "{}", texts[0]);
            // What the driver says counts over what something in front has put there.
            assert!(
                texts[1].contains("alice /there Some(4711) Some(3) shown"),
                "{}",
                texts[1]
            );
            assert!(texts[2].contains("nobody /there None None "), "{}", texts[2]);
        });
    }
}
