//! What the arguments of a closure are made of.

use alloc::string::{String, ToString};
use core::any::TypeId;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::invocation::{Arguments, Invocation};
use super::state::{Lookup, SharedState, State, state};
use super::texts::from_texts;
use super::{Context, Typing, Uri, schema};
use crate::jsonrpc::RawJson;

/// What a closure can take: typed arguments, the [`Context`] of the call, shared [`State`], the [`Uri`] of a
/// resource, the text to complete ([`Typing`]).
///
/// Implemented for every type that is deserialized and has a schema: there is at most one of these, the arguments of the
/// call ([`NoArgs`] or `()` where there are none). The rest may stand in any order, and several times.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "no handler can be called with this",
    note = "typed arguments derive both `serde::Deserialize` and `schemars::JsonSchema`, and own what they hold",
    note = "the context is taken by value, as `Context`, and shared state as `State<S>`; the \
            URI of a resource is `Uri`, and what is to be completed `Typing`"
)]
pub trait FromCall: Sized + 'static {
    /// What is kept for it from the builder.
    #[doc(hidden)]
    type Kept: 'static;

    /// Whether it is made of the arguments of the call.
    #[doc(hidden)]
    const IS_ARGUMENTS: bool;

    /// What is to be kept, or the name of the type of which there is no state.
    #[doc(hidden)]
    fn keep(states: &dyn Lookup) -> Result<Self::Kept, &'static str>;

    /// The schema of the arguments.
    #[doc(hidden)]
    fn schema() -> Option<String>;

    /// Takes what it is made of from a call, or says why it does not fit.
    #[doc(hidden)]
    fn take(kept: &Self::Kept, invocation: &mut Invocation) -> Result<Self, String>;
}

#[diagnostic::do_not_recommend]
impl<A: DeserializeOwned + JsonSchema + 'static> FromCall for A {
    type Kept = ();

    const IS_ARGUMENTS: bool = true;

    fn keep(_: &dyn Lookup) -> Result<(), &'static str> {
        Ok(())
    }

    fn schema() -> Option<String> {
        Some(schema::of_arguments::<A>())
    }

    fn take((): &(), invocation: &mut Invocation) -> Result<Self, String> {
        match &invocation.arguments {
            Arguments::Json(arguments) => decode(arguments.as_ref()).map_err(|error| error.to_string()),
            Arguments::Texts(texts) => from_texts(texts).map_err(|error| error.to_string()),
        }
    }
}

/// What is taken from a call without its arguments, and needs nothing kept.
macro_rules! taken {
    ($($ty:ident: $take:expr;)*) => {
        $(impl FromCall for $ty {
            type Kept = ();

            const IS_ARGUMENTS: bool = false;

            fn keep(_: &dyn Lookup) -> Result<(), &'static str> {
                Ok(())
            }

            fn schema() -> Option<String> {
                None
            }

            fn take((): &(), invocation: &mut Invocation) -> Result<Self, String> {
                let take: fn(&mut Invocation) -> Option<Self> = $take;
                take(invocation).ok_or_else(|| alloc::format!("there is no {} here", stringify!($ty)))
            }
        })*
    };
}

taken! {
    Context: Invocation::context;
    Uri: |invocation| Some(Self(invocation.subject.as_ref()?.text.clone()));
    Typing: |invocation| Some(Self(invocation.subject.as_ref()?.text.clone()));
}

impl<S: SharedState> FromCall for State<S> {
    type Kept = S;

    const IS_ARGUMENTS: bool = false;

    fn keep(states: &dyn Lookup) -> Result<S, &'static str> {
        state(states)
    }

    fn schema() -> Option<String> {
        None
    }

    fn take(kept: &S, _: &mut Invocation) -> Result<Self, String> {
        Ok(Self(kept.clone()))
    }
}

/// The arguments of a tool that takes none. What a client sends all the same is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false), transform = without_description)]
pub struct NoArgs {}

impl NoArgs {
    /// The schema for those who take no arguments at all.
    pub(super) fn schema_of_none() -> String {
        schema::of_arguments::<Self>()
    }
}

/// What is said about the type is said to those who write tools, and not to the model that reads the schema.
fn without_description(schema: &mut schemars::Schema) {
    schema.remove("description");
}

/// All that a closure takes, a tuple. Implemented for up to six of [`FromCall`].
pub trait Takes: Sized + 'static {
    /// What is kept for all.
    #[doc(hidden)]
    type Kept: 'static;

    /// How many are made of the arguments of the call.
    #[doc(hidden)]
    const ARGUMENTS: usize;

    /// See [`FromCall`].
    #[doc(hidden)]
    fn keep(states: &dyn Lookup) -> Result<Self::Kept, &'static str>;

    /// See [`FromCall`].
    #[doc(hidden)]
    fn schema() -> Option<String>;

    /// See [`FromCall`].
    #[doc(hidden)]
    fn take(kept: &Self::Kept, invocation: &mut Invocation) -> Result<Self, String>;
}

macro_rules! takes {
    ($($T:ident $kept:ident),*) => {
        impl<$($T: FromCall),*> Takes for ($($T,)*) {
            type Kept = ($($T::Kept,)*);

            const ARGUMENTS: usize = 0 $(+ $T::IS_ARGUMENTS as usize)*;

            #[allow(unused_variables, reason = "nothing is kept for nothing")]
            fn keep(states: &dyn Lookup) -> Result<Self::Kept, &'static str> {
                Ok(($($T::keep(states)?,)*))
            }

            fn schema() -> Option<String> {
                let schema = None;
                $(let schema = schema.or_else($T::schema);)*
                schema
            }

            #[allow(unused_variables, reason = "nothing is taken by nothing")]
            fn take(kept: &Self::Kept, invocation: &mut Invocation) -> Result<Self, String> {
                let ($($kept,)*) = kept;
                Ok(($($T::take($kept, invocation)?,)*))
            }
        }
    };
}

takes!();
takes!(A a);
takes!(A a, B b);
takes!(A a, B b, C c);
takes!(A a, B b, C c, D d);
takes!(A a, B b, C c, D d, E e);
takes!(A a, B b, C c, D d, E e, G g);

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
