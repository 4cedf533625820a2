//! The events of streams that can be resumed.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::limits::Limits;
use crate::rpc::Kept;
use crate::time::Time;

/// To whose streams an event belongs: one for each session, with 64 random bits. Not the session id, which is a secret,
/// and of which it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayScope(u64);

impl ReplayScope {
    /// From the bytes that a session id is made of, which leaves two bits of each.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(random.iter().fold(0, |all, byte| all << 2 | u64::from(byte >> 6)))
    }
}

/// A stream of a session, as the ids of its events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    scope: ReplayScope,
    number: u64,
}

impl StreamKey {
    /// The stream of this number, counted in its session. Those of GET have odd ones: what is resumed must be the same
    /// kind of stream again, also when nothing else is known of it any more.
    pub(crate) fn new(scope: ReplayScope, count: u64, is_listener: bool) -> Self {
        let number = count.saturating_mul(2).saturating_add(u64::from(is_listener));
        Self { scope, number }
    }

    /// Whose it is.
    pub fn scope(&self) -> ReplayScope {
        self.scope
    }

    /// Whether it is the stream of a GET.
    pub fn is_listener(&self) -> bool {
        self.number & 1 == 1
    }

    /// The id of one of its events.
    pub fn event(self, position: u64) -> EventId {
        EventId { stream: self, position }
    }
}

/// The id of an event: which stream of which session, and where in it (2025-11-25, Transports, Resumability and Redelivery,
/// 1: unique in its session, MUST; names its stream, SHOULD).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// The stream.
    pub stream: StreamKey,
    /// Where in it, counted from the event that it begins with.
    pub position: u64,
}

impl EventId {
    /// Reads an id. `None` where it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |radix| u64::from_str_radix(parts.next()?, radix).ok();
        let (scope, number, position) = (ReplayScope(next(16)?), next(10)?, next(10)?);
        let id = StreamKey { scope, number }.event(position);
        // Nothing behind it, and written in one way alone.
        (alloc::format!("{id}") == text).then_some(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StreamKey { scope, number } = self.stream;
        write!(f, "{:016x}-{number}-{}", scope.0, self.position)
    }
}

/// An event that is to be kept: what an [exchange](crate::server::http::Exchange) asks for.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "it is to be kept, or its stream cannot be resumed"]
pub struct Recorded {
    /// Which one.
    pub id: EventId,
    /// As it is written on the stream. Empty for what is not sent again.
    pub event: Bytes,
    /// No more will come on its stream.
    pub is_last: bool,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("id", &self.id)
            .field("event", &crate::shown::Size(self.event.len()))
            .field("is_last", &self.is_last)
            .finish()
    }
}

/// What a stream has brought after an event.
#[derive(Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The events, as they are written on the stream.
    pub events: Vec<u8>,
    /// How many came before them that are not kept any more.
    pub lost: u64,
    /// Where the next event stands.
    pub next: u64,
    /// Whether no more will come.
    pub is_over: bool,
}

crate::shown::shown!(Replayed { lost, next, is_over } bytes { events });

