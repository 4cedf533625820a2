//! What an HTTP server does on any runtime, over any library that speaks in `http` and `http-body`.

mod body;
mod bridge;
mod calls;
mod collector;
mod connection;
#[cfg(feature = "http2")]
mod http2;
mod keeper;
mod listener;
mod options;
mod preface;
mod respond;
mod runtime;
mod service;
mod stall;
mod streams;
#[cfg(unix)]
mod unread;
mod watched;

pub use body::ResponseBody;
pub use collector::Collector;
pub use connection::Connections;
pub use keeper::{Keeper, keep};
pub use listener::Listener;
pub use options::{BODY_TIMEOUT, HEAD_BYTES, ServeOptions};
pub use preface::Preface;
pub use respond::Respond;
pub use runtime::{KeepingRuntime, ServerRuntime};
pub use service::HttpService;
pub use stall::Stall;
pub use streams::Streams;
pub use watched::Watched;
