//! The GET stream of a legacy session, and when to open it again.

use core::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::cursor::Cursor;
use super::exchange::ExchangeId;
use crate::time::Time;

/// The stream on which a legacy server sends what belongs to no request
/// (2025-11-25, Transports, Listening for Messages from the Server).
#[derive(Debug, Default)]
pub(super) struct Listen {
    state: State,
    cursor: Cursor,
    /// Whether it was asked to go on where it was.
    is_resumed: bool,
}

/// How the GET stream of a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetStream {
    /// Not wanted, refused, or given up.
    Off,
    /// Not open at present.
    Opening,
    /// Open.
    Open {
        /// Whether the server was asked to go on where the last one was.
        is_resumed: bool,
    },
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

    /// Whether it was opened to go on where it was.
    pub(super) fn set_resumed(&mut self, is_resumed: bool) {
        self.is_resumed = is_resumed;
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// Whether it is not wanted, was refused, or is given up.
    pub(super) fn is_off(&self) -> bool {
        self.state == State::Off
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
        self.cursor.last_event_id()
    }

    /// An event came, with a message or without. Whether it is new.
    pub(super) fn received(&mut self, id: Option<&str>, retry: Option<Duration>, has_message: bool) -> bool {
        self.cursor.received(id, retry, has_message)
    }

    /// The server does not know where the stream was: the next one begins anew.
    pub(super) fn forget_event(&mut self) {
        self.cursor.forget();
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
        let next = self.cursor.ended(now, after);
        self.state = next.map_or(State::Off, State::Waiting);
        next.is_none()
    }
}

/// How long a response asks to wait (RFC 9110, 10.2.3), where it says that in seconds: what a date means only a wall clock
/// can tell.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::super::cursor::ATTEMPTS;
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
            listen.received(None, Some(Duration::from_millis(named)), true);
            listen.received(Some("7"), None, false);
            listen.ended(Time::ORIGIN, ExchangeId(0), None);
            assert_eq!(listen.poll_timeout(), Some(Time::ORIGIN + Duration::from_millis(kept)));
        }
        assert_eq!(listen.last_event_id(), Some("7"));
    }

    /// How often a stream is opened that brings this each time.
    fn openings<T>(mut bring: impl FnMut(&mut Listen, u64) -> T) -> u64 {
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
            listen.received(Some("7"), None, false)
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
