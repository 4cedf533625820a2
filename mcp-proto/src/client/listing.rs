//! Reading the tools of the server: once for everyone who asks, and kept as long as that is allowed.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::link::Link;
use super::tool_headers::Rejected;
use super::tool_list::{Freshness, Pages, ToolList};
use crate::jsonrpc::{Params, RawJson};
use crate::limits::Limits;
use crate::model::PaginatedParams;
use crate::rpc::{CallError, CallId};
use crate::time::Time;

/// The tools of the server, as far as they are known or being read.
///
/// | list | being read | who asks now |
/// |---|---|---|
/// | kept | no | gets it at once |
/// | none | no | has it read |
/// | none | yes | shares what is being read |
/// | none | yes, but it has changed meanwhile | gets the next one: what is being read was out of date before they asked |
///
/// A reading belongs to no caller: any of those who wait may go, and only with the last of them it ends. Pages of two
/// sessions are never put together, for cursors mean nothing in another.
#[derive(Debug)]
pub(super) struct Tools {
    link: Link,
    kept: Option<Kept>,
    reading: Option<Reading>,
    /// Whether the server's notifications reach a client over HTTP: its GET stream is open.
    is_listening: bool,
}

/// A list that may be given out again.
#[derive(Debug)]
struct Kept {
    list: ToolList,
    /// `None`: until the server says that it has changed.
    until: Option<Time>,
}

/// A list that is being read, page by page.
#[derive(Debug, Default)]
struct Reading {
    /// Those who want the list, and calls that were refused for their headers and are made again afterwards.
    waiting: BTreeSet<CallId>,
    /// Those who came when what is being read was out of date already: they get the next one.
    late: BTreeSet<CallId>,
    /// The request for the present page.
    page: Option<CallId>,
    pages: Pages,
    /// Whether the last page came: what is left is to read its tools.
    is_whole: bool,
    is_stale: bool,
    /// Whether changes may have gone unheard since it was begun.
    is_deaf: bool,
    /// Whether it was begun anew because its session was lost: once.
    repeated: bool,
}

/// What becomes of someone who wants the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Waits with others.
    Waiting,
    /// Is the first: a page is to be asked for.
    First,
}

/// A reading that is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// Those who waited for it.
    pub(super) waiting: BTreeSet<CallId>,
    /// Those who wait for the next one.
    pub(super) late: BTreeSet<CallId>,
    /// Whether any page came.
    pub(super) has_learnt: bool,
}

