//! Connections of an HTTP client, and what waits for one.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use http::{Uri, Version};

use super::capacity::Capacity;
use super::connector::{BoxFuture, Connected, HttpSender};
use super::origin::Origin;
use mcp_proto::Time;
use mcp_proto::http::client::ExchangeError;

/// How long a connection may have waited and be used without a look whether it is still there.
const UNSEEN: Duration = Duration::from_millis(5);

/// Connections with senders of type `S`, and requests of type `W` that wait for one, by origin.
///
/// One that has waited is looked at before it is used, and is not used any more shortly before its server closes it, where
/// that has said when.
///
/// There may be any number of connections, or as many as a limit allows. What waits is always borne by connections that are being made: where
/// those that there are can bear no more, another one is made, or it is said that it [exceeds](Self::exceeding) the
/// limit. Nothing waits for the end of an exchange.
#[derive(Debug)]
pub(super) struct Pool<S, W> {
    places: Vec<Place<W>>,
    connections: BTreeMap<ConnectionId, Connection<S>>,
    next: u64,
    /// Most connections, with those that are being made.
    most: usize,
    idle_timeout: Duration,
    /// When to look for connections that have waited too long.
    expiry: Option<Time>,
}

/// An origin of a pool, to be used with that pool alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OriginKey(usize);

/// A connection of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConnectionId(u64);

/// What there is for one origin.
#[derive(Debug)]
struct Place<W> {
    origin: Origin,
    /// Connections with room; the one that had room last is at the back, and is used first.
    free: Vec<ConnectionId>,
    waiting: VecDeque<W>,
    /// How many connections are being made.
    attempts: usize,
    /// How many exchanges each of those is expected to bear.
    expected: usize,
}

#[derive(Debug)]
struct Connection<S> {
    place: OriginKey,
    sender: S,
    version: Version,
    capacity: Capacity,
    /// How many exchanges it bears.
    load: usize,
    /// Whether it is among those with room.
    is_free: bool,
    /// Whether it was made just now, for what waits.
    is_fresh: bool,
    /// Since when it bears nothing.
    since: Time,
    /// How long it may bear nothing: as long as the pool keeps one, or its server says.
    keep: Duration,
}

/// A connection for what waited longest.
pub(super) struct Loan<'a, S, W> {
    pub(super) connection: ConnectionId,
    pub(super) sender: &'a mut S,
    pub(super) version: Version,
    pub(super) origin: &'a Origin,
    /// Whether it was made just now. One that was not may have been closed since.
    pub(super) is_fresh: bool,
    pub(super) waited: W,
}

impl<S: HttpSender, W> Pool<S, W> {
    /// A pool that keeps an unused connection for `idle_timeout`, and has none yet.
    pub(super) fn new(idle_timeout: Duration) -> Self {
        Self {
            places: Vec::new(),
            connections: BTreeMap::new(),
            next: 0,
            most: usize::MAX,
            idle_timeout,
            expiry: None,
        }
    }

    /// Has at most so many connections from now on, with those that are being made.
    pub(super) fn limit(&mut self, most: Option<usize>) {
        self.most = most.unwrap_or(usize::MAX);
    }

    /// The origin of a URL; `expected` says how many exchanges a connection to it is thought to bear.
    pub(super) fn origin(
        &mut self,
        uri: &Uri,
        expected: impl FnOnce(&Origin) -> usize,
    ) -> Result<OriginKey, ExchangeError> {
        // A client has an endpoint or two.
        let known = self.places.iter().position(|place| place.origin.is_of(uri));
        Ok(OriginKey(match known {
            Some(index) => index,
            None => {
                let origin = Origin::of(uri)?;
                self.places.push(Place {
                    expected: expected(&origin).max(1),
                    origin,
                    free: Vec::new(),
                    waiting: VecDeque::new(),
                    attempts: 0,
                });
                self.places.len() - 1
            }
        }))
    }

    /// Has `what` wait for a connection.
    pub(super) fn wait(&mut self, key: OriginKey, what: W) {
        if let Some(place) = self.places.get_mut(key.0) {
            place.waiting.push_back(what);
        }
    }

