//! The subscriptions of the modern era: the one thing of it that lives longer than an answer takes.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;

use http::StatusCode;

use super::lock;
use crate::http::server::{Principal, Refusal, Reply};
use crate::jsonrpc::Params;
use crate::limits::Limits;
use crate::method::Method;
use crate::server::{ServerConfig, Subscription};
use crate::time::Time;

/// All open subscriptions of an endpoint.
pub(super) struct Subscribers {
    most: usize,
    most_per_principal: usize,
    most_bytes: usize,
    open: Mutex<Open>,
}

/// Those that are open, and what they take.
#[derive(Default)]
struct Open {
    last: u64,
    subscribers: BTreeMap<u64, Arc<Subscriber>>,
    bytes: usize,
    per_principal: BTreeMap<Principal, usize>,
    /// No more are opened.
    closed: bool,
}

/// One open subscription.
pub(super) struct Subscriber {
    number: u64,
    bytes: usize,
    principal: Option<Principal>,
    state: Mutex<State>,
}

struct State {
    /// `None` once it is ended.
    subscription: Option<Subscription>,
    reply: Reply,
    driver: Option<Waker>,
}

impl Subscribers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.sessions,
            most_per_principal: limits.sessions_per_principal,
            most_bytes: limits.total_bytes,
            open: Mutex::default(),
        }
    }

    /// Opens a subscription: acknowledges it first (2026-07-28, Subscriptions, Acknowledgment: MUST).
    ///
    /// # Errors
    /// [`Refusal::Busy`] where there are too many, or they take too many bytes; [`Refusal::TooManyRequests`] where
    /// the principal has as many as it may.
    pub(super) fn open(
        &self,
        subscription: Subscription,
        principal: Option<&Principal>,
        mut reply: Reply,
    ) -> Result<Arc<Subscriber>, Refusal> {
        let bytes = subscription.bytes();
        let mut open = lock(&self.open);
        if open.closed {
            return Err(Refusal::Closed);
        }
        if open.subscribers.len() >= self.most || open.bytes.saturating_add(bytes) > self.most_bytes {
            return Err(Refusal::Busy);
        }
        if let Some(principal) = principal {
            let has = open.per_principal.get(principal).copied().unwrap_or(0);
            if has >= self.most_per_principal {
                return Err(Refusal::TooManyRequests);
            }
            open.per_principal.insert(principal.clone(), has + 1);
        }
        let _ = reply.notify(subscription.acknowledgement());
        open.bytes += bytes;
        open.last += 1;
        let number = open.last;
        let state = State {
            subscription: Some(subscription),
            reply,
            driver: None,
        };
        let subscriber = Arc::new(Subscriber {
            number,
            bytes,
            principal: principal.cloned(),
            state: Mutex::new(state),
        });
        open.subscribers.insert(number, subscriber.clone());
        Ok(subscriber)
    }

    pub(super) fn remove(&self, subscriber: &Subscriber) {
        lock(&self.open).remove(subscriber);
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

    /// Ends every subscription: by a cancellation (2026-07-28, Cancellation: MUST), and then its response
    /// (Subscriptions, Graceful Closure: SHOULD).
    pub(super) fn close(&self, config: &ServerConfig) {
        let closed = Open {
            closed: true,
            ..Open::default()
        };
        let subscribers = core::mem::replace(&mut *lock(&self.open), closed).subscribers;
        for subscriber in subscribers.into_values() {
            subscriber.act(|state| {
                if let Some(subscription) = state.subscription.take() {
                    let _ = state.reply.notify(subscription.cancellation());
                    state.reply.respond(StatusCode::OK, subscription.into_response(config));
                }
            });
        }
    }
}

impl Open {
    fn remove(&mut self, subscriber: &Subscriber) {
        if self.subscribers.remove(&subscriber.number).is_none() {
            return;
        }
        self.bytes = self.bytes.saturating_sub(subscriber.bytes);
        if let Some(principal) = &subscriber.principal
            && let Some(has) = self.per_principal.get_mut(principal)
        {
            *has -= 1;
            if *has == 0 {
                self.per_principal.remove(principal);
            }
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
