//! Clients that answer: what a server asks of its client, and who answers it.

mod context;
mod desk;
mod handler;
mod reports;
mod respond;
mod respondents;
mod url;

pub use context::AnswerContext;
pub(in crate::handle::client) use desk::Desk;
pub use handler::ClientHandler;
pub(in crate::handle::client) use respond::Respond;
pub(in crate::handle::client) use respondents::Respondents;
