//! Reading the tools of the server: once for everyone who asks, and kept as long as that is allowed.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::event::Event;
use super::machine::{Call, CallProgress, CallPurpose, Client, Link, Stage};
use super::tool_list::{Freshness, Pages, ToolList};
use crate::jsonrpc::{ErrorCode, ErrorObject, Params, RawJson};
use crate::method::{Kind, Method, ServerCapability};
use crate::model::PaginatedParams;
use crate::rpc::{CallError, CallId, CallOptions, Phase, SendError};
use crate::time::Time;

/// The tools of the server, as far as they are known or being read.
#[derive(Debug, Default)]
pub(super) struct Tools {
    kept: Option<Kept>,
    listing: Option<Listing>,
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

/// A list that is being read, page by page. It belongs to no caller: any of those who wait may go.
#[derive(Debug, Default)]
struct Listing {
    /// Those who want the list, and calls that were refused for their headers and are made again afterwards.
    waiting: BTreeSet<CallId>,
    /// Those who came when what is being read was out of date already: they get the next one.
    late: BTreeSet<CallId>,
    /// The request for the present page.
    page: Option<CallId>,
    pages: Pages,
    is_stale: bool,
    /// Whether changes may have gone unheard since it was begun.
    is_deaf: bool,
    /// Whether it was begun anew because its session was lost: once.
    repeated: bool,
}

impl Tools {
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.kept.as_ref()?.until
    }

    /// How many wait for a list, and the request for its page.
    pub(super) fn entries(&self) -> usize {
        let entries =
            |listing: &Listing| listing.waiting.len() + listing.late.len() + usize::from(listing.page.is_some());
        self.listing.as_ref().map_or(0, entries)
    }

    /// The connection is closed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Client {
    /// Asks for all tools of the server. They come as [`Event::ToolsListed`]: at once where they are kept and fresh;
    /// else `tools/list` is read to its end, once for all who ask meanwhile. The timeouts of the options are those
    /// of this asker alone, for the whole list; its other options do not count.
    ///
    /// A list is kept as long as the server says (`ttlMs`, 2026-07-28, Caching; 24 hours at most), and not beyond the
    /// first `notifications/tools/list_changed`. Where the server says nothing it is kept until that notification,
    /// if the server has promised it (`listChanged`, legacy era) and it can arrive (on a byte stream, or a GET stream
    /// that is open); else for [`ClientConfig::tools_ttl`](super::ClientConfig::tools_ttl), which is not at all
    /// unless set. It belongs to this client and is shown to no other, whatever its `cacheScope`.
    ///
    /// # Errors
    /// Those of [`call`](Self::call), but never [`SendError::Blocked`].
    pub fn list_tools(&mut self, options: &CallOptions) -> Result<CallId, SendError> {
        self.check_ask()?;
        let options = CallOptions {
            timeout: options.timeout,
            max_timeout: options.max_timeout,
            ..CallOptions::default()
        };
        let asker = own_call(Params::NONE, options.clone(), CallPurpose::ToolList);
        let begun = self.calls.begin(&options, &self.config.timeouts, asker);
        let id = begun.ok_or(SendError::TooManyCalls)?;
        if let Some(list) = self.tools().cloned() {
            self.calls.remove(id);
            self.emit(Event::ToolsListed {
                call: id,
                outcome: Ok(list),
            });
        } else {
            self.wait_for_tools(id);
        }
        Ok(id)
    }

    /// The tools of the server, where they are kept and fresh.
    pub fn tools(&self) -> Option<&ToolList> {
        self.tools.kept.as_ref().map(|kept| &kept.list)
    }

    /// Takes the tools that are kept for out of date: whoever asks from now on gets what is read from now on.
    pub fn forget_tools(&mut self) {
        self.tools.kept = None;
        if let Some(listing) = &mut self.tools.listing {
            listing.is_stale = true;
        }
    }

    /// Whether a call was refused because its headers are not those that the tool wants; it is made again, once,
    /// when the tools have been listed.
    ///
    /// 2026-07-28, Streamable HTTP, Client Behavior: where the server rejects a request for its `Mcp-Param-*`
    /// headers, the client "SHOULD" call `tools/list` and then retry.
    pub(super) fn is_refused_for_headers(&mut self, id: CallId, error: &ErrorObject) -> bool {
        let is_mirrored = self.link == Link::Http && matches!(self.stage, Stage::Modern(_)) && self.is_ready();
        let Some(call) = self.calls.get_mut(id) else {
            return false;
        };
        let is_tool = call.method.known() == Some(Method::CallTool) && call.purpose == CallPurpose::Application;
        let is_first = call.mismatch.is_none() && error.code == ErrorCode::HEADER_MISMATCH;
        if !(is_mirrored && is_tool && is_first) {
            return false;
        }
        call.mismatch = Some(error.clone());
        call.progress = CallProgress::Born;
        self.settled(id);
        self.tools.kept = None;
        self.wait_for_tools(id);
        true
    }

