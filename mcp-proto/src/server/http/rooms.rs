//! The legacy sessions of an HTTP server, and what it has to know of them besides.

use alloc::collections::BTreeMap;

use super::alarms::Alarms;
use super::event::{ExchangeId, HttpRequestKey, HttpSessionKey};
use super::session::HttpSession;
use crate::rpc::Kept;
use crate::time::Time;

/// The legacy sessions of an HTTP server, those included that have ended or are for one exchange alone: each is
/// forgotten with the last exchange that belongs to it, once it has ended.
#[derive(Debug)]
pub(super) struct Rooms {
    next: u64,
    rooms: BTreeMap<HttpSessionKey, Room>,
    /// Those that wait for answers of their clients.
    waiting: Alarms<HttpSessionKey>,
}

#[derive(Debug)]
pub(super) struct Room {
    pub(super) session: HttpSession<HttpRequestKey, ExchangeId>,
    /// How many exchanges belong to it.
    pub(super) exchanges: usize,
    /// It was made for one exchange, and ends with it.
    pub(super) is_throwaway: bool,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            rooms: BTreeMap::new(),
            waiting: Alarms::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        session: HttpSession<HttpRequestKey, ExchangeId>,
        is_throwaway: bool,
    ) -> HttpSessionKey {
        let key = HttpSessionKey(self.next);
        self.next += 1;
        let room = Room {
            session,
            exchanges: 0,
            is_throwaway,
        };
        self.rooms.insert(key, room);
        key
    }

    pub(super) fn get(&self, key: HttpSessionKey) -> Option<&Room> {
        self.rooms.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: HttpSessionKey) -> Option<&mut Room> {
        self.rooms.get_mut(&key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = HttpSessionKey> {
        self.rooms.keys().copied()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.waiting.first().is_none()
    }

    /// How much is kept in all of them.
    pub(super) fn kept(&self) -> Kept {
        let rooms = self.rooms.values().map(|room| room.session.kept());
        rooms.fold(Kept::new(self.rooms.len(), 0), |all, room| all + room)
    }

    pub(super) fn remove(&mut self, key: HttpSessionKey) {
        self.rooms.remove(&key);
        // With it, or its alarm would go off for nobody.
        self.waiting.set(key, None);
    }

    /// Forgets a session that is over, once no exchange belongs to it.
    pub(super) fn sweep(&mut self, key: HttpSessionKey) {
        // An exchange that is still open has its answers and its stream end in here.
        let is_over = |room: &Room| room.exchanges == 0 && room.session.has_ended();
        if self.get(key).is_some_and(is_over) {
            self.remove(key);
        }
    }

    /// Looks when a session wants to be looked at, after something was asked of its client or answered.
    pub(super) fn watch(&mut self, key: HttpSessionKey) {
        let due = self.get(key).and_then(|room| room.session.poll_timeout());
        self.waiting.set(key, due);
    }

    /// When the next one wants to be looked at.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.waiting.first()
    }

    /// One that wants to be looked at.
    pub(super) fn take_due(&mut self, now: Time) -> Option<HttpSessionKey> {
        self.waiting.take(now)
    }
}
