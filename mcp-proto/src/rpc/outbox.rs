//! What waits to be sent.

use alloc::vec::Vec;

use super::series::Series;
use crate::shown::shown;

/// A queue of messages whose bytes are counted. It takes whatever it is given: whoever has a bound asks first.
pub(crate) struct Outbox<T> {
    next: u64,
    queue: Series<(Vec<u8>, T)>,
    bytes: usize,
}

shown!(Outbox<T> { next, bytes });

impl<T> Outbox<T> {
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            queue: Series::default(),
            bytes: 0,
        }
    }

    /// Queues a message, and gives the key to remove it by.
    pub(crate) fn push(&mut self, text: Vec<u8>, purpose: T) -> u64 {
        let key = self.next;
        self.next += 1;
        self.bytes += text.len();
        self.queue.insert(key, (text, purpose));
        key
    }

    /// Takes a message back that nobody wants sent any more.
    pub(crate) fn remove(&mut self, key: u64) {
        if let Some((text, _)) = self.queue.remove(key) {
            self.bytes -= text.len();
        }
    }

    /// The oldest message.
    pub(crate) fn pop(&mut self) -> Option<(Vec<u8>, T)> {
        let (_, (text, purpose)) = self.queue.pop_first()?;
        self.bytes -= text.len();
        Some((text, purpose))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many messages are queued.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// How many bytes are queued.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything that is queued, oldest first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Vec<u8>, T)> + use<T> {
        // All of it goes, whether the caller looks at it or not.
        self.bytes = 0;
        self.queue.drain().map(|(_, message)| message)
    }

    /// Removes the messages that are no longer wanted.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        for (key, (text, purpose)) in self.queue.drain() {
            if keep(&purpose) {
                // Under its old number: whoever queued it may still take it back.
                self.queue.insert(key, (text, purpose));
            } else {
                self.bytes -= text.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_queued_is_counted_in_bytes() {
        let mut outbox = Outbox::new();
        outbox.push(b"abc".to_vec(), 1);
        outbox.push(b"de".to_vec(), 2);
        assert_eq!(outbox.bytes(), 5);
        outbox.retain(|purpose| *purpose == 2);
        assert_eq!(outbox.bytes(), 2);
        assert_eq!(outbox.pop(), Some((b"de".to_vec(), 2)));
        assert!(outbox.is_empty() && outbox.bytes() == 0);
    }

    #[test]
    fn what_is_taken_back_counts_no_more() {
        let mut outbox = Outbox::new();
        let keys = [b"abcd", b"efgh", b"ijkl"].map(|text| outbox.push(text.to_vec(), text[0]));
        outbox.remove(keys[1]);
        outbox.remove(keys[1]);
        assert_eq!(outbox.bytes(), 8);
        assert_eq!(outbox.pop(), Some((b"abcd".to_vec(), b'a')));
        outbox.remove(keys[0]);
        outbox.remove(keys[2]);
        assert!(outbox.is_empty() && outbox.bytes() == 0);
    }

    #[test]
    fn it_is_empty_with_nothing_in_it() {
        let mut outbox = Outbox::new();
        assert!(outbox.is_empty());
        outbox.push(b"abc".to_vec(), 1);
        assert!(!outbox.is_empty());
    }
}