    /// Whether the list may be asked for, as far as that is known.
    fn check_ask(&self) -> Result<(), SendError> {
        match self.closed {
            Some(reason) => Err(SendError::Closed(reason)),
            None => self.check_allowed(&Method::ListTools.into(), Kind::Request),
        }
    }

    fn wait_for_tools(&mut self, id: CallId) {
        match &mut self.tools.listing {
            Some(listing) if listing.is_stale => {
                listing.late.insert(id);
            }
            Some(listing) => {
                listing.waiting.insert(id);
            }
            None => self.begin_listing(BTreeSet::from([id])),
        }
    }

    fn begin_listing(&mut self, waiting: BTreeSet<CallId>) {
        self.tools.listing = Some(Listing {
            waiting,
            is_deaf: self.is_deaf(),
            ..Listing::default()
        });
        self.ask_page(Params::NONE);
    }

    /// Asks for a page, after the handshake where there is one to make.
    fn ask_page(&mut self, params: Params) {
        let options = CallOptions::default();
        let mut call = own_call(params, options.clone(), CallPurpose::Tools);
        call.repeated = self.tools.listing.as_ref().is_some_and(|listing| listing.repeated);
        let id = self.calls.begin_own(&options, &self.config.timeouts, call);
        if let Some(listing) = &mut self.tools.listing {
            listing.page = Some(id);
        }
        if self.is_ready() {
            self.enqueue_call(id);
        } else {
            self.hold(id);
            self.connect();
        }
    }

    /// The session, or what was believed of the server, is over: cursors mean nothing any more, and the list is read
    /// from its beginning.
    pub(super) fn restart_listing(&mut self, page: CallId) {
        let call = self.calls.get_mut(page);
        let Some(call) = call.filter(|call| call.purpose == CallPurpose::Tools) else {
            return;
        };
        call.params = Params::NONE;
        let (repeated, is_deaf) = (call.repeated, self.is_deaf());
        if let Some(listing) = &mut self.tools.listing {
            listing.is_deaf = is_deaf;
            listing.pages = Pages::default();
            listing.waiting.append(&mut listing.late);
            listing.is_stale = false;
            listing.repeated |= repeated;
        }
    }

    /// A page came, or did not.
    pub(super) fn settle_page(&mut self, outcome: Result<RawJson, CallError>) {
        let outcome = outcome.and_then(|result| self.check_result_type(result));
        match outcome.and_then(|result| self.take_page(result)) {
            Ok(Some(next)) => self.ask_page(next),
            Ok(None) => self.finish_listing(),
            Err(error) => self.end_listing(&Err(error)),
        }
    }

    /// Reads a page, and gives the parameters of the next.
    fn take_page(&mut self, page: RawJson) -> Result<Option<Params>, CallError> {
        let (page, rejected) = self.learn_tools(page);
        let Some(listing) = &mut self.tools.listing else {
            return Err(CallError::Cancelled);
        };
        let next = listing.pages.add(self.now, &page, rejected, &self.config.limits)?;
        Ok(next.map(|cursor| {
            let params = PaginatedParams {
                cursor: Some(cursor),
                ..PaginatedParams::default()
            };
            Params::from_serialize(&params).unwrap_or_default()
        }))
    }

    /// The last page came.
    fn finish_listing(&mut self) {
        let Some(listing) = &mut self.tools.listing else { return };
        let (list, freshness) = core::mem::take(&mut listing.pages).finish();
        let (is_stale, is_deaf) = (listing.is_stale, listing.is_deaf);
        if !is_stale {
            self.keep(list.clone(), freshness, is_deaf);
        }
        self.end_listing(&Ok(list));
    }

    /// Keeps a list for those who ask later, as long as that is allowed.
    fn keep(&mut self, list: ToolList, freshness: Freshness, is_deaf: bool) {
        let until = match freshness {
            Freshness {
                until,
                is_unsaid: false,
            } => until,
            Freshness { until, .. } if !is_deaf && self.is_told_of_changes() => until,
            Freshness { until, .. } => {
                let own = self.now + self.config.tools_ttl;
                Some(until.map_or(own, |until| until.min(own)))
            }
        };
        self.tools.kept = Some(Kept { list, until });
        self.expire_tools(self.now);
    }

