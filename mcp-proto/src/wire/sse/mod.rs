//! Server-sent events (WHATWG HTML, section 9.2) as Streamable HTTP uses them.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::{SseDecoder, SseError, SseEvent};
#[cfg(feature = "http")]
pub(crate) use encode::into_event;
pub use encode::{SseEncodeError, SseFrame, encode_comment, encode_event, encode_message};

/// The event type of an event that names none; MCP messages travel in events of this type.
pub const MESSAGE: &str = "message";
