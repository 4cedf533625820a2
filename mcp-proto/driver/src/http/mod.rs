//! HTTP on any runtime, over hyper: a client with its connections, and what a server does beside IO.

mod client;
mod network;
mod options;
mod server;
mod timers;
#[cfg(feature = "tls")]
pub mod tls;

pub use client::{
    BoxFuture, Capacity, Connected, Http2Terms, HttpConnector, HttpDriver, HttpSender, Origin, Payload, Unanswered,
    client_over_http, describe,
};
pub use network::{Agreed, ClientTls, Network, ServerTls, look};
pub use options::{HttpAbilities, HttpOptions, HttpVersions};
pub use server::{
    BODY_TIMEOUT, Collector, Connections, HEAD_BYTES, HttpService, Keeper, KeepingRuntime, Listener, Preface, Respond,
    ResponseBody, ServeOptions, ServerRuntime, Stall, Streams, Watched, keep,
};
