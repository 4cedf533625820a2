//! H: sessions and servers that are lost. (H4 and H5, as far as a pool decides, belong to it.)

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use mcp_proto::Era;
use mcp_proto::handle::Client;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::{Address, Driver, Runtime, Site, Task, listen, text};
use mcp_tests::world::{Probe, Wire, client_config, server, tapped};
use serde_json::json;

use super::each;

/// A server with no sessions yet, behind a listener.
fn serve(runtime: &dyn Runtime, listener: TcpListener, wire: &Wire) -> Task {
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    let (mcp, beside) = runtime.service(&server, HttpConfig::default());
    runtime.serve_site(listener, tapped(mcp, wire), beside).unwrap()
}

async fn echo(client: &Client) -> Result<(), CallError> {
    client.call_tool("echo", json!({"text": "x"})).await.map(drop)
}

/// How often a client introduces itself to a server.
fn handshakes(era: Era) -> usize {
    usize::from(era == Era::Legacy)
}

#[test]
fn h1_a_server_that_was_restarted_is_introduced_to_once_more() {
    each("H1", async |runtime, era, figures| {
        for calls in [1, 50] {
            let (before, after) = (Wire::default(), Wire::default());
            let (listener, url) = listen();
            let again = listener.try_clone().unwrap();
            let mut serving = serve(runtime, listener, &before);
            let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
            echo(&client).await.unwrap();
            serving.stop().await;
            // The client sees that its connections are closed.
            runtime.sleep(Duration::from_millis(20)).await;
            let _serving = serve(runtime, again, &after);
            let began = Instant::now();
            let outcomes = join_all((0..calls).map(|_| echo(&client))).await;
            figures.within(&format!("{calls} first calls after it"), began.elapsed(), 100.0);
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            for _ in 0..3 {
                let began = Instant::now();
                echo(&client).await.unwrap();
                figures.within("a further call", began.elapsed(), 50.0);
            }
            figures.print("handshakes after it", after.handshakes());
            assert_eq!(
                (before.handshakes(), after.handshakes()),
                (handshakes(era), handshakes(era))
            );
        }
    });
}

#[test]
fn h2_a_server_that_knows_no_session_ever_is_asked_once_more_and_no_further() {
    // Whether it forgets the session before the handshake is over, or at the first call.
    for forgotten in ["notifications/initialized", "tools/call"] {
        each("H2", async |runtime, era, figures| {
            let wire = Wire::default();
            let (listener, url) = listen();
            let (site, beside) = forgetful(runtime, forgotten);
            let _serving = runtime.serve_site(listener, tapped(site, &wire), beside).unwrap();
            let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
            let outcome = echo(&client).await;
            // Whatever a client might do in a loop, it would have done by now.
            runtime.sleep(Duration::from_millis(200)).await;
            let (asked, called) = (wire.handshakes(), wire.count("tools/call"));
            figures.print(&format!("{forgotten}: handshakes"), asked);
            figures.print(&format!("{forgotten}: calls sent"), called);
            match (era, forgotten) {
                (Era::Legacy, "tools/call") => {
                    assert_eq!(outcome, Err(CallError::SessionLost));
                    assert_eq!((asked, called), (2, 2));
                }
                (Era::Legacy, _) => {
                    assert_eq!(outcome, Err(CallError::SessionLost));
                    assert!(
                        (1..=2).contains(&asked) && called == 0,
                        "{asked} handshakes, {called} calls"
                    );
                }
                (Era::Modern, "tools/call") => {
                    assert_eq!(outcome.unwrap_err().http_status(), Some(404));
                    assert_eq!((asked, called), (0, 1));
                }
                (Era::Modern, _) => assert_eq!((outcome, asked, called), (Ok(()), 0, 1)),
            }
        });
    }
}

/// A server that answers messages of this method with 404, and what has to be polled beside it.
fn forgetful(runtime: &dyn Runtime, method: &'static str) -> (Site, Option<Driver>) {
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    let (mcp, beside) = runtime.service(&server, HttpConfig::default());
    let site = Site::new(move |request| {
        let mcp = mcp.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            match String::from_utf8_lossy(&body).contains(&format!("\"{method}\"")) {
                true => text(StatusCode::NOT_FOUND, ""),
                false => mcp.answer(Request::from_parts(head, Full::new(body))).await,
            }
        })
    });
    (site, beside)
}

#[test]
fn h3_a_server_that_is_down_is_unreachable_and_then_as_ever() {
    each("H3", async |runtime, era, figures| {
        let (before, after) = (Wire::default(), Wire::default());
        let (listener, url) = listen();
        let port = listener.local_addr().unwrap();
        let mut serving = serve(runtime, listener, &before);
        let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
        echo(&client).await.unwrap();
        serving.stop().await;
        drop(serving);
        runtime.sleep(Duration::from_millis(20)).await;
        for _ in 0..3 {
            let began = Instant::now();
            let error = echo(&client).await.unwrap_err();
            figures.within("the error while it is down", began.elapsed(), 50.0);
            assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
        }
        let listener = TcpListener::bind(port).unwrap();
        listener.set_nonblocking(true).unwrap();
        let _serving = serve(runtime, listener, &after);
        let began = Instant::now();
        echo(&client).await.unwrap();
        figures.within("the first call after", began.elapsed(), 100.0);
        assert_eq!(after.handshakes(), handshakes(era));
    });
}
