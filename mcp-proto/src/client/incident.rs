//! What is lost on the way, or goes wrong, without a call failing for it.

use alloc::boxed::Box;
use core::fmt;

use crate::jsonrpc::SkippedEntry;
use crate::method::MethodName;
use crate::model::FormError;
use crate::rpc::{CallError, Excerpt};
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
    /// The server has exited.
    Exited(Farewell),
}

/// How a server ended that this side had started: in its words, `the server exited with status 1 before it answered; its
/// last output was …`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Farewell {
    /// How it exited, such as `exited with status 1`.
    pub status: Box<str>,
    /// Whether that was before the server had shown what it speaks.
    pub was_early: bool,
    /// What it wrote last that was no message: on its standard error, where that is captured, or on its standard output.
    pub last_output: Option<Excerpt>,
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server {}", self.status)?;
        if self.was_early {
            f.write_str(" before it answered")?;
        }
        match &self.last_output {
            Some(output) => write!(f, "; its last output was {:?}", output.as_str()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_farewell_says_how_when_and_what_was_said_last() {
        let mut farewell = Farewell {
            status: "exited with status 1".into(),
            was_early: true,
            last_output: Some(Excerpt::of(b"no such file")),
        };
        let said = "the server exited with status 1 before it answered; its last output was \"no such file\"";
        assert_eq!(format!("{farewell}"), said);
        (farewell.was_early, farewell.last_output) = (false, None);
        assert_eq!(format!("{farewell}"), "the server exited with status 1");
    }
}
