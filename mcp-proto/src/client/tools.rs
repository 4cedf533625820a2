//! What a client does for those who want the list of tools.

use super::call::{Call, CallProgress, CallPurpose};
use super::event::ClientEvent;
use super::input::no_input;
use super::link::Link;
use super::listing::{Ended, Joined};
use super::machine::Client;
use super::tool_headers::Rejected;
use super::tool_list::ToolList;
use crate::jsonrpc::{ErrorCode, ErrorObject, Params, RawJson};
use crate::method::{Method, ServerCapability};
use crate::revision::Revision;
use crate::rpc::{CallError, CallId, CallOptions};
use crate::time::Time;

impl Client {
    /// Asks for a page, after the handshake where there is one to make.
    pub(super) fn ask_page(&mut self, params: Params) {
        // Those of no one asker: each has a deadline of its own, and the page belongs to all of them.
        let options = CallOptions::default();
        let mut call = Call::new(Method::ListTools.into(), params, options, CallPurpose::Tools);
        call.repeated = self.tools.is_repeated();
        // Not counted against the bound: those who wait for it are.
        let id = self.calls.begin_own(call);
        self.tools.asked(id);
        self.send_or_hold(id);
    }

    /// Has the list read from its beginning, where this call was to ask for a page of it.
    pub(super) fn restart_listing(&mut self, page: CallId) {
        let call = self.calls.get_mut(page);
        if let Some(call) = call.filter(|call| call.purpose == CallPurpose::Tools) {
            call.params = Params::NONE;
            self.tools.restart(call.repeated);
        }
    }

    /// A page came, or did not.
    pub(super) fn settle_page(&mut self, outcome: Result<RawJson, CallError>) {
        let outcome = outcome.and_then(|result| match self.requires_input(&result)? {
            true => Err(CallError::InvalidReply(no_input())),
            false => Ok(result),
        });
        match outcome.and_then(|page| self.tools.add(self.now, &page, &self.config.limits)) {
            Ok(next) => {
                // Before its tools are read: the next page comes meanwhile.
                if let Some(next) = next {
                    self.ask_page(next);
                }
                self.read_tools(self.now);
            }
            Err(error) => self.end_listing(&Err(error)),
        }
    }

    /// Reads some of the tools that came.
    pub(super) fn read_tools(&mut self, now: Time) {
        let excludes = self.excludes_tools();
        let (headers, events) = (&mut self.tool_headers, &mut self.events);
        let is_all = self.tools.read(|text| {
            if !excludes {
                return None;
            }
            let rejected = headers.learn_one(text)?;
            let Rejected { tool, reason } = rejected.clone();
            events.push(ClientEvent::ToolRejected { tool, reason });
            Some(rejected)
        });
        let is_told = self.is_told_of_changes();
        if is_all && let Some(list) = self.tools.finish(now, is_told, self.config.tools_ttl) {
            self.end_listing(&Ok(list));
        }
    }

    /// Whether the server has promised to say when its tools change.
    ///
    /// 2026-07-28 makes no such promise without a subscription; there `ttlMs` is required.
    fn is_told_of_changes(&self) -> bool {
        let facts = self.facts().filter(|_| self.negotiation.is_legacy());
        let capabilities = facts.and_then(|facts| facts.capabilities.as_ref());
        capabilities.is_some_and(|it| it.has(ServerCapability::ToolsListChanged))
    }

    /// Tells everyone who waits. Calls that were refused for their headers are made again or, where nothing was learnt,
    /// fail as they did.
    fn end_listing(&mut self, outcome: &Result<ToolList, CallError>) {
        let Some(ended) = self.tools.end(outcome.is_err()) else {
            return;
        };
        let Ended {
            waiting,
            late,
            has_learnt,
        } = ended;
        for id in waiting {
            let Some(call) = self.calls.get(id) else { continue };
            match (&call.mismatch, call.purpose) {
                (_, CallPurpose::ToolList) => {
                    self.calls.remove(id);
                    let outcome = outcome.clone();
                    self.events.push(ClientEvent::ToolsListed { call: id, outcome });
                }
                // The same headers would be refused again.
                (Some(error), _) if !has_learnt => {
                    let (error, purpose) = (ErrorObject::clone(error), call.purpose);
                    self.calls.remove(id);
                    self.conclude(id, purpose, Err(CallError::Rpc(error)));
                }
                _ => self.send_or_hold(id),
            }
        }
        if !late.is_empty() {
            self.tools.begin(late);
            self.ask_page(Params::NONE);
        }
    }

    /// Whether a call was refused because its headers are not those that the tool wants; it is made again, once,
    /// when the tools have been listed.
    ///
    /// 2026-07-28, Streamable HTTP, Client Behavior: where the server rejects a request for its `Mcp-Param-*`
    /// headers, the client "SHOULD" call `tools/list` and then retry.
    pub(super) fn is_refused_for_headers(&mut self, id: CallId, error: &ErrorObject) -> bool {
        let is_mirrored = self.link == Link::Http && self.negotiation.is_modern() && self.is_ready();
        let Some(call) = self.calls.get_mut(id) else {
            return false;
        };
        let is_tool = call.method.known() == Some(Method::CallTool) && call.is_work();
        // Once: with the list at hand, another refusal has another reason.
        let is_first = call.mismatch.is_none() && error.code == ErrorCode::HEADER_MISMATCH;
        if !(is_mirrored && is_tool && is_first) {
            return false;
        }
        call.mismatch = Some(error.clone().into());
        // It is with nobody now: who cancels it leaves the reading.
        call.progress = CallProgress::Born;
        self.calls.settle(id);
        self.tools.distrust();
        if self.tools.join(id) == Joined::First {
            self.ask_page(Params::NONE);
        }
        true
    }

    /// What the application has read itself of the list, without the tools that are excluded.
    pub(super) fn learn_tools(&mut self, result: RawJson) -> RawJson {
        if !self.excludes_tools() {
            return result;
        }
        let (result, rejected) = self.tool_headers.learn(result);
        for Rejected { tool, reason } in rejected {
            self.events.push(ClientEvent::ToolRejected { tool, reason });
        }
        result
    }

    /// 2026-07-28, Streamable HTTP, Schema Extension: over HTTP a tool with wrong annotations is excluded.
    fn excludes_tools(&self) -> bool {
        self.link == Link::Http && self.revision().is_some_and(Revision::is_stateless)
    }
}
