//! Tasks that are given up when they are too many or too old.

use core::task::{Context, Poll};

use crate::handle::Tasks;
use crate::http::server::{Abandoned, AbandonedKey};
use crate::server::ServerConfig;
use crate::server::http::Alarms;
use crate::time::Time;

/// Tasks that are polled in place, each when it was woken or is due, within the bounds of [`Abandoned`].
pub(super) struct Aging<T> {
    tasks: Tasks<Aged<T>>,
    /// Which of them are kept for how long.
    abandoned: Abandoned<usize>,
    /// When each is polled though nobody wakes it.
    due: Alarms<usize>,
}

struct Aged<T> {
    task: T,
    key: Option<AbandonedKey>,
}

impl<T> Aging<T> {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self {
            tasks: Tasks::default(),
            abandoned: Abandoned::new(config.limits(), config.timeouts()),
            due: Alarms::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Takes one more. Another for which there is no room any more is handed back.
    pub(super) fn insert(&mut self, now: Time, task: T) -> Option<T> {
        let index = self.tasks.insert(Aged { task, key: None });
        let (key, oldest) = self.abandoned.insert(now, index);
        if let Some(aged) = self.tasks.get_mut(index) {
            aged.key = Some(key);
        }
        self.remove(oldest?)
    }

    /// Polls those that were woken or are due with `poll`, which says when each is due again, and hands those to `end`
    /// that are ready or too old. Each has one turn: one that wakes itself has the next the next time.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Time,
        mut poll: impl FnMut(&mut T, &mut Context<'_>) -> (Poll<()>, Option<Time>),
        mut end: impl FnMut(T),
    ) {
        let mut work = self.tasks.start_work(cx);
        // Nobody else wakes what only waits for a time.
        while let Some(index) = self.due.take(now) {
            self.tasks.wake(index);
        }
        // Once each: one that wakes itself must not keep the others from their deadlines.
        for _ in 0..self.len() {
            match self.tasks.poll_next(|aged, cx| poll(&mut aged.task, cx)) {
                Some((index, (Poll::Pending, due))) => self.due.set(index, due),
                Some((index, (Poll::Ready(()), _))) => self.remove(index).into_iter().for_each(&mut end),
                None => break,
            }
        }
        // After the polls: one that is ready now is answered and not given up.
        while let Some(index) = self.abandoned.handle_timeout(now) {
            self.remove(index).into_iter().for_each(&mut end);
        }
        // Those that woke themselves have their next turn after the other tasks of the thread.
        self.tasks.rest(&mut work);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due.first().into_iter().chain(self.abandoned.poll_timeout()).min()
    }

    fn remove(&mut self, index: usize) -> Option<T> {
        self.due.set(index, None);
        let aged = self.tasks.remove(index)?;
        self.abandoned.remove(aged.key?);
        Some(aged.task)
    }
}
