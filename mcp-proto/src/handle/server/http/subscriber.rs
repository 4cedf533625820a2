//! The subscriptions of the modern era: the one thing of it that lives longer than an answer takes.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use http::StatusCode;

use super::lock;
use crate::http::server::{Refusal, Reply};
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::server::{ServerConfig, Subscription};
use crate::time::Time;

/// All open subscriptions of an endpoint.
pub(super) struct Subscribers {
    most: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    subscribers: BTreeMap<u64, Arc<Subscriber>>,
    /// No more are opened.
    closed: bool,
}

/// One open subscription.
pub(super) struct Subscriber {
    number: u64,
    state: Mutex<State>,
}

struct State {
    /// `None` once it is ended.
    subscription: Option<Subscription>,
    reply: Reply,
    driver: Option<Waker>,
}

impl Subscribers {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    /// Opens a subscription: acknowledges it first (2026-07-28, Subscriptions, Acknowledgment: MUST).
    pub(super) fn open(&self, subscription: Subscription, mut reply: Reply) -> Result<Arc<Subscriber>, Refusal> {
        let mut open = lock(&self.open);
        if open.closed {
            return Err(Refusal::Closed);
        }
        if open.subscribers.len() >= self.most {
            return Err(Refusal::Busy);
        }
        let _ = reply.notify(subscription.acknowledgement());
        open.next += 1;
        let number = open.next;
        let state = State {
            subscription: Some(subscription),
            reply,
            driver: None,
        };
        let subscriber = Arc::new(Subscriber {
            number,
            state: Mutex::new(state),
        });
        open.subscribers.insert(number, subscriber.clone());
        Ok(subscriber)
    }

    pub(super) fn remove(&self, subscriber: &Subscriber) {
        lock(&self.open).subscribers.remove(&subscriber.number);
    }

    /// Tells every subscriber that asked for it.
    pub(super) fn notify(&self, method: Method, params: &Params) {
        let subscribers: Vec<_> = lock(&self.open).subscribers.values().cloned().collect();
        for subscriber in subscribers {
            subscriber.act(|state| {
                if let Some(message) = state.subscription.as_ref().and_then(|open| open.select(method, params)) {
                    // A client that does not read loses notifications, which only say that something changed.
                    let _ = state.reply.notify(message);
                }
            });
        }
    }

    /// Ends every subscription with its response (Subscriptions, Graceful Closure).
    pub(super) fn close(&self, config: &ServerConfig) {
        let subscribers = {
            let mut open = lock(&self.open);
            open.closed = true;
            core::mem::take(&mut open.subscribers)
        };
        for subscriber in subscribers.into_values() {
            subscriber.act(|state| {
                if let Some(subscription) = state.subscription.take() {
                    state.reply.respond(StatusCode::OK, subscription.into_response(config));
                }
            });
        }
    }
}

impl Subscriber {
    /// Takes something out of the reply; where there is nothing, the task of `cx` is woken when there is.
    pub(super) fn poll_reply<T>(&self, cx: &Context<'_>, take: impl FnOnce(&mut Reply) -> Option<T>) -> Poll<T> {
        let mut state = lock(&self.state);
        match take(&mut state.reply) {
            Some(taken) => Poll::Ready(taken),
            None => {
                state.driver = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        lock(&self.state).reply.poll_timeout()
    }

    fn act(&self, act: impl FnOnce(&mut State)) {
        let mut state = lock(&self.state);
        act(&mut state);
        let driver = state.driver.take();
        drop(state);
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}
