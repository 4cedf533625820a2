//! What a client has told its application.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::Time;
use crate::client::{ClientEvent, ListenerId, ServerRequest};
use crate::jsonrpc::{Notification, RawJson};
use crate::model::ProgressParams;
use crate::rpc::{CallError, CallId, CloseReason};

/// What became of a call.
pub type Outcome = Result<RawJson, CallError>;

/// What a client has told its application, and what that had asked for.
#[derive(Debug, Default)]
pub struct Record {
    calls: BTreeSet<CallId>,
    cancelled: BTreeSet<CallId>,
    replies: BTreeMap<CallId, Vec<(Time, Outcome)>>,
    progress: BTreeMap<CallId, Vec<f64>>,
    /// Notifications, in their order.
    pub notifications: Vec<Notification>,
    /// Who listens, and how often each was told that there is something new.
    pub listeners: BTreeMap<ListenerId, usize>,
    /// How often a handshake was done.
    pub ready: usize,
    /// How often a handshake failed.
    pub not_ready: usize,
    /// How often the server had forgotten the session.
    pub sessions_lost: usize,
    /// Why the connection is closed.
    pub closed: Option<CloseReason>,
}

impl Record {
    /// The calls that were made.
    pub fn calls(&self) -> impl Iterator<Item = CallId> {
        self.calls.iter().copied()
    }

    /// How many calls still wait for their answer.
    pub fn waiting(&self) -> usize {
        let waits = |call: &&CallId| !self.is_settled(**call) && !self.cancelled.contains(call);
        self.calls.iter().filter(waits).count()
    }

    /// Whether a call was answered, or failed.
    pub fn is_settled(&self, call: CallId) -> bool {
        self.replies.contains_key(&call)
    }

    /// What became of a call.
    ///
    /// # Panics
    /// Where nothing has, or it came twice.
    pub fn outcome(&self, call: CallId) -> &Outcome {
        &self.reply(call).1
    }

    /// When a call was answered, or failed.
    ///
    /// # Panics
    /// Where it was not, or twice.
    pub fn settled_at(&self, call: CallId) -> Time {
        self.reply(call).0
    }

    /// The progress of a call.
    pub fn progress(&self, call: CallId) -> &[f64] {
        self.progress.get(&call).map_or(&[], Vec::as_slice)
    }

    /// Checks that every call was answered once, or not at all and cancelled.
    ///
    /// # Panics
    /// Where it was not.
    pub fn check(&self) {
        for call in &self.calls {
            let replies = self.replies.get(call).map_or(0, Vec::len);
            match self.cancelled.contains(call) {
                true => assert_eq!(replies, 0, "{call:?} was cancelled, and answered"),
                false => assert_eq!(replies, 1, "answers to {call:?}"),
            }
        }
    }

    /// Checks that no call was answered twice, or cancelled and answered: what holds of a client that was killed.
    ///
    /// # Panics
    /// Where one was.
    pub fn check_no_double(&self) {
        for call in &self.calls {
            let replies = self.replies.get(call).map_or(0, Vec::len);
            let most = usize::from(!self.cancelled.contains(call));
            assert!(replies <= most, "{replies} answers to {call:?}");
        }
    }

    fn reply(&self, call: CallId) -> &(Time, Outcome) {
        match self.replies.get(&call).map(Vec::as_slice) {
            Some([reply]) => reply,
            Some(replies) => panic!("{call:?} was answered more than once: {replies:?}"),
            None => panic!("{call:?} was never answered"),
        }
    }

    pub(super) fn made(&mut self, call: CallId) {
        assert!(self.calls.insert(call), "{call:?} was given out twice");
    }

    /// A call that was answered before keeps its answer.
    pub(super) fn cancelled(&mut self, call: CallId) {
        if !self.is_settled(call) {
            self.cancelled.insert(call);
        }
    }

    /// Takes an event. Hands a request of the server back, to be answered.
    pub(super) fn take(&mut self, now: Time, event: ClientEvent) -> Option<ServerRequest> {
        assert!(self.closed.is_none(), "{event:?} after the end");
        match event {
            ClientEvent::Ready => self.ready += 1,
            ClientEvent::NotReady(_) => self.not_ready += 1,
            ClientEvent::Reply { call, outcome } => {
                assert!(self.calls.contains(&call), "a reply to {call:?}, which was never made");
                self.replies.entry(call).or_default().push((now, outcome));
            }
            ClientEvent::Progress { call, params } => self.take_progress(call, &params),
            ClientEvent::Notification(incoming) => self.notifications.push(incoming.notification),
            ClientEvent::Changed(listener) => match self.listeners.get_mut(&listener) {
                Some(told) => *told += 1,
                None => panic!("something new for {listener:?}, which does not listen"),
            },
            ClientEvent::Request(request) => return Some(request),
            ClientEvent::SessionLost => self.sessions_lost += 1,
            // The network of a test may keep a stream from coming about for any time.
            ClientEvent::NotListening(_) => {}
            ClientEvent::Closed(reason) => self.closed = Some(reason),
            ClientEvent::Cancelled(_) | ClientEvent::Junk(_) => {}
            other => panic!("an event this harness does not know: {other:?}"),
        }
        None
    }

    fn take_progress(&mut self, call: CallId, params: &RawJson) {
        assert!(!self.is_settled(call), "progress of {call:?} after its end");
        assert!(
            !self.cancelled.contains(&call),
            "progress of {call:?}, which was cancelled"
        );
        let params: ProgressParams = params.decode().expect("progress");
        let reports = self.progress.entry(call).or_default();
        assert!(
            reports.last().is_none_or(|last| *last < params.progress),
            "progress goes back"
        );
        reports.push(params.progress);
    }
}
