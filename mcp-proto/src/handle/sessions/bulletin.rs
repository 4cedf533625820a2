//! What was lost in the sessions of a pool, and whose it was.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use crate::client::Incident;
use crate::handle::board::Board;
use crate::handle::sync::{Guard, Mutex, lock};
use crate::handle::wakers::Wakers;

/// What happened in a session of a pool.
#[non_exhaustive]
pub struct SessionIncident<K> {
    /// The key of the session.
    pub key: Arc<K>,
    /// What happened.
    pub incident: Incident,
}

impl<K> Clone for SessionIncident<K> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            incident: self.incident.clone(),
        }
    }
}

/// Does not show the key: there may be credentials in it.
impl<K> fmt::Debug for SessionIncident<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionIncident")
            .field("incident", &self.incident)
            .finish_non_exhaustive()
    }
}

/// The last incidents of all sessions of a pool.
// A lock of its own, the last to be taken: clients write here under theirs.
pub(super) struct Bulletin<K>(Mutex<State<K>>);

struct State<K> {
    board: Board<SessionIncident<K>>,
    is_over: bool,
}

impl<K> Default for Bulletin<K> {
    fn default() -> Self {
        let board = Board::default();
        Self(Mutex::new(State { board, is_over: false }))
    }
}

impl<K> Bulletin<K> {
    /// Something happened in the session of a key. Gives those who are to be woken, where no lock is held.
    #[must_use = "they have to be woken"]
    pub(super) fn push(&self, key: &Arc<K>, incident: Incident) -> Wakers {
        let (mut woken, key) = (Wakers::default(), key.clone());
        self.lock().board.push(SessionIncident { key, incident }, &mut woken);
        woken
    }

    /// There is a session for a key. Where the last that is kept of the key is that it was lost, that is told.
    #[must_use = "they have to be woken"]
    pub(super) fn begun(&self, key: &Arc<K>) -> Wakers
    where
        K: Ord,
    {
        let last = self.lock().board.kept().rfind(|kept| kept.key == *key).cloned();
        match last.map(|last| last.incident) {
            Some(Incident::Disconnected(_) | Incident::Exited(_)) => self.push(key, Incident::Recreated),
            _ => Wakers::default(),
        }
    }

    /// There will be no more.
    #[must_use = "they have to be woken"]
    pub(super) fn end(&self) -> Wakers {
        let (mut state, mut woken) = (self.lock(), Wakers::default());
        state.is_over = true;
        state.board.wake(&mut woken);
        woken
    }

    pub(super) fn reader(&self) -> u64 {
        self.lock().board.reader()
    }

    pub(super) fn remove(&self, reader: u64) {
        let spent = self.lock().board.remove(reader);
        // With the last waker a task goes, which may come back to this lock.
        drop(spent);
    }

    /// The first incident from the one that is `next` on, and which one it is.
    pub(super) fn poll(&self, reader: u64, next: u64, cx: &Context<'_>) -> Poll<Option<(u64, SessionIncident<K>)>> {
        let mut spent = Vec::new();
        let mut state = self.lock();
        let is_over = state.is_over;
        let polled = state.board.poll(reader, next, is_over, cx, &mut spent);
        drop(state);
        drop(spent);
        polled
    }

    fn lock(&self) -> Guard<'_, State<K>> {
        lock(&self.0)
    }
}
