//! The listeners of a client.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::change::{Change, ListenerId};
use super::link::Link;
use super::listener::{Listener, Stand};
use super::topics::Topics;
use crate::limits::Limits;
use crate::model::SubscriptionFilter;
use crate::rpc::{CallError, CallId};
use crate::time::Time;

/// Those who listen to what changes at the server, each at its own pace, and of whom there is something to tell.
#[derive(Debug)]
pub(super) struct Listeners {
    next: u64,
    table: BTreeMap<ListenerId, Listener>,
    /// Those that were lost, and wait to be asked for again.
    lost: BTreeSet<ListenerId>,
    /// What a legacy session is subscribed to for them.
    pub(super) topics: Topics,
    /// Those who have something new: the first change that waits, what is granted, or the end.
    news: VecDeque<ListenerId>,
    hearing: Hearing,
    /// Whether anything was heard in this session before.
    was_open: bool,
    /// Why nothing is heard in this session.
    deaf: Option<CallError>,
    most: usize,
    most_bytes: usize,
}

/// Whether what a legacy server sends on its own arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Not in this session.
    Never,
    /// Not at present.
    #[cfg(feature = "http")]
    Soon,
    /// Yes.
    Now,
}

impl Listeners {
    pub(super) fn new(link: Link, limits: &Limits) -> Self {
        Self {
            next: 0,
            table: BTreeMap::new(),
            lost: BTreeSet::new(),
            topics: Topics::default(),
            news: VecDeque::new(),
            hearing: match link {
                Link::Stream => Hearing::Now,
                Link::Http => Hearing::Never,
            },
            was_open: false,
            deaf: None,
            most: limits.listeners,
            most_bytes: limits.listener_bytes,
        }
    }

    /// How many entries there are in all tables.
    pub(super) fn entries(&self) -> usize {
        let waiting = self.table.values().map(|listener| listener.backlog.len());
        self.table.len() + self.lost.len() + self.topics.entries() + self.news.len() + waiting.sum::<usize>()
    }

