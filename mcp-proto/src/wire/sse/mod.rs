//! Server-sent events (WHATWG HTML, section 9.2) as Streamable HTTP uses them.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::{MESSAGE, SseDecoder, SseError, SseEvent};
#[cfg(feature = "http")]
pub(crate) use encode::into_event;
pub use encode::{SseEncodeError, SseFrame, encode_comment, encode_event, encode_message};
