//! The client side of Streamable HTTP as values: exchanges to open, and what their responses hold.

mod config;
mod exchange;
mod exchanges;
mod listen;
mod request;
mod session;

pub use config::HttpClientConfig;
pub use exchange::{ExchangeError, ExchangeId};
pub use exchanges::{Action, Exchanges, Output};
