//! The client: picks the era, does the handshake, correlates, and shows one API whatever the server speaks.
//!
//! [`Client`] knows messages and no transport. [`StreamClient`] drives it over a byte stream,
//! `HttpClient` over HTTP exchanges; both are values too.

mod backlog;
mod call;
mod calls;
mod change;
mod config;
mod cursors;
mod ended;
mod era;
mod event;
mod events;
mod follow;
mod held;
mod hints;
#[cfg(feature = "http")]
mod http;
mod inbox;
mod incident;
mod input;
mod kept_results;
mod link;
mod listener;
mod listeners;
mod listing;
mod machine;
mod meta;
mod negotiation;
mod obituary;
mod outbox;
mod receive;
mod restarts;
mod rounds;
mod stage;
mod standing;
mod step;
mod stream;
mod subscribing;
mod tool_headers;
mod tool_list;
mod tools;
mod topics;

pub use change::{Change, ListenerId};
pub use config::{ClientConfig, Mode, Prior};
#[cfg(feature = "handle")]
pub(crate) use cursors::Cursors;
pub use era::{Channel, Evidence, Verdict, judge};
pub use event::{Answer, ClientEvent, ServerFacts, ServerNotification, ServerRequest};
#[cfg(feature = "http")]
pub use http::HttpClient;
pub use incident::Incident;
pub use link::{Link, Origin};
pub use machine::Client;
pub use stream::StreamClient;
pub use tool_list::{SkippedTool, ToolList};
