//! The server: what it says about itself, and the machines that speak for it.
//!
//! [`StreamServer`] is the whole of a server on one byte stream, in both eras. [`LegacySession`] is what it keeps of a
//! client of the legacy era, and [`admit`] takes the requests of the modern one, which keeps nothing; `http` makes
//! a server over Streamable HTTP of these two. A [`ClientRequest`] comes out of either with its
//! [`RequestContext`], and is answered with a [`ResultBody`] or an error by its [`RequestToken`].

mod admit;
mod announcement;
#[cfg(any(feature = "http", feature = "handle"))]
mod announcements;
mod batches;
mod body;
mod calls;
mod config;
mod context;
mod ending;
mod event;
mod events;
#[cfg(feature = "http")]
pub mod http;
mod inbox;
mod interests;
mod junk;
mod lines;
mod load;
mod negotiation;
mod received;
mod request;
#[cfg(feature = "rounds")]
pub mod rounds;
mod session;
mod stream;
mod subscription;
mod subscriptions;
mod uris;

pub(crate) use admit::admit_seen;
pub use admit::{Admitted, admit};
pub use announcement::Announcement;
#[cfg(any(feature = "http", feature = "handle"))]
pub(crate) use announcements::Announcements;
pub use body::ResultBody;
pub use config::{CacheHints, ServerConfig};
pub use context::RequestContext;
pub use event::ServerEvent;
pub use received::{Happening, Received};
#[cfg(any(feature = "http", feature = "handle"))]
pub(crate) use request::Question;
pub use request::{ClientRequest, Refused, RequestToken};
#[cfg(feature = "rounds")]
pub use rounds::{AskError, InputRequired, Redeem, Redemption, StateId, StateKey, StateRefusal, UsedStates};
pub use session::LegacySession;
pub use stream::StreamServer;
pub use subscription::Subscription;