    /// What waits no more, if it still did.
    pub(super) fn forsake(&mut self, is_it: impl Fn(&W) -> bool) -> Option<W> {
        let mut places = self.places.iter_mut();
        places.find_map(|Place { waiting, .. }| waiting.remove(waiting.iter().position(&is_it)?))
    }

    /// A connection with room for what waited longest, if there are both.
    pub(super) fn lend(&mut self, key: OriginKey, now: Time) -> Option<Loan<'_, S, W>> {
        // Only where somebody waits: to find a connection is to take a place on it.
        let place = self.places.get_mut(key.0).filter(|place| !place.waiting.is_empty())?;
        let id = find(&mut place.free, &mut self.connections, now)?;
        let waited = place.waiting.pop_front()?;
        let connection = self.connections.get_mut(&id)?;
        Some(Loan {
            connection: id,
            sender: &mut connection.sender,
            version: connection.version,
            origin: &place.origin,
            is_fresh: connection.is_fresh,
            waited,
        })
    }

    /// Where to make a further connection to, and that it is being made; `None` where those that there will be can
    /// bear what waits, or where there may be no more. One that bears nothing, to another origin, makes room.
    pub(super) fn attempt(&mut self, key: OriginKey) -> Option<&Origin> {
        let place = self.places.get(key.0)?;
        // Those that are being made count: a burst over HTTP/2 is borne by one.
        if place.waiting.len() <= place.borne() || !self.make_room(key) {
            return None;
        }
        let place = self.places.get_mut(key.0)?;
        place.attempts += 1;
        Some(&place.origin)
    }

    /// What waits and will not be borne, after [`attempt`](Self::attempt) had nothing more to say: what came last first.
    pub(super) fn exceeding(&mut self, key: OriginKey) -> Option<W> {
        let place = self.places.get_mut(key.0)?;
        match place.waiting.len() > place.borne() {
            true => place.waiting.pop_back(),
            false => None,
        }
    }

    /// Whether there may be another connection: now, or without the one of another origin that has borne nothing for the
    /// longest time.
    fn make_room(&mut self, key: OriginKey) -> bool {
        let attempts: usize = self.places.iter().map(|place| place.attempts).sum();
        if attempts.saturating_add(self.connections.len()) < self.most {
            return true;
        }
        let is_spare = |connection: &Connection<S>| connection.load == 0 && connection.place != key;
        let idle = self.connections.iter().filter(|(_, connection)| is_spare(connection));
        // Nothing is lost with it but a handshake.
        let oldest = idle.min_by_key(|(_, connection)| connection.since).map(|(id, _)| *id);
        oldest.inspect(|id| self.remove(*id)).is_some()
    }

    /// A connection was made. It is fresh until it is [settled](Self::settle). What has to be polled of it is the
    /// caller's.
    pub(super) fn connected(
        &mut self,
        key: OriginKey,
        connected: Connected<S>,
        now: Time,
    ) -> (ConnectionId, BoxFuture<()>) {
        let id = ConnectionId(self.next);
        self.next += 1;
        if let Some(place) = self.places.get_mut(key.0) {
            place.attempts = place.attempts.saturating_sub(1);
            // What this one bears is the best guess for the next.
            place.expected = connected.capacity.get().max(1);
            place.free.push(id);
        }
        let connection = Connection {
            place: key,
            sender: connected.sender,
            version: connected.version,
            capacity: connected.capacity,
            load: 0,
            is_free: true,
            is_fresh: true,
            since: now,
            keep: self.idle_timeout,
        };
        self.connections.insert(id, connection);
        self.expire_at(now + self.idle_timeout);
        (id, connected.connection)
    }

    /// What waited has had its turn with a new connection.
    pub(super) fn settle(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_fresh = false;
        }
    }

    /// Host and port of an origin, as its URL names them.
    pub(super) fn authority(&self, key: OriginKey) -> &str {
        self.places.get(key.0).map_or("", |place| place.origin.authority())
    }

    /// A connection could not be made: what has waited longest and is borne no longer.
    pub(super) fn refused(&mut self, key: OriginKey) -> VecDeque<W> {
        let Some(place) = self.places.get_mut(key.0) else {
            return VecDeque::new();
        };
        place.attempts = place.attempts.saturating_sub(1);
        // Those who came last may still be borne by the attempts that are left; who has waited longest is told first.
        let borne = place.borne().min(place.waiting.len());
        let left = place.waiting.split_off(place.waiting.len() - borne);
        core::mem::replace(&mut place.waiting, left)
    }

    /// An exchange on a connection is over, which may wait for another as long as its server says: `keep`, if it does. The
    /// future and the body of the exchange have to be dropped before.
    pub(super) fn release(&mut self, id: ConnectionId, now: Time, keep: Option<Duration>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        // Closed by its server meanwhile, or cut off in the middle of a response.
        if !connection.sender.is_ready() {
            self.remove(id);
            return;
        }
        connection.load = connection.load.saturating_sub(1);
        connection.since = now;
        // A server may keep one for longer than this side wants to.
        connection.keep = keep.unwrap_or(self.idle_timeout).min(self.idle_timeout);
        let (is_idle, until) = (connection.load == 0, now + connection.keep);
        let was_free = core::mem::replace(&mut connection.is_free, true);
        if let Some(place) = self.places.get_mut(connection.place.0).filter(|_| !was_free) {
            place.free.push(id);
        }
        if is_idle {
            self.expire_at(until);
        }
    }

    /// Drops the connections to an origin that bear nothing.
    pub(super) fn clear(&mut self, key: OriginKey) {
        let is_idle = |connection: &Connection<S>| connection.load == 0 && connection.place == key;
        let idle = self.connections.iter().filter(|(_, connection)| is_idle(connection));
        let idle: Vec<_> = idle.map(|(id, _)| *id).collect();
        for id in idle {
            self.remove(id);
        }
    }

    /// Drops a connection; what it bears goes on as long as it can.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id).filter(|connection| connection.is_free) else {
            return;
        };
        if let Some(place) = self.places.get_mut(connection.place.0) {
            place.free.retain(|free| *free != id);
        }
    }

    /// Drops the connections that have borne nothing for too long.
    pub(super) fn expire(&mut self, now: Time) {
        if self.expiry.is_none_or(|at| now < at) {
            return;
        }
        let idle = self.connections.iter().filter(|(_, connection)| connection.load == 0);
        let (over, left): (Vec<_>, Vec<_>) = idle
            .map(|(id, connection)| (*id, connection.since + connection.keep))
            .partition(|(_, at)| *at <= now);
        self.expiry = left.into_iter().map(|(_, at)| at).min();
        for (id, _) in over {
            self.remove(id);
        }
    }

    /// When [`expire`](Self::expire) wants to be called, or earlier.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.expiry
    }

    fn expire_at(&mut self, at: Time) {
        self.expiry = Some(self.expiry.map_or(at, |before| before.min(at)));
    }
}

