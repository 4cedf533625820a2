//! Multi round-trip requests: what a server asks of its client while it serves a request, in both eras (2026-07-28, Multi
//! Round-Trip Requests).
//!
//! A handler asks, and reads on when it is answered. In the legacy era each ask is a request of its own. In the modern era
//! there are none: the request is answered with what is asked (`input_required`), the client makes it again with the
//! answers, and the handler is run again from the start, up to the first ask that is not answered yet. [`Round`] decides
//! which; what has to survive from one run to the next is its [`State`](state::State), which the client carries, sealed by
//! a [`Sealer`]. Such state is good for any number of uses, as a request that is made again needs it, or for one
//! ([`Redeem`]): then a store remembers what was used.

mod digest;
mod error;
mod fit;
mod key;
mod redeem;
mod refusal;
mod request;
mod retry;
mod round;
mod seal;
mod state;
mod used;

pub use error::AskError;
pub use key::StateKey;
pub use redeem::{Redeem, Redemption, StateId};
pub use refusal::StateRefusal;
pub(crate) use request::Ask;
pub use request::InputRequired;
pub(crate) use retry::Asked;
pub(crate) use round::{Once, Reply, Round, Settled};
pub(crate) use seal::Sealer;
pub use used::UsedStates;

#[cfg(test)]
mod tests;
