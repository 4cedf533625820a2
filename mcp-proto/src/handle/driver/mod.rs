//! What drivers are made of, whatever their runtime: for the authors of adapters.

mod crossing;
mod lanes;
mod tasks;

pub use crossing::Crossing;
pub use lanes::{Failure, Lanes, Step};
pub use tasks::Tasks;
