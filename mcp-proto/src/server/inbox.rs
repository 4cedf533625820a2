//! The requests of the client that are in progress.

use alloc::boxed::Box;
use alloc::string::String;

use serde::Deserialize;

use super::RequestToken;
use crate::jsonrpc::{ErrorObject, Id, Peek, RawJson};
use crate::rpc::{RequestKey, RequestRefused, Requests};

/// The requests of the client that are not answered yet, of whichever era: ids are those of the connection.
///
/// | a request | is | why |
/// |---|---|---|
/// | with the id of one in progress | refused | its answer could not be told from the other's |
/// | beyond the bound | refused | nothing grows without a limit |
/// | that is cancelled | not answered, and its id is free | 2025-11-25, Cancellation: SHOULD NOT send a response |
/// | any other | answered once | JSON-RPC 2.0, 5 |
#[derive(Debug)]
pub(super) struct Inbox {
    requests: Requests,
    duplicates: u64,
    strays: u64,
}

impl Inbox {
    pub(super) fn new(most: usize) -> Self {
        Self {
            requests: Requests::new(most),
            duplicates: 0,
            strays: 0,
        }
    }

    /// Takes note of a request.
    pub(super) fn begin(&mut self, id: &Id) -> Result<RequestKey, ErrorObject> {
        self.requests.begin(id).map_err(|refused| match refused {
            RequestRefused::Duplicate => {
                self.duplicates += 1;
                ErrorObject::invalid_request("a request with this id is still in progress")
            }
            RequestRefused::TooMany => ErrorObject::internal("too many requests in progress"),
        })
    }

    /// `notifications/cancelled`: which request is over, and why. One for an unknown request is counted and otherwise
    /// ignored (2025-11-25, Cancellation, Error Handling: it may have crossed the answer).
    pub(super) fn cancel(&mut self, params: Option<&RawJson>) -> Option<(RequestKey, Option<Box<str>>)> {
        #[derive(Deserialize)]
        struct Reason {
            reason: Option<String>,
        }
        let id = params.and_then(|params| Peek::of(params).ok()?.request_id);
        let Some(key) = id.and_then(|id| self.requests.find(&id)) else {
            self.strays += 1;
            return None;
        };
        self.requests.finish(key);
        let reason = params.and_then(|params| params.decode::<Reason>().ok()?.reason);
        Some((key, reason.map(String::into_boxed_str)))
    }

    /// Ends a request; `false` where it has ended before.
    pub(super) fn finish(&mut self, key: RequestKey) -> bool {
        self.requests.finish(key).is_some()
    }

    /// Whether the request of this token still wants an answer. Its id alone does not tell: another request may have
    /// it by now.
    pub(super) fn wants(&self, token: &RequestToken) -> bool {
        // The id may be that of another request by now: it is free once its own was cancelled.
        token.key.is_some() && self.requests.find(&token.id) == token.key
    }

    /// Whether this request is in progress.
    pub(super) fn contains(&self, key: RequestKey) -> bool {
        self.requests.contains(key)
    }

    /// The connection is over: nothing is answered any more.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }

    /// How many requests are in progress.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn entries(&self) -> usize {
        self.requests.entries()
    }

    /// How many requests had the id of one in progress.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// How many cancellations were for no request in progress.
    pub(super) fn strays(&self) -> u64 {
        self.strays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::revision::Revision;

    fn token(id: &Id, key: Option<RequestKey>) -> RequestToken {
        RequestToken {
            key,
            ..RequestToken::new(id.clone(), &Method::CallTool.into(), Revision::V2025_11_25)
        }
    }

    #[test]
    fn an_id_in_progress_is_refused_and_counted() {
        let mut inbox = Inbox::new(2);
        let key = inbox.begin(&1.into()).unwrap();
        assert!(inbox.begin(&1.into()).is_err());
        assert!(inbox.begin(&"1".into()).is_ok(), "another id");
        assert!(inbox.begin(&2.into()).is_err(), "too many");
        assert_eq!((inbox.duplicates(), inbox.len()), (1, 2));
        assert!(inbox.finish(key) && !inbox.finish(key));
        assert!(inbox.begin(&1.into()).is_ok());
    }

    #[test]
    fn a_token_is_good_for_its_own_request_alone() {
        let mut inbox = Inbox::new(2);
        let id = Id::from(1);
        let first = token(&id, Some(inbox.begin(&id).unwrap()));
        assert!(inbox.wants(&first));
        inbox.finish(first.key.unwrap());
        let second = token(&id, Some(inbox.begin(&id).unwrap()));
        assert!(!inbox.wants(&first) && inbox.wants(&second));
        assert!(!inbox.wants(&token(&id, None)), "it stands alone");
        inbox.clear();
        assert!(!inbox.wants(&second) && inbox.entries() == 0);
    }

    #[test]
    fn what_is_cancelled_is_over() {
        let mut inbox = Inbox::new(2);
        let key = inbox.begin(&1.into()).unwrap();
        let params = RawJson::parse(r#"{"requestId":1,"reason":"tired"}"#).unwrap();
        assert_eq!(inbox.cancel(Some(&params)), Some((key, Some("tired".into()))));
        assert!(!inbox.contains(key));
        assert_eq!((inbox.cancel(Some(&params)), inbox.cancel(None)), (None, None));
        assert_eq!(inbox.strays(), 2);
    }
}
