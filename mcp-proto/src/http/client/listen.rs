//! The GET stream of a legacy session, and when to open it again.

use alloc::boxed::Box;
use core::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::exchange::ExchangeId;
use crate::time::Time;

/// How often the stream is opened again without having brought anything.
const ATTEMPTS: u32 = 5;
/// How long to wait before, where the server names no time (doubled with every attempt).
const DELAY: Duration = Duration::from_secs(1);
/// How short it may be, whatever the server says: one event for each connection must not keep a client busy.
const SHORTEST: Duration = Duration::from_millis(500);
/// How long the wait may become.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a refusal may make it (`Retry-After`): a server that names a year is asked again all the same.
const LONGEST_NAMED: Duration = Duration::from_secs(300);

/// The stream on which a legacy server sends what belongs to no request
/// (2025-11-25, Transports, Listening for Messages from the Server).
///
/// Only progress (a message, or an event id that was not there before) renews the budget of attempts, so that a server
/// that takes the stream and drops it, or refuses it for the moment, can never make a client reconnect for ever.
#[derive(Debug, Default)]
pub(super) struct Listen {
    state: State,
    attempts: u32,
    retry: Option<Duration>,
    last_event_id: Option<Box<str>>,
    /// The id that was new last: apart from the one before, which an empty id takes back, or the two in turn would be new
    /// for ever.
    newest_id: Option<Box<str>>,
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

    /// An event came, with a message or without.
    pub(super) fn received(&mut self, id: Option<&str>, retry: Option<Duration>, has_message: bool) {
        self.retry = retry.or(self.retry);
        let mut is_progress = has_message;
        if let Some(id) = id {
            // An empty id takes back the one before (HTML, Server-sent events, Last-Event-ID).
            self.last_event_id = (!id.is_empty()).then(|| id.into());
            // A server may prime every stream with the same one, and end it (2025-11-25, Sending Messages, 6).
            if !id.is_empty() && self.newest_id.as_deref() != Some(id) {
                self.newest_id.clone_from(&self.last_event_id);
                is_progress = true;
            }
        }
        if is_progress {
            self.attempts = 0;
        }
    }

    /// The server does not offer the stream.
    pub(super) fn refused(&mut self) {
        self.state = State::Off;
    }

    /// The stream ended, broke off, or was refused for the moment: until `after`, where the server said so. Whether it is
    /// given up now.
    pub(super) fn ended(&mut self, now: Time, id: ExchangeId, after: Option<Duration>) -> bool {
        if self.state != State::Open(id) {
            return false;
        }
        if self.attempts >= ATTEMPTS {
            self.state = State::Off;
            return true;
        }
        // The server's own time is never cut short (2025-11-25, Sending Messages, 6: it "MUST" be respected).
        let first = self.retry.unwrap_or(DELAY).max(SHORTEST);
        // Saturating: the server may name any time.
        let delay = first.saturating_mul(1 << self.attempts).min(LONGEST.max(first));
        let delay = delay.max(after.unwrap_or_default().min(LONGEST_NAMED));
        self.attempts += 1;
        self.state = State::Waiting(now + delay);
        false
    }
}

/// Whether a status speaks of the moment, and not of the stream: the place is taken, too many requests, a gateway whose
/// server is gone or begins anew.
pub(super) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 502 | 503 | 504)
}

/// How long a response asks to wait (RFC 9110, 10.2.3), where it says that in seconds: what a date means only a wall clock
/// can tell.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
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
            listen.ended(now, ExchangeId(opened), None);
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
        listen.ended(Time::ORIGIN, ExchangeId(0), None);
        assert_eq!(listen.poll_timeout(), None);
    }

    #[test]
    fn progress_renews_the_budget_and_the_server_names_the_delay() {
        let mut listen = Listen::default();
        listen.begin();
        for (named, kept) in [(600, 600), (5_000, 5_000), (99, 500), (0, 500), (0, 500), (0, 500)] {
            listen.opened(ExchangeId(0));
            listen.received(Some("7"), Some(Duration::from_millis(named)), true);
            listen.ended(Time::ORIGIN, ExchangeId(0), None);
            assert_eq!(listen.poll_timeout(), Some(Time::ORIGIN + Duration::from_millis(kept)));
        }
        assert_eq!(listen.last_event_id(), Some("7"));
    }

    /// How often a stream is opened that brings this each time.
    fn openings(mut bring: impl FnMut(&mut Listen, u64)) -> u64 {
        let mut listen = Listen::default();
        listen.begin();
        let (mut now, mut opened) = (Time::ORIGIN, 0);
        while let Some(due) = listen.poll_timeout().filter(|_| opened < 100) {
            now = due.max(now);
            listen.opened(ExchangeId(opened));
            bring(&mut listen, opened);
            listen.ended(now, ExchangeId(opened), None);
            opened += 1;
        }
        opened
    }

    #[test]
    fn only_a_message_or_a_new_id_is_progress() {
        let zero = Some(Duration::ZERO);
        let most = u64::from(ATTEMPTS) + 1;
        assert_eq!(openings(|listen, _| listen.received(None, zero, false)), most);
        assert_eq!(openings(|listen, _| listen.received(Some("7"), zero, false)), most);
        let taken_back = |listen: &mut Listen, _| {
            listen.received(Some(""), None, false);
            listen.received(Some("7"), None, false);
        };
        assert_eq!(openings(taken_back), most);
        assert_eq!(openings(|listen, _| listen.received(None, None, true)), 100);
        let new = |listen: &mut Listen, n: u64| listen.received(Some(&alloc::format!("{n}")), None, false);
        assert_eq!(openings(new), 100);
    }

    #[test]
    fn a_refusal_names_its_time_within_bounds() {
        for (named, waited) in [(None, 1), (Some(0), 1), (Some(7), 7), (Some(u64::MAX), 300)] {
            let mut listen = Listen::default();
            listen.begin();
            listen.opened(ExchangeId(0));
            assert!(!listen.ended(Time::ORIGIN, ExchangeId(0), named.map(Duration::from_secs)));
            assert_eq!(listen.poll_timeout(), Some(Time::ORIGIN + Duration::from_secs(waited)));
        }
    }

    #[test]
    fn what_becomes_of_an_earlier_stream_does_not_touch_the_present_one() {
        let mut listen = Listen::default();
        listen.begin();
        listen.opened(ExchangeId(0));
        listen.ended(Time::ORIGIN, ExchangeId(0), None);
        listen.opened(ExchangeId(1));
        listen.ended(Time::ORIGIN, ExchangeId(0), None);
        assert_eq!(listen.open(), Some(ExchangeId(1)));
    }
}
