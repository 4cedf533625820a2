//! What the server asks of its client.

use alloc::vec::Vec;
use core::time::Duration;

use crate::jsonrpc::{Id, Params, Peek, RawJson, encode_cancelled, encode_request_with, write_id};
use crate::limits::Timeouts;
use crate::method::MethodName;
use crate::rpc::{self, CallError, CallId, CallOptions, Counters, Phase, SendError};
use crate::time::Time;

/// The calls of the server that wait for an answer.
///
/// | a call is | it has | an answer to it | when it ends early | why |
/// |---|---|---|---|---|
/// | reserved | an id and a deadline | belongs to nobody | nothing is sent | the client has not heard of it |
/// | sent | the same | settles it | the client is told | 2025-11-25, Lifecycle, Timeouts: SHOULD issue a cancellation |
/// | over | nothing | is late, and counted | | it may have crossed the cancellation |
#[derive(Debug)]
pub(super) struct Calls {
    /// Whether each is sent.
    pending: rpc::Calls<bool>,
    late: u64,
    unknown: u64,
    stray_progress: u64,
}

impl Calls {
    pub(super) fn new(most: usize) -> Self {
        Self {
            pending: rpc::Calls::new(most),
            late: 0,
            unknown: 0,
            stray_progress: 0,
        }
    }

    /// Makes place for a call that cannot be sent yet. From now on its time runs.
    #[cfg(feature = "handle")]
    pub(super) fn reserve(&mut self, timeouts: &Timeouts, options: &CallOptions) -> Result<CallId, SendError> {
        // Not sent: nothing can answer it, and nobody has to hear that it is given up.
        let call = self.pending.begin(options, timeouts, false);
        call.ok_or(SendError::TooManyCalls)
    }

    /// Begins a call, or has one that was reserved be sent: `None` where that is over.
    pub(super) fn begin(
        &mut self,
        timeouts: &Timeouts,
        reserved: Option<CallId>,
        options: &CallOptions,
    ) -> Result<Option<CallId>, SendError> {
        let Some(call) = reserved else {
            let call = self.pending.begin(options, timeouts, true);
            return call.map(Some).ok_or(SendError::TooManyCalls);
        };
        Ok(self.pending.get_mut(call).map(|is_sent| {
            *is_sent = true;
            call
        }))
    }

