//! Multi round-trip requests: a server asks for input by its result (2026-07-28).

use alloc::string::String;

use serde::Serialize;

use super::common::RequestParams;
use super::elicitation::ElicitParams;
use super::json::{Json, JsonError};
use super::map::Map;
use super::meta::Meta;
use super::object::object;
use super::result::{HasMeta, ResultType};
use super::sampling::CreateMessageParams;
use super::typed::TypedRequest;
use crate::method::Method;

object! {
    /// A request of a server that is part of a result. Since 2026-07-28.
    ///
    /// Kept undecoded, since the method names the type: see [`InputRequest::params_of`].
    pub struct InputRequest {
        required {
            /// The method: one for which [`Method::is_input_request`] holds.
            "method" => method: plain String,
        }
        /// The parameters.
        "params" => params (with_params): optional Json,
    }
}

impl InputRequest {
    /// Asks for what `R` asks for.
    ///
    /// # Errors
    /// [`JsonError`] where `params` has no JSON form.
    pub fn of<R: TypedRequest>(params: &R::Params) -> Result<Self, JsonError> {
        Self::asking(R::METHOD, params)
    }

    /// Asks a user.
    ///
    /// # Errors
    /// [`JsonError`] where `params` has no JSON form.
    pub fn elicit(params: &ElicitParams) -> Result<Self, JsonError> {
        Self::asking(Method::Elicit, params)
    }

    /// Asks a language model.
    ///
    /// # Errors
    /// [`JsonError`] where `params` has no JSON form.
    pub fn create_message(params: &CreateMessageParams) -> Result<Self, JsonError> {
        Self::asking(Method::CreateMessage, params)
    }

    /// Asks for the roots.
    pub fn list_roots() -> Self {
        Self::new(Method::ListRoots.as_str())
    }

    fn asking(method: Method, params: &impl Serialize) -> Result<Self, JsonError> {
        Ok(Self {
            params: Some(Json::from_serialize(params)?),
            ..Self::new(method.as_str())
        })
    }

    /// The method, where the table of methods has it.
    pub fn known_method(&self) -> Option<Method> {
        Method::parse(&self.method)
    }

    /// The parameters, where this is the request `R`; absent ones count as an empty object.
    ///
    /// # Errors
    /// [`JsonError`] where they are not those of `R`.
    pub fn params_of<R: TypedRequest>(&self) -> Option<Result<R::Params, JsonError>> {
        (self.method == R::METHOD.as_str()).then(|| match &self.params {
            Some(params) => params.decode(),
            None => Json::empty_object().decode(),
        })
    }

    /// The metadata of the parameters of `roots/list`, and of any others that have no fields of their own.
    ///
    /// # Errors
    /// [`JsonError`] where the parameters are no object or `_meta` is none.
    pub fn meta(&self) -> Result<Option<Meta>, JsonError> {
        let params: Option<RequestParams> = self.params.as_ref().map(Json::decode).transpose()?;
        Ok(params.and_then(|params| params.meta))
    }
}

object! {
    /// The result of a request that needs input before it can be served. Since 2026-07-28.
    ///
    /// The client makes the request again with `inputResponses`, each under the key of its request, and with the
    /// same `requestState`.
    pub struct InputRequiredResult {
        required {
            /// Always [`ResultType::InputRequired`].
            "resultType" => result_type: plain ResultType,
        }
        /// What the server asks for.
        "inputRequests" => input_requests (with_input_requests): optional Map<InputRequest>,
        /// What the client has to send back as it is.
        "requestState" => request_state (with_request_state): optional String,
        /// Metadata of the protocol and of others.
        "_meta" => meta (with_meta): meta Meta,
    }
}

impl Default for InputRequiredResult {
    fn default() -> Self {
        Self::new(ResultType::InputRequired)
    }
}

impl HasMeta for InputRequiredResult {
    fn meta(&self) -> Option<&Meta> {
        self.meta.as_ref()
    }

    fn meta_mut(&mut self) -> &mut Option<Meta> {
        &mut self.meta
    }
}
