//! What drivers are made of, whatever their runtime: for the authors of adapters.
//!
//! - Any driver: [`Timer`], its clock and deadline, and [`SpareTimer`], one for many deadlines; [`Tasks`], a set of futures polled in place, and [`Nursery`], one
//!   that grows while it runs; [`Closing`], which tells what runs to end.
//! - Byte streams: [`Lanes`] drives one connection, [`Crossing`] two face to face.
//! - Child processes: [`child`].
//! - HTTP: `HttpOptions` for clients, `TlsConfigs` for those of stored transports, `Collector` for servers.
//! - HTTP with the feature `http-body`, for adapters: a whole client but for its connections, `HttpDriver`; and all that
//!   a server does beside IO, from `HttpService` down.

pub mod child;
mod closing;
#[cfg(feature = "http")]
mod collector;
mod connect_error;
mod crossing;
#[cfg(feature = "http-body")]
mod http_client;
#[cfg(feature = "http-body")]
mod http_server;
mod lanes;
mod nursery;
#[cfg(feature = "http")]
mod options;
mod spare;
mod tasks;
mod timer;
#[cfg(feature = "http")]
mod tls_configs;

pub use closing::{Closing, Watch, either, end_upon, unless};
#[cfg(feature = "http")]
pub use collector::Collector;
pub use connect_error::ConnectError;
pub use crossing::Crossing;
#[cfg(feature = "http-body")]
pub use http_client::{
    BoxFuture, Capacity, Connected, Http2Terms, HttpConnector, HttpDriver, HttpSender, Origin, Payload, Unanswered,
    describe,
};
#[cfg(feature = "http-body")]
pub use http_server::{
    BODY_TIMEOUT, HEAD_BYTES, HttpService, Keeper, Preface, Respond, ResponseBody, ServeOptions, ServerRuntime, Stall,
    Streams, Watched, keep, wait,
};
pub use lanes::{Failure, Lanes, Step};
pub use nursery::{Nursery, Spawner};
#[cfg(feature = "http")]
pub use options::{HttpAbilities, HttpOptions, HttpVersions};
pub use spare::{Deadline, SpareTimer};
pub use tasks::Tasks;
pub use timer::{Alarm, Timer};
#[cfg(feature = "http")]
pub use tls_configs::{TlsConfigs, TlsPem};