/// The events of streams that can be resumed, kept in memory: the default answerer of what an exchange asks for.
///
/// An [exchange](crate::server::http::Exchange) says what is to be kept ([`append`](Self::append)), and is told what a
/// stream has brought ([`replay`](Self::replay)). Both are values, so that a driver may keep events elsewhere.
///
/// Everything is bounded: for each stream ([`Limits::replay_events`], [`Limits::replay_bytes`]), for each session
/// ([`Limits::replay_session_bytes`]) and in all ([`Limits::replay_total_bytes`]). The oldest events are lost: of the
/// stream, of the session, and of the session that holds most. A stream that nobody reads is kept for a time
/// ([`Resumption::keep`](super::Resumption::keep)), and goes on collecting for as long.
///
/// | stream | [`append`](Self::append) | [`replay`](Self::replay) | [`leave`](Self::leave) | why |
/// |---|---|---|---|---|
/// | unknown | begins with its first event, else dropped | `None` | | it is forgotten, and its handler may not know |
/// | read | kept | what came after | its time runs | |
/// | left | kept | what came after; its time stands still | | its client may come back |
///
/// Methods are of four kinds. Getters: [`kept`](Self::kept). From the world: [`replay`](Self::replay),
/// [`leave`](Self::leave), [`handle_timeout`](Self::handle_timeout). From the application: [`append`](Self::append),
/// [`forget`](Self::forget). To the world: [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Replay {
    limits: Limits,
    keep: Duration,
    streams: BTreeMap<StreamKey, Stream>,
    /// The oldest event of each stream, by its age.
    oldest: BTreeSet<(ReplayScope, u64, StreamKey)>,
    /// How many bytes each session holds.
    sessions: BTreeMap<ReplayScope, usize>,
    by_bytes: BTreeSet<(usize, ReplayScope)>,
    bytes: usize,
    /// How many events were ever kept: the clock by which one is old.
    passed: u64,
    /// Streams that were left while nobody said what time it is.
    leaving: Vec<StreamKey>,
    until: BTreeSet<(Time, StreamKey)>,
}

#[derive(Debug, Default)]
struct Stream {
    events: VecDeque<(u64, Bytes)>,
    /// Where the first of them stands.
    first: u64,
    bytes: usize,
    is_over: bool,
    life: Life,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Read,
    /// Left, and its time is not set yet.
    Leaving,
    Until(Time),
}

/// What an event, and a stream, cost beside their bytes.
const OVERHEAD: usize = 128;

impl Replay {
    /// Nothing, and room for what `limits` allow.
    pub fn new(limits: &Limits, keep: Duration) -> Self {
        Self {
            limits: limits.clone(),
            keep,
            streams: BTreeMap::new(),
            oldest: BTreeSet::new(),
            sessions: BTreeMap::new(),
            by_bytes: BTreeSet::new(),
            bytes: 0,
            passed: 0,
            leaving: Vec::new(),
            until: BTreeSet::new(),
        }
    }

    /// How much is kept at present.
    pub fn kept(&self) -> Kept {
        Kept::new(self.streams.len(), self.bytes)
    }

    /// Keeps an event.
    pub fn append(&mut self, recorded: Recorded) {
        let (key, scope) = (recorded.id.stream, recorded.id.stream.scope);
        if recorded.id.position == 0 && !self.streams.contains_key(&key) {
            self.streams.insert(key, Stream::default());
            self.account(scope, |bytes| bytes.saturating_add(OVERHEAD));
        }
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        let cost = recorded.event.len().saturating_add(OVERHEAD);
        self.passed += 1;
        stream.is_over |= recorded.is_last;
        if stream.events.is_empty() {
            stream.first = recorded.id.position;
            self.oldest.insert((scope, self.passed, key));
        }
        stream.events.push_back((self.passed, recorded.event));
        stream.bytes = stream.bytes.saturating_add(cost);
        self.account(scope, |bytes| bytes.saturating_add(cost));
        self.shrink(key);
    }

    /// What a stream has brought after this event; from now on it is read. `None` where nothing is known of it.
    pub fn replay(&mut self, after: EventId) -> Option<Replayed> {
        let stream = self.streams.get_mut(&after.stream)?;
        let next = stream.first.saturating_add(stream.events.len() as u64);
        // One that was never sent: nobody has it from us.
        if after.position >= next {
            return None;
        }
        if let Life::Until(until) = stream.life {
            self.until.remove(&(until, after.stream));
        }
        stream.life = Life::Read;
        let wanted = after.position.saturating_add(1);
        let skipped = usize::try_from(wanted.saturating_sub(stream.first)).unwrap_or(usize::MAX);
        let mut events = Vec::new();
        for (_, event) in stream.events.iter().skip(skipped) {
            events.extend_from_slice(event);
        }
        Some(Replayed {
            events,
            lost: stream.first.saturating_sub(wanted),
            next,
            is_over: stream.is_over,
        })
    }

