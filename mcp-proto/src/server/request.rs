//! Requests of the client, and the tokens they are answered with.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{RequestContext, ResultBody, ServerConfig};
use crate::jsonrpc::{Called, ErrorObject, Id, RawJson, encode_error};
use crate::method::MethodName;
use crate::revision::Revision;
#[cfg(any(feature = "http", feature = "handle"))]
use crate::rpc::CallOptions;
use crate::rpc::RequestKey;
#[cfg(feature = "handle")]
use crate::rpc::SendError;

/// A request of the client, to be answered by its [`token`](Self::token): over a byte stream a [`RequestToken`], and in
/// an `HttpServer` one that says who asks as well.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "a request has to be answered"]
pub struct ClientRequest<T = RequestToken> {
    /// What it is answered with.
    pub token: T,
    /// What is asked.
    pub method: MethodName,
    /// With what, an object; a slice of the message, not a copy.
    pub params: Option<RawJson>,
    /// What else is known.
    pub context: RequestContext,
    /// The whole message as it came.
    pub text: RawJson,
    /// What the one look into the parameters has found.
    pub(crate) called: Called,
}

impl<T> ClientRequest<T> {
    /// `name` of the parameters: which tool or prompt.
    pub fn name(&self) -> Option<&str> {
        core::str::from_utf8(self.called.name.as_deref()?).ok()
    }

    /// `arguments` of the parameters, as they came.
    pub fn arguments(&self) -> Option<&RawJson> {
        self.called.arguments.as_ref()
    }

    /// The same request, answered by what becomes of its token.
    #[cfg(feature = "http")]
    pub(crate) fn map_token<U>(self, map: impl FnOnce(T) -> U) -> ClientRequest<U> {
        ClientRequest {
            token: map(self.token),
            method: self.method,
            params: self.params,
            context: self.context,
            text: self.text,
            called: self.called,
        }
    }
}

/// What the server asks of its client, without the parameters.
#[cfg(any(feature = "http", feature = "handle"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a MethodName,
    pub(crate) options: &'a CallOptions,
}

#[cfg(feature = "handle")]
impl<'a> Question<'a> {
    /// What is asked while a request is served in `revision`.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] in the modern era, where a server makes no requests (2026-07-28, Multi Round-Trip Requests).
    pub(crate) fn new(revision: Revision, method: &'a MethodName, options: &'a CallOptions) -> Result<Self, SendError> {
        if revision.is_stateless() {
            let method = method.clone();
            return Err(SendError::OutOfEra { method, revision });
        }
        Ok(Self { method, options })
    }
}

/// What a request is answered with, once: answering takes the token.
///
/// It can be answered on the connection it came from and nowhere else. A token that is dropped leaves its request
/// without an answer, and its id in use, until the connection ends: who drops one answers with an internal error
/// first. (The async layer does that by itself.)
#[derive(Debug)]
#[must_use = "a request has to be answered"]
pub struct RequestToken {
    /// `None` for a request that stands alone: nothing keeps track of it.
    pub(crate) key: Option<RequestKey>,
    pub(crate) id: Id,
    pub(crate) revision: Revision,
    pub(crate) cacheable: bool,
    /// Whether it was made again with input: its result depends on more than its parameters.
    pub(crate) is_retry: bool,
    /// What its connection counts for it.
    pub(crate) held: usize,
    /// The resource that a legacy session has subscribed to by this request, unless it is refused.
    pub(crate) subscribes: Option<Box<str>>,
}

impl RequestToken {
    pub(crate) fn new(id: Id, method: &MethodName, revision: Revision) -> Self {
        Self {
            key: None,
            id,
            revision,
            // Kept, as the method is handed out and gone when the answer is written.
            cacheable: method.known().is_some_and(|method| method.is_cacheable()),
            is_retry: false,
            held: 0,
            subscribes: None,
        }
    }

    /// The JSON-RPC id.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The revision the answer is written for.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Which request of its connection it is; `None` for a stateless request over HTTP.
    pub fn key(&self) -> Option<RequestKey> {
        self.key
    }

    /// The response. For a request that stands alone; one of a connection is answered there.
    pub fn into_response(self, config: &ServerConfig, outcome: Result<ResultBody, ErrorObject>) -> Vec<u8> {
        match outcome {
            // 2026-07-28, Caching, Cache Key: MUST NOT be cached.
            Ok(body) if self.is_retry => {
                (body.uncached()).into_response(config, self.revision, self.cacheable, &self.id)
            }
            Ok(body) => body.into_response(config, self.revision, self.cacheable, &self.id),
            Err(error) => encode_error(Some(&self.id), &error),
        }
    }
}

/// A request that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Its id.
    pub id: Id,
    /// What is wrong.
    pub error: ErrorObject,
}

impl Refused {
    pub(crate) fn new(id: Id, error: ErrorObject) -> Self {
        Self { id, error }
    }

    /// The response to send.
    pub fn to_response(&self) -> Vec<u8> {
        encode_error(Some(&self.id), &self.error)
    }
}
