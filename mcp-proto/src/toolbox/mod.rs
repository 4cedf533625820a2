//! Tools of servers, as an application uses them: one by its name ([`RemoteTool`]), or those of many servers under one
//! roof ([`Toolbox`]).
//!
//! Nothing in here does IO when it is made, shown, cloned or dropped: what is asked is asked by polling a future. A
//! call is made through a [`ToolSource`]: a [`Client`](crate::handle::Client), or a session of a pool.
//!
//! - The list of tools is read once for all who ask, and kept while it is fresh; a call needs no list where its name
//!   says whose tool it is.
//! - A tool that fails is [`ToolCallError::Tool`], with all that it returned; a call that fails is
//!   [`ToolCallError::Call`].
//! - Progress goes to its own call, by its token. Log messages name no call: over HTTP they go to the call in whose
//!   response they come, on a byte stream to nobody but [`ToolSource::notifications`].

mod call;
mod changes;
mod error;
mod events;
mod incidents;
mod listing;
mod observer;
mod origin;
mod overrides;
mod remote;
mod selection;
mod servers;
mod signature;
mod source;
#[cfg(feature = "stream")]
mod streams;
mod target;
#[cfg(test)]
mod tests;
#[expect(clippy::module_inception, reason = "a file is named for its noun")]
mod toolbox;

pub use call::ToolCall;
pub use changes::ToolboxChanges;
pub use error::{FindToolError, ToolCallError, ValidateToolError};
pub use events::{ToolCallEvent, ToolCallEvents};
pub use incidents::ToolboxIncidents;
pub use listing::{ListedTool, ToolboxList, ToolboxListing, ToolboxProblem};
pub use origin::ToolOrigin;
pub use overrides::ToolOverrides;
pub use remote::RemoteTool;
pub use selection::ToolSelection;
pub use signature::{Mismatch, Signature};
pub use source::{CallRequest, IncidentStream, NotificationStream, SourceFuture, ToolSource};
pub use toolbox::{ServerTools, Toolbox, ToolboxBuilder};
