//! Requests and notifications as types; [`request`](super::request) and [`notification`](super::notification) have
//! all of them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::method::Method;

/// A request: ties a method to the types of its parameters and its result.
pub trait TypedRequest {
    /// The method.
    const METHOD: Method;
    /// The parameters.
    type Params: Serialize + DeserializeOwned;
    /// The result, where its `resultType` is `complete` or absent.
    type Result: Serialize + DeserializeOwned;
}

/// A notification: ties a method to the type of its parameters.
pub trait TypedNotification {
    /// The method.
    const METHOD: Method;
    /// The parameters.
    type Params: Serialize + DeserializeOwned;
}
