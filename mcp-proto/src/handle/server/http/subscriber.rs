//! A subscription, and the task that drives its stream.

use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use super::cancel::lock;
use crate::server::http::{Exchange, Subscriber};
use crate::time::Time;

/// One subscription behind its lock.
pub(super) struct SharedSubscriber(Mutex<(Subscriber, Option<Waker>)>);

impl SharedSubscriber {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self(Mutex::new((subscriber, None)))
    }

    /// Tells it something: the task is woken.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut Subscriber) -> T) {
        let mut state = lock(&self.0);
        act(&mut state.0);
        let driver = state.1.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
    }

    /// Takes something out of the stream; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_stream<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Exchange) -> Option<T>) -> Poll<T> {
        let mut state = lock(&self.0);
        match take(state.0.stream()) {
            Some(taken) => Poll::Ready(taken),
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        lock(&self.0).0.poll_timeout()
    }
}
