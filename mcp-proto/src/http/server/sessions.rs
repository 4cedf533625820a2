//! The table of legacy sessions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::holder::Holder;
use super::refusal::Refusal;
use super::session_id::{Principal, SessionId};
use super::shares::{Seat, Shares};
use crate::limits::Limits;
use crate::time::Time;

/// The legacy sessions of an endpoint: one record each, in one table.
///
/// The table knows how many there may be, whose they are and when they end; what a session holds (`S`) is the
/// caller's. Ending a session, in whatever way, removes its record and hands `S` back: dropping it drops all.
///
/// A session ends by [`remove`](Self::remove) (DELETE), or after [`Limits::session_idle`] in which it had neither
/// a request in progress nor an open stream. Afterwards its id is unknown, as it is for every principal but the one
/// that made it: whoever guesses an id cannot even learn that it exists.
///
/// Where there is no room for another session, one is lost: of the [`Holder`] that holds most, one that was never used
/// after its handshake, or else the one that was idle for longest. What a principal holds, and what is in use, is lost to
/// nobody who would hold as much. So whoever fills the table loses what fills it, and nobody else is refused. The client
/// of a session that is lost learns it by 404 (2025-11-25, Transports, Session Management, 3), and by the end of its
/// streams.
///
/// | record | [`enter`](Self::enter) | [`leave`](Self::leave) | time | why |
/// |---|---|---|---|---|
/// | none | 404 | nothing | | ended, unknown and another's look alike |
/// | idle | in use | | ends after the idle time | most clients never send DELETE |
/// | in use | in use, or 429 | idle with the last one | stays | its client waits |
///
/// Methods are of four kinds. Getters: [`len`](Self::len), [`is_empty`](Self::is_empty), [`get`](Self::get). From
/// the world: [`create`](Self::create), [`enter`](Self::enter), [`leave`](Self::leave), [`remove`](Self::remove),
/// [`handle_timeout`](Self::handle_timeout). From the application:
/// [`clear`](Self::clear), [`drain`](Self::drain), [`close`](Self::close). To the world: [`poll_timeout`](Self::poll_timeout).
pub struct SessionTable<S> {
    most: usize,
    most_per_principal: usize,
    most_open: usize,
    idle: Duration,
    /// Where the record of each id is.
    places: BTreeMap<SessionId, usize>,
    records: Vec<Option<Record<S>>>,
    vacant: Vec<usize>,
    next_serial: u64,
    /// When to look at each record next: never later than it may expire.
    checks: BTreeSet<(Time, usize)>,
    shares: Shares,
    /// Which session of a holder is lost first, as far as it was looked at: a use does not move its session here, or each
    /// exchange would pay for what hardly ever happens.
    order: BTreeSet<(Seat, Standing, usize)>,
    /// No more are made.
    closed: bool,
    /// Those that cannot be entered any more, and end with their last request in progress.
    draining: Vec<S>,
}

struct Record<S> {
    session: S,
    id: SessionId,
    /// Tells the record from those that had its place before.
    serial: u64,
    principal: Option<Principal>,
    seat: Seat,
    /// Where it is in the order.
    noted: Standing,
    visits: u32,
    /// Exchanges that keep it alive, its streams among them.
    open: usize,
    last_used: Time,
    next_check: Time,
}

/// How soon a session is lost, and then since when nobody uses it.
type Standing = (Claim, Time);

/// How soon a session is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// Nothing came but what completes its handshake.
    Unused,
    Idle,
    InUse,
}

/// How many of those that hold as much as any other are looked at for the session that is lost.
const LOOKED_AT: usize = 64;

/// That an exchange keeps a session alive: to be given back with [`SessionTable::leave`], which then need not look the
/// session up again. One that is dropped keeps its session for ever.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the session is kept until it is left"]
pub struct Visit {
    place: usize,
    serial: u64,
}

