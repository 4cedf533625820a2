//! The async layer: futures and wakers over the machines. No IO, no runtime.

pub mod client;
#[cfg(test)]
pub(crate) mod count;
pub mod driver;
mod places;
mod pump;
pub mod server;
pub mod sessions;
mod turn;
mod wakers;

pub use client::Client;
pub use pump::Pump;
pub use server::Server;
pub use sessions::{Session, Sessions};
