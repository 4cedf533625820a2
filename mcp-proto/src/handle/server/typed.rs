//! Tools from typed closures.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::TypeId;
use core::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::tool::{Invocation, Run, outcome};
use super::{Context, ToolError, ToolOutput, Work, schema};
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::revision::Revision;
use crate::server::ResultBody;

/// A closure that can be a tool: of nothing, of arguments, or of arguments and the [`Context`] of the call.
///
/// The arguments are any type that is deserialized and has a schema ([`NoArgs`] or `()` for none); what comes back
/// is a `Result` of a [`ToolOutput`] and a [`ToolError`]. Implemented for closures and functions of these shapes;
/// `Marker` tells them apart and is inferred.
pub trait ToolFn<Marker>: Send + Sync + 'static {
    /// The type of the arguments.
    type Args: DeserializeOwned + JsonSchema + Send + 'static;
    /// The type of what is returned.
    type Output: ToolOutput;

    /// Calls it. The context is only made for those who take it.
    fn call(
        &self,
        args: Self::Args,
        context: impl FnOnce() -> Context,
    ) -> impl Future<Output = Result<Self::Output, ToolError>> + Send + 'static;
}

impl<F, Fut, O> ToolFn<()> for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
    O: ToolOutput,
{
    type Args = NoArgs;
    type Output = O;

    fn call(
        &self,
        _: NoArgs,
        _: impl FnOnce() -> Context,
    ) -> impl Future<Output = Result<O, ToolError>> + Send + 'static {
        self()
    }
}

impl<F, Fut, A, O> ToolFn<(A,)> for F
where
    F: Fn(A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
    A: DeserializeOwned + JsonSchema + Send + 'static,
    O: ToolOutput,
{
    type Args = A;
    type Output = O;

    fn call(
        &self,
        args: A,
        _: impl FnOnce() -> Context,
    ) -> impl Future<Output = Result<O, ToolError>> + Send + 'static {
        self(args)
    }
}

impl<F, Fut, A, O> ToolFn<(A, Context)> for F
where
    F: Fn(A, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, ToolError>> + Send + 'static,
    A: DeserializeOwned + JsonSchema + Send + 'static,
    O: ToolOutput,
{
    type Args = A;
    type Output = O;

    fn call(
        &self,
        args: A,
        context: impl FnOnce() -> Context,
    ) -> impl Future<Output = Result<O, ToolError>> + Send + 'static {
        self(args, context())
    }
}

/// The arguments of a tool that takes none. What a client sends all the same is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false), transform = without_description)]
pub struct NoArgs {}

/// What is said about the type is said to those who write tools, and not to the model that reads the schema.
fn without_description(schema: &mut schemars::Schema) {
    schema.remove("description");
}

/// A [`ToolFn`] behind the seam of all tools.
pub(super) struct Typed<F, Marker> {
    function: F,
    marker: PhantomData<fn() -> Marker>,
}

impl<F: ToolFn<Marker>, Marker> Typed<F, Marker> {
    pub(super) fn new(function: F) -> Self {
        Self {
            function,
            marker: PhantomData,
        }
    }

    /// The schemas of arguments and output.
    pub(super) fn schemas() -> (String, Option<String>) {
        (schema::of_arguments::<F::Args>(), F::Output::output_schema())
    }
}

impl<F: ToolFn<Marker>, Marker> Run for Typed<F, Marker> {
    fn run(&self, invocation: Invocation) -> Work {
        let revision = invocation.request.revision();
        match decode::<F::Args>(invocation.arguments.as_ref()) {
            Ok(args) => {
                // Only for a function that takes one: most do not, and a context is an allocation.
                let future = self.function.call(args, || invocation.into_context());
                Box::pin(async move { outcome(future.await, revision) })
            }
            Err(error) => Box::pin(core::future::ready(misfit(&error, revision))),
        }
    }
}

/// Reads the arguments; absent ones are `{}`.
fn decode<A: DeserializeOwned + 'static>(arguments: Option<&RawJson>) -> Result<A, serde_json::Error> {
    let text = match arguments {
        // The unit type is read from null, and as arguments it means that there are none.
        _ if TypeId::of::<A>() == TypeId::of::<()>() => b"null",
        Some(arguments) => arguments.as_bytes(),
        None => b"{}",
    };
    serde_json::from_slice(text)
}

/// Arguments that do not fit the tool. From 2025-11-25 on the model is told, so that it can do better (Tools, Error
/// Handling); before, "invalid arguments" are an error of the protocol.
fn misfit(error: &serde_json::Error, revision: Revision) -> Result<ResultBody, ErrorObject> {
    let message = alloc::format!("invalid arguments: {error}");
    match revision.has_input_validation_results() {
        true => ToolError::text(message).into_outcome(),
        false => Err(ErrorObject::invalid_params(message)),
    }
}