impl<S: HttpSender> Connection<S> {
    /// Whether another exchange may go out on it.
    fn is_usable(&self, now: Time) -> bool {
        // What is fresh was not polled yet, and cannot say that it is ready.
        if self.is_fresh {
            return true;
        }
        let waited = now.since(self.since);
        // What was used just now is as alive as that says, and a look is a system call.
        let is_trusted = self.load > 0 || waited < UNSEEN;
        self.sender.is_ready() && (is_trusted || waited < self.keep && self.sender.is_alive())
    }
}

impl<W> Place<W> {
    /// How much of what waits the connections that are being made will bear.
    fn borne(&self) -> usize {
        self.attempts.saturating_mul(self.expected)
    }
}

/// The connection that had room last and still is good, with one exchange more. Those that are not are dropped on the
/// way.
fn find<S: HttpSender>(
    free: &mut Vec<ConnectionId>,
    connections: &mut BTreeMap<ConnectionId, Connection<S>>,
    now: Time,
) -> Option<ConnectionId> {
    // The one used last: those that are too many then wait long enough to be dropped.
    while let Some(id) = free.last().copied() {
        if let Some(connection) = connections.get_mut(&id) {
            // It is among the free again once it is released.
            if connection.load >= connection.capacity.get() {
                connection.is_free = false;
            } else if connection.is_usable(now) {
                connection.load += 1;
                return Some(id);
            } else {
                connections.remove(&id);
            }
        }
        free.pop();
    }
    None
}

#[cfg(test)]
mod tests;
