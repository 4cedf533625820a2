//! The shape of closures.

use core::future::{Ready, ready};

use super::extract::Takes;
use super::returns::Returns;

/// A closure or function that answers calls: `async` or not, of up to six arguments.
///
/// `Feature` says what it is for ([`ForTool`](super::ForTool), …) and decides what it may return. `Marker` tells the shapes
/// apart, and is inferred. What the arguments may be is said by [`FromCall`](super::FromCall).
///
/// ```
/// use mcp_proto::handle::Server;
/// use mcp_proto::handle::server::{Context, ToolError};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct City {
///     name: String,
/// }
///
/// async fn forecast(city: City) -> Result<String, ToolError> {
///     Ok(format!("sunny in {}", city.name))
/// }
///
/// let server = Server::builder("weather", "1.0.0")
///     .tool("forecast", "Forecast for a city", forecast)
///     .tool("shout", "A name in large letters", |city: City| city.name.to_uppercase())
///     .tool("revision", "What is spoken", |context: Context| context.revision().as_str())
///     .build();
/// ```
#[diagnostic::on_unimplemented(
    message = "this closure cannot be a handler",
    label = "not of the shape of a handler",
    note = "a handler is an `Fn` of up to six arguments, each taken by value with its type written out: \
            `|args: Args, context: Context, state: State<App>|`, in any order",
    note = "it returns what its purpose allows, or a `Result` of that and a `ToolError`, or a future of either; \
            `?` makes a `ToolError` of any error"
)]
pub trait HandlerFn<P, Marker>: 'static {
    /// Its arguments, a tuple.
    type Taken;

    /// What it returns, at last.
    type Returned;

    /// The future of what it returns.
    type Future: Future<Output = Self::Returned> + 'static;

    /// Calls it.
    fn call(&self, taken: Self::Taken) -> Self::Future;
}

/// A closure for handlers on any thread: a [`HandlerFn`] that is `Send` and `Sync`, and so is all that it takes, and whose
/// futures are `Send`. Implemented for all of these; the bound of the verbs of a builder.
#[diagnostic::on_unimplemented(
    message = "this closure cannot be a handler",
    label = "not of the shape of a handler",
    note = "a handler is an `Fn` of up to six arguments, each taken by value with its type written out: \
            `|args: Args, context: Context, state: State<App>|`, in any order",
    note = "it returns what its purpose allows, or a `Result` of that and a `ToolError`, or a future of either; \
            `?` makes a `ToolError` of any error"
)]
pub trait SharedFn<P, Marker>:
    HandlerFn<P, Marker, Taken: Takes<Kept: Send + Sync>, Returned: Returns<P>, Future: Send> + Send + Sync
{
}

impl<F, P, Marker> SharedFn<P, Marker> for F where
    F: HandlerFn<P, Marker, Taken: Takes<Kept: Send + Sync>, Returned: Returns<P>, Future: Send> + Send + Sync
{
}

/// A closure for handlers on one thread: a [`HandlerFn`] of which nothing has to be `Send`. Implemented for all of these;
/// the bound of the verbs of a [`LocalServerBuilder`](super::LocalServerBuilder).
#[diagnostic::on_unimplemented(
    message = "this closure cannot be a handler",
    label = "not of the shape of a handler",
    note = "a handler is an `Fn` of up to six arguments, each taken by value with its type written out: \
            `|args: Args, context: Context, state: State<App>|`, in any order",
    note = "it returns what its purpose allows, or a `Result` of that and a `ToolError`, or a future of either; \
            `?` makes a `ToolError` of any error"
)]
pub trait LocalFn<P, Marker>: HandlerFn<P, Marker, Taken: Takes, Returned: Returns<P>> {}

impl<F, P, Marker> LocalFn<P, Marker> for F where F: HandlerFn<P, Marker, Taken: Takes, Returned: Returns<P>> {}

/// Marks what returns a future.
pub struct Awaited(());

/// Marks what returns its result at once.
pub struct AtOnce(());

macro_rules! function {
    ($($T:ident $arg:ident),*) => {
        impl<F, Fut, P, $($T),*> HandlerFn<P, (Awaited, $($T),*)> for F
        where
            F: Fn($($T),*) -> Fut + 'static,
            Fut: Future + 'static,
        {
            type Taken = ($($T,)*);
            type Returned = Fut::Output;
            type Future = Fut;

            fn call(&self, ($($arg,)*): Self::Taken) -> Fut {
                self($($arg),*)
            }
        }

        impl<F, R, P, $($T),*> HandlerFn<P, (AtOnce, $($T),*)> for F
        where
            F: Fn($($T),*) -> R + 'static,
            R: Returns<P> + 'static,
        {
            type Taken = ($($T,)*);
            type Returned = R;
            type Future = Ready<R>;

            fn call(&self, ($($arg,)*): Self::Taken) -> Ready<R> {
                ready(self($($arg),*))
            }
        }
    };
}

function!();
function!(A a);
function!(A a, B b);
function!(A a, B b, C c);
function!(A a, B b, C c, D d);
function!(A a, B b, C c, D d, E e);
function!(A a, B b, C c, D d, E e, G g);
