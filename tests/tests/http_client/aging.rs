//! Connections that die while they wait: paced at the server's own time, and while the loop of the client is blocked.

use std::time::Duration;

use mcp_driver::http::HttpOptions;
use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::rpc::{CallError, CallOptions};
use mcp_tests::runtime::{Flavour, Runtime};
use serde_json::{Value, json};

use crate::site::{Request, Site, Step};
use crate::{call, config, everywhere};

/// As long as a server keeps a connection.
const KEPT: Duration = Duration::from_millis(40);

const MODES: [Mode; 2] = [Mode::Modern, Mode::Legacy(Revision::V2025_11_25)];

fn client(runtime: &dyn Runtime, url: &str, mode: Mode) -> Client {
    let options = HttpOptions {
        listen: false,
        ..HttpOptions::default()
    };
    let config: ClientConfig = config().with_mode(mode);
    runtime.connect_http(url, config, &options).expect("a client")
}

/// The answer of a server of either era.
fn answer(request: &Request) -> Vec<u8> {
    let result = match request.body["method"].as_str() {
        Some("initialize") => {
            let info = json!({"name": "s", "version": "1"});
            json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info})
        }
        Some("tools/list") => json!({"resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private"}),
        Some("notifications/initialized") => return b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => json!({"resultType": "complete", "n": request.body["params"]["n"]}),
    };
    request.json(&result)
}

async fn list(client: &Client) -> Result<RawJson, CallError> {
    client.request_raw("tools/list", Params::NONE).await
}

#[test]
fn calls_paced_at_the_servers_keep_alive_time_do_not_fail() {
    for mode in MODES {
        everywhere(async |runtime| {
            // What comes while it waits is never read, and a connection that is closed on it is reset.
            let site = Site::start(|request| vec![Step::Write(answer(request)), Step::Wait(KEPT), Step::Close]);
            let client = client(runtime, &site.url, mode);
            for n in 0..16_u32 {
                assert!(list(&client).await.is_ok(), "{n} of {mode:?}");
                // A bit earlier, at the same time, and a bit later.
                runtime
                    .sleep(KEPT - Duration::from_millis(2) + Duration::from_micros(250) * n)
                    .await;
            }
        });
    }
}

#[test]
fn what_waits_in_vain_on_a_kept_connection_is_sent_once_more_and_not_twice() {
    for mode in MODES {
        everywhere(async |runtime| {
            // The second request on a connection is read, and not answered.
            let site = Site::start(|request| match request.body["params"]["n"].as_u64() {
                Some(0) => vec![Step::Write(answer(request))],
                _ if request.body["method"] == "tools/list" && request.number % 2 == 1 => vec![Step::Close],
                Some(_) => vec![Step::Close],
                None => vec![Step::Write(answer(request))],
            });
            let client = client(runtime, &site.url, mode);
            assert_eq!(call(&client, 0).await, Ok(0));
            for _ in 0..4 {
                assert!(list(&client).await.is_ok(), "{mode:?}");
            }
            let before = site.requests();
            let error = call(&client, 7).await.expect_err("nobody knows what became of it");
            assert_eq!(error, CallError::Stale);
            assert!(error.to_string().contains("may or may not have been done"), "{error}");
            assert_eq!(site.requests(), before + 1);
        });
    }
}

#[test]
fn a_call_that_is_marked_idempotent_is_sent_once_more() {
    everywhere(async |runtime| {
        let site = Site::start(|request| match request.number {
            1 => vec![Step::Close],
            _ => vec![Step::Write(answer(request))],
        });
        let client = client(runtime, &site.url, Mode::Modern);
        assert_eq!(call(&client, 0).await, Ok(0));
        let params = Params::from_serialize(&json!({"n": 3})).expect("parameters");
        let again = client.request_raw("test/echo", params);
        let again = again
            .options(CallOptions::new().with_idempotence())
            .await
            .expect("an answer");
        assert_eq!(again.decode::<Value>().expect("JSON")["n"], 3);
        assert_eq!((site.connections(), site.requests()), (2, 3));
    });
}

#[test]
fn a_loop_that_was_blocked_through_the_end_of_its_connections_makes_new_ones() {
    for mode in MODES {
        for flavour in Flavour::ONE_THREAD {
            flavour.run(async |runtime| {
                // As a server that is started anew: what there was is closed, whether it bore something or not.
                let site = Site::start(|request| match request.body["method"].as_str() {
                    Some("test/echo") => vec![Step::Write(answer(request)), Step::Wait(KEPT), Step::Close],
                    _ => vec![Step::Write(answer(request))],
                });
                let client = client(runtime, &site.url, mode);
                for n in 0..8 {
                    // Of any kind: what is gone already is not used.
                    assert_eq!(call(&client, n).await, Ok(n), "{flavour} {mode:?}");
                    std::thread::sleep(KEPT * 2);
                }
            });
        }
    }
}

#[test]
fn a_server_that_says_how_long_it_keeps_a_connection_is_believed() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let answer = String::from_utf8(answer(request)).expect("text");
            let answer = answer.replace("\r\ncontent-type", "\r\nkeep-alive: timeout=1, max=9\r\ncontent-type");
            vec![Step::Write(answer.into_bytes())]
        });
        let client = client(runtime, &site.url, Mode::Modern);
        for n in 0..3 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        assert_eq!(site.connections(), 1);
        site.open_is(runtime, 0).await;
        assert_eq!(call(&client, 3).await, Ok(3));
        assert_eq!(site.connections(), 2);
    });
}
