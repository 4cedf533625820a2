//! The async layer of the server: the application's side of it, and the driver's.

#[cfg(feature = "http")]
mod aging;
mod answers;
mod application;
mod ask;
mod builder;
mod call;
#[cfg(feature = "http")]
mod cancel;
mod context;
#[cfg(feature = "http")]
mod depot;
mod desk;
mod error;
mod facade;
mod handler;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
mod job;
mod link;
mod offer;
mod origin;
mod output;
mod peer;
mod pump;
#[cfg(feature = "http")]
mod reading;
mod rounds;
mod running;
#[cfg(feature = "schema")]
mod schema;
mod seats;
mod slot;
mod stream;
mod tool;
#[cfg(feature = "schema")]
mod typed;
#[cfg(feature = "http")]
mod unread;
mod vault;

pub(crate) use application::{Application, Audience, Call, Work};
pub use ask::Ask;
pub use builder::ServerBuilder;
pub use call::ServerCall;
pub use context::Context;
pub use error::ToolError;
pub use facade::Server;
pub use handler::{Handler, resource_not_found};
pub use link::ServerConnection;
#[cfg(feature = "schema")]
pub use output::Structured;
pub use output::ToolOutput;
pub(crate) use peer::{Peer, RoomWait, Sending};
pub use pump::ServerPump;
pub use rounds::Inputs;
#[cfg(feature = "schema")]
pub use typed::{NoArgs, ToolFn};