    /// Nobody reads a stream any more: it is kept for a while.
    pub fn leave(&mut self, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(&key)
            && stream.life == Life::Read
        {
            stream.life = Life::Leaving;
            self.leaving.push(key);
        }
    }

    /// A session is over, with all its streams.
    pub fn forget(&mut self, scope: ReplayScope) {
        let first = StreamKey { scope, number: 0 };
        let last = StreamKey {
            scope,
            number: u64::MAX,
        };
        let keys: Vec<StreamKey> = self.streams.range(first..=last).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.remove(key));
    }

    /// Time has passed: what was left for long enough is forgotten.
    pub fn handle_timeout(&mut self, now: Time) {
        for key in core::mem::take(&mut self.leaving) {
            if let Some(stream) = self.streams.get_mut(&key)
                && stream.life == Life::Leaving
            {
                stream.life = Life::Until(now + self.keep);
                self.until.insert((now + self.keep, key));
            }
        }
        while let Some((_, key)) = self.until.first().copied().filter(|(until, _)| *until <= now) {
            self.remove(key);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.leaving.is_empty() {
            true => self.until.first().map(|(until, _)| *until),
            false => Some(Time::ORIGIN),
        }
    }

    /// Brings everything within its bounds, after an event of this stream.
    fn shrink(&mut self, key: StreamKey) {
        while let Some(stream) = self.streams.get(&key)
            && (stream.bytes > self.limits.replay_bytes || stream.events.len() > self.limits.replay_events)
            && !stream.events.is_empty()
        {
            self.lose_oldest(key);
        }
        while self.sessions.get(&key.scope).copied() > Some(self.limits.replay_session_bytes) {
            if !self.lose_of(key.scope) {
                break;
            }
        }
        while self.bytes > self.limits.replay_total_bytes
            && let Some((_, largest)) = self.by_bytes.last().copied()
        {
            if !self.lose_of(largest) {
                break;
            }
        }
    }

    /// The oldest event of a session is lost. `false` where it has none.
    fn lose_of(&mut self, scope: ReplayScope) -> bool {
        let key = StreamKey { scope, number: 0 };
        let oldest = self.oldest.range((scope, 0, key)..).next();
        let Some((_, _, key)) = oldest.copied().filter(|(other, ..)| *other == scope) else {
            return false;
        };
        self.lose_oldest(key);
        true
    }

    fn lose_oldest(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        let Some((age, event)) = stream.events.pop_front() else {
            return;
        };
        let cost = event.len().saturating_add(OVERHEAD);
        stream.first += 1;
        stream.bytes = stream.bytes.saturating_sub(cost);
        self.oldest.remove(&(key.scope, age, key));
        if let Some((age, _)) = stream.events.front() {
            self.oldest.insert((key.scope, *age, key));
        }
        // Nothing more will come, and nothing is left.
        let is_void = stream.is_over && stream.events.is_empty();
        self.account(key.scope, |bytes| bytes.saturating_sub(cost));
        if is_void {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.remove(&key) else {
            return;
        };
        if let Life::Until(until) = stream.life {
            self.until.remove(&(until, key));
        }
        if let Some((age, _)) = stream.events.front() {
            self.oldest.remove(&(key.scope, *age, key));
        }
        let cost = stream.bytes.saturating_add(OVERHEAD);
        self.account(key.scope, |bytes| bytes.saturating_sub(cost));
    }

    fn account(&mut self, scope: ReplayScope, change: impl FnOnce(usize) -> usize) {
        let before = self.sessions.get(&scope).copied().unwrap_or(0);
        let after = change(before);
        self.by_bytes.remove(&(before, scope));
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        match after {
            0 => drop(self.sessions.remove(&scope)),
            _ => {
                self.sessions.insert(scope, after);
                self.by_bytes.insert((after, scope));
            }
        }
    }
}

#[cfg(test)]
mod tests;
