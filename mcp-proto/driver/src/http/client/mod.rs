//! The HTTP client of any runtime: exchanges on connections that are kept, all polled in one future.
//!
//! An adapter makes connections and sends requests ([`HttpConnector`], [`HttpSender`]); when to make a connection,
//! which request goes where, and what becomes of a response is said here.

mod connector;
mod driver;
mod exchange;
mod http2;
mod origin;
mod payload;
mod pool;

pub use connector::{BoxFuture, Connected, HttpConnector, HttpSender, Unanswered, describe};
pub use driver::HttpDriver;
pub use http2::{Capacity, Http2Terms};
pub use origin::Origin;
pub use payload::Payload;
