//! When the tools of a box change.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};
use core::time::Duration;

use super::servers::Servers;
use super::source::{CallRequest, NotificationStream, SourceFuture, ToolSource};
use crate::handle::client::Answered;
use crate::jsonrpc::{Params, RawJson};
use crate::method::Method;
use crate::model::{ListenParams, SubscriptionFilter};
use crate::rpc::{CallError, CallOptions, SendError};

/// How long a subscription is kept, which has no end of its own.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Which servers of a box say that their tools have changed, as a stream.
///
/// A legacy server says so of its own accord. One of 2026-07-28 is asked to, when this is first polled, with a
/// `subscriptions/listen` that lasts as long as this does. Where that subscription ends early, or the server cannot be
/// reached for it, the server is reported once more, as changes go unheard from then on (until its list expires); another [`changes`](super::Toolbox::changes)
/// subscribes again.
///
/// A session of a pool that is gone is reported as well, as its tools may be others when it is created again; one with a
/// subscription is in use, and never idle.
///
/// Poll it, or drop it: what servers notify waits here meanwhile, within the limits of the client.
///
/// # On drop
/// The subscriptions are cancelled; dropping returns at once.
#[must_use = "nothing is heard by who does not poll"]
pub struct ToolboxChanges {
    watched: Vec<Watched>,
    /// Whose turn it is, so that one that changes all the time does not hide the others.
    turn: usize,
}

struct Watched {
    server: Box<str>,
    source: Arc<dyn ToolSource>,
    notifications: Box<dyn NotificationStream>,
    missed: u64,
    subscription: Subscription,
    is_closed: bool,
}

enum Subscription {
    New,
    Open(SourceFuture<RawJson>),
    Ended,
}

impl ToolboxChanges {
    pub(super) fn new(servers: &Servers) -> Self {
        let watched = servers.all.iter().map(|server| Watched {
            server: server.label.clone(),
            source: server.source.clone(),
            notifications: server.source.notifications(),
            missed: 0,
            subscription: Subscription::New,
            is_closed: false,
        });
        Self {
            watched: watched.collect(),
            turn: 0,
        }
    }

    /// The next server whose tools have changed, by its label; `None` when all connections are closed.
    ///
    /// Its list is not kept any more: the next [`list`](super::Toolbox::list) asks it.
    ///
    /// # Cancel safety
    /// A change is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Box<str>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Box<str>>> {
        let all = self.watched.len();
        for step in 0..all {
            // Behind the one that spoke last: one that never stops must not hide the others.
            let at = (self.turn + step) % all;
            let Some(watched) = self.watched.get_mut(at) else {
                continue;
            };
            if watched.poll(cx) {
                self.turn = at + 1;
                return Poll::Ready(Some(watched.server.clone()));
            }
        }
        match self.watched.iter().all(|watched| watched.is_closed) {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    }
}

impl Watched {
    /// Whether the tools of the server have changed.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let mut has_changed = false;
        // All that waits is taken: many words of change are one for who lists anew.
        while !self.is_closed {
            match self.notifications.poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(None) => self.is_closed = true,
                Poll::Ready(Some(notification)) => {
                    has_changed |= notification.method.known() == Some(Method::ToolListChangedNotification);
                }
            }
        }
        // Among what was lost there may have been a word of it.
        let missed = self.notifications.missed();
        let is_uncertain = self.poll_subscription(cx) | (missed > self.missed);
        self.missed = missed;
        // Where a word of it came, the client has done so itself.
        if is_uncertain {
            self.source.forget_tools();
        }
        has_changed || is_uncertain
    }

    /// Whether a subscription has come to an end.
    fn poll_subscription(&mut self, cx: &mut Context<'_>) -> bool {
        if let Subscription::New = self.subscription {
            self.subscription = Subscription::Open(self.source.call(listen()));
        }
        let Subscription::Open(call) = &mut self.subscription else {
            return false;
        };
        let Poll::Ready(Answered { outcome, .. }) = call.as_mut().poll(cx) else {
            return false;
        };
        self.subscription = Subscription::Ended;
        // Else the server has none: a legacy one is not asked, another refuses.
        let broke_off = |error: &CallError| {
            matches!(
                error,
                CallError::Disconnected
                    | CallError::Stale
                    | CallError::Cancelled
                    | CallError::SessionLost
                    | CallError::Closed(_)
                    | CallError::Timeout { .. }
                    | CallError::Unreachable(_)
                    | CallError::Refused(SendError::TooManyCalls | SendError::TooManySessions)
            )
        };
        // One that ends in order leaves changes as unheard as one that breaks off.
        !self.is_closed && outcome.as_ref().map_or_else(broke_off, |_| true)
    }
}

/// Asks to hear of changed tools.
fn listen() -> CallRequest {
    let filter = SubscriptionFilter {
        tools_list_changed: Some(true),
        ..SubscriptionFilter::default()
    };
    let params = Params::from_serialize(&ListenParams::new(filter)).unwrap_or_default();
    let mut request = CallRequest::new(Method::ListenSubscriptions, params);
    request.options = CallOptions {
        timeout: Some(LONG),
        max_timeout: Some(LONG),
        ..CallOptions::default()
    };
    request
}

impl fmt::Debug for ToolboxChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.watched.iter().map(|watched| &watched.server);
        f.debug_list().entries(servers).finish()
    }
}
