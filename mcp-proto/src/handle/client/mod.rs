//! The async layer of the client.

mod askers;
mod blocked;
mod board;
mod call;
mod facade;
mod features;
mod incidents;
mod listeners;
mod listing;
mod lobby;
mod machine;
mod notifications;
mod observer;
mod pages;
mod pumps;
mod shared;
mod slots;
#[cfg(test)]
mod tests;

pub use call::Call;
pub(in crate::handle) use call::{Hearers, tool_params};
pub use facade::Client;
pub(in crate::handle) use facade::Watch;
pub use incidents::Incidents;
pub use listing::ToolListing;
pub use notifications::Notifications;
pub use observer::{Answered, CallObserver};
pub use pages::{Listed, Page, PagedRequest, Pages};
pub use pumps::ClientPump;
#[cfg(feature = "http")]
pub use pumps::HttpPump;
pub(crate) use slots::Fate;
