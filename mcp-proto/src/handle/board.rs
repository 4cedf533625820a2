//! The last incidents of a connection or a pool, for those who read of them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use crate::handle::wakers::{Wakers, keep};

/// How many are kept for those who have not read them yet.
const KEPT: usize = 64;

/// The last incidents, and who waits for the next.
#[derive(Debug)]
pub(super) struct Board<T> {
    kept: VecDeque<T>,
    /// How many there were before those that are kept.
    gone: u64,
    readers: BTreeMap<u64, Option<Waker>>,
    next_reader: u64,
}

impl<T> Default for Board<T> {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            gone: 0,
            readers: BTreeMap::new(),
            next_reader: 0,
        }
    }
}

impl<T: Clone> Board<T> {
    /// A new reader.
    pub(super) fn reader(&mut self) -> u64 {
        self.next_reader += 1;
        self.readers.insert(self.next_reader, None);
        self.next_reader
    }

    /// Stops to read. Gives the waker.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn remove(&mut self, reader: u64) -> Option<Waker> {
        self.readers.remove(&reader)?
    }

    /// Something happened: the oldest that is kept makes room for it.
    pub(super) fn push(&mut self, incident: T, woken: &mut Wakers) {
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
            self.gone += 1;
        }
        self.kept.push_back(incident);
        self.wake(woken);
    }

    /// Those that are kept, the oldest first.
    pub(super) fn kept(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.kept.iter()
    }

    /// Wakes those who wait.
    pub(super) fn wake(&mut self, woken: &mut Wakers) {
        for waker in self.readers.values_mut() {
            woken.extend(waker.take());
        }
    }

    /// The first incident from the one that is `next` on, and which one it is. Where it is another task that polls, the waker
    /// of the one before goes to `spent`.
    pub(super) fn poll(
        &mut self,
        reader: u64,
        next: u64,
        is_over: bool,
        cx: &Context<'_>,
        spent: &mut Vec<Waker>,
    ) -> Poll<Option<(u64, T)>> {
        let at = next.max(self.gone);
        let found = usize::try_from(at - self.gone)
            .ok()
            .and_then(|index| self.kept.get(index));
        match (found, self.readers.get_mut(&reader)) {
            (Some(incident), _) => Poll::Ready(Some((at, incident.clone()))),
            (None, Some(waker)) if !is_over => {
                spent.extend(keep(waker, cx));
                Poll::Pending
            }
            (None, _) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Incident;

    #[test]
    fn only_so_many_are_kept_and_a_late_reader_is_told_of_them() {
        let (mut board, mut woken) = (Board::default(), Wakers::default());
        (0..KEPT + 3).for_each(|_| board.push(Incident::SessionLost, &mut woken));
        let reader = board.reader();
        let cx = Context::from_waker(Waker::noop());
        let (mut next, mut read) = (0, 0);
        while let Poll::Ready(Some((at, _))) = board.poll(reader, next, false, &cx, &mut Vec::new()) {
            (next, read) = (at + 1, read + 1);
        }
        assert_eq!((next, read), (KEPT as u64 + 3, KEPT));
        assert!(matches!(
            board.poll(reader, next, true, &cx, &mut Vec::new()),
            Poll::Ready(None)
        ));
    }
}
