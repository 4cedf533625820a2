//! One subscription of the modern era, with the exchange it is served on.

use super::exchange::{Answer, Exchange};
use crate::server::{Announcement, ServerConfig, Subscription};
use crate::time::Time;

/// One open subscription and its stream (2026-07-28, Subscriptions).
///
/// | state | `notify` | `close` | polled |
/// |---|---|---|---|
/// | open | what it asked for; dropped while the client does not read | cancellation, response, end | acknowledgement, then what there is |
/// | closed | nothing | nothing | what is left, then the end |
#[derive(Debug)]
pub struct Subscriber {
    /// `None` once it is closed.
    subscription: Option<Subscription>,
    exchange: Exchange,
}

impl Subscriber {
    /// Acknowledges the subscription before anything else (Subscriptions, Acknowledgment: MUST).
    pub(super) fn new(subscription: Subscription, mut exchange: Exchange) -> Self {
        let _ = exchange.notify(subscription.acknowledgement());
        exchange.expect();
        Self {
            subscription: Some(subscription),
            exchange,
        }
    }

    /// Tells it, if it asked for this. Whether there is something to take.
    pub fn notify(&mut self, announcement: &Announcement) -> bool {
        let known = announcement.method().known();
        let open = self.subscription.as_ref();
        let message = known.and_then(|method| open?.select(method, announcement.params()));
        // A client that does not read loses notifications, which only say that something changed.
        message.is_some_and(|message| self.exchange.notify(message).is_ok())
    }

    /// Ends it by a cancellation (2026-07-28, Cancellation: MUST), and then its response (Subscriptions, Graceful
    /// Closure: SHOULD), in the order in which a client understands both.
    pub fn close(&mut self, config: &ServerConfig) {
        if let Some(subscription) = self.subscription.take() {
            let _ = self.exchange.notify(subscription.cancellation());
            let message = Some(subscription.into_response(config));
            self.exchange.answer(Answer::in_session(message));
        }
    }

    /// Its stream, to be polled.
    pub fn stream(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// When the silent stream needs a comment.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.exchange.poll_timeout()
    }
}
