//! The requests of the server.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::jsonrpc::{ErrorObject, Id, RawJson, Request};
use crate::method::{Method, MethodName, Side};
use crate::revision::Revision;
use crate::rpc::{CallId, RequestKey, RequestRefused, Requests};

use super::event::Answer;

/// The requests of the server that are not answered yet.
///
/// | a request | is | why |
/// |---|---|---|
/// | `ping` | answered at once | it asks for the machine, and not for the application |
/// | of a method that no server sends in the revision | refused | 2025-11-25, Lifecycle, Operation: both "MUST … respect the negotiated protocol version" |
/// | with the id of one in progress | refused | its answer could not be told from the other's |
/// | beyond the bound | refused | nothing grows without a limit |
/// | any other | the application's | |
#[derive(Debug)]
pub(super) struct Inbox {
    requests: Requests,
    /// Those that came in the response to a call, which has to be there for a server to take them back.
    related: BTreeMap<RequestKey, CallId>,
    duplicates: u64,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// The application answers it, by this key.
    Asked(RequestKey),
    /// It is answered at once.
    Respond(Answer),
}

impl Inbox {
    pub(super) fn new(most: usize) -> Self {
        Self {
            requests: Requests::new(most),
            related: BTreeMap::new(),
            duplicates: 0,
        }
    }

    /// Whether a request of this method is the machine's own to answer.
    pub(super) fn is_own(method: &MethodName) -> bool {
        method.known() == Some(Method::Ping)
    }

    /// A request came in a connection of this revision.
    pub(super) fn take(&mut self, request: &Request, revision: Revision) -> Taken {
        // Also a ping: with the id of a request in progress, its answer could not be told from the other's.
        let key = match self.requests.begin(&request.id) {
            Ok(key) => key,
            Err(RequestRefused::Duplicate) => {
                self.duplicates += 1;
                return Taken::Respond(Err(ErrorObject::invalid_request(
                    "a request with this id is in progress",
                )));
            }
            Err(RequestRefused::TooMany) => {
                return Taken::Respond(Err(ErrorObject::internal("too many requests are in progress")));
            }
        };
        let out_of_era = |method: Method| !method.is_sent_by(Side::Server, revision);
        let answer = if Self::is_own(&request.method) {
            Ok(RawJson::empty_object())
        } else if request.method.known().is_some_and(out_of_era) {
            // Only a known one: any other may belong to an extension.
            Err(ErrorObject::method_not_found(request.method.as_str()))
        } else {
            return Taken::Asked(key);
        };
        self.requests.finish(key);
        Taken::Respond(answer)
    }

    /// The application answers. Gives the id to answer; `None` where no answer is wanted any more.
    pub(super) fn answer(&mut self, key: RequestKey) -> Option<Id> {
        self.related.remove(&key);
        self.requests.finish(key)
    }

    /// A request of the application came in the response to a call.
    pub(super) fn relate(&mut self, key: RequestKey, call: CallId) {
        self.related.insert(key, call);
    }

    /// The response to a call is not read any more: gives what came in it and waits for an answer. The server can only take
    /// it back there.
    pub(super) fn cut_off(&mut self, call: CallId) -> Vec<RequestKey> {
        let those = self.related.iter().filter(|(_, other)| **other == call);
        let those: Vec<RequestKey> = those.map(|(key, _)| *key).collect();
        for key in &those {
            self.answer(*key);
        }
        those
    }

    /// The server takes the request of this id back.
    pub(super) fn cancel(&mut self, id: &Id) -> Option<RequestKey> {
        let key = self.requests.find(id)?;
        self.answer(key);
        Some(key)
    }

    /// The session is over: gives what nobody wants an answer to any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = RequestKey> + use<> {
        self.related.clear();
        self.requests.drain()
    }

    /// The connection is closed.
    pub(super) fn clear(&mut self) {
        self.related.clear();
        self.requests.clear();
    }

    pub(super) fn entries(&self) -> usize {
        self.requests.entries()
    }

    /// How many requests had the id of one in progress.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Incoming, Message, parse};
    use crate::limits::Limits;
    use alloc::format;

    fn request(id: u32, method: &str) -> Request {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
        match parse(text.into(), &Limits::default()) {
            Ok(Incoming::Single(Message::Request(request))) => request,
            other => panic!("{other:?}"),
        }
    }

    fn take(inbox: &mut Inbox, id: u32, method: &str) -> Taken {
        inbox.take(&request(id, method), Revision::V2025_11_25)
    }

    #[test]
    fn a_ping_is_answered_and_an_unknown_method_is_the_applications() {
        let mut inbox = Inbox::new(9);
        assert_eq!(take(&mut inbox, 1, "ping"), Taken::Respond(Ok(RawJson::empty_object())));
        assert!(matches!(take(&mut inbox, 1, "tools/call"), Taken::Respond(Err(_))));
        assert_eq!(inbox.entries(), 0);
        assert!(matches!(take(&mut inbox, 1, "roots/list"), Taken::Asked(_)));
        assert!(matches!(take(&mut inbox, 2, "its/own"), Taken::Asked(_)));
    }

    #[test]
    fn an_id_in_progress_is_refused_and_counted() {
        let mut inbox = Inbox::new(2);
        let Taken::Asked(key) = take(&mut inbox, 1, "roots/list") else {
            panic!()
        };
        assert!(matches!(take(&mut inbox, 1, "roots/list"), Taken::Respond(Err(_))));
        assert_eq!(inbox.duplicates(), 1);
        assert!(matches!(take(&mut inbox, 2, "roots/list"), Taken::Asked(_)));
        assert!(matches!(take(&mut inbox, 3, "roots/list"), Taken::Respond(Err(_))));
        assert_eq!(inbox.duplicates(), 1, "too many is no duplicate");
        assert_eq!(inbox.answer(key), Some(1.into()));
        assert_eq!(inbox.answer(key), None);
    }

    #[test]
    fn what_is_taken_back_wants_no_answer() {
        let mut inbox = Inbox::new(9);
        let Taken::Asked(key) = take(&mut inbox, 1, "roots/list") else {
            panic!()
        };
        assert_eq!(inbox.cancel(&2.into()), None);
        assert_eq!(inbox.cancel(&1.into()), Some(key));
        assert_eq!(inbox.answer(key), None);
    }
}
