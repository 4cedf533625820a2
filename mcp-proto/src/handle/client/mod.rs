//! The async layer of the client.

mod answering;
mod askers;
mod blocked;
mod builder;
mod call;
mod changes;
mod demands;
mod facade;
mod features;
mod incidents;
mod listeners;
mod listing;
mod lobby;
mod machine;
mod notifications;
mod observer;
mod open;
mod pages;
mod pumps;
mod shared;
mod slots;
mod subscribers;
#[cfg(test)]
mod tests;

pub use answering::{AnswerContext, ClientHandler};
pub use builder::ClientBuilder;
pub use call::{Call, Round};
pub(in crate::handle) use call::{Hearers, tool_params};
pub use changes::Changes;
pub use facade::Client;
pub(in crate::handle) use facade::Watch;
pub(in crate::handle) use features::{completion, prompt_params};
pub use incidents::Incidents;
pub use listing::ToolListing;
pub use notifications::Notifications;
pub use observer::{Answered, CallObserver};
pub use pages::{Listed, Page, PagedRequest, Pages};
pub use pumps::ClientPump;
#[cfg(feature = "http")]
pub use pumps::HttpPump;
pub(crate) use slots::Fate;
pub(in crate::handle) use slots::Report;
