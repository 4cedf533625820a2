//! Who asks through a proxy at the moment, and can be asked.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;

use crate::handle::places::Places;
use crate::handle::server::{Context, Peer};
use crate::handle::sync::{Mutex, lock};
use crate::jsonrpc::ErrorObject;
use crate::revision::Revision;
use crate::rpc::CallId;

/// The requests that a proxy has passed on, and who of their clients is asked what the server wants to know.
///
/// | a request of the server | goes to |
/// |---|---|
/// | came with a call | the client whose request that call is |
/// | names none, and all that is in progress came on one byte stream | the client at its other end |
/// | names none, and one request is in progress | the client that has made it |
/// | names none, and several are in progress | nobody: one client is not asked what another's request needs |
/// | comes while nothing is in progress | the byte stream that a request came on last, otherwise the next request |
#[derive(Default)]
pub(super) struct Askers {
    state: Mutex<State>,
    /// Those who wait for somebody to ask, or for a change of what is listened to.
    waiting: Arc<Places>,
}

#[derive(Default)]
struct State {
    calls: BTreeMap<CallId, Asker>,
    /// How many requests have begun whose calls are not known yet.
    beginning: usize,
    /// The byte stream that a request came on last.
    latest: Option<Asker>,
    /// The resources that clients of the legacy era listen to at a modern server, and how often that has changed.
    watched: BTreeSet<String>,
    changes: u64,
    lost: u64,
}

/// A client that has asked something. It holds no server: it would hold itself.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) peer: Arc<dyn Peer>,
    pub(super) revision: Revision,
}

/// A request in progress.
///
/// # On drop
/// It is over.
pub(super) struct InProgress<'a> {
    askers: &'a Askers,
    asker: Asker,
    call: Option<CallId>,
}

impl Askers {
    /// A request has begun.
    pub(super) fn begin(&self, context: &Context) -> InProgress<'_> {
        let asker = Asker {
            peer: context.peer().clone(),
            revision: context.revision(),
        };
        let mut state = lock(&self.state);
        state.beginning += 1;
        let before = match asker.peer.connection() {
            Some(_) => state.latest.replace(asker.clone()),
            None => None,
        };
        drop(state);
        drop(before);
        InProgress {
            askers: self,
            asker,
            call: None,
        }
    }

    /// Who is to be asked what the server wants to know for `related`.
    pub(super) async fn find(&self, related: Option<CallId>) -> Result<Asker, ErrorObject> {
        let place = self.waiting.place();
        poll_fn(|cx| {
            // Before it is looked: what comes in between is not missed.
            place.wait(cx);
            lock(&self.state).find(related)
        })
        .await
    }

    /// A resource is listened to from now on, or not any more. `false` where there are too many.
    pub(super) fn watch(&self, uri: String, wanted: bool, most: usize) -> bool {
        let mut state = lock(&self.state);
        let changed = match wanted {
            true if state.watched.len() >= most && !state.watched.contains(&uri) => return false,
            true => state.watched.insert(uri),
            false => state.watched.remove(&uri),
        };
        state.changes += u64::from(changed);
        drop(state);
        if changed {
            self.waiting.wake_by_ref();
        }
        true
    }

    /// What is listened to, and how often that has changed.
    pub(super) fn watched(&self) -> (Vec<String>, u64) {
        let state = lock(&self.state);
        (state.watched.iter().cloned().collect(), state.changes)
    }

    /// How often what is listened to has changed.
    pub(super) fn changes(&self) -> u64 {
        lock(&self.state).changes
    }

    pub(super) fn waiting(&self) -> &Arc<Places> {
        &self.waiting
    }

    /// Something could not be passed on.
    pub(super) fn lose(&self, count: u64) {
        let mut state = lock(&self.state);
        state.lost = state.lost.saturating_add(count);
    }

    pub(super) fn lost(&self) -> u64 {
        lock(&self.state).lost
    }
}

impl State {
    fn find(&self, related: Option<CallId>) -> Poll<Result<Asker, ErrorObject>> {
        if let Some(call) = related {
            return match self.calls.get(&call) {
                Some(asker) => Poll::Ready(Ok(asker.clone())),
                None if self.beginning > 0 => Poll::Pending,
                None => Poll::Ready(Err(ErrorObject::internal("the request that needs it is over"))),
            };
        }
        let mut askers = self.calls.values();
        let Some(first) = askers.next() else {
            // None is in progress, and so none of them is meant.
            return self
                .latest
                .clone()
                .map_or(Poll::Pending, |latest| Poll::Ready(Ok(latest)));
        };
        let connection = first.peer.connection();
        match askers.all(|asker| connection.is_some() && asker.peer.connection() == connection) {
            true => Poll::Ready(Ok(first.clone())),
            false => Poll::Ready(Err(ErrorObject::internal(
                "several requests are in progress, and nothing tells which of their clients is to be asked",
            ))),
        }
    }
}

impl InProgress<'_> {
    /// The call is known by this from now on.
    pub(super) fn is(&mut self, call: CallId) {
        if self.call.replace(call).is_some() {
            return;
        }
        let mut state = lock(&self.askers.state);
        state.beginning -= 1;
        state.calls.insert(call, self.asker.clone());
        drop(state);
        self.askers.waiting.wake_by_ref();
    }

    pub(super) fn is_known(&self) -> bool {
        self.call.is_some()
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.askers.state);
        let gone = match self.call {
            Some(call) => state.calls.remove(&call),
            None => {
                state.beginning -= 1;
                None
            }
        };
        drop(state);
        drop(gone);
        if self.call.is_none() {
            self.askers.waiting.wake_by_ref();
        }
    }
}
