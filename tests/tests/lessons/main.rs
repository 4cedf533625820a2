//! What broke other implementations, one short test for each failure that the machines alone can show.
//!
//! Named after the failure; the numbers are those of the public reports. The themes are those of the project's survey:
//!
//! | theme | here | beside |
//! |---|---|---|
//! | 1 handler and pump wait for each other | `pump` | `e2e::reentrancy` |
//! | 2 no deadline, 3 out of order | `handshake` | `pair::deadlines` |
//! | 4 lost sessions, 5 leaked ones, 6 streams without end | `sessions` | `pair::http`, `pair::random` |
//! | 7 cancellation, 9 reads that are dropped, 10 wrong types, 11 ids | `calls` | `e2e::cancellation` |
//! | 8 dead peers, 13 slow readers, 16 a runtime, 17 threads, 18 order of ends | `pump` | `streams`, CI without std |
//! | 12 bounds, 14 junk, 19 headers, 20 nesting, 24 trivia | `input` | `fuzz` |
//! | messages that cannot be read, and what only looks like one; byte order marks | `broken` | `wire::outline`, `jsonrpc::lenient` |
//! | rules that other implementations came to | `rules` | the unit tests of each |
//! | 15 children | `children` | `stdio`, and the unit tests of `driver::child` |
//! | 21 eras, 22 what tells them apart | `handshake` | `golden`, and the unit tests of `client::era` |
//! | 27 transient refusals, 30 connections that die idle | – | `client::http_listening`, `client::http_again`, `http_client::aging` |
//! | 31 losses that nobody is told of: the GET stream | – | `client::http_listening` |
//!
//! What the field, foreign peers and attackers found in this implementation since. Where it needs more than the machines,
//! or stands with what it is about, the first column of places is empty:
//!
//! | theme | here | beside |
//! |---|---|---|
//! | an unknown version that is taken for modern | – | `versions` of `server::http::machine` |
//! | the place of a stream that outlives its client | – | `http_server::{listening, stall}`, `server::http::listeners` |
//! | a transient refusal that is taken for a permanent one, a budget that is renewed by no progress | `sessions` | `client::http_listening`, `http::client::listen`, `rpc::calls` |
//! | a reply that can be attributed and not read, byte order marks | `broken` | `wire::outline`, `legacy` of `server::http::machine` |
//! | death on the probe | `handshake` | `stdio::ends` |
//! | codings, redirects | – | `client::{http_codings, http_redirects}`, `http_client::addresses` |
//! | `null` that counts as present | `rules` | `jsonrpc::parse`, `model::tests::fields` |
//! | one bad entry that spoils the whole | `calls`, `input` | `jsonrpc::lenient` |
//! | entries of a batch that are no message | – | `server_transcripts`, `legacy` of `server::http::machine` |
//! | connections that die idle | – | `client::http_again`, `http_client::aging`, the unit tests of `keep_alive` |
//! | losses that nobody is told of | – | `client::{http_standing, tool_lists}`, `pool::losses`, `stdio::ends` |
//! | wrong words | `handshake` | `server_transcripts`, `versions` of `server::http::machine`, `client::http_replies`, `rpc::error`, `handle::server::schema` |
//! | how a subscription ends | – | `server_subscriptions`, `modern` of `server::http::machine` |
//! | rules that other implementations came to | `rules` | – |
//! | caps without fairness, caps without a total | `sessions` | `attacks::{bodies, sessions, subscriptions, streams, unread}`, `bounds` of `server::http::machine`, `http::server::{bodies, shares}` |
//! | descriptors of a client, informational responses without end | – | `attacks::{answers, informational}`, `client::http_answers` |
//! | deadlines that come before what has arrived | – | `pair::deadlines`, `http_client::suspended` |
//! | a handler that panics | – | `listeners`, `http_server::{bounds, hostile}`, `server_application::life` |
//! | hosts that only end or begin as an allowed one | – | `http::server::hosts`, and planted bugs (`.ci/mutants`) |
//! | entries that weigh more than their text | – | `client::outbox`, `http::server::subscriptions` |
//! | pages of other origins | – | `cors` of `server::http::machine`, `http_server::browser` |
//! | floods of progress, polls that hold the thread | – | `attacks::{flood, growth}`, `acceptance::executor`, `client::long_lists` |
//! | work that grows with those who wait | – | `handle::growth` |
//! | wake-ups that are lost, wakers called under a lock | – | `handle::schedules` |
//! | figures that get worse unnoticed | – | the bench, and its costs in CI |
//!
//! Theme 23, authorization, is not there yet: of it there is only that a wall is no evidence of an era. Of theme 6, that
//! a stream resumes where it broke off; of theme 1, subscriptions that are open while a client closes.

mod broken;
mod calls;
mod children;
mod handshake;
mod input;
mod pump;
mod rules;
mod sessions;

use http::Uri;
use mcp_proto::client::{ClientConfig, HttpClient, Mode, StreamClient};
use mcp_proto::http::client::{ExchangeId, HttpAction, HttpClientConfig};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::Implementation;
use mcp_proto::rpc::{CallId, CallOptions};
use mcp_proto::server::{ClientRequest, ServerConfig, ServerEvent, StreamServer};
use mcp_proto::{Limits, Time};
use serde_json::json;

const NOW: Time = Time::ORIGIN;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn server_with(limits: Limits) -> StreamServer {
    let capabilities = serde_json::from_str(r#"{"tools":{}}"#).expect("capabilities");
    let config = ServerConfig::new(Implementation::new("s", "1")).with_capabilities(capabilities);
    StreamServer::new(config.with_limits(limits))
}

/// A server whose legacy session is open.
fn server() -> StreamServer {
    let mut server = server_with(Limits::default());
    tell(&mut server, INITIALIZE);
    tell(&mut server, INITIALIZED);
    assert!(said(&mut server).contains("serverInfo"));
    server
}

fn tell(server: &mut StreamServer, line: &str) {
    server.receive(NOW, format!("{line}\n").as_bytes());
}

fn said(server: &mut StreamServer) -> String {
    let mut text = Vec::new();
    while let Some(bytes) = server.poll_transmit(NOW) {
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).expect("UTF-8")
}

fn requests(server: &mut StreamServer) -> Vec<ClientRequest> {
    std::iter::from_fn(|| server.poll_event())
        .filter_map(|event| match event {
            ServerEvent::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

fn config(mode: Mode) -> ClientConfig {
    ClientConfig::new(Implementation::new("c", "1")).with_mode(mode)
}

fn written(client: &mut StreamClient) -> String {
    let bytes = client.poll_transmit(NOW).unwrap_or_default();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn hear(client: &mut StreamClient, line: &str) {
    client.receive(NOW, format!("{line}\n").as_bytes());
}

/// A call of the tool `x`.
fn call(client: &mut mcp_proto::client::Client) -> CallId {
    let params = Params::from_serialize(&json!({"name": "x", "arguments": {}})).expect("an object");
    let call = client.call(Method::CallTool, params, CallOptions::default());
    call.expect("room")
}

/// A client in the modern era over HTTP, with one call that was sent: the exchange of it.
fn one_exchange(limits: Limits) -> (HttpClient, ExchangeId) {
    let config = config(Mode::Modern).with_limits(limits);
    let http = HttpClientConfig::new(Uri::from_static("http://localhost/mcp"));
    let mut client = HttpClient::new(config, &http);
    call(client.client());
    match client.poll_action(NOW) {
        Some(HttpAction::Open { id, .. }) => (client, id),
        other => panic!("{other:?}"),
    }
}
