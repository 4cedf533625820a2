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
/// Methods are of four kinds. Getters: [`len`](Self::len), [`is_empty`](Self::is_empty), [`get`](Self::get). From
/// the world: [`create`](Self::create), [`enter`](Self::enter), [`leave`](Self::leave), [`listen`](Self::listen),
/// [`unlisten`](Self::unlisten), [`remove`](Self::remove), [`handle_timeout`](Self::handle_timeout). From the
/// application: [`clear`](Self::clear). To the world: [`poll_timeout`](Self::poll_timeout).
pub struct Sessions<S> {
    most: usize,
    most_per_principal: usize,
    most_open: usize,
    idle: Duration,
    records: BTreeMap<SessionId, Record<S>>,
    /// When to look at each record next: never later than it may expire.
    checks: BTreeSet<(Time, SessionId)>,
    per_principal: BTreeMap<Principal, usize>,
}

struct Record<S> {
    session: S,
    principal: Option<Principal>,
    /// Exchanges that keep it alive, its stream among them.
    open: usize,
    listening: bool,
    last_used: Time,
    next_check: Time,
}

impl<S> Sessions<S> {
    /// An empty table with the bounds of `limits`.
    pub fn new(limits: &Limits) -> Self {
        Self {
            most: limits.sessions,
            most_per_principal: limits.sessions_per_principal,
            most_open: limits.streams_per_session,
            // Never zero: a session in use must be looked at again later, not now.
            idle: limits.session_idle.max(Duration::from_millis(1)),
            records: BTreeMap::new(),
            checks: BTreeSet::new(),
            per_principal: BTreeMap::new(),
        }
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Makes a session, entered once: [`leave`](Self::leave) it when the exchange that made it is over.
    ///
    /// `id` comes from a cryptographically secure source.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where the table is full, [`Refusal::TooManyRequests`] where the principal has as many as
    /// it may. Sessions without a principal are bounded by the table alone.
    pub fn create(
        &mut self,
        now: Time,
        id: SessionId,
        principal: Option<&Principal>,
        session: S,
    ) -> Result<(), Refusal> {
        self.may_create(principal)?;
        if self.records.contains_key(&id) {
            return Err(Refusal::Busy);
        }
        if let Some(principal) = principal {
            *self.per_principal.entry(principal.clone()).or_default() += 1;
        }
        let next_check = now + self.idle;
        self.checks.insert((next_check, id));
        let principal = principal.cloned();
        self.records.insert(
            id,
            Record {
                session,
                principal,
                open: 1,
                listening: false,
                last_used: now,
                next_check,
            },
        );
        Ok(())
    }

    /// Whether [`create`](Self::create) would find room, to be asked before anything is prepared.
    ///
    /// # Errors
    /// Those of `create`.
    pub fn may_create(&self, principal: Option<&Principal>) -> Result<(), Refusal> {
        if self.records.len() >= self.most {
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
        self.records.values().map(|record| &record.session)
    }

    /// The session `id`, if it is of `principal`, without entering it.
    pub fn get(&self, id: &SessionId, principal: Option<&Principal>) -> Option<&S> {
        let record = self.records.get(id)?;
        (record.principal.as_ref() == principal).then_some(&record.session)
    }

    /// Finds the session `id` and keeps it alive until [`leave`](Self::leave) is called once for this.
    ///
    /// # Errors
    /// [`Refusal::SessionNotFound`] where there is none for `principal`, [`Refusal::TooManyRequests`] where it has
    /// as many exchanges open as it may.
    pub fn enter(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<&S, Refusal> {
        let most_open = self.most_open;
        let record = self.record(id, principal)?;
        if record.open >= most_open {
            return Err(Refusal::TooManyRequests);
        }
        record.open += 1;
        Ok(&record.session)
    }

    /// Ends one exchange of the session `id`; the idle time counts from the last one. Unknown ids are ignored: the
    /// session may have ended meanwhile.
    pub fn leave(&mut self, now: Time, id: &SessionId) {
        if let Some(record) = self.records.get_mut(id) {
            record.open = record.open.saturating_sub(1);
            record.last_used = record.last_used.max(now);
        }
    }

    /// Enters the session `id` as the reader of its one GET stream, until [`unlisten`](Self::unlisten).
    ///
    /// # Errors
    /// Those of [`enter`](Self::enter), and [`Refusal::StreamTaken`] where the stream is open already: a second
    /// reader would take the first one's messages (GHSA-qvqr-5cv7-wh35).
    pub fn listen(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<&S, Refusal> {
        if self.record(id, principal)?.listening {
            return Err(Refusal::StreamTaken);
        }
        self.enter(id, principal)?;
        let record = self.record(id, principal)?;
        record.listening = true;
        Ok(&record.session)
    }

    /// Ends the GET stream of the session `id`.
    pub fn unlisten(&mut self, now: Time, id: &SessionId) {
        if let Some(record) = self.records.get_mut(id)
            && core::mem::replace(&mut record.listening, false)
        {
            self.leave(now, id);
        }
    }

    /// Ends the session `id` at the wish of its client, whatever is in progress.
    ///
    /// # Errors
    /// [`Refusal::SessionNotFound`] where there is none for `principal`.
    pub fn remove(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<S, Refusal> {
        self.record(id, principal)?;
        self.take(id).ok_or(Refusal::SessionNotFound)
    }

    /// Ends every session.
    pub fn clear(&mut self) -> Vec<S> {
        self.checks.clear();
        self.per_principal.clear();
        core::mem::take(&mut self.records)
            .into_values()
            .map(|record| record.session)
            .collect()
    }

    /// When the next session may expire.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.checks.first().map(|(due, _)| *due)
    }

    /// Ends the sessions whose idle time is over, and hands them back.
    pub fn handle_timeout(&mut self, now: Time) -> Vec<S> {
        let mut ended = Vec::new();
        while let Some((due, id)) = self.checks.first().copied().filter(|(due, _)| *due <= now) {
            self.checks.remove(&(due, id));
            let Some(record) = self.records.get_mut(&id) else {
                continue;
            };
            // One in use is looked at again: it cannot be idle for long enough before that.
            let used = if record.open > 0 { now } else { record.last_used };
            let expires = used + self.idle;
            if expires > now {
                record.next_check = expires;
                self.checks.insert((expires, id));
            } else {
                ended.extend(self.take(&id));
            }
        }
        ended
    }

    fn record(&mut self, id: &SessionId, principal: Option<&Principal>) -> Result<&mut Record<S>, Refusal> {
        let record = self
            .records
            .get_mut(id)
            .filter(|record| record.principal.as_ref() == principal);
        record.ok_or(Refusal::SessionNotFound)
    }

    fn take(&mut self, id: &SessionId) -> Option<S> {
        let record = self.records.remove(id)?;
        self.checks.remove(&(record.next_check, *id));
        if let Some(principal) = record.principal
            && let Some(count) = self.per_principal.get_mut(&principal)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_principal.remove(&principal);
            }
        }
        Some(record.session)
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("len", &self.records.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
