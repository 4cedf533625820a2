//! The server's side of Streamable HTTP.
//!
//! - [`Gate`] looks at the head of a request before its body is read: host, origin, method, content type, `Accept`,
//!   size. One guard for every method.
//! - [`Posted`] tells the era of a body, and [`Head`] compares the headers with it.
//! - [`Sessions`] is the table of legacy sessions: ids, owners, caps, idle expiry.
//! - [`Reply`] is the response to one POST: a JSON document when the answer is all there is, a stream of events
//!   when something comes before it.
//! - [`Refusal`] is every other answer.

mod accept;
mod config;
mod gate;
mod head;
mod hosts;
mod post;
mod refusal;
mod reply;
mod session_id;
mod sessions;

pub use accept::Accepts;
pub use config::{HttpConfig, ReplyForm, SessionPolicy};
pub use gate::{Gate, Route};
pub use head::Head;
pub use hosts::{Hosts, InvalidRule, Origins};
pub use post::Posted;
#[cfg(feature = "handle")]
pub(crate) use refusal::error_response;
pub use refusal::{Refusal, stateless_status};
pub use reply::{Blocked, Reply};
pub use session_id::{Principal, SessionId};
pub use sessions::Sessions;
