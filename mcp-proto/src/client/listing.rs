//! Learning the headers of tools that were never listed.

use alloc::string::String;
use alloc::vec::Vec;

use super::machine::{CallProgress, CallPurpose, Client, Link, Stage};
use crate::jsonrpc::{ErrorCode, ErrorObject, Params, RawJson};
use crate::method::Method;
use crate::model::{ListToolsResult, PaginatedParams};
use crate::rpc::{CallError, CallId, CallOptions};

/// The list of tools, read page by page for calls that were refused for their headers.
#[derive(Debug)]
pub(super) struct Listing {
    /// The calls that are made again afterwards.
    waiting: Vec<CallId>,
    pages: usize,
    cursor: Option<String>,
}

impl Listing {
    /// The calls that wait for it.
    pub(super) fn into_waiting(self) -> Vec<CallId> {
        self.waiting
    }
}

impl Client {
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
        match &mut self.listing {
            Some(listing) => listing.waiting.push(id),
            None => {
                let waiting = Vec::from([id]);
                self.list_page(Listing {
                    waiting,
                    pages: 0,
                    cursor: None,
                });
            }
        }
        true
    }

    fn list_page(&mut self, listing: Listing) {
        let params = PaginatedParams {
            cursor: listing.cursor.clone(),
            ..PaginatedParams::default()
        };
        let params = Params::from_serialize(&params).unwrap_or_default();
        self.listing = Some(listing);
        self.enqueue_own(Method::ListTools, params, CallOptions::default(), CallPurpose::Tools);
    }

    /// A page came.
    pub(super) fn settle_listing(&mut self, outcome: Result<RawJson, CallError>) {
        let Some(mut listing) = self.listing.take() else { return };
        let page = outcome.map(|result| self.learn_tools(result));
        let page = page.ok().and_then(|result| result.decode::<ListToolsResult>().ok());
        let next = page.as_ref().and_then(|page| page.next_cursor.clone());
        listing.waiting.retain(|call| self.calls.get(*call).is_some());
        listing.pages += 1;
        let goes_on = next.is_some() && next != listing.cursor && listing.pages < self.config.limits.list_pages;
        if goes_on && !listing.waiting.is_empty() {
            listing.cursor = next;
            self.list_page(listing);
        } else {
            self.listing = Some(listing);
            self.end_listing(page.is_some());
        }
    }

    /// No more is learnt. The calls that wait for it are made again, or, where nothing was learnt, fail as they did.
    pub(super) fn end_listing(&mut self, is_repeated: bool) {
        let Some(listing) = self.listing.take() else { return };
        for id in listing.waiting {
            let Some(call) = self.calls.get(id) else { continue };
            match &call.mismatch {
                Some(error) if !is_repeated => {
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
    }
}
