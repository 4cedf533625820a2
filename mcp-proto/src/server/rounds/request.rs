//! What is asked.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::digest::digest;
use crate::jsonrpc::{DecodeError, RawJson};
use crate::method::Method;
use crate::model::request::{CreateMessage, Elicit, ListRoots};
use crate::model::{
    ClientCapabilities, CreateMessageParams, ElicitParams, ElicitSchema, ElicitUrlParams, InputRequest, Json,
    RequestParams, TypedRequest,
};

/// One thing that a client is asked.
#[derive(Clone, Debug)]
pub struct InputAsk {
    pub(crate) method: Method,
    pub(crate) params: RawJson,
}

impl InputAsk {
    /// What is asked by a request of this type: one of the three that [`Method::is_input_request`] names.
    ///
    /// # Errors
    /// [`DecodeError`] where the parameters have no JSON form.
    pub fn of<R: TypedRequest>(params: &R::Params) -> Result<Self, DecodeError> {
        Ok(Self {
            method: R::METHOD,
            params: RawJson::from_serialize(params)?,
        })
    }

    /// The method of the request that asks a legacy client.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Its parameters.
    pub fn params(&self) -> &RawJson {
        &self.params
    }

    pub(super) fn digest(&self) -> u64 {
        digest(self.method.as_str(), self.params.as_bytes())
    }

    /// The same as part of a result.
    pub(super) fn to_input_request(&self) -> InputRequest {
        let request = InputRequest::new(self.method.as_str());
        match Json::parse(String::from(self.params.as_str())) {
            Ok(params) => request.with_params(params),
            Err(_) => request,
        }
    }

    /// The capability that a client lacks for it, where it lacks one.
    pub(super) fn missing(&self, client: &ClientCapabilities) -> Option<&'static str> {
        match self.method {
            Method::ListRoots => client.roots.is_none().then_some("roots"),
            Method::CreateMessage => match &client.sampling {
                None => Some("sampling"),
                // 2025-11-25, Sampling, Capabilities: MUST NOT send tools otherwise.
                Some(sampling) => (self.has("tools") && sampling.tools.is_none()).then_some("sampling.tools"),
            },
            Method::Elicit => match (&client.elicitation, self.is_url()) {
                (None, false) => Some("elicitation"),
                (None, true) => Some("elicitation.url"),
                // 2025-11-25, Elicitation, Capabilities: MUST NOT use a mode that the client does not support.
                (Some(modes), true) => modes.url.is_none().then_some("elicitation.url"),
                (Some(modes), false) => (!modes.has_form()).then_some("elicitation.form"),
            },
            _ => None,
        }
    }

    fn is_url(&self) -> bool {
        matches!(self.params.decode(), Ok(ElicitParams::Url(_)))
    }

    fn has(&self, member: &str) -> bool {
        let members: Result<serde_json::Map<String, serde_json::Value>, _> = self.params.decode();
        members.is_ok_and(|members| members.contains_key(member))
    }
}

/// What has to be known before a request can be served, for those who write their handlers in steps.
///
/// ```
/// use mcp_proto::model::{ElicitSchema, StringSchema};
/// use mcp_proto::server::InputRequired;
///
/// let form = ElicitSchema::default().required("name", StringSchema::default());
/// let required = InputRequired::new().elicit("user_name", "What is your name?", form).state(&"step 2");
/// # let _ = required;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is asked before a context is told of it"]
pub struct InputRequired {
    pub(super) asks: Vec<(Box<str>, Result<InputAsk, DecodeError>)>,
    pub(super) state: Option<Result<RawJson, DecodeError>>,
}

impl InputRequired {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, asking the user to fill in a form.
    pub fn elicit(self, key: impl Into<Box<str>>, message: impl Into<String>, schema: ElicitSchema) -> Self {
        self.ask::<Elicit>(key, &ElicitParams::form(message, schema))
    }

    /// The same, asking the user to visit a URL. Clients of 2025-11-25 want an id of the visit, which no other on this
    /// server has.
    pub fn elicit_url(
        self,
        key: impl Into<Box<str>>,
        message: impl Into<String>,
        url: impl Into<String>,
        elicitation_id: impl Into<String>,
    ) -> Self {
        let visit = ElicitUrlParams::new(message, url).with_elicitation_id(elicitation_id);
        self.ask::<Elicit>(key, &ElicitParams::Url(visit))
    }

    /// The same, asking the language model of the client. Deprecated in 2026-07-28.
    pub fn sample(self, key: impl Into<Box<str>>, params: &CreateMessageParams) -> Self {
        self.ask::<CreateMessage>(key, params)
    }

    /// The same, asking for the roots. Deprecated in 2026-07-28.
    pub fn list_roots(self, key: impl Into<Box<str>>) -> Self {
        self.ask::<ListRoots>(key, &RequestParams::default())
    }

    /// The same with what the handler wants to find again in its next run.
    pub fn state(mut self, state: &(impl Serialize + ?Sized)) -> Self {
        self.state = Some(RawJson::from_serialize(state));
        self
    }

    fn ask<R: TypedRequest>(mut self, key: impl Into<Box<str>>, params: &R::Params) -> Self {
        self.asks.push((key.into(), InputAsk::of::<R>(params)));
        self
    }

    /// What is asked, each under its key.
    ///
    /// # Errors
    /// [`DecodeError`] where a value has no JSON form.
    pub(crate) fn into_parts(self) -> Result<Parts, DecodeError> {
        let asks = self.asks.into_iter().map(|(key, ask)| Ok((key, ask?)));
        Ok((asks.collect::<Result<_, _>>()?, self.state.transpose()?))
    }
}

/// What is asked, and the state.
pub(crate) type Parts = (Vec<(Box<str>, InputAsk)>, Option<RawJson>);