impl Tools {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            kept: None,
            reading: None,
            is_listening: false,
        }
    }

    /// The list, where it is kept and fresh.
    pub(super) fn list(&self) -> Option<&ToolList> {
        self.kept.as_ref().map(|kept| &kept.list)
    }

    /// How many wait for a list, and the request for its page.
    pub(super) fn entries(&self) -> usize {
        let entries =
            |reading: &Reading| reading.waiting.len() + reading.late.len() + usize::from(reading.page.is_some());
        self.reading.as_ref().map_or(0, entries)
    }

    /// The request for the present page.
    pub(super) fn page(&self) -> Option<CallId> {
        self.reading.as_ref()?.page
    }

    /// Whether the reading was begun anew because its session was lost.
    pub(super) fn is_repeated(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.repeated)
    }

    /// Someone wants the list.
    pub(super) fn join(&mut self, id: CallId) -> Joined {
        let Some(reading) = &mut self.reading else {
            self.begin(BTreeSet::from([id]));
            return Joined::First;
        };
        match reading.is_stale {
            true => reading.late.insert(id),
            false => reading.waiting.insert(id),
        };
        Joined::Waiting
    }

    /// A list is read for these.
    pub(super) fn begin(&mut self, waiting: BTreeSet<CallId>) {
        self.reading = Some(Reading {
            waiting,
            // What changed before the stream was opened may have gone unheard.
            is_deaf: self.is_deaf(),
            ..Reading::default()
        });
    }

    /// A page is asked for with this call.
    pub(super) fn asked(&mut self, page: CallId) {
        if let Some(reading) = &mut self.reading {
            reading.page = Some(page);
        }
    }

    /// One of those who wait is gone. Nobody reads on for nobody: gives the request for a page that is to be cancelled.
    pub(super) fn leave(&mut self, id: CallId) -> Option<CallId> {
        let reading = self.reading.as_mut()?;
        reading.waiting.remove(&id);
        reading.late.remove(&id);
        let is_empty = reading.waiting.is_empty() && reading.late.is_empty();
        self.reading.take_if(|_| is_empty)?.page
    }

    /// The session, or what was believed of the server, is over: cursors mean nothing any more, and the list is read
    /// from its beginning. `repeated` says whether that has happened to its page before.
    pub(super) fn restart(&mut self, repeated: bool) {
        let is_deaf = self.is_deaf();
        if let Some(reading) = &mut self.reading {
            reading.is_deaf = is_deaf;
            reading.pages = Pages::default();
            reading.is_whole = false;
            // Begun anew, it is not out of date for those who came late either.
            reading.waiting.append(&mut reading.late);
            reading.is_stale = false;
            // For all of its pages to come: the list as a whole is begun anew once.
            reading.repeated |= repeated;
        }
    }

    /// Takes a page that came at `now`, and gives the parameters of the next one, if there is any. Its tools are to be
    /// [read](Self::read).
    pub(super) fn add(&mut self, now: Time, page: &RawJson, limits: &Limits) -> Result<Option<Params>, CallError> {
        let reading = self.reading.as_mut().ok_or(CallError::Cancelled)?;
        // It is with the server no more, and cannot be cancelled.
        reading.page = None;
        let next = reading.pages.add(now, page, limits)?;
        reading.is_whole = next.is_none();
        Ok(next.map(|cursor| {
            let params = PaginatedParams {
                cursor: Some(cursor),
                ..PaginatedParams::default()
            };
            Params::from_serialize(&params).unwrap_or_default()
        }))
    }

    /// Reads some of the tools that came, but for those that `exclude` says are wrong. Whether that were all of all pages.
    pub(super) fn read(&mut self, exclude: impl FnMut(&str) -> Option<Rejected>) -> bool {
        self.reading.as_mut().is_some_and(|reading| {
            reading.pages.read(exclude);
            reading.is_whole && !reading.pages.has_unread()
        })
    }

    /// Whether there are tools to be read.
    pub(super) fn has_unread(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.pages.has_unread())
    }

    /// All tools of the last page are read at `now`. The list is kept as the server says; where it says nothing, until it says that the
    /// list has changed, if it has promised to (`is_told`) and that can be heard; else for `ttl`.
    pub(super) fn finish(&mut self, now: Time, is_told: bool, ttl: Duration) -> Option<ToolList> {
        let reading = self.reading.as_mut()?;
        let (list, freshness) = core::mem::take(&mut reading.pages).finish();
        // What is out of date goes to those who wait for it, but to nobody after them.
        if !reading.is_stale {
            let until = match freshness {
                Freshness {
                    until,
                    is_unsaid: false,
                } => until,
                Freshness { until, .. } if is_told && !reading.is_deaf => until,
                Freshness { until, .. } => Some(until.map_or(now + ttl, |until| until.min(now + ttl))),
            };
            let list = list.clone();
            self.kept = Some(Kept { list, until });
            // A `ttlMs` of 0 is over at once.
            self.expire(now);
        }
        Some(list)
    }

    /// The reading is over. Where it `failed`, those who came late waited for this attempt too.
    pub(super) fn end(&mut self, failed: bool) -> Option<Ended> {
        let mut reading = self.reading.take()?;
        if failed {
            reading.waiting.append(&mut reading.late);
        }
        Some(Ended {
            // The pages are taken out of a reading that is complete.
            has_learnt: !failed || reading.pages.count() > 0,
            waiting: reading.waiting,
            late: reading.late,
        })
    }

    /// Takes what is kept for out of date, and what is being read.
    pub(super) fn forget(&mut self) {
        self.kept = None;
        if let Some(reading) = &mut self.reading {
            reading.is_stale = true;
        }
    }

    /// Takes what is kept for out of date, but not what is being read.
    pub(super) fn distrust(&mut self) {
        self.kept = None;
    }

    /// The connection is closed.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.link);
    }

    /// Whether the GET stream of a legacy session is open. While it is not, changes go unheard.
    #[cfg(feature = "http")]
    pub(super) fn set_listening(&mut self, is_listening: bool) {
        self.is_listening = is_listening;
        if is_listening {
            return;
        }
        if let Some(reading) = &mut self.reading {
            // For good: what was missed stays missed when the stream is open again.
            reading.is_deaf = true;
        }
        // One with a date does not rest on notifications.
        if self.kept.as_ref().is_some_and(|kept| kept.until.is_none()) {
            self.kept = None;
        }
    }

    /// Forgets a list that is not fresh any more (2026-07-28, Caching: fresh "while `now < t_received + ttlMs`").
    pub(super) fn expire(&mut self, now: Time) {
        let until = self.kept.as_ref().and_then(|kept| kept.until);
        if until.is_some_and(|until| until <= now) {
            self.kept = None;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self.has_unread() {
            // At once, and not in one go: a long list would hold the thread.
            true => Some(Time::ORIGIN),
            false => self.kept.as_ref()?.until,
        }
    }

    /// Whether what the server notifies of its own accord does not arrive.
    fn is_deaf(&self) -> bool {
        self.link == Link::Http && !self.is_listening
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};

    const TTL: Duration = Duration::ZERO;

    /// Some calls to tell apart.
    fn ids() -> [CallId; 4] {
        let mut calls = Calls::new(9);
        [(); 4].map(|()| calls.begin_own(&CallOptions::default(), &Timeouts::default(), ()))
    }

    fn page(text: &str) -> RawJson {
        RawJson::parse(text.as_bytes().to_vec()).unwrap()
    }

    fn add(tools: &mut Tools, text: &str) -> Result<Option<Params>, CallError> {
        let next = tools.add(Time::ORIGIN, &page(text), &Limits::default());
        while tools.has_unread() {
            tools.read(|_| None);
        }
        next
    }

    const LAST: &str = r#"{"tools":[]}"#;
    const FRESH: &str = r#"{"tools":[],"ttlMs":5000}"#;

    #[test]
    fn one_reading_is_shared_and_those_who_come_after_a_change_get_the_next() {
        let [a, b, c, d] = ids();
        let mut tools = Tools::new(Link::Stream);
        assert_eq!((tools.join(a), tools.join(b)), (Joined::First, Joined::Waiting));
        tools.forget();
        assert_eq!(tools.join(c), Joined::Waiting);
        tools.asked(d);
        assert_eq!(tools.entries(), 4);
        assert_eq!(add(&mut tools, FRESH), Ok(None));
        assert!(tools.finish(Time::ORIGIN, true, TTL).is_some());
        assert!(tools.list().is_none(), "it was out of date when it came");
        let ended = tools.end(false).unwrap();
        assert_eq!(
            (ended.waiting, ended.late),
            (BTreeSet::from([a, b]), BTreeSet::from([c]))
        );
        assert!(tools.end(false).is_none());
    }

    #[test]
    fn a_failure_is_everyones() {
        let [a, b, ..] = ids();
        let mut tools = Tools::new(Link::Stream);
        tools.join(a);
        tools.forget();
        tools.join(b);
        let ended = tools.end(true).unwrap();
        assert_eq!((ended.waiting.len(), ended.late.len(), ended.has_learnt), (2, 0, false));
    }

    #[test]
    fn the_last_one_who_leaves_ends_the_reading() {
        let [a, b, page, _] = ids();
        let mut tools = Tools::new(Link::Stream);
        tools.join(a);
        tools.join(b);
        tools.asked(page);
        assert_eq!(tools.leave(a), None);
        assert_eq!(tools.page(), Some(page));
        assert_eq!(tools.leave(b), Some(page));
        assert_eq!(tools.entries(), 0);
    }

    #[test]
    fn how_long_a_list_is_kept() {
        let second = Duration::from_secs(1);
        for (link, is_told, ttl, text, kept, until) in [
            (Link::Stream, false, TTL, FRESH, true, Some(5 * second)),
            (Link::Stream, true, TTL, LAST, true, None),
            (Link::Stream, false, TTL, LAST, false, None),
            (Link::Stream, false, second, LAST, true, Some(second)),
            (Link::Http, true, TTL, LAST, false, None),
            (Link::Http, true, second, LAST, true, Some(second)),
        ] {
            let mut tools = Tools::new(link);
            tools.join(ids()[0]);
            add(&mut tools, text).unwrap();
            let _ = tools.finish(Time::ORIGIN, is_told, ttl);
            let expected = until.map(|until| Time::ORIGIN + until);
            assert_eq!(
                (tools.list().is_some(), tools.poll_timeout()),
                (kept, expected),
                "{link:?} {text}"
            );
        }
    }

    #[test]
    fn a_reading_that_begins_anew_forgets_its_pages_and_takes_everyone_along() {
        let [a, b, ..] = ids();
        let mut tools = Tools::new(Link::Stream);
        tools.join(a);
        add(
            &mut tools,
            r#"{"tools":[{"name":"x","inputSchema":{"type":"object"}}],"nextCursor":"2"}"#,
        )
        .unwrap();
        tools.forget();
        tools.join(b);
        tools.restart(true);
        assert!(tools.is_repeated());
        assert_eq!(add(&mut tools, FRESH), Ok(None));
        assert_eq!(tools.finish(Time::ORIGIN, true, TTL).unwrap().len(), 0);
        assert!(tools.list().is_some());
        assert_eq!(tools.end(false).unwrap().waiting.len(), 2);
    }

    #[test]
    #[cfg(feature = "http")]
    fn a_list_that_is_kept_until_it_changes_is_not_kept_while_nothing_is_heard() {
        let mut tools = Tools::new(Link::Http);
        tools.set_listening(true);
        tools.join(ids()[0]);
        add(&mut tools, LAST).unwrap();
        let _ = tools.finish(Time::ORIGIN, true, TTL);
        assert!(tools.list().is_some());
        tools.set_listening(false);
        assert!(tools.list().is_none());
    }
}
