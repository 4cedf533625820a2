//! The async layer of the server: the application's side of it, and the driver's.

#[cfg(feature = "http")]
mod aging;
mod answers;
mod application;
mod ask;
#[cfg(feature = "schema")]
mod bound;
mod builder;
mod call;
#[cfg(feature = "http")]
mod cancel;
mod catalog;
mod collection;
#[cfg(feature = "schema")]
mod completing;
#[cfg_attr(
    not(feature = "schema"),
    allow(dead_code, unreachable_pub, reason = "closures have schemas")
)]
mod contents;
mod context;
#[cfg(feature = "http")]
mod counted;
mod cursor;
#[cfg(feature = "http")]
mod depot;
#[cfg(feature = "schema")]
mod describe;
mod desk;
mod erased;
mod error;
#[cfg(feature = "schema")]
mod extract;
mod facade;
#[cfg(feature = "schema")]
mod feature;
#[cfg(feature = "schema")]
mod function;
mod handler;
#[cfg(feature = "http")]
pub mod http;
#[cfg_attr(
    not(feature = "schema"),
    allow(dead_code, unreachable_pub, reason = "closures have schemas")
)]
mod invocation;
#[cfg(feature = "http")]
mod job;
mod link;
#[cfg(feature = "schema")]
mod local;
mod offer;
mod offered;
mod origin;
mod outflow;
mod output;
mod peer;
mod pending;
#[cfg(feature = "schema")]
mod prompting;
mod pump;
#[cfg(feature = "http")]
mod reading;
#[cfg(feature = "schema")]
mod returns;
mod rounds;
mod running;
#[cfg(feature = "schema")]
mod schema;
mod seats;
mod slot;
#[cfg(feature = "http")]
pub mod sse;
#[cfg_attr(
    not(feature = "schema"),
    allow(dead_code, unreachable_pub, reason = "closures have schemas")
)]
mod state;
mod state_store;
mod stream;
#[cfg(feature = "schema")]
mod texts;
#[cfg(feature = "http")]
mod told;
mod tool;
#[cfg(feature = "schema")]
mod typed;
#[cfg(feature = "http")]
mod unread;
mod vault;
mod visits;

pub(crate) use application::{Application, Audience, Call, Work};
pub use ask::Ask;
pub use builder::ServerBuilder;
pub use call::ServerCall;
pub use collection::Collection;
#[cfg(feature = "schema")]
pub use completing::{CompletionOutput, Typing, completes_prompt, completes_template};
use contents::not_found;
#[cfg(feature = "schema")]
pub use contents::{Cached, Reading, ResourceOutput, Uri};
pub use context::Context;
pub use error::{BuildError, ToolError};
#[cfg(feature = "schema")]
pub use extract::{FromCall, NoArgs, Takes};
pub use facade::Server;
#[cfg(feature = "schema")]
pub use feature::{Feature, ForCompletion, ForPrompt, ForResource, ForTool};
#[cfg(feature = "schema")]
pub use function::{HandlerFn, LocalFn, SharedFn};
pub use handler::{Handler, resource_not_found};
pub use link::ServerConnection;
#[cfg(feature = "schema")]
pub use local::{LocalServer, LocalServerBuilder, LocalServerPump};
#[cfg(feature = "schema")]
pub use output::Structured;
pub use output::ToolOutput;
pub(crate) use peer::{Peer, RoomWait, Sending};
#[cfg(feature = "schema")]
pub use prompting::PromptOutput;
pub use pump::ServerPump;
#[cfg(feature = "schema")]
pub use returns::Returns;
pub use rounds::Inputs;
pub use state::{SharedState, State};
pub use state_store::StateStore;
