//! Handlers whose clients have hung up.

use core::task::{Context, Poll};

use super::cancel::lock;
use super::endpoint::Inner;
use super::errand::Errand;
use crate::handle::Tasks;
use crate::http::server::{Abandoned, AbandonedKey, Visit};
use crate::server::ServerConfig;
use crate::server::http::Alarms;
use crate::time::Time;

/// The handlers whose legacy clients have hung up, each polled when it was woken or is due.
pub(super) struct Orphans {
    tasks: Tasks<Orphan>,
    /// Which of them are kept for how long.
    abandoned: Abandoned<usize>,
    /// When each is polled though nobody wakes it.
    due: Alarms<usize>,
    /// A poll has begun and not come back: its handler has panicked if this is seen.
    polling: Option<usize>,
}

/// Handlers whose client has hung up.
struct Orphan {
    /// What keeps their session alive.
    visit: Visit,
    errand: Errand,
    /// Its place among the others.
    index: usize,
    key: Option<AbandonedKey>,
}

impl Orphan {
    fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        self.errand.line.watch(cx);
        self.errand.poll(&*inner.server, cx, now)
    }
}

impl Orphans {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self {
            tasks: Tasks::default(),
            abandoned: Abandoned::new(config.limits(), config.timeouts()),
            due: Alarms::new(),
            polling: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Takes one more. Of too many the oldest is given up.
    pub(super) fn insert(&mut self, inner: &Inner, now: Time, visit: Visit, errand: Errand) {
        let index = self.tasks.insert(Orphan {
            visit,
            errand,
            index: 0,
            key: None,
        });
        let (key, oldest) = self.abandoned.insert(now, index);
        if let Some(orphan) = self.tasks.get_mut(index) {
            (orphan.index, orphan.key) = (index, Some(key));
        }
        if let Some(oldest) = oldest {
            self.remove(inner, now, oldest);
        }
    }

    /// Polls those that were woken or are due. Each has one turn: one that wakes itself has the next the next time.
    pub(super) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>, now: Time) {
        if let Some(index) = self.polling.take() {
            self.tasks.wake(index);
        }
        while let Some(index) = self.due.take(now) {
            self.tasks.wake(index);
        }
        for _ in 0..self.len() {
            let polling = &mut self.polling;
            let polled = self.tasks.poll_next(|orphan, cx| {
                *polling = Some(orphan.index);
                let polled = orphan.poll(inner, cx, now);
                (polled, orphan.errand.poll_timeout())
            });
            self.polling = None;
            match polled {
                Some((index, (Poll::Pending, due))) => self.due.set(index, due),
                Some((index, (Poll::Ready(()), _))) => self.remove(inner, now, index),
                None => break,
            }
        }
        while let Some(index) = self.abandoned.handle_timeout(now) {
            self.remove(inner, now, index);
        }
        if !self.tasks.rest(cx) {
            cx.waker().wake_by_ref();
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().into_iter().chain(self.abandoned.poll_timeout()).min()
    }

    /// Ends one; what is not answered is given up.
    fn remove(&mut self, inner: &Inner, now: Time, index: usize) {
        self.due.set(index, None);
        let Some(mut orphan) = self.tasks.remove(index) else {
            return;
        };
        if let Some(key) = orphan.key {
            self.abandoned.remove(key);
        }
        orphan.errand.give_up(&*inner.server);
        lock(&inner.sessions).leave(now, orphan.visit);
    }
}
