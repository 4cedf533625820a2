//! The server's side of Streamable HTTP.
//!
//! - [`Gate`] looks at the head of a request before its body is read: host, origin, method, content type, `Accept`,
//!   size. One guard for every method.
//! - [`Posted`] tells the era of a body, and [`Head`] compares the headers with it.
//! - [`SessionTable`] is the table of legacy sessions: ids, owners, caps, idle expiry; [`Subscriptions`] that of the
//!   subscriptions of the modern era; [`Abandoned`] that of requests whose legacy clients have hung up.
//! - [`Cors`] is what browsers are told about pages of other origins.
//! - [`BodyBudget`] and [`Bodies`] bound the bodies that are being read. Who loses where there is not enough of something
//!   for all goes by its [`Holder`].
//! - [`Reply`] is the response to one POST: a JSON document when the answer is all there is, a stream of events
//!   when something comes before it.
//! - [`Replay`] keeps the events of streams that can be resumed.
//! - [`SsePaths`] says where HTTP+SSE of 2024-11-05 is served beside it.
//! - [`Refusal`] is every other answer.
//!
//! `server::http` makes a server of them.

mod abandoned;
mod accept;
mod admission;
mod bodies;
mod body_room;
mod config;
mod cors;
mod gate;
mod head;
mod holder;
mod hosts;
mod http_sse;
mod post;
mod refusal;
mod replay;
mod reply;
mod session_id;
mod sessions;
mod shares;
mod subscriptions;
mod track;

pub use abandoned::{Abandoned, AbandonedKey};
pub use accept::Accepts;
pub use admission::{Admission, Route};
pub use bodies::{Bodies, BodyKey};
pub use body_room::{BodyBudget, BodyRoom};
pub use config::{HttpConfig, ReplyForm, Resumption, SessionPolicy};
pub use cors::Cors;
pub(crate) use cors::Page;
pub use gate::Gate;
pub use head::Head;
pub use holder::{Holder, Remote};
pub use hosts::{Hosts, InvalidRule, Origins};
pub use http_sse::{SsePaths, SseRoute};
#[cfg(feature = "handle")]
pub(crate) use http_sse::{sse_accepted, sse_comment, sse_events, sse_head};
pub use post::Posted;
pub(crate) use refusal::error_response;
pub use refusal::{Refusal, stateless_status};
pub use replay::{EventId, Recorded, Replay, ReplayScope, Replayed, StreamKey};
pub use reply::{Blocked, Reply};
pub use session_id::{Principal, SessionId};
pub use sessions::{SessionTable, Visit};
pub use subscriptions::{SubscriptionKey, Subscriptions};
pub(crate) use track::Resumable;
