//! A network in memory: seeded, and on virtual time.

mod conditions;
mod pipe;
mod rng;

pub use conditions::{Conditions, Cuts};
pub use pipe::{Arrival, Pipe};
pub use rng::Rng;
