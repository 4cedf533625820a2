//! What a driver has to do.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use core::fmt;

use bytes::Bytes;
use http::Request;

use super::exchange::ExchangeId;
use crate::wire::url::Redacted;

/// What a driver has to do. No kind of it is left out: an action that nobody performs is a call that hangs.
#[allow(clippy::large_enum_variant, reason = "nearly every action opens an exchange")]
pub enum HttpAction {
    /// Make this request, and report its response under this id.
    Open {
        /// What to report it under.
        id: ExchangeId,
        /// The request, with the whole URI of the endpoint.
        request: Request<Bytes>,
    },
    /// End this exchange, whatever has come of it. Nothing is reported for it any more.
    Abort(ExchangeId),
}

/// Shows the method of a request, and where it goes without user information and query: the rest may be secret.
impl fmt::Debug for HttpAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { id, request } => f
                .debug_struct("Open")
                .field("id", id)
                .field("method", request.method())
                .field("uri", &Redacted(&request.uri().to_string()))
                .finish_non_exhaustive(),
            Self::Abort(id) => f.debug_tuple("Abort").field(id).finish(),
        }
    }
}

/// The actions that wait for the driver. An exchange is opened before it is aborted, or neither.
#[derive(Debug, Default)]
pub(super) struct Actions {
    queue: VecDeque<HttpAction>,
}

impl Actions {
    pub(super) fn open(&mut self, id: ExchangeId, request: Request<Bytes>) {
        self.queue.push_back(HttpAction::Open { id, request });
    }

    /// Ends an exchange. Of one that was never opened nothing is left.
    pub(super) fn abort(&mut self, id: ExchangeId) {
        match self.queued(id) {
            Some(at) => {
                self.queue.remove(at);
            }
            None => self.queue.push_back(HttpAction::Abort(id)),
        }
    }

    /// Whether the request of an exchange has not been taken by the driver yet.
    pub(super) fn is_queued(&self, id: ExchangeId) -> bool {
        self.queued(id).is_some()
    }

    pub(super) fn pop(&mut self) -> Option<HttpAction> {
        self.queue.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    fn queued(&self, id: ExchangeId) -> Option<usize> {
        let is_it = |action: &HttpAction| matches!(action, HttpAction::Open { id: other, .. } if *other == id);
        self.queue.iter().position(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_opened_is_not_ended() {
        let mut actions = Actions::default();
        let [first, second] = [1, 2].map(ExchangeId);
        actions.open(first, Request::new(Bytes::new()));
        actions.open(second, Request::new(Bytes::new()));
        actions.abort(first);
        assert!(actions.is_queued(second) && !actions.is_queued(first));
        assert!(matches!(actions.pop(), Some(HttpAction::Open { id, .. }) if id == second));
        actions.abort(second);
        assert!(matches!(actions.pop(), Some(HttpAction::Abort(id)) if id == second));
        assert_eq!(actions.len(), 0);
    }
}
