//! The async layer of the server: the application's side of it, and the driver's.

#[cfg(feature = "http")]
mod aging;
mod answers;
mod application;
mod builder;
mod call;
#[cfg(feature = "http")]
mod cancel;
mod contained;
mod context;
#[cfg(feature = "http")]
mod depot;
mod error;
#[cfg(feature = "schema")]
mod extract;
mod facade;
#[cfg(feature = "schema")]
mod function;
mod handler;
#[cfg(feature = "http")]
pub mod http;
mod invocation;
#[cfg(feature = "http")]
mod job;
mod link;
mod offer;
mod output;
mod peer;
mod pending;
mod pump;
#[cfg(feature = "http")]
mod reading;
#[cfg(feature = "schema")]
mod returns;
#[cfg(feature = "schema")]
mod role;
#[cfg(feature = "schema")]
mod schema;
mod seats;
mod state;
mod stream;
mod tool;
#[cfg(feature = "schema")]
mod typed;
#[cfg(feature = "http")]
mod unread;

pub(crate) use application::{Application, Audience, Call, Work};
pub use builder::ServerBuilder;
pub use call::ServerCall;
pub use context::Context;
pub use error::{BuildError, ToolError};
#[cfg(feature = "schema")]
pub use extract::{FromCall, NoArgs, Takes};
pub use facade::Server;
#[cfg(feature = "schema")]
pub use function::HandlerFn;
pub use handler::{Handler, resource_not_found};
pub use link::ServerConnection;
#[cfg(feature = "schema")]
pub use output::Structured;
pub use output::ToolOutput;
pub(crate) use peer::Peer;
pub use pump::ServerPump;
#[cfg(feature = "schema")]
pub use returns::Returns;
#[cfg(feature = "schema")]
pub use role::{ForTool, Role};
pub use state::{SharedState, State};
