//! Where a stream of events was when it broke off, and whether it is opened once more.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Time;

/// How often a stream is opened again without having brought anything.
pub(super) const ATTEMPTS: u32 = 5;
/// How long to wait before, where the server names no time (doubled with every attempt).
const DELAY: Duration = Duration::from_secs(1);
/// How short it may be, whatever the server says: one event for each connection must not keep a client busy.
const SHORTEST: Duration = Duration::from_millis(500);
/// How long the wait may become.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a refusal may make it (`Retry-After`): a server that names a year is asked again all the same.
const LONGEST_NAMED: Duration = Duration::from_secs(300);
/// How many ids are remembered, to tell an event that comes a second time.
const REMEMBERED: usize = 128;

/// Where a stream of events was when it broke off, and whether it is opened once more.
///
/// Only progress (a message, or an event id that was not there before) renews the budget of attempts, so that a server
/// that takes the stream and drops it, or refuses it for the moment, can never make a client reconnect for ever.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    attempts: u32,
    retry: Option<Duration>,
    last_event_id: Option<Box<str>>,
    /// The id that was new last: apart from the one before, which an empty id takes back, or the two in turn would be new
    /// for ever.
    newest_id: Option<Box<str>>,
    /// What stands for the last ids. Short, whatever the ids are.
    seen: VecDeque<u64>,
    /// Whether it was opened again after an id: from then on an event may come twice.
    is_resumed: bool,
}

impl Cursor {
    /// Where the stream was when it ended.
    pub(super) fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// An event came, with a message or without. Whether it is new: what a server brings again that was here before is
    /// not taken twice.
    pub(super) fn received(&mut self, id: Option<&str>, retry: Option<Duration>, has_message: bool) -> bool {
        self.retry = retry.or(self.retry);
        if let Some(id) = id.filter(|id| !id.is_empty())
            && self.is_repeated(id)
        {
            return false;
        }
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
        true
    }

    /// Whether an event with this id was here before the stream was opened again.
    fn is_repeated(&mut self, id: &str) -> bool {
        let mark = mark_of(id);
        // The one that the server was named as the last may come once more alone: as its way to prime the stream.
        if self.seen.contains(&mark) {
            return self.is_resumed;
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(mark);
        false
    }

    /// The stream ended, broke off, or was refused for the moment: until `after`, where the server said so. When it is to
    /// be opened again; `None` where that was done too often.
    pub(super) fn ended(&mut self, now: Time, after: Option<Duration>) -> Option<Time> {
        if self.attempts >= ATTEMPTS {
            return None;
        }
        // The server's own time is never cut short (2025-11-25, Sending Messages, 6: it "MUST" be respected).
        let first = self.retry.unwrap_or(DELAY).max(SHORTEST);
        // Saturating: the server may name any time.
        let delay = first.saturating_mul(1 << self.attempts).min(LONGEST.max(first));
        let delay = delay.max(after.unwrap_or_default().min(LONGEST_NAMED));
        self.attempts += 1;
        self.is_resumed = self.last_event_id.is_some();
        Some(now + delay)
    }

    /// The server does not know the last id any more: the next stream begins anew.
    pub(super) fn forget(&mut self) {
        self.last_event_id = None;
    }
}

/// A number that stands for an id (FNV-1a). A server that makes two alike loses no more than a message of its own.
fn mark_of(id: &str) -> u64 {
    let mix = |mark: u64, byte: u8| (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replayed_is_taken_once() {
        let mut cursor = Cursor::default();
        assert!(cursor.received(Some("a"), None, true) && cursor.received(Some("b"), None, true));
        // Before the stream was opened again, a server that uses an id twice means two events.
        assert!(cursor.received(Some("b"), None, true));
        assert!(cursor.ended(Time::ORIGIN, None).is_some());
        assert_eq!(cursor.last_event_id(), Some("b"));
        assert!(!cursor.received(Some("a"), None, true) && !cursor.received(Some("b"), None, true));
        assert_eq!(cursor.last_event_id(), Some("b"), "it does not go back");
        assert!(cursor.received(Some("c"), None, true) && cursor.received(None, None, true));
    }

    #[test]
    fn ids_are_remembered_within_a_bound() {
        let mut cursor = Cursor::default();
        for id in 0..1_000 {
            assert!(cursor.received(Some(&alloc::format!("{id}")), None, true));
        }
        assert_eq!(cursor.seen.len(), REMEMBERED);
    }

    #[test]
    fn what_is_repeated_is_no_progress() {
        let mut cursor = Cursor::default();
        assert!(cursor.received(Some("a"), None, true));
        for _ in 0..ATTEMPTS {
            assert!(cursor.ended(Time::ORIGIN, None).is_some());
            cursor.received(Some("a"), None, true);
        }
        assert_eq!(cursor.ended(Time::ORIGIN, None), None);
    }
}
