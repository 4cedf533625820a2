//! The client side of Streamable HTTP as values: exchanges to open, and what their responses hold.

mod action;
mod answers;
mod config;
mod cursor;
mod exchange;
mod exchanges;
mod listen;
mod output;
mod readable;
mod redirect;
mod request;
mod responses;
mod resumes;
mod session;
mod table;

pub use action::HttpAction;
pub use config::HttpClientConfig;
pub use exchange::{ExchangeError, ExchangeId};
pub use exchanges::Exchanges;
pub use listen::GetStream;
pub use output::Output;
pub use redirect::Detour;
