//! HTTP on any runtime, over hyper: a client with its connections, and what a server does beside IO.

mod client;
mod options;
mod server;
#[cfg(feature = "tls")]
mod tls_files;

pub use client::{
    BoxFuture, Capacity, Connected, Http2Terms, HttpConnector, HttpDriver, HttpSender, Origin, Payload, Unanswered,
    describe,
};
pub use options::{HttpAbilities, HttpOptions, HttpVersions};
pub use server::{
    BODY_TIMEOUT, Collector, HEAD_BYTES, HttpService, Keeper, Preface, Respond, ResponseBody, ServeOptions,
    ServerRuntime, Stall, Streams, Watched, keep, wait,
};
#[cfg(feature = "tls")]
pub use tls_files::{TlsConfigs, TlsPem};
