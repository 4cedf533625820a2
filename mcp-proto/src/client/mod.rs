//! The client: picks the era, does the handshake, correlates, and shows one API whatever the server speaks.
//!
//! [`Client`] knows messages and no transport. [`StreamClient`] drives it over a byte stream,
//! `HttpClient` over HTTP exchanges; both are values too.

mod config;
mod era;
mod event;
mod held;
#[cfg(feature = "http")]
mod http;
mod inbound;
mod lifecycle;
mod listing;
mod machine;
mod outbound;
mod stream;
mod tool_headers;
mod tool_list;

pub use config::{ClientConfig, Mode, Prior};
pub use era::{Channel, Evidence, Verdict, judge};
pub use event::{Answer, Event, IncomingRequest, ServerFacts};
#[cfg(feature = "http")]
pub use http::HttpClient;
pub use machine::{Client, Link, Origin};
pub use stream::StreamClient;
pub use tool_list::{SkippedTool, ToolList};
