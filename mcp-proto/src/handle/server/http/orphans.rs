//! Handlers whose clients have hung up.

use alloc::collections::{BTreeMap, BTreeSet};
use core::task::Context;

use super::endpoint::Inner;
use super::errand::Errand;
use super::lock;
use crate::handle::Tasks;
use crate::http::server::SessionId;
use crate::time::Time;

/// The handlers whose legacy clients have hung up, each polled when it was woken or is due.
#[derive(Default)]
pub(super) struct Orphans {
    tasks: Tasks<Orphan>,
    /// When each is polled though nobody wakes it.
    due: BTreeSet<(Time, usize)>,
    /// The oldest first.
    ages: BTreeMap<u64, usize>,
    next_age: u64,
    /// A poll has begun and not come back: its handler has panicked if this is seen.
    polling: Option<u64>,
}

/// Handlers whose client has hung up.
pub(super) struct Orphan {
    /// The session they keep alive.
    session: SessionId,
    errand: Errand,
    /// When they are dropped: nobody may still wait then, as no call waits longer
    /// ([`Timeouts::request_max`](crate::Timeouts::request_max)).
    until: Time,
    due: Time,
    age: u64,
}

impl Orphan {
    pub(super) fn new(session: SessionId, errand: Errand, until: Time) -> Self {
        Self {
            session,
            errand,
            until,
            due: until,
            age: 0,
        }
    }

    /// When it is due next; `None` when it is done.
    fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>, now: Time) -> Option<Time> {
        self.errand.line.watch(cx);
        if self.errand.poll(&*inner.server, cx, now).is_ready() {
            return None;
        }
        if self.until <= now {
            self.errand.give_up(&*inner.server);
            return None;
        }
        let due = self.errand.poll_timeout();
        Some(due.map_or(self.until, |due| due.min(self.until)))
    }
}

impl Orphans {
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Takes one more. Of more than `most` the oldest is given up.
    pub(super) fn insert(&mut self, inner: &Inner, now: Time, mut orphan: Orphan, most: usize) {
        let (age, due) = (self.next_age, orphan.until);
        self.next_age += 1;
        (orphan.age, orphan.due) = (age, due);
        let index = self.tasks.insert(orphan);
        self.ages.insert(age, index);
        self.due.insert((due, index));
        while self.len() > most
            && let Some((_, oldest)) = self.ages.first_key_value()
            && let Some(mut orphan) = self.remove(*oldest)
        {
            orphan.errand.give_up(&*inner.server);
            lock(&inner.sessions).leave(now, &orphan.session);
        }
    }

    /// Polls those that were woken or are due. Each has one turn: one that wakes itself has the next the next time.
    pub(super) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>, now: Time) {
        if let Some(index) = self.polling.take().and_then(|age| self.ages.get(&age)) {
            self.tasks.wake(*index);
        }
        while let Some((due, index)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, index));
            self.tasks.wake(index);
        }
        for _ in 0..self.len() {
            let polling = &mut self.polling;
            let polled = self.tasks.poll_next(|orphan, cx| {
                *polling = Some(orphan.age);
                let due = orphan.poll(inner, cx, now);
                let before = orphan.due;
                orphan.due = due.unwrap_or(before);
                (before, due)
            });
            self.polling = None;
            match polled {
                Some((index, (before, Some(due)))) => {
                    self.due.remove(&(before, index));
                    self.due.insert((due, index));
                }
                Some((index, (_, None))) => {
                    if let Some(orphan) = self.remove(index) {
                        lock(&inner.sessions).leave(now, &orphan.session);
                    }
                }
                None => break,
            }
        }
        if !self.tasks.rest(cx) {
            cx.waker().wake_by_ref();
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }

    /// All of them, the oldest first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Orphan> {
        let (tasks, ages) = (&mut self.tasks, core::mem::take(&mut self.ages));
        self.due.clear();
        ages.into_values().filter_map(|index| tasks.remove(index))
    }

    fn remove(&mut self, index: usize) -> Option<Orphan> {
        let orphan = self.tasks.remove(index)?;
        self.due.remove(&(orphan.due, index));
        self.ages.remove(&orphan.age);
        Some(orphan)
    }
}
