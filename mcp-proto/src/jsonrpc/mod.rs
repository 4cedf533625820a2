//! JSON-RPC 2.0 over raw JSON: a message is split into id, method and raw parts, and nothing more.
//!
//! [`parse`] reads the envelope once, keeps slices of the bytes as they came, and leaves the decoding of
//! `params` and `result` to whoever knows the type. Keys match exactly; a key that occurs twice makes a
//! message invalid, so that two readers of one message can never see two different messages.
//!
//! ```
//! use bytes::Bytes;
//! use mcp_proto::Limits;
//! use mcp_proto::jsonrpc::{self, Incoming, Message};
//!
//! let line = Bytes::from_static(br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#);
//! let Ok(Incoming::Single(Message::Request(request))) = jsonrpc::parse(line.clone(), &Limits::default()) else {
//!     unreachable!()
//! };
//! assert_eq!(request.method.as_str(), "ping");
//! assert_eq!(request.text.as_bytes(), line); // forwarded byte for byte
//! ```

mod batch;
mod convert;
mod encode;
mod envelope;
mod error;
mod facts;
mod id;
mod lenient;
mod members;
mod message;
mod params;
mod parse;
mod peek;
mod raw;
mod walk;

pub use batch::{Batch, Incoming};
pub(crate) use encode::{encode_cancelled, encode_notification_with, encode_request_with, write_id, write_json};
pub use encode::{encode_error, encode_notification, encode_request, encode_result};
#[cfg(feature = "handle")]
pub(crate) use encode::{is_literal, write_string};
pub use error::{BrokenMessage, ErrorCode, ErrorObject, InvalidMessage, ParseError};
pub(crate) use facts::{Called, Facts};
pub use id::Id;
pub use lenient::SkippedEntry;
pub(crate) use members::{Members, offset, write_object};
pub use message::{Message, Notification, Request, Response};
pub use params::Params;
pub use parse::parse;
pub(crate) use parse::parse_shared;
pub use peek::{Peek, PeekMeta};
pub(crate) use peek::{Text, result_type};
pub use raw::{DecodeError, RawJson};
