//! Tools of servers, as an application uses them.

mod source;

pub use source::{CallObserver, CallRequest, NotificationStream, SourceFuture, ToolSource};
