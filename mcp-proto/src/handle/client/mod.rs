//! The async layer of the client.

mod blocked;
mod call;
mod facade;
mod listing;
mod machine;
mod notifications;
mod observer;
mod pumps;
mod shared;
#[cfg(test)]
mod tests;

pub use call::Call;
pub(in crate::handle) use call::{Hearers, tool_params};
pub use facade::{Client, ClientBuilder};
pub use listing::ToolListing;
pub use notifications::Notifications;
pub use observer::{Answered, CallObserver};
pub use pumps::ClientPump;
#[cfg(feature = "http")]
pub use pumps::HttpPump;
pub(crate) use shared::Fate;
