//! What waits to be sent.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A queue of messages, bounded in bytes.
///
/// A verb of the application is refused when it is full. What the protocol itself owes the peer (replies,
/// cancellations) is always taken: there is no more of it than there are requests, and while the queue is
/// over its bound nothing more is read from the peer.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    queue: VecDeque<(Vec<u8>, T)>,
    bytes: usize,
    most: usize,
}

impl<T> Outbox<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            most,
        }
    }

    /// Whether there is room for another message. One message is always taken, however large.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes < self.most
    }

    /// Queues a message.
    pub(crate) fn push(&mut self, text: Vec<u8>, purpose: T) {
        self.bytes += text.len();
        self.queue.push_back((text, purpose));
    }

    /// The oldest message.
    pub(crate) fn pop(&mut self) -> Option<(Vec<u8>, T)> {
        let (text, purpose) = self.queue.pop_front()?;
        self.bytes -= text.len();
        Some((text, purpose))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many bytes are queued.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything that is queued, oldest first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Vec<u8>, T)> + use<T> {
        self.bytes = 0;
        core::mem::take(&mut self.queue).into_iter()
    }

    /// Removes the messages that are no longer wanted.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.queue.retain(|(_, purpose)| keep(purpose));
        self.bytes = self.queue.iter().map(|(text, _)| text.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_in_bytes() {
        let mut outbox = Outbox::new(4);
        outbox.push(b"abc".to_vec(), 1);
        assert!(outbox.has_room());
        outbox.push(b"de".to_vec(), 2);
        assert!(!outbox.has_room());
        outbox.retain(|purpose| *purpose == 2);
        assert_eq!(outbox.bytes(), 2);
        assert_eq!(outbox.pop(), Some((b"de".to_vec(), 2)));
        assert!(outbox.is_empty() && outbox.bytes() == 0);
    }
}
