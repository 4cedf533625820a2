//! The Model Context Protocol on tokio.
//!
//! [`mcp_proto`] is the protocol: state machines without IO. This crate moves bytes and deadlines between them
//! and tokio, and does nothing else. One future drives one connection, or one HTTP client with all its
//! exchanges; no task is spawned for a call.
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
//! ```
//! use mcp_tokio::{ClientConfig, Server, memory};
//!
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Forecast { city: String }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder("weather", "1.0.0")
//!     .tool("forecast", "Forecast for a city", |args: Forecast| async move { Ok(format!("sunny in {}", args.city)) })
//!     .build();
//! let client = memory::connect_memory(&server, ClientConfig::named("host", "1.0.0"))?;
//! let result = client.call_tool("forecast", serde_json::json!({"city": "Bern"})).await?;
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
pub mod stdio;
pub mod stream;
#[cfg(feature = "tls")]
pub mod tls;

pub use clock::{Clock, Timer};
#[cfg(feature = "http")]
pub use http::client::{connect, connect_with};
pub use lanes::drive;
pub use mcp_driver::application::*;
pub use sessions::{sessions, sessions_over};

/// The programs of the README compile.
#[cfg(all(doctest, feature = "child", feature = "http", feature = "schema"))]
#[doc = include_str!("../../README.md")]
struct Readme;
