//! What the closures of a server share.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::any::{Any, TypeId, type_name};
use core::ops::{Deref, DerefMut};

/// Shared state as an argument of a closure: a clone of what the builder was given by
/// [`state`](super::ServerBuilder::state).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use mcp_proto::handle::Server;
/// use mcp_proto::handle::server::State;
///
/// #[derive(Clone, Default)]
/// struct App {
///     visitors: Arc<AtomicU32>,
/// }
///
/// let server = Server::builder("hotel", "1.0.0")
///     .state(App::default())
///     .tool("visit", "Counts visitors", |State(app): State<App>| {
///         Ok(format!("visitor {}", app.visitors.fetch_add(1, Ordering::Relaxed)))
///     })
///     .build();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct State<S>(pub S);

impl<S> Deref for State<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S> DerefMut for State<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.0
    }
}

/// What can be [`State`]: whatever is `Clone + 'static`. Implemented for all of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared state",
    label = "not `Clone`",
    note = "each call gets a clone of the state: derive `Clone` for it, or share it as `Arc<{Self}>`"
)]
pub trait SharedState: Clone + 'static {}

#[diagnostic::do_not_recommend]
impl<S: Clone + 'static> SharedState for S {}

/// The state of a server, one value of each type.
pub(crate) struct States<V: ?Sized>(BTreeMap<TypeId, Box<V>>);

/// State for handlers on any thread.
pub(crate) type SharedStates = States<dyn Any + Send + Sync>;

/// Where the state of a type is found.
pub trait Lookup {
    /// The value of this type.
    fn find(&self, state: TypeId) -> Option<&dyn Any>;
}

impl<V: ?Sized> States<V> {
    /// Takes the place of a value of the same type.
    pub(crate) fn insert(&mut self, state: TypeId, value: Box<V>) {
        self.0.insert(state, value);
    }
}

impl<V: ?Sized> Default for States<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Lookup for States<dyn Any + Send + Sync> {
    fn find(&self, state: TypeId) -> Option<&dyn Any> {
        Some(&**self.0.get(&state)?)
    }
}

/// The state of type `S`.
pub(crate) fn state<S: SharedState>(states: &dyn Lookup) -> Result<S, &'static str> {
    let found = states.find(TypeId::of::<S>()).and_then(<dyn Any>::downcast_ref);
    found.cloned().ok_or(type_name::<S>())
}
