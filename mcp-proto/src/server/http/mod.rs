//! The server over Streamable HTTP: every decision about a request and its response, as values.
//!
//! [`HttpServer`] is the whole of it, for a single owner. A threaded driver is made of its parts, each behind a lock of
//! its own or behind none:
//! - [`Site`] is what an endpoint is, apart from what happens in it: gate, configuration, whether it is open;
//! - [`Opening`] goes from an admitted request to its exchange, in steps that each need one shared thing at most;
//! - [`Exchange`] is one request and its response. In the modern era it shares nothing, but that a subscription stands
//!   in a table;
//! - [`HttpSession`] is a legacy session with all that runs in it. The tables are those of
//!   [`http::server`](crate::http::server).

mod alarms;
mod event;
mod exchange;
mod listeners;
mod machine;
mod opening;
mod replays;
mod rooms;
mod rules;
mod served;
mod session;
mod site;
mod steps;
mod taken;

#[cfg(feature = "handle")]
pub(crate) use alarms::Alarms;
pub use event::{Asker, ExchangeId, HttpCallId, HttpEvent, HttpRequestKey, HttpRequestToken, HttpSessionKey, Sender};
pub use exchange::{Exchange, Frame, HangUp, HttpAnswer, Scope};
pub use machine::HttpServer;
pub use opening::Opening;
pub use replays::Resuming;
pub use rules::Rules;
pub use session::{End, HttpSession};
pub use site::Site;
pub use steps::{Beginning, Begun, Deleting, Entering, Listening, Member, Subscribing, Throwaway};
pub use taken::Taken;