    /// The request of a call. Its id is its progress token too: both are its own on this connection.
    pub(super) fn encode(call: CallId, method: &MethodName, params: &Params, options: &CallOptions) -> Vec<u8> {
        let id = call.to_id();
        let mut meta = Vec::new();
        if options.progress {
            meta.extend_from_slice(br#""progressToken":"#);
            write_id(&mut meta, &id);
        }
        encode_request_with(&id, method.as_str(), params, &meta)
    }

    /// Whether a call waits for a reply with this id.
    pub(super) fn awaits(&self, id: &Id) -> bool {
        self.sent(id).is_some()
    }

    fn sent(&self, id: &Id) -> Option<CallId> {
        // Ids are easily guessed: a client cannot answer what it was never sent.
        let call = self.pending.find(id)?;
        (self.pending.get(call) == Some(&true)).then_some(call)
    }

    /// The call that a reply with this id settles; it is counted where there is none.
    pub(super) fn settle(&mut self, id: &Id) -> Option<CallId> {
        let call = self.sent(id);
        match call {
            Some(call) => {
                self.pending.remove(call);
            }
            // It may have crossed our cancellation; what was never asked is a fault of the peer.
            None if self.pending.has_used(id) => self.late += 1,
            None => self.unknown += 1,
        }
        call
    }

    /// `notifications/progress`: the call that makes it, which may wait longer, and the parameters.
    pub(super) fn progress(&mut self, now: Time, params: Option<RawJson>) -> Option<(CallId, RawJson)> {
        let peek = params.as_ref().and_then(|params| Peek::of(params).ok());
        let call = peek.and_then(|peek| {
            self.pending
                .progress(peek.progress_token.as_ref()?, peek.reached(), now)
        });
        let call = call.zip(params);
        if call.is_none() {
            self.stray_progress += 1;
        }
        call
    }

    /// Stops waiting for a call: the cancellation to send, where the client has heard of it.
    pub(super) fn cancel(&mut self, call: CallId, reason: Option<&str>) -> Option<Vec<u8>> {
        let is_sent = self.pending.remove(call)?;
        // A client that was not asked has nothing to give up.
        is_sent.then(|| encode_cancelled(&call.to_id(), reason))
    }

    /// Gives every new call its deadline.
    pub(super) fn arm(&mut self, now: Time) {
        self.pending.arm(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.pending.poll_timeout()
    }

    /// A call whose time is up, and the cancellation to send, where the client has heard of it.
    pub(super) fn expire(&mut self, now: Time) -> Option<(CallId, CallError, Option<Vec<u8>>)> {
        let (call, after, is_sent): (CallId, Duration, bool) = self.pending.expire(now)?;
        let phase = Phase::Request;
        let cancellation = is_sent.then(|| encode_cancelled(&call.to_id(), Some("timeout")));
        Some((call, CallError::Timeout { phase, after }, cancellation))
    }

    /// Every call that waits, oldest first: none will have an answer.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = CallId> + use<> {
        self.pending.drain().map(|(call, _)| call)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn entries(&self) -> usize {
        self.pending.entries()
    }

    /// What the client has answered that nobody waits for.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            late_replies: self.late,
            unknown_replies: self.unknown,
            stray_progress: self.stray_progress,
            ..Counters::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    fn begun(calls: &mut Calls) -> CallId {
        let options = CallOptions::new().with_timeout(Duration::from_secs(5)).with_progress();
        calls.begin(&Timeouts::default(), None, &options).unwrap().unwrap()
    }

    #[test]
    fn a_reply_settles_a_call_once() {
        let mut calls = Calls::new(1);
        let call = begun(&mut calls);
        assert!(calls.begin(&Timeouts::default(), None, &CallOptions::new()).is_err());
        assert!(calls.awaits(&call.to_id()));
        assert_eq!(calls.settle(&call.to_id()), Some(call));
        assert_eq!((calls.settle(&call.to_id()), calls.settle(&"x".into())), (None, None));
        let counters = calls.counters();
        assert_eq!((counters.late_replies, counters.unknown_replies), (1, 1));
    }

    #[test]
    #[cfg(feature = "handle")]
    fn the_client_is_told_of_nothing_it_has_not_heard_of() {
        let timeouts = Timeouts::default();
        let options = CallOptions::new().with_timeout(Duration::from_secs(5));
        let mut calls = Calls::new(9);
        let [first, second, third] = [(); 3].map(|()| calls.reserve(&timeouts, &options).unwrap());
        assert!(!calls.awaits(&first.to_id()));
        assert_eq!(calls.settle(&first.to_id()), None, "it was not asked");
        assert_eq!(calls.begin(&timeouts, Some(first), &options), Ok(Some(first)));
        assert!(calls.awaits(&first.to_id()));
        assert!(calls.cancel(first, None).is_some());
        assert_eq!(calls.begin(&timeouts, Some(first), &options), Ok(None), "it is over");
        assert_eq!(calls.cancel(second, None), None);
        calls.arm(at(0));
        assert!(matches!(calls.expire(at(5)), Some((call, _, None)) if call == third));
    }

    #[test]
    fn progress_is_of_a_call_that_waits() {
        let mut calls = Calls::new(9);
        let call = begun(&mut calls);
        calls.arm(at(0));
        let params = RawJson::parse(r#"{"progressToken":1,"progress":1}"#).unwrap();
        assert_eq!(
            calls.progress(at(3), Some(params.clone())),
            Some((call, params.clone()))
        );
        assert_eq!(calls.poll_timeout(), Some(at(8)));
        let (expired, error, cancellation) = calls.expire(at(8)).unwrap();
        assert!(matches!(error, CallError::Timeout { after, .. } if after == Duration::from_secs(8)));
        assert!(expired == call && cancellation.is_some());
        assert_eq!(
            (calls.progress(at(9), Some(params)), calls.progress(at(9), None)),
            (None, None)
        );
        assert_eq!(calls.counters().stray_progress, 2);
    }
}
