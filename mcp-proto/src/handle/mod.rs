//! The async layer: futures and wakers over the machines. No IO, no runtime.

mod board;
pub mod client;
mod contained;
#[cfg(test)]
pub(crate) mod count;
mod crossing;
#[cfg(test)]
mod growth;
mod places;
mod proxy;
mod pump;
#[cfg(test)]
mod schedules;
pub mod server;
pub mod sessions;
#[cfg(feature = "stream")]
pub(crate) mod streams;
mod sync;
mod tasks;
mod teller;
mod timer;
mod turn;
mod wakers;

pub use client::{Client, ClientBuilder};
pub use crossing::Crossing;
pub use places::{Place, Places};
pub use proxy::Proxy;
pub use pump::Pump;
pub use server::Server;
pub use sessions::{Session, Sessions};
pub use tasks::{AtWork, Tasks};
pub use teller::Teller;
pub use timer::{Alarm, Timer};
