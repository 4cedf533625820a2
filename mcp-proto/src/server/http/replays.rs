//! The streams of a session that can be resumed.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::http::server::{EventId, ReplayScope, Resumable, Resumption, StreamKey};
use crate::revision::Revision;

/// The streams of a session that can be resumed: their names, and which of them are still served. Where one is (`L`) is the
/// driver's.
#[derive(Debug)]
pub(super) struct Replays<L> {
    scope: ReplayScope,
    retry: Duration,
    primes: bool,
    count: u64,
    live: BTreeMap<StreamKey, L>,
}

/// Where a stream goes on that a client names by its last event.
#[derive(Debug)]
pub enum Resuming<L> {
    /// It names none: a new stream begins.
    New,
    /// A GET stream, which goes on as one. With it the connection that may still be there, and ends.
    Listener(EventId, Option<L>),
    /// The stream of a request that is served here.
    Live(EventId, L),
    /// That of one that is over: what is kept is all there is.
    Kept(EventId),
}

impl<L> Replays<L> {
    /// None; `None` where the revision has no such streams.
    pub(super) fn new(resumption: &Resumption, revision: Revision, random: [u8; 32]) -> Option<Self> {
        revision.has_sessions().then(|| Self {
            scope: ReplayScope::from_random(random),
            retry: resumption.retry,
            primes: revision.has_priming_event(),
            count: 0,
            live: BTreeMap::new(),
        })
    }

    pub(super) fn scope(&self) -> ReplayScope {
        self.scope
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The next stream.
    pub(super) fn begin(&mut self, is_listener: bool) -> Resumable {
        self.count += 1;
        self.go_on(StreamKey::new(self.scope, self.count, is_listener))
    }

    /// A stream that there was.
    pub(super) fn go_on(&self, key: StreamKey) -> Resumable {
        Resumable {
            key,
            retry: self.retry,
            primes: self.primes,
        }
    }

    /// A stream is served there.
    pub(super) fn open(&mut self, key: StreamKey, stream: L) {
        self.live.insert(key, stream);
    }

    /// It is not served there any more. Whether it is served nowhere now.
    pub(super) fn close(&mut self, key: StreamKey, is_it: impl Fn(&L) -> bool) -> bool {
        // One that was taken over is served elsewhere.
        let is_last = self.live.get(&key).is_none_or(is_it);
        if is_last {
            self.live.remove(&key);
        }
        is_last
    }

    /// Where the stream of an event goes on. `None` for an event that is not of this session.
    pub(super) fn find(&self, id: EventId) -> Option<Resuming<L>>
    where
        L: Clone,
    {
        if id.stream.scope() != self.scope {
            return None;
        }
        let live = self.live.get(&id.stream).cloned();
        Some(match (id.stream.is_listener(), live) {
            (true, live) => Resuming::Listener(id, live),
            (false, Some(live)) => Resuming::Live(id, live),
            (false, None) => Resuming::Kept(id),
        })
    }
}
