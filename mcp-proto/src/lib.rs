//! The Model Context Protocol as pure state machines: all five revisions, client and server, without IO, clock,
//! randomness, threads or runtime.
//!
//! A machine is a value. The world tells it what came and how late it is, the application tells it what it wants,
//! and it tells what to send, what happened and when to ask again. Here are a client and a server that talk in
//! memory, with nothing around them:
//!
//! ```
//! use mcp_proto::client::{ClientConfig, ClientEvent, StreamClient};
//! use mcp_proto::jsonrpc::{Params, RawJson};
//! use mcp_proto::method::Method;
//! use mcp_proto::model::{CallToolResult, Implementation, ServerCapabilities, ToolsCapability};
//! use mcp_proto::rpc::CallOptions;
//! use mcp_proto::server::{ResultBody, ServerConfig, ServerEvent, StreamServer};
//! use mcp_proto::Time;
//! use serde_json::json;
//!
//! let mut client = StreamClient::new(ClientConfig::new(Implementation::new("example-client", "1.0.0")));
//!
//! let tools = ServerCapabilities::default().with_tools(ToolsCapability::default());
//! let config = ServerConfig::new(Implementation::new("example-server", "1.0.0")).with_capabilities(tools);
//! let mut server = StreamServer::new(config);
//!
//! // The application asks. Nothing is known of the server yet: the call is held while its era is asked for.
//! let params = Params::from_serialize(&json!({"name": "echo", "arguments": {"text": "hello"}}))?;
//! let call = client.client().call(Method::CallTool, params, CallOptions::default())?;
//!
//! let now = Time::ORIGIN; // the driver's clock; here no time passes
//! let result: CallToolResult = 'talk: loop {
//!     while let Some(bytes) = client.poll_transmit(now) {
//!         server.receive(now, &bytes);
//!     }
//!     while let Some(event) = server.poll_event() {
//!         if let ServerEvent::Request(request) = event {
//!             let result = CallToolResult::text("hello to you");
//!             server.respond(request.token, Ok(ResultBody::from_serialize(&result)?));
//!         }
//!     }
//!     while let Some(bytes) = server.poll_transmit(now) {
//!         client.receive(now, &bytes);
//!     }
//!     while let Some(event) = client.poll_event() {
//!         if let ClientEvent::Reply { call: answered, outcome } = event {
//!             assert_eq!(answered, call);
//!             break 'talk outcome?.decode()?;
//!         }
//!     }
//! };
//! assert_eq!(result.content, CallToolResult::text("hello to you").content);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How to drive a machine
//!
//! Every machine has methods of four kinds, named at the top of its type:
//! 1. getters;
//! 2. `receive…`, `handle_…`: the world tells the machine;
//! 3. plain verbs: the application tells the machine. They take no time and only enqueue;
//! 4. `poll_…`: the machine tells the world. They never block, and run dry.
//!
//! After anything of the second or third kind, drain the fourth: send what `poll_transmit` gives, act on
//! `poll_event`, and come back at `poll_timeout` with `handle_timeout`. There is no other contract: any method may
//! be called in any state, in any order. An error is bad input or a refused verb; a panic would be a bug of ours.
//!
//! # Tools of many servers
//!
//! `toolbox::Toolbox` brings the tools of one or many servers into one namespace. Nothing is asked when a box is
//! made; a tool is called by its name, and progress, log messages and errors of a call are its own:
//!
//! ```
//! # #[cfg(feature = "schema")] {
//! # use mcp_proto::{Time, client::{ClientConfig, Mode}, handle::{Client, Server, Crossing, server::Context}};
//! # use std::{future::Future, pin::pin, task::{self, Poll, Waker}};
//! use mcp_proto::toolbox::{ServerTools, ToolCallEvent, Toolbox};
//!
//! # #[derive(serde::Deserialize, schemars::JsonSchema)] struct Copy { files: u32 }
//! # let server = Server::builder("files", "1").tool("copy", "Copies files", |args: Copy, context: Context| async move {
//! #     for n in 1..=args.files { context.progress(f64::from(n), f64::from(args.files), None).await; }
//! #     Ok(format!("{} files", args.files))
//! # }).build();
//! # let (client, pump) = Client::over_stream(ClientConfig::named("doc", "1").with_mode(Mode::Modern));
//! # let mut crossing = Crossing::new(pump, server.pump());
//! # let example = async move {
//! let toolbox = Toolbox::builder().server("files", ServerTools::new(client).prefix("files_")).build();
//!
//! let call = toolbox.call("files_copy", serde_json::json!({"files": 2}));
//! let mut events = call.events(None);
//! let mut progress = Vec::new();
//! while let Some(event) = events.next().await {
//!     match event {
//!         ToolCallEvent::Progress(report) => progress.push(report.progress),
//!         ToolCallEvent::Done(outcome) => assert_eq!(outcome?.to_text(), "2 files"),
//!         _ => {}
//!     }
//! }
//! assert_eq!(progress, [1.0, 2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # };
//! # let (mut example, cx) = (pin!(example), &mut task::Context::from_waker(Waker::noop()));
//! # let outcome = (0..99).find_map(|_| match example.as_mut().poll(cx) {
//! #     Poll::Ready(outcome) => Some(outcome),
//! #     Poll::Pending => { let _ = crossing.poll(cx, Time::ORIGIN, |_, _| Poll::Pending); None }
//! # });
//! # outcome.expect("it ends").unwrap();
//! # }
//! ```
//!
//! # Guides
//!
//! - `guide::co_hosting`: a server and its client in one process, on one thread, and the rule that makes it safe.
//!
//! # Layers
//!
//! Each uses those below it and none above.
//!
//! | layer | what it is |
//! |---|---|
//! | `toolbox` | tools of one or many servers in one namespace |
//! | `handle` | the async layer: `Client`, `Server`, `Sessions`, calls as futures, pumps for drivers |
//! | `proxy` | what is passed on between a server's side and a client's side, and how eras are bridged |
//! | [`sessions`] | a session for each key: created once, shared, re-created, evicted; where servers are |
//! | [`client`], [`server`] | the machines of the two roles: pick the era, do the handshake, show one API |
//! | [`legacy`], [`modern`], `http` | the lifecycle of each era as a type; Streamable HTTP of both roles as values |
//! | [`rpc`] | correlation: calls, deadlines, progress, cancellation, outbox |
//! | [`jsonrpc`], [`wire`] | envelopes over raw JSON; newline framing, server-sent events, MCP headers |
//! | [`method`], [`model`], [`Revision`], [`Limits`], [`Time`] | plain data and tables |
//!
//! # Features
//!
//! Without features the crate is `no_std` with `alloc`.
//! - `http` (default): Streamable HTTP, as values of the `http` crate.
//! - `handle` (default): the async layer, and the toolbox above it.
//! - `schema` (default): JSON schemas of typed tools, by `schemars`.
//! - `rounds` (with `handle`): what servers ask while they serve a request, as a machine: `server::rounds`.
//! - `stream`: `futures_core::Stream` for whatever has a `poll_next`.
//! - `testing`: for those who test what speaks the protocol.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod client;
#[cfg(feature = "schema")]
pub mod guide;
#[cfg(feature = "handle")]
pub mod handle;
#[cfg(feature = "http")]
pub mod http;
pub mod jsonrpc;
pub mod legacy;
mod limits;
pub mod method;
pub mod model;
pub mod modern;
#[cfg(feature = "handle")]
pub mod proxy;
mod revision;
pub mod rpc;
pub mod server;
pub mod sessions;
mod settings;
mod shown;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
#[cfg(feature = "handle")]
pub mod toolbox;
pub mod wire;

pub use limits::{Limits, Timeouts};
pub use revision::{Era, Revision};
pub use time::{Time, UnixTime};
