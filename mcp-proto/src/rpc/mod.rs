//! Correlation: which reply belongs to which call, which request is in progress, what waits to be sent.
//!
//! The parts here know nothing of eras, transports or roles; a connection of either role is made of them.

mod behalf;
mod call_id;
mod calls;
mod counters;
mod deadlines;
mod error;
mod excerpt;
mod farewell;
mod kept;
mod options;
mod outbox;
mod outgoing;
mod requests;
mod series;

pub use behalf::OnBehalfOf;
pub use call_id::CallId;
pub(crate) use calls::Calls;
pub use counters::Counters;
#[cfg(feature = "http")]
pub(crate) use deadlines::Deadlines;
pub(crate) use error::is_transient;
pub use error::{CallError, CloseReason, HttpFailure, InputFailure, Phase, SendError};
pub use excerpt::Excerpt;
pub use farewell::Farewell;
pub use kept::Kept;
pub use options::CallOptions;
pub(crate) use outbox::Outbox;
pub use outgoing::{Failure, Mirrored, Outgoing, Purpose};
pub use requests::RequestKey;
pub(crate) use requests::{RequestRefused, Requests};
pub(crate) use series::Series;
