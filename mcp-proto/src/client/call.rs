//! A call that waits.

use alloc::boxed::Box;
use core::time::Duration;

use super::change::ListenerId;
use crate::jsonrpc::{ErrorObject, Params};
use crate::limits::Timeouts;
use crate::method::MethodName;
use crate::rpc::{CallId, CallOptions};
use crate::time::Time;

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
    /// When it was armed, and how much of its time was spent before; known once it is over.
    pub(super) wait: (Option<Time>, Duration),
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
    /// Another round of the application's call of this name, or the same one once more.
    Round(CallId),
    /// A subscription, for this listener.
    Listen(ListenerId),
    /// A resource of a legacy session, for those who listen.
    Topic,
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
            wait: (None, Duration::ZERO),
            mismatch: None,
        }
    }

    /// The options for making it again, once it is over: the server has shown that it is there, and so the wait begins anew;
    /// what bounds all of it is what is left of that.
    pub(super) fn left(&self, timeouts: &Timeouts, now: Time) -> CallOptions {
        let (born, spent) = self.wait;
        let took = born.map_or(spent, |born| now.since(born).saturating_add(spent));
        let timeout = self.options.timeout.unwrap_or(timeouts.request);
        let most = self.options.max_timeout.unwrap_or(timeouts.request_max.max(timeout));
        CallOptions {
            max_timeout: Some(most.saturating_sub(took)),
            ..self.options.clone()
        }
    }

    /// Whether it is with the server: only then can anything come for it.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self.progress, CallProgress::Sent(_))
    }

    /// Whether it does something for the application, as the questions of the handshake do not.
    pub(super) fn is_work(&self) -> bool {
        matches!(
            self.purpose,
            CallPurpose::Application | CallPurpose::Tools | CallPurpose::Round(_) | CallPurpose::Listen(_)
        )
    }

    /// The name that the application has for it.
    pub(super) fn named(&self, id: CallId) -> CallId {
        match self.purpose {
            CallPurpose::Round(name) => name,
            _ => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;

    #[test]
    fn what_a_round_took_is_not_there_for_the_next() {
        const SECOND: Duration = Duration::from_secs(1);
        let options = CallOptions::new().with_timeout(3 * SECOND).with_max_timeout(5 * SECOND);
        let mut call = Call::new(Method::CallTool.into(), Params::NONE, options, CallPurpose::Application);
        call.wait = (Some(Time::ORIGIN), SECOND);
        let left = call.left(&Timeouts::default(), Time::ORIGIN + 3 * SECOND);
        assert_eq!((left.timeout, left.max_timeout), (Some(3 * SECOND), Some(SECOND)));
    }
}
