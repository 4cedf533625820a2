//! The GET stream of a legacy session, and when to open it again.

use alloc::boxed::Box;
use core::time::Duration;

use super::exchange::ExchangeId;
use crate::time::Time;

/// How often the stream is opened again without having brought anything.
const ATTEMPTS: u32 = 5;
/// How long to wait before, where the server names no time (doubled with every attempt).
const DELAY: Duration = Duration::from_secs(1);
/// How short it may be, whatever the server says: one event for each connection must not keep a client busy.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long the wait may become.
const LONGEST: Duration = Duration::from_secs(60);

/// The stream on which a legacy server sends what belongs to no request
/// (2025-11-25, Transports, Listening for Messages from the Server).
///
/// Only progress (an event) renews the budget of attempts, so that a server that takes the stream and drops
/// it can never make a client reconnect for ever.
#[derive(Debug, Default)]
pub(super) struct Listen {
    state: State,
    attempts: u32,
    retry: Option<Duration>,
    last_event_id: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Not wanted, refused, or given up.
    #[default]
    Off,
    /// To be opened at once.
    Wanted,
    /// To be opened then.
    Waiting(Time),
    /// Open, or being opened.
    Open(ExchangeId),
}

impl Listen {
    /// A session has begun: the stream is wanted.
    pub(super) fn begin(&mut self) {
        // Nothing of the last one is kept: the ids of its events mean nothing in another session.
        *self = Self {
            state: State::Wanted,
            ..Self::default()
        };
    }

    /// There is no session any more.
    pub(super) fn stop(&mut self) -> Option<ExchangeId> {
        match core::mem::take(self).state {
            State::Open(id) => Some(id),
            _ => None,
        }
    }

    /// Whether the stream is to be opened now.
    pub(super) fn is_due(&self, now: Time) -> bool {
        match self.state {
            State::Wanted => true,
            State::Waiting(until) => until <= now,
            _ => false,
        }
    }

    /// When it is to be opened.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self.state {
            State::Wanted => Some(Time::ORIGIN),
            State::Waiting(until) => Some(until),
            _ => None,
        }
    }

    pub(super) fn opened(&mut self, id: ExchangeId) {
        self.state = State::Open(id);
    }

    /// The exchange of the stream, where it is open or being opened.
    pub(super) fn open(&self) -> Option<ExchangeId> {
        match self.state {
            State::Open(id) => Some(id),
            _ => None,
        }
    }

    /// Where the stream was when it ended.
    pub(super) fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// An event came.
    pub(super) fn progressed(&mut self, id: Option<&str>, retry: Option<Duration>) {
        self.attempts = 0;
        if let Some(id) = id {
            // An empty id takes back the one before (HTML, Server-sent events, Last-Event-ID).
            self.last_event_id = (!id.is_empty()).then(|| id.into());
        }
        self.retry = retry.or(self.retry);
    }

    /// The server does not offer the stream.
    pub(super) fn refused(&mut self) {
        self.state = State::Off;
    }

    /// The stream ended or broke off.
    pub(super) fn ended(&mut self, now: Time) {
        if !matches!(self.state, State::Open(_)) {
            return;
        }
        if self.attempts >= ATTEMPTS {
            self.state = State::Off;
            return;
        }
        // The server's own time is never cut short (2025-11-25, Sending Messages, 6: it "MUST" be respected).
        let first = self.retry.unwrap_or(DELAY).max(SHORTEST);
        // Saturating: the server may name any time.
        let delay = first.saturating_mul(1 << self.attempts).min(LONGEST.max(first));
        self.attempts += 1;
        self.state = State::Waiting(now + delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_brings_nothing_is_given_up() {
        let mut listen = Listen::default();
        listen.begin();
        let mut now = Time::ORIGIN;
        let mut opened = 0;
        while let Some(due) = listen.poll_timeout() {
            now = due.max(now);
            assert!(listen.is_due(now));
            listen.opened(ExchangeId(opened));
            listen.ended(now);
            opened += 1;
            assert!(opened < 100);
        }
        assert_eq!(opened, u64::from(ATTEMPTS) + 1);
        assert_eq!(now.elapsed(), Duration::from_secs(1 + 2 + 4 + 8 + 16));
    }

    #[test]
    fn a_refused_stream_is_not_opened_again() {
        let mut listen = Listen::default();
        listen.begin();
        listen.opened(ExchangeId(0));
        listen.refused();
        listen.ended(Time::ORIGIN);
        assert_eq!(listen.poll_timeout(), None);
    }

    #[test]
    fn progress_renews_the_budget_and_the_server_names_the_delay() {
        let mut listen = Listen::default();
        listen.begin();
        for (named, kept) in [(500, 500), (5_000, 5_000), (99, 100), (0, 100), (0, 100), (0, 100)] {
            listen.opened(ExchangeId(0));
            listen.progressed(Some("7"), Some(Duration::from_millis(named)));
            listen.ended(Time::ORIGIN);
            assert_eq!(listen.poll_timeout(), Some(Time::ORIGIN + Duration::from_millis(kept)));
        }
        assert_eq!(listen.last_event_id(), Some("7"));
    }
}