impl<S> SessionTable<S> {
    /// An empty table with the bounds of `limits`.
    pub fn new(limits: &Limits) -> Self {
        Self {
            most: limits.sessions,
            most_per_principal: limits.sessions_per_principal,
            most_open: limits.streams_per_session,
            // Never zero: a session in use must be looked at again later, not now.
            idle: limits.session_idle.max(Duration::from_millis(1)),
            places: BTreeMap::new(),
            records: Vec::new(),
            vacant: Vec::new(),
            next_serial: 0,
            checks: BTreeSet::new(),
            shares: Shares::new(),
            order: BTreeSet::new(),
            closed: false,
            draining: Vec::new(),
        }
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Makes a session, entered once: [`leave`](Self::leave) it when the exchange that made it is over. Where there was no
    /// room for it, the session that is lost for it is handed back, to be ended.
    ///
    /// `id` comes from a cryptographically secure source.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where the table is full, and nothing is to be lost for a session of this holder;
    /// [`Refusal::TooManyRequests`] where its principal has as many as it may. [`Refusal::Closed`].
    pub fn create(
        &mut self,
        now: Time,
        id: SessionId,
        holder: &Holder,
        session: S,
    ) -> Result<(Visit, Option<S>), Refusal> {
        self.may_create(holder)?;
        // Two sessions under one id would make each client the other's. Nothing but a broken source of randomness does
        // it.
        if self.places.contains_key(&id) {
            return Err(Refusal::Busy);
        }
        let lost = match self.len() >= self.most {
            true => Some(self.lose_one(holder).ok_or(Refusal::Busy)?),
            false => None,
        };
        let seat = self.shares.take(holder, 1);
        // Places serve again, so that the vector is never longer than there were sessions at a time.
        let place = self.vacant.pop().unwrap_or(self.records.len());
        let serial = self.next_serial;
        self.next_serial += 1;
        let next_check = now + self.idle;
        let noted = (Claim::Unused, now);
        let record = Some(Record {
            session,
            id,
            serial,
            principal: holder.principal().cloned(),
            seat,
            noted,
            visits: 0,
            open: 1,
            last_used: now,
            next_check,
        });
        match self.records.get_mut(place) {
            Some(slot) => *slot = record,
            None => self.records.push(record),
        }
        self.places.insert(id, place);
        self.checks.insert((next_check, place));
        self.order.insert((seat, noted, place));
        Ok((Visit { place, serial }, lost))
    }

    /// Whether [`create`](Self::create) would refuse whatever others hold, to be asked before anything is prepared.
    ///
    /// # Errors
    /// Those of `create`.
    pub fn may_create(&self, holder: &Holder) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        if self.most == 0 {
            return Err(Refusal::Busy);
        }
        let has = self.shares.find(holder).map_or(0, |seat| self.shares.held(seat));
        match holder.principal().is_some() && has >= self.most_per_principal {
            true => Err(Refusal::TooManyRequests),
            false => Ok(()),
        }
    }

    /// Gives up a session for another one of `asker`.
    fn lose_one(&mut self, asker: &Holder) -> Option<S> {
        let most: Vec<Seat> = self.shares.most().take(LOOKED_AT).collect();
        let first = most.into_iter().filter_map(|seat| self.first_of(seat)).min();
        let ((claim, _), place, seat) = first?;
        // The anonymous are as many as one likes to be: among equals the latest comes in, where that costs the other no
        // more than a handshake. Otherwise it takes that the other holds more.
        let is_anonymous = (self.records.get(place)?.as_ref()).is_some_and(|record| record.principal.is_none());
        let is_cheap = is_anonymous && claim != Claim::InUse;
        match is_cheap || self.shares.exceeds(seat, asker, 1) {
            true => self.take(place),
            false => None,
        }
    }

    /// The session of a holder that is lost first.
    fn first_of(&mut self, seat: Seat) -> Option<(Standing, usize, Seat)> {
        loop {
            let from = (seat, (Claim::Unused, Time::ORIGIN), 0);
            let next = self.order.range(from..).next().filter(|next| next.0 == seat);
            let (_, noted, place) = next.copied()?;
            // It may have been used since it was noted: each use is caught up with once.
            match self.note(place) {
                Some(standing) if standing == noted => return Some((standing, place, seat)),
                Some(_) => {}
                None => drop(self.order.remove(&(seat, noted, place))),
            }
        }
    }

    /// Notes how a session stands.
    fn note(&mut self, place: usize) -> Option<Standing> {
        let record = self.records.get_mut(place).and_then(Option::as_mut)?;
        let standing = (record.claim(), record.last_used);
        if standing != record.noted {
            self.order.remove(&(record.seat, record.noted, place));
            self.order.insert((record.seat, standing, place));
            record.noted = standing;
        }
        Some(standing)
    }

    /// What is kept in each.
    pub fn iter(&self) -> impl Iterator<Item = &S> {
        self.records.iter().flatten().map(|record| &record.session)
    }

    /// The session `id`, if it is of `principal`, without entering it.
    pub fn get(&self, id: &SessionId, principal: Option<&Principal>) -> Option<&S> {
        let record = self.records.get(*self.places.get(id)?)?.as_ref()?;
        // Also where neither has one: without authentication the id alone says whose it is.
        (record.principal.as_ref() == principal).then_some(&record.session)
    }

