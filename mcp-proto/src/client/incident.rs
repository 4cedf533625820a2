//! What is lost on the way, or goes wrong, without a call failing for it.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::jsonrpc::SkippedEntry;
use crate::method::MethodName;
use crate::model::FormError;
use crate::rpc::{CallError, CloseReason, Excerpt, Farewell};
use crate::wire::header::ParamHeaderError;

/// Something that an operator should know: it was lost, left out or gone, and no call failed for it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Incident {
    /// Something came that was no message: a line of a log on standard output, say. Here is its beginning, or nothing
    /// where it began as a message does: then it may hold what a call was made with.
    Junk(Excerpt),
    /// A tool was left out of the list, because it says wrongly which of its arguments become HTTP headers.
    ToolRejected {
        /// Its name.
        tool: Box<str>,
        /// What is wrong.
        reason: ParamHeaderError,
    },
    /// A part of a result could not be read, and was left out.
    EntrySkipped {
        /// The method that was called.
        method: MethodName,
        /// The part.
        entry: SkippedEntry,
    },
    /// The server had forgotten the session. The next one begins by itself, and what the application had subscribed to
    /// and the log level it had set are set there again.
    SessionLost,
    /// What a handler of the application has accepted for a form is not what the form asks for: the server was answered
    /// with an error in its place, and the call that needed it, where there is one, fails.
    UnfitAnswer {
        /// The method that was answered.
        method: MethodName,
        /// What does not fit.
        reason: FormError,
    },
    /// The server does not send what belongs to no request: why its GET stream is not open.
    NotListening(CallError),
    /// The server that this side had started has exited, and the connection ended with it.
    Exited(Arc<Farewell>),
    /// A session of a pool that had ended is there again. What was subscribed to in the last one is not.
    Recreated,
    /// The connection ended, and this side had not closed it.
    Disconnected(CloseReason),
}
