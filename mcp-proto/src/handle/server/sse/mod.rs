//! The driver's side of a server over HTTP+SSE (2024-11-05), which is deprecated: a [`SseHub`] beside the
//! [`Endpoint`](super::http::Endpoint) of Streamable HTTP.
//!
//! A session is what it is on a byte stream, with the bodies of POSTs for its input and the events of one GET for its
//! output: a [`ServerPump`](super::ServerPump), which the stream drives.

mod hub;
mod shared;
mod stream;

pub use hub::SseHub;
pub use stream::SseStream;

#[cfg(test)]
mod tests;
