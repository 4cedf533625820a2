//! The table of legacy sessions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::refusal::Refusal;
use super::session_id::{Principal, SessionId};
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
    per_principal: BTreeMap<Principal, usize>,
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
    /// Exchanges that keep it alive, its streams among them.
    open: usize,
    last_used: Time,
    next_check: Time,
}

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
            per_principal: BTreeMap::new(),
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

    /// Makes a session, entered once: [`leave`](Self::leave) it when the exchange that made it is over.
    ///
    /// `id` comes from a cryptographically secure source.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where the table is full, [`Refusal::TooManyRequests`] where the principal has as many as
    /// it may; sessions without a principal are bounded by the table alone. [`Refusal::Closed`].
    pub fn create(
        &mut self,
        now: Time,
        id: SessionId,
        principal: Option<&Principal>,
        session: S,
    ) -> Result<Visit, Refusal> {
        self.may_create(principal)?;
        // Two sessions under one id would make each client the other's. Nothing but a broken source of randomness does
        // it.
        if self.places.contains_key(&id) {
            return Err(Refusal::Busy);
        }
        if let Some(principal) = principal {
            *self.per_principal.entry(principal.clone()).or_default() += 1;
        }
        // Places serve again, so that the vector is never longer than there were sessions at a time.
        let place = self.vacant.pop().unwrap_or(self.records.len());
        let serial = self.next_serial;
        self.next_serial += 1;
        let next_check = now + self.idle;
        let record = Some(Record {
            session,
            id,
            serial,
            principal: principal.cloned(),
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
        Ok(Visit { place, serial })
    }

    /// Whether [`create`](Self::create) would find room, to be asked before anything is prepared.
    ///
    /// # Errors
    /// Those of `create`.
    pub fn may_create(&self, principal: Option<&Principal>) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        if self.len() >= self.most {
            return Err(Refusal::Busy);
        }
        let has = principal
            .and_then(|principal| self.per_principal.get(principal))
            .copied()
            .unwrap_or(0);
        match principal.is_some() && has >= self.most_per_principal {
            true => Err(Refusal::TooManyRequests),
            false => Ok(()),
        }
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
        self.per_principal.clear();
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
        if let Some(principal) = record.principal
            && let Some(count) = self.per_principal.get_mut(&principal)
        {
            *count = count.saturating_sub(1);
            // One that has nothing is forgotten, or the names of all who ever came would pile up.
            if *count == 0 {
                self.per_principal.remove(&principal);
            }
        }
        Some(record.session)
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
