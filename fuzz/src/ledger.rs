//! The books of the calls of one side: each ends once, or is cancelled.

use std::collections::BTreeMap;

use mcp_proto::rpc::CallId;

/// What became of each call.
#[derive(Debug, Default)]
pub struct Ledger {
    calls: BTreeMap<CallId, Fate>,
    closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Waits,
    Cancelled,
    Settled,
}

impl Ledger {
    /// A call was taken.
    pub fn begun(&mut self, call: CallId) {
        assert_eq!(
            self.calls.insert(call, Fate::Waits),
            None,
            "{call:?} was given out twice"
        );
    }

    /// A call was cancelled while it was `waiting`: no reply may come. One that was over by then has its reply queued.
    pub fn cancelled(&mut self, call: CallId, waiting: bool) {
        if waiting {
            self.calls.insert(call, Fate::Cancelled);
        }
    }

    /// A reply came.
    pub fn settled(&mut self, call: CallId) {
        assert_eq!(
            self.calls.insert(call, Fate::Settled),
            Some(Fate::Waits),
            "{call:?} is settled"
        );
    }

    /// Progress came.
    pub fn progress(&self, call: CallId) {
        assert!(
            self.calls.contains_key(&call),
            "{call:?} makes progress and is none of ours"
        );
    }

    /// The connection told that it is closed.
    pub fn closed(&mut self) {
        assert!(!self.closed, "closed twice");
        self.closed = true;
    }

    /// Something was told.
    pub fn told(&self) {
        assert!(!self.closed, "told after the end");
    }

    /// Whether the end was told.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The call with this index, whatever became of it.
    pub fn nth(&self, index: u8) -> Option<CallId> {
        let index = usize::from(index) % self.calls.len().max(1);
        self.calls.keys().nth(index).copied()
    }

    /// How many calls there were.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Nothing is left.
    pub fn assert_settled(&self) {
        for (call, fate) in &self.calls {
            assert_ne!(*fate, Fate::Waits, "{call:?} has no reply");
        }
    }
}

/// Polls until dry, which has to be within `most` polls.
pub fn dry<T>(most: usize, mut poll: impl FnMut() -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(next) = poll() {
        all.push(next);
        assert!(all.len() <= most, "does not run dry");
    }
    all
}
