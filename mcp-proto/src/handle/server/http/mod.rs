//! Streamable HTTP without IO: an [`Endpoint`] takes heads and bodies, an [`Exchange`] gives a head and body frames.
//!
//! An adapter for an HTTP library does this for each request, and nothing else:
//! 1. [`Endpoint::admit`] with the head. A refusal is the response.
//! 2. Where [`Admission::body_limit`] says so, read the body: each piece within the [`Endpoint::reading_room`], and
//!    all of it within a time of its own ([`TimedOut`](crate::http::server::Refusal::TimedOut)).
//! 3. [`Endpoint::open`], then [`Exchange::poll_head`] for the response, and [`Exchange::poll_frame`] for its body.
//!    While that is pending, wake up at [`Exchange::poll_timeout`] at the latest.
//!    What is large is an [`Endpoint::unread`] answer, and given out piece by piece.
//! 4. When the client hangs up, drop the exchange.
//!
//! Once, when [`Endpoint::take_upkeep`] gives one, it runs the [`Upkeep`] beside the requests.
//!
//! What a request means, and what is answered, is decided in [`server::http`](crate::server::http); here are its locks,
//! the tasks that wait, and the polling of handlers. A request of the modern era locks nothing that others share; one of
//! the legacy era the table of sessions for a moment, and then its session.

mod endpoint;
mod errand;
mod exchange;
mod inner;
mod line;
mod open;
mod orphans;
mod session;
mod upkeep;

pub use super::reading::ReadingRoom;
pub use super::unread::{CutOff, Unread};
pub use crate::http::server::Admission;
pub use endpoint::Endpoint;
pub use exchange::Exchange;
pub use upkeep::Upkeep;

#[cfg(test)]
mod tests;