    /// Finds the session `id` and keeps it alive until it is [left](Self::leave).
    ///
    /// # Errors
    /// [`Refusal::SessionNotFound`] where there is none for `principal`, [`Refusal::TooManyRequests`] where it has
    /// as many exchanges open as it may.
    pub fn enter(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<(Visit, &S), Refusal> {
        let most_open = self.most_open;
        let (place, record) = self.record(id, principal)?;
        if record.open >= most_open {
            return Err(Refusal::TooManyRequests);
        }
        record.open += 1;
        record.visits = record.visits.saturating_add(1);
        let serial = record.serial;
        Ok((Visit { place, serial }, &record.session))
    }

    /// Ends one exchange of a session; the idle time counts from the last one. The session may have ended meanwhile.
    pub fn leave(&mut self, now: Time, visit: Visit) {
        let record = self.records.get_mut(visit.place).and_then(Option::as_mut);
        // A visit may outlive its session, and the place may be another's by then.
        if let Some(record) = record.filter(|record| record.serial == visit.serial) {
            record.open = record.open.saturating_sub(1);
            // Threads take the lock in another order than they read the clock. The check stays where it is: moving it
            // with each exchange would cost more than looking once in an idle time.
            record.last_used = record.last_used.max(now);
            // Otherwise what was once in use would stay behind all that is idle.
            if record.open == 0 && record.noted.0 == Claim::InUse {
                self.note(visit.place);
            }
        }
    }

    /// Ends the session `id` at the wish of its client, whatever is in progress.
    ///
    /// # Errors
    /// [`Refusal::SessionNotFound`] where there is none for `principal`.
    pub fn remove(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<S, Refusal> {
        let (place, _) = self.record(id, principal)?;
        self.take(place).ok_or(Refusal::SessionNotFound)
    }

    /// Ends every session.
    pub fn clear(&mut self) -> Vec<S> {
        // Serials go on from where they are: a visit of before must not fit a record that is made later.
        self.checks.clear();
        self.shares = Shares::new();
        self.order.clear();
        self.places.clear();
        self.vacant.clear();
        core::mem::take(&mut self.records)
            .into_iter()
            .flatten()
            .map(|record| record.session)
            .collect()
    }

    /// Lets nobody enter any more, and makes no more: the sessions that there are, to be ended with their last request in
    /// progress.
    pub fn drain(&mut self) -> Vec<S>
    where
        S: Clone,
    {
        self.closed = true;
        let sessions = self.clear();
        // Kept besides, or `close` would not find those whose last request never ends.
        self.draining.extend(sessions.iter().cloned());
        sessions
    }

    /// Ends every session, those included that drain, and makes no more.
    pub fn close(&mut self) -> Vec<S> {
        self.closed = true;
        let mut sessions = core::mem::take(&mut self.draining);
        sessions.append(&mut self.clear());
        sessions
    }

    /// When the next session may expire.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.checks.first().map(|(due, _)| *due)
    }

    /// Ends the sessions whose idle time is over, and hands them back.
    pub fn handle_timeout(&mut self, now: Time) -> Vec<S> {
        let mut ended = Vec::new();
        while let Some((due, place)) = self.checks.first().copied().filter(|(due, _)| *due <= now) {
            self.checks.remove(&(due, place));
            let Some(record) = self.records.get_mut(place).and_then(Option::as_mut) else {
                continue;
            };
            // One in use is looked at again: it cannot be idle for long enough before that.
            let used = if record.open > 0 { now } else { record.last_used };
            let expires = used + self.idle;
            if expires > now {
                record.next_check = expires;
                self.checks.insert((expires, place));
            } else {
                ended.extend(self.take(place));
            }
        }
        ended
    }

    fn record(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<(usize, &mut Record<S>), Refusal> {
        let place = self.places.get(id).copied().ok_or(Refusal::SessionNotFound)?;
        let record = self.records.get_mut(place).and_then(Option::as_mut);
        let record = record.filter(|record| record.principal.as_ref() == principal);
        Ok((place, record.ok_or(Refusal::SessionNotFound)?))
    }

    fn take(&mut self, place: usize) -> Option<S> {
        let record = self.records.get_mut(place)?.take()?;
        self.places.remove(&record.id);
        self.vacant.push(place);
        self.checks.remove(&(record.next_check, place));
        self.order.remove(&(record.seat, record.noted, place));
        self.shares.give_back(record.seat, 1);
        Some(record.session)
    }
}

impl<S> Record<S> {
    fn claim(&self) -> Claim {
        match (self.open, self.visits) {
            // One visit may be the notification that completes the handshake.
            (0, 0 | 1) => Claim::Unused,
            (0, _) => Claim::Idle,
            _ => Claim::InUse,
        }
    }
}

impl<S> fmt::Debug for SessionTable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTable")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
