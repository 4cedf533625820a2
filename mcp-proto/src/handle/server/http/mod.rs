//! Streamable HTTP without IO: an [`Endpoint`] takes heads and bodies, an [`Exchange`] gives a head and body frames.
//!
//! An adapter for an HTTP library does this for each request, and nothing else:
//! 1. [`Endpoint::admit`] with the head. A refusal is the response.
//! 2. Where [`Admission::body_limit`] says so, read the body: each piece within the [`Endpoint::body_room`], and all of
//!    it within a time of its own ([`Refusal::TimedOut`](crate::http::server::Refusal::TimedOut)).
//! 3. [`Endpoint::open`], then [`Exchange::poll_head`] for the response, and [`Exchange::poll_frame`] for its body.
//!    While that is pending, wake up at [`Exchange::poll_timeout`] at the latest.
//! 4. When the client hangs up, drop the exchange.
//!
//! Once, when [`Endpoint::take_upkeep`] gives one, it runs the [`Upkeep`] beside the requests.

mod body_room;
mod endpoint;
mod errand;
mod exchange;
mod line;
mod open;
mod orphans;
mod session;
mod subscriber;
mod upkeep;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use body_room::BodyRoom;
pub use endpoint::{Admission, Endpoint};
pub use exchange::Exchange;
pub use upkeep::Upkeep;

/// A panic of a handler happens under none of our locks, so what they guard is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
