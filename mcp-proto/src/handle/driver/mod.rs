//! What drivers are made of, whatever their runtime: for the authors of adapters.
//!
//! - Any driver: [`Timer`], its clock and deadline; [`Tasks`], a set of futures polled in place.
//! - Byte streams: [`Lanes`] drives one connection, [`Crossing`] two face to face.
//! - HTTP: `Pool` and `HttpOptions` for clients, `Collector` for servers; with the feature `http-body` all that a
//!   server does beside IO, from `HttpService` down.

#[cfg(feature = "http")]
mod collector;
mod crossing;
#[cfg(feature = "http-body")]
mod http_server;
mod lanes;
#[cfg(feature = "http")]
mod options;
#[cfg(feature = "http")]
mod pool;
mod tasks;
mod timer;

#[cfg(feature = "http")]
pub use collector::Collector;
pub use crossing::Crossing;
#[cfg(feature = "http-body")]
pub use http_server::{BODY_TIMEOUT, HttpService, Keeper, Respond, ResponseBody, ServeOptions, ServerRuntime, keep};
pub use lanes::{Failure, Lanes, Step};
#[cfg(feature = "http")]
pub use options::HttpOptions;
#[cfg(feature = "http")]
pub use pool::{OriginKey, Pool};
pub use tasks::Tasks;
pub use timer::{Alarm, Timer};
