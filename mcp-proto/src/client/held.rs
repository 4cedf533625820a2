//! What waits for the handshake.

use alloc::vec::Vec;
use core::fmt;

use crate::method::MethodName;
use crate::rpc::{CallId, Series};
use crate::shown::Size;

/// What one entry costs besides its text: a flood of messages without parameters is bounded too.
const OVERHEAD: usize = 64;

/// Calls and notifications that wait for the handshake, in their order. Each is here until it is taken back, or all are
/// drained: the handshake came to something, or to nothing.
#[derive(Debug, Default)]
pub(super) struct HeldQueue {
    next: u64,
    queue: Series<(Held, usize)>,
    bytes: usize,
}

pub(super) enum Held {
    /// A call, to be written when the revision is known.
    Call(CallId),
    /// A notification, written already: it is the same in every revision.
    Notification(MethodName, Vec<u8>),
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => f.debug_tuple("Call").field(call).finish(),
            Self::Notification(method, text) => write!(f, "Notification({method:?}, {:?})", Size(text.len())),
        }
    }
}

impl HeldQueue {
    /// Takes an entry that keeps `bytes`, and gives the key to remove it by.
    pub(super) fn push(&mut self, held: Held, bytes: usize) -> u64 {
        // Many that are empty must count as well.
        let (key, bytes) = (self.next, bytes + OVERHEAD);
        self.next += 1;
        self.bytes += bytes;
        self.queue.insert(key, (held, bytes));
        key
    }

    pub(super) fn remove(&mut self, key: u64) {
        if let Some((_, bytes)) = self.queue.remove(key) {
            self.bytes -= bytes;
        }
    }

    /// Everything, oldest first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Held> + use<> {
        self.bytes = 0;
        self.queue.drain().map(|(_, (held, _))| held)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;

    #[test]
    fn every_entry_costs_something_and_what_is_gone_costs_nothing() {
        let mut held = HeldQueue::default();
        let note = || Held::Notification(Method::RootsListChangedNotification.into(), Vec::new());
        let key = held.push(note(), 0);
        held.push(note(), 5);
        assert_eq!(held.bytes(), 2 * OVERHEAD + 5);
        held.remove(key);
        held.remove(key);
        assert_eq!((held.len(), held.bytes()), (1, OVERHEAD + 5));
        assert_eq!(held.drain().count(), 1);
        assert_eq!((held.len(), held.bytes()), (0, 0));
    }
}
