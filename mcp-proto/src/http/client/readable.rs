//! The streams that have brought what is not read yet.

use alloc::collections::VecDeque;

use super::exchange::ExchangeId;

/// The event streams that have brought what is not read yet, in the order in which it came, and which of them are over.
#[derive(Debug, Default)]
pub(super) struct Readable {
    queue: VecDeque<(ExchangeId, bool)>,
}

impl Readable {
    /// Something came.
    pub(super) fn add(&mut self, id: ExchangeId) {
        // Once each, in turn: a stream that never ends must not hide the others.
        if !self.queue.iter().any(|(other, _)| *other == id) {
            self.queue.push_back((id, false));
        }
    }

    /// Nothing more will come. `false` where there is nothing to be read before that counts.
    pub(super) fn end(&mut self, id: ExchangeId) -> bool {
        let unread = self.queue.iter_mut().find(|(other, _)| *other == id);
        unread.map(|(_, is_over)| *is_over = true).is_some()
    }

    /// The one to read from.
    pub(super) fn next(&self) -> Option<ExchangeId> {
        self.queue.front().map(|(id, _)| *id)
    }

    /// Nothing is left in that one. Whether it is over.
    pub(super) fn finish(&mut self) -> bool {
        self.queue.pop_front().is_some_and(|(_, is_over)| is_over)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_counts_when_all_that_came_before_is_read() {
        let mut readable = Readable::default();
        let [a, b] = [1, 2].map(ExchangeId);
        assert!(!readable.end(a), "there is nothing to be read");
        [a, b, a].into_iter().for_each(|id| readable.add(id));
        assert!(readable.end(b) && readable.next() == Some(a));
        assert!(!readable.finish() && readable.next() == Some(b));
        assert!(readable.finish() && readable.is_empty());
    }
}