    /// Whether the server has promised to say when its tools change.
    ///
    /// 2026-07-28 makes no such promise without a subscription; there `ttlMs` is required.
    fn is_told_of_changes(&self) -> bool {
        let facts = self.facts().filter(|_| matches!(self.stage, Stage::Legacy(..)));
        let capabilities = facts.and_then(|facts| facts.capabilities.as_ref());
        capabilities.is_some_and(|it| it.has(ServerCapability::ToolsListChanged))
    }

    /// Whether what the server notifies of its own accord does not arrive.
    fn is_deaf(&self) -> bool {
        self.link == Link::Http && !self.tools.is_listening
    }

    /// Whether the GET stream of a legacy session is open. While it is not, changes go unheard.
    #[cfg(feature = "http")]
    pub(super) fn set_listening(&mut self, is_listening: bool) {
        self.tools.is_listening = is_listening;
        if is_listening {
            return;
        }
        if let Some(listing) = &mut self.tools.listing {
            listing.is_deaf = true;
        }
        if self.tools.kept.as_ref().is_some_and(|kept| kept.until.is_none()) {
            self.tools.kept = None;
        }
    }

    /// Forgets a list that is not fresh any more (2026-07-28, Caching: fresh "while `now < t_received + ttlMs`").
    pub(super) fn expire_tools(&mut self, now: Time) {
        if self.tools.poll_timeout().is_some_and(|until| until <= now) {
            self.tools.kept = None;
        }
    }

    /// Tells everyone who waits. Where it failed, also those who came late: they waited for this attempt. Calls that
    /// were refused for their headers are made again or, where nothing was learnt, fail as they did.
    fn end_listing(&mut self, outcome: &Result<ToolList, CallError>) {
        let Some(mut listing) = self.tools.listing.take() else {
            return;
        };
        // The pages are taken out of a listing that is complete.
        let has_learnt = outcome.is_ok() || listing.pages.count() > 0;
        if outcome.is_err() {
            listing.waiting.append(&mut listing.late);
        }
        for id in listing.waiting {
            let Some(call) = self.calls.get(id) else { continue };
            match (&call.mismatch, call.purpose) {
                (_, CallPurpose::ToolList) => {
                    self.calls.remove(id);
                    self.emit(Event::ToolsListed {
                        call: id,
                        outcome: outcome.clone(),
                    });
                }
                (Some(error), _) if !has_learnt => {
                    let error = error.clone();
                    self.calls.remove(id);
                    self.emit_reply(id, Err(CallError::Rpc(error)));
                }
                _ if self.is_ready() => self.enqueue_call(id),
                _ => {
                    self.hold(id);
                    self.connect();
                }
            }
        }
        if !listing.late.is_empty() {
            self.begin_listing(listing.late);
        }
    }

    /// One of those who wait is gone. Nobody reads on for nobody.
    pub(super) fn leave_listing(&mut self, id: CallId) {
        let Some(listing) = &mut self.tools.listing else { return };
        listing.waiting.remove(&id);
        listing.late.remove(&id);
        if listing.waiting.is_empty() && listing.late.is_empty() {
            let page = listing.page;
            self.tools.listing = None;
            if let Some(page) = page {
                self.cancel(page);
            }
        }
    }

    /// The time of someone who waits for the list is up.
    pub(super) fn listing_timed_out(&mut self, id: CallId, phase: Phase, after: Duration) {
        self.emit(Event::ToolsListed {
            call: id,
            outcome: Err(CallError::Timeout { phase, after }),
        });
    }

    /// What those who wait for the list are waiting for.
    pub(super) fn phase_of_listing(&self) -> Phase {
        let page = self.tools.listing.as_ref().and_then(|listing| listing.page);
        let page = page.and_then(|page| self.calls.get(page));
        page.map_or(Phase::Outbox, |page| self.phase_of(page))
    }
}

/// A call of `tools/list` that is the machine's own.
fn own_call(params: Params, options: CallOptions, purpose: CallPurpose) -> Call {
    Call {
        method: Method::ListTools.into(),
        params,
        options,
        purpose,
        progress: CallProgress::Born,
        repeated: false,
        mismatch: None,
    }
}
