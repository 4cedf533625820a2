//! What drivers are made of, whatever their runtime: for the authors of adapters.

mod tasks;

pub use tasks::Tasks;
