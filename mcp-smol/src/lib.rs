//! The Model Context Protocol on smol.
//!
//! [`mcp_proto`] is the protocol: state machines without IO. This crate moves bytes and deadlines between them
//! and smol's reactor, and does nothing else. One future drives one connection, or one HTTP client with all its
//! exchanges, or one listener with all its connections; no task is spawned for a call.
//!
//! - [`connect`]: a client of an HTTP endpoint. [`http`]: its options, and what runs underneath. HTTP/2 is there with
//!   the feature `http2`.
//! - [`stream`]: clients and servers over byte streams, TCP and Unix sockets among them.
//! - [`tls`]: configurations of TLS for clients and servers; `https` URLs work without one.
//! - [`child`]: clients of child processes, over their standard input and output.
//! - [`stdio`]: a server over the standard input and output of this process.
//! - [`memory`]: a client and a server in one process.
//! - [`sessions()`]: a pool of sessions with any number of servers, each made once and made again when it is lost.
//! - [`drive`]: any pump over any byte stream. [`Clock`], [`Timer`]: the time that the machines see.
//!
//! # Executors
//!
//! No executor is assumed, the global one of smol neither. What makes a client comes in two forms: one returns
//! the client and the future that drives it ([`http::client_over_http`], [`stream::client_over`],
//! [`child::child_over`], [`memory::duplex`]), to be polled wherever it suits; the other ([`connect`] and its like)
//! is given something that spawns, and hands it that future:
//!
//! ```
//! # fn main() -> Result<(), mcp_smol::ConnectError> {
//! # let url = "http://localhost/mcp";
//! // On the global executor:
//! let client = mcp_smol::connect(url, |driver| smol::spawn(driver).detach())?;
//! // On one of your own, many threads or one:
//! let executor = smol::LocalExecutor::new();
//! let client = mcp_smol::connect(url, |driver| executor.spawn(driver).detach())?;
//! # Ok(())
//! # }
//! ```
//!
//! What smol runs in threads of its own, it runs here as well: the reactor of `async-io` has one, names of hosts are looked
//! up in those of `blocking`, and `async-process` reaps children in one. Nothing of the protocol is polled in them.
//!
//! Servers are futures as they are: whoever polls them runs everything that belongs to them.
//!
//! ```
//! use mcp_smol::{ClientConfig, Server, memory};
//!
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Forecast { city: String }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder("weather", "1.0.0")
//!     .tool("forecast", "Forecast for a city", |args: Forecast| async move { Ok(format!("sunny in {}", args.city)) })
//!     .build();
//! let config = ClientConfig::named("host", "1.0.0");
//! let client = memory::connect_memory(&server, config, |driver| smol::spawn(driver).detach());
//! let result = smol::block_on(client.call_tool("forecast", serde_json::json!({"city": "Bern"})))?;
//! assert_eq!(result.content[0].as_text(), Some("sunny in Bern"));
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! On by default: `child` for [`child`], `http` for [`connect`] and [`http`], `tls` for `https` and [`tls`], `schema` for
//! tools from typed closures (`tool` of the builder of a server; without it there is `raw_tool`). Off: `http2`.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]
#![cfg_attr(not(test), warn(clippy::panic, clippy::indexing_slicing))]

mod accept;
#[cfg(feature = "child")]
pub mod child;
mod clock;
#[cfg(feature = "http")]
pub mod http;
mod lanes;
pub mod memory;
mod sessions;
mod socket;
pub mod stdio;
pub mod stream;
#[cfg(feature = "tls")]
pub mod tls;

pub use clock::{Clock, Timer};
#[cfg(feature = "http")]
pub use http::client::{connect, connect_with};
pub use lanes::drive;
pub use mcp_driver::application::*;
pub use mcp_proto::handle::sessions::Driver;
pub use sessions::{sessions, sessions_over};
