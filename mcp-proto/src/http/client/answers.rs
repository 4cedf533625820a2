//! The answers of a client that wait for their turn.

use alloc::collections::VecDeque;

use bytes::Bytes;
use http::Request;

/// How many exchanges there are at a time for answers to requests of the server. Each may be a connection of its own, and
/// the server alone decides when it takes an answer: it could have a client open as many as it likes.
const MOST: usize = 8;

/// The answers that wait for their turn, each with the number of the session it is for.
#[derive(Default)]
pub(super) struct Answers {
    waiting: VecDeque<(Option<u64>, Request<Bytes>)>,
}

/// Shows nothing of what the answers say.
impl core::fmt::Debug for Answers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Answers").field("waiting", &self.waiting.len()).finish()
    }
}

impl Answers {
    pub(super) fn push(&mut self, in_session: Option<u64>, request: Request<Bytes>) {
        self.waiting.push_back((in_session, request));
    }

    /// The next one, where there are so many on their way.
    pub(super) fn next(&mut self, on_their_way: usize) -> Option<(Option<u64>, Request<Bytes>)> {
        // A server may ask for more than it takes answers for.
        if on_their_way >= MOST {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Nobody waits for them any more: their session is over.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.waiting.iter().map(|(_, request)| request.body().len()).sum()
    }
}