    /// How many bytes they keep.
    pub(super) fn bytes(&self) -> usize {
        self.table.values().map(Listener::bytes).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// A new listener; `None` where there are too many.
    pub(super) fn insert(&mut self, filter: SubscriptionFilter) -> Option<ListenerId> {
        if self.table.len() >= self.most {
            return None;
        }
        let id = ListenerId(self.next);
        self.next += 1;
        self.table.insert(id, Listener::new(filter));
        Some(id)
    }

    pub(super) fn remove(&mut self, id: ListenerId) -> Option<Listener> {
        self.news.retain(|other| *other != id);
        self.lost.remove(&id);
        self.table.remove(&id)
    }

    pub(super) fn get(&self, id: ListenerId) -> Option<&Listener> {
        self.table.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ListenerId) -> Option<&mut Listener> {
        self.table.get_mut(&id)
    }

    /// Those that stand like this.
    pub(super) fn those(&self, stands: impl Fn(&Stand) -> bool) -> Vec<ListenerId> {
        let those = self.table.iter().filter(|(_, listener)| stands(&listener.stand));
        those.map(|(id, _)| *id).collect()
    }

    /// Of whom there is something to tell.
    pub(super) fn pop_news(&mut self) -> Option<ListenerId> {
        self.news.pop_front()
    }

    /// Takes the oldest change that a listener has not taken yet.
    pub(super) fn pop_change(&mut self, id: ListenerId) -> Option<Change> {
        self.table.get_mut(&id)?.backlog.pop()
    }

    /// A change came for one listener.
    pub(super) fn hear(&mut self, id: ListenerId, change: Change) {
        let most = self.most_bytes;
        if let Some(listener) = self.table.get_mut(&id)
            && listener.hear(change, most)
        {
            self.news.push_back(id);
        }
    }

    /// A change came in a legacy session, for all who asked for it.
    pub(super) fn hear_in_session(&mut self, change: &Change) {
        for (id, listener) in &mut self.table {
            let is_meant = match change {
                Change::Resource { uri } => listener.names(uri),
                change => listener.wants(change),
            };
            if listener.stand == Stand::InSession && is_meant && listener.hear(change.clone(), self.most_bytes) {
                self.news.push_back(*id);
            }
        }
    }

    /// The server agrees to a subscription.
    pub(super) fn grant(&mut self, now: Time, id: ListenerId, granted: SubscriptionFilter) {
        let most = self.most_bytes;
        let Some(listener) = self.table.get_mut(&id) else {
            return;
        };
        if listener.grant(now, granted) {
            listener.backlog.push(Change::Restored, most);
        }
        self.news.push_back(id);
    }

    /// A subscription came to nothing, for this reason.
    pub(super) fn lose(&mut self, id: ListenerId, error: CallError) {
        let Some(listener) = self.table.get_mut(&id) else {
            return;
        };
        listener.lose(error);
        match listener.stand {
            Stand::Ended(_) => self.news.push_back(id),
            _ => {
                self.lost.insert(id);
            }
        }
    }

    /// A subscription is over.
    pub(super) fn end(&mut self, id: ListenerId, outcome: Result<(), CallError>) {
        let Some(listener) = self.table.get_mut(&id) else {
            return;
        };
        if !matches!(listener.stand, Stand::Ended(_)) {
            listener.void();
            listener.stand = Stand::Ended(outcome);
            self.lost.remove(&id);
            self.news.push_back(id);
        }
    }

    /// The session is over, or what was believed of the server. Gives the requests that stood for subscriptions.
    pub(super) fn void(&mut self) -> Vec<CallId> {
        self.topics.clear();
        self.was_open = false;
        self.deaf = None;
        let mut calls = Vec::new();
        for listener in self.table.values_mut() {
            calls.extend(listener.call());
            // One that waits to be asked for again has its time.
            if !matches!(listener.stand, Stand::Lost(..)) {
                listener.void();
            }
        }
        calls
    }

    /// Gives those that were lost the time when they are asked for again, and has those wanted whose time has come.
    /// Whether there are some.
    pub(super) fn awake(&mut self, now: Time) -> bool {
        // Asked for with every message: nearly always nobody is lost.
        if self.lost.is_empty() {
            return false;
        }
        let mut found = false;
        self.lost.retain(|id| {
            let Some(listener) = self.table.get_mut(id) else {
                return false;
            };
            listener.arm(now);
            match listener.stand {
                Stand::Lost(_, Some(until)) if until <= now => {
                    listener.stand = Stand::Wanted;
                    found = true;
                    false
                }
                Stand::Lost(..) => true,
                _ => {
                    self.news.push_back(*id);
                    false
                }
            }
        });
        found
    }

    /// When one is to be asked for again.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        if self.lost.is_empty() {
            return None;
        }
        let lost = self.lost.iter().filter_map(|id| self.table.get(id));
        let times = lost.filter_map(|listener| match listener.stand {
            Stand::Lost(_, until) => Some(until.unwrap_or(Time::ORIGIN)),
            _ => None,
        });
        times.min()
    }

    /// Whether what a legacy server sends on its own arrives.
    pub(super) fn hears(&self) -> bool {
        self.hearing == Hearing::Now
    }

    /// The same, from now on; `is_resumed` where nothing was lost meanwhile. Whether that is news.
    #[cfg(feature = "http")]
    pub(super) fn set_hearing(&mut self, hearing: Hearing, is_resumed: bool) -> bool {
        let before = core::mem::replace(&mut self.hearing, hearing);
        if before == hearing || hearing != Hearing::Now {
            return false;
        }
        if core::mem::replace(&mut self.was_open, true) && !is_resumed {
            self.hear_of_gap();
        }
        true
    }

    #[cfg(feature = "http")]
    fn hear_of_gap(&mut self) {
        for (id, listener) in &mut self.table {
            let is_granted = listener.stand == Stand::InSession && listener.granted().is_some();
            if is_granted && listener.backlog.push(Change::Restored, self.most_bytes) {
                self.news.push_back(*id);
            }
        }
    }

    /// Why nothing is heard in this session, where that is so.
    #[cfg(feature = "http")]
    pub(super) fn deafen(&mut self, error: CallError) {
        self.deaf = Some(error);
    }

    /// Where nothing is heard in this session those end that wait for it, each with the reason, or with `otherwise`.
    pub(super) fn end_deaf(&mut self, otherwise: impl FnOnce() -> CallError) {
        // Asked for with every message: nearly always nobody waits.
        if self.hearing != Hearing::Never || self.table.is_empty() {
            return;
        }
        let error = self.deaf.clone().unwrap_or_else(otherwise);
        for id in self.those(|stand| *stand == Stand::InSession) {
            self.end(id, Err(error.clone()));
        }
    }
}
