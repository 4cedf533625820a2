//! The HTTP client of any runtime: exchanges on connections that are kept, all polled in one future.
//!
//! An adapter opens sockets ([`Network`](super::Network)). When to make a connection, which request goes where, and what
//! becomes of a response is said here.

mod capacity;
mod connector;
mod dial;
mod driver;
mod exchange;
#[cfg(feature = "http2")]
mod http2;
mod keep_alive;
mod origin;
mod payload;
mod pool;
mod sender;
mod tap;

pub use capacity::{Capacity, Http2Terms};
pub use connector::{BoxFuture, Connected, HttpConnector, HttpSender, Unanswered, describe};
pub use dial::client_over_http;
pub use driver::HttpDriver;
pub use origin::Origin;
pub use payload::Payload;
