//! The async layer of the client.

mod blocked;
mod call;
mod facade;
mod listing;
mod machine;
mod notifications;
mod pumps;
mod shared;
#[cfg(test)]
mod tests;

pub use call::Call;
pub(in crate::handle) use call::{Hearers, tool_params};
pub use facade::{Client, ClientBuilder};
pub use listing::ToolListing;
pub use notifications::Notifications;
pub use pumps::ClientPump;
#[cfg(feature = "http")]
pub use pumps::HttpPump;
pub(in crate::handle) use shared::Fate;
