//! What a server wants answered, on its way to those who answer.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::fmt;

use crate::client::ServerRequest;
use crate::jsonrpc::RawJson;
use crate::model::{InputRequest, Map};
use crate::rpc::{CallId, RequestKey};

/// What a server wants answered, until the driver takes it, and what is being answered.
///
/// | what | is known here | until |
/// |---|---|---|
/// | a request | its bytes | it is answered, or taken back |
/// | a call that needs input | that it does | all of it is there, or it is over |
#[derive(Debug, Default)]
pub(super) struct Demands {
    queue: VecDeque<Demand>,
    requests: BTreeMap<RequestKey, usize>,
    rounds: BTreeSet<CallId>,
    /// How many bytes the requests have.
    bytes: usize,
    /// How many of those in the queue tell of the end of a visit.
    completed: usize,
}

/// One thing for the driver to see to.
pub(super) enum Demand {
    /// The server asks.
    Asked(ServerRequest),
    /// The server takes its request back.
    TakenBack(RequestKey),
    /// A call needs input.
    Gather(CallId, Map<InputRequest>),
    /// The call is over, and wants none any more.
    Dropped(CallId),
    /// A visit of a URL is over: the parameters of the notification.
    Completed(RawJson),
}

impl Demands {
    /// A request came. It is not taken where those in progress have more than `most_bytes`: it is to be refused.
    pub(super) fn ask(&mut self, request: ServerRequest, most_bytes: usize) -> Result<(), RequestKey> {
        let bytes = request.request.text.as_bytes().len();
        if self.bytes.saturating_add(bytes) > most_bytes {
            return Err(request.key);
        }
        self.bytes += bytes;
        self.requests.insert(request.key, bytes);
        self.queue.push_back(Demand::Asked(request));
        Ok(())
    }

    /// The server takes a request back.
    pub(super) fn take_back(&mut self, request: RequestKey) {
        // One that is answered has nobody any more.
        if self.answered(request) {
            self.queue.push_back(Demand::TakenBack(request));
        }
    }

    /// A request is answered. Whether it was in progress.
    pub(super) fn answered(&mut self, request: RequestKey) -> bool {
        let bytes = self.requests.remove(&request);
        self.bytes -= bytes.unwrap_or_default();
        bytes.is_some()
    }

    /// A call needs input.
    pub(super) fn gather(&mut self, call: CallId, requests: Map<InputRequest>) {
        self.rounds.insert(call);
        self.queue.push_back(Demand::Gather(call, requests));
    }

    /// A call is over. Whether it needed input.
    pub(super) fn over(&mut self, call: CallId) -> bool {
        let needed = self.gathered(call);
        if needed {
            self.queue.push_back(Demand::Dropped(call));
        }
        needed
    }

    /// A call has all its input, or will not have it. Whether it needed some.
    pub(super) fn gathered(&mut self, call: CallId) -> bool {
        // Nearly every call ends without ever having needed any.
        !self.rounds.is_empty() && self.rounds.remove(&call)
    }

    /// A visit of a URL is over. At most so many are kept.
    pub(super) fn completed(&mut self, params: RawJson, most: usize) {
        if self.completed < most {
            self.completed += 1;
            self.queue.push_back(Demand::Completed(params));
        }
    }

    /// The next thing to see to.
    pub(super) fn next(&mut self) -> Option<Demand> {
        let demand = self.queue.pop_front()?;
        if let Demand::Completed(_) = demand {
            self.completed -= 1;
        }
        Some(demand)
    }

    /// The connection is closed: nothing is wanted any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Says of what kind it is: what is asked may be anybody's secret.
impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked(request) => f.debug_tuple("Asked").field(&request.key).finish(),
            Self::TakenBack(key) => f.debug_tuple("TakenBack").field(key).finish(),
            Self::Gather(call, _) => f.debug_tuple("Gather").field(call).finish(),
            Self::Dropped(call) => f.debug_tuple("Dropped").field(call).finish(),
            Self::Completed(_) => f.write_str("Completed"),
        }
    }
}
