//! A call that waits.

use alloc::boxed::Box;

use crate::jsonrpc::{ErrorObject, Params};
use crate::method::MethodName;
use crate::rpc::CallOptions;

/// A call that waits.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: MethodName,
    pub(super) params: Params,
    pub(super) options: CallOptions,
    pub(super) purpose: CallPurpose,
    pub(super) progress: CallProgress,
    /// Whether it has been sent to a session that was lost, or in an era that was wrong.
    pub(super) repeated: bool,
    /// Why it was refused, where that was for its headers. Boxed: hardly any call is.
    pub(super) mismatch: Option<Box<ErrorObject>>,
}

/// Who wants its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallPurpose {
    Application,
    Discover,
    Initialize,
    /// Whether the session is still known, or what the application had set in the last one: what it is answered with
    /// matters to nobody.
    Ping,
    /// The list of tools, for the application: waits until it is read.
    ToolList,
    /// A page of it.
    Tools,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallProgress {
    /// Is being made, or waits for the list of tools.
    Born,
    /// Waits for the handshake, under this key.
    Held(u64),
    /// Waits in the outbox, under this key.
    Queued(u64),
    /// Handed to the transport, in this epoch.
    Sent(u64),
}

impl Call {
    pub(super) fn new(method: MethodName, params: Params, options: CallOptions, purpose: CallPurpose) -> Self {
        Self {
            method,
            params,
            options,
            purpose,
            progress: CallProgress::Born,
            repeated: false,
            mismatch: None,
        }
    }

    /// Whether it is with the server: only then can anything come for it.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self.progress, CallProgress::Sent(_))
    }

    /// Whether it does something for the application, as the questions of the handshake do not.
    pub(super) fn is_work(&self) -> bool {
        matches!(self.purpose, CallPurpose::Application | CallPurpose::Tools)
    }
}
