//! The request that a round belongs to, and what its client has sent back.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::digest::canonical;
use crate::jsonrpc::{ErrorObject, RawJson, Request};
use crate::method::Method;

/// What is not part of what a request asks for: it differs from one try to the next.
const VARYING: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// A request of the modern era that may be answered with what is needed first.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) params: Option<RawJson>,
}

/// What came back with a request.
#[derive(Debug, Default)]
pub(super) struct Retry {
    pub(super) state: Option<String>,
    pub(super) responses: BTreeMap<String, RawJson>,
}

impl Asked {
    /// What is known of `request`, where it may be answered so (2026-07-28, Multi Round-Trip Requests, Supported Requests).
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let method = request.method.known().filter(|method| method.may_require_input())?;
        let params = request.params.clone();
        Some(Self { method, params })
    }

    /// What came back with it.
    ///
    /// # Errors
    /// −32602 where it is not of the form that it has to be (2026-07-28, Multi Round-Trip Requests, Error Handling: SHOULD).
    pub(super) fn retry(&self) -> Result<Retry, ErrorObject> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields {
            request_state: Option<String>,
            input_responses: Option<BTreeMap<String, RawJson>>,
        }
        let Some(params) = &self.params else {
            return Ok(Retry::default());
        };
        let fields: Fields = params.decode()?;
        Ok(Retry {
            state: fields.request_state,
            responses: fields.input_responses.unwrap_or_default(),
        })
    }

    /// What state is bound to: who asks, for what, with which parameters (2026-07-28, Multi Round-Trip Requests, Server
    /// Requirements: SHOULD). The same for a request and each of its retries, and for nothing else.
    pub(super) fn binding(&self, principal: Option<&[u8]>) -> Vec<u8> {
        let params: Map<String, Value> = (self.params.as_ref())
            .and_then(|params| params.decode().ok())
            .unwrap_or_default();
        let mut out = Vec::from(b"mcp state 1\0");
        // Nobody is another one than somebody without a name.
        out.push(u8::from(principal.is_some()));
        for part in [principal.unwrap_or_default(), self.method.as_str().as_bytes()] {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part);
        }
        out.extend_from_slice(&canonical(&params, &VARYING));
        out
    }
}
