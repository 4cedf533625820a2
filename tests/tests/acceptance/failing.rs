//! F: servers that fail.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::{Address, Answer, Failed, Runtime, Site, Task, listen, text};
use mcp_tests::world::{Probe, client_config, server};
use serde_json::json;

use super::each;

/// An answer with this body, which breaks off after it.
pub(crate) fn broken(content_type: &'static str, body: &'static str) -> Answer {
    let pieces: [Result<Frame<Bytes>, Failed>; 2] = [
        Ok(Frame::data(Bytes::from_static(body.as_bytes()))),
        Err("the connection is reset".into()),
    ];
    let mut answer = Response::new(StreamBody::new(stream::iter(pieces)).boxed_unsync());
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn whole(status: u16, content_type: &'static str, body: &'static str) -> Answer {
    let mut answer = text(StatusCode::from_u16(status).unwrap(), body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// A server that answers its first request like this, and every other one as it should.
fn serve(runtime: &dyn Runtime, first: impl Fn() -> Answer + Send + Sync + 'static) -> (String, Task) {
    let (listener, url) = listen();
    let (mcp, beside) = runtime.service(
        &server(&Arc::new(Probe::default()), runtime.flavour()),
        HttpConfig::default(),
    );
    let requests = AtomicUsize::new(0);
    let site = Site::new(move |request| match requests.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let answer = first();
            Box::pin(async { answer })
        }
        _ => mcp.answer(request),
    });
    (url, runtime.serve_site(listener, site, beside).unwrap())
}

/// What a first answer is, and whether an error is the right one for it.
type Case = (&'static str, fn() -> Answer, fn(&CallError) -> bool);

pub(crate) const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";

const CASES: [Case; 9] = [
    (
        "a reset in the middle of JSON",
        || broken(JSON, "{\"jsonrpc\":"),
        |error| *error == CallError::Disconnected,
    ),
    (
        "half an event",
        || broken(SSE, "data: {\"json"),
        |error| *error == CallError::Disconnected,
    ),
    (
        "a stream that ends in half an event",
        || whole(200, SSE, "data: {\"json"),
        |error| *error == CallError::Disconnected,
    ),
    (
        "another content type",
        || whole(200, "text/html", "<html>"),
        |error| error.http_status() == Some(200),
    ),
    (
        "no JSON",
        || whole(200, JSON, "<html>"),
        |error| matches!(error, CallError::InvalidReply(_) | CallError::Http(_)),
    ),
    (
        "401",
        || whole(401, "text/plain", ""),
        |error| matches!(error, CallError::Unauthorized(_)),
    ),
    (
        "404",
        || whole(404, "text/plain", ""),
        |error| error.http_status() == Some(404),
    ),
    (
        "405",
        || whole(405, "text/plain", ""),
        |error| error.http_status() == Some(405),
    ),
    (
        "500",
        || whole(500, "text/plain", ""),
        |error| error.http_status() == Some(500),
    ),
];

#[test]
fn f3_each_failure_is_one_flat_error_and_the_client_goes_on() {
    each("F3", async |runtime, era, figures| {
        for (name, first, is_right) in CASES {
            let (url, _serving) = serve(runtime, first);
            let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
            let began = Instant::now();
            let error = client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
            figures.within(name, began.elapsed(), 50.0);
            assert!(is_right(&error), "{name}, {era:?}: {error:?}");
            let next = client.call_tool("echo", json!({"text": "x"})).await;
            assert_eq!(next.unwrap().content[0].as_text(), Some("x"), "after {name}");
        }
        // That nobody listens is A3.
    });
}

#[test]
fn f4_one_connection_that_breaks_harms_no_other_call() {
    each("F4", async |runtime, era, figures| {
        let (listener, url) = listen();
        let probe = Arc::new(Probe::default());
        let (mcp, beside) = runtime.service(&server(&probe, runtime.flavour()), HttpConfig::default());
        let site = Site::new(move |request| {
            let mcp = mcp.clone();
            Box::pin(async move {
                let (head, body) = request.into_parts();
                let Ok::<_, Infallible>(body) = body.collect().await;
                let body = body.to_bytes();
                if body.windows(9).any(|piece| piece == b"break off") {
                    return broken(JSON, "{\"jsonrpc\":");
                }
                mcp.answer(http::Request::from_parts(head, body.into())).await
            })
        });
        let _serving = runtime.serve_site(listener, site, beside).unwrap();
        let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
        let began = Instant::now();
        let good = (0..50).map(|n| client.call_tool("slow", json!({"text": n.to_string(), "ms": 50})));
        let good = runtime.run(join_all(good.collect::<Vec<_>>()));
        while probe.begun() < 50 {
            runtime.sleep(std::time::Duration::from_millis(1)).await;
        }
        let bad = client.call_tool("echo", json!({"text": "break off"})).await;
        // Which of the two depends on whether its connection had been used before.
        let error = bad.unwrap_err();
        assert!(matches!(error, CallError::Disconnected | CallError::Stale), "{error}");
        let good = good.await.unwrap();
        let ok = good.iter().filter(|outcome| outcome.is_ok()).count();
        figures.time("all 51 calls", began.elapsed());
        figures.print("good calls that succeeded", ok);
        assert_eq!(ok, 50, "{good:?}");
    });
}
