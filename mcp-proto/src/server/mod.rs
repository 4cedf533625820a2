//! The server: what it says about itself, and the machines that speak for it.
//!
//! [`Connection`] is the whole of a server on one byte stream, in both eras. [`Session`] is what it keeps of a
//! client of the legacy era, and [`modern::server::admit`](crate::modern::server::admit) takes the requests of the
//! modern one, which keeps nothing; Streamable HTTP is made of these two. A [`Request`] comes out of either with its
//! [`RequestContext`], and is answered with a [`ResultBody`] or an error by its [`RequestToken`].

mod batches;
mod body;
mod config;
mod connection;
mod context;
mod facts;
mod lines;
mod request;
mod session;
mod subscription;

pub use body::ResultBody;
pub use config::{CacheHints, ServerConfig};
pub use connection::{Connection, Event};
pub use context::RequestContext;
pub(crate) use context::{ClientFacts, parse_severity};
#[cfg(feature = "handle")]
pub(crate) use facts::Called;
pub(crate) use facts::Facts;
pub use request::{Request, RequestToken};
pub use session::{Received, Session};
pub use subscription::Subscription;
