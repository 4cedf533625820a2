//! The client side of HTTP as values: exchanges to open, and what their responses hold.
//!
//! Streamable HTTP, and HTTP+SSE of 2024-11-05 for servers that speak nothing newer.

mod action;
mod answers;
mod config;
mod cursor;
mod exchange;
mod exchanges;
mod http_sse;
mod listen;
mod output;
mod readable;
mod redirect;
mod request;
mod responses;
mod resumes;
mod session;
mod streaming;
mod table;

pub use action::HttpAction;
pub use config::{HttpClientConfig, HttpDialect};
pub use exchange::{ExchangeError, ExchangeId};
pub use exchanges::Exchanges;
pub use listen::GetStream;
pub use output::Output;
pub use redirect::Detour;
