//! What stays on one thread, behind the seams of what may go to any.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::{Any, TypeId};
use core::future::ready;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use send_wrapper::SendWrapper;

use super::feature::Feature;
use super::function::LocalFn;
use super::invocation::{Invocation, Run};
use super::returns::Returns as _;
use super::state::Lookup;
use super::typed::Typed;
use super::{SharedState, Work};
use crate::jsonrpc::ErrorObject;
use crate::server::ResultBody;

/// A value of one thread. Elsewhere it cannot be reached, and there it is forgotten instead of dropped.
pub(super) struct Bound<T>(Option<SendWrapper<T>>);

impl<T> Bound<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Some(SendWrapper::new(value)))
    }

    /// The value, on its own thread.
    fn here(&self) -> Option<&T> {
        self.0.as_ref().filter(|value| value.valid()).map(|value| &**value)
    }

    fn here_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut().filter(|value| value.valid()).map(|value| &mut **value)
    }

    fn into_inner(mut self) -> Option<T> {
        let value = self.0.take()?;
        value.valid().then(|| value.take())
    }
}

impl<T> Drop for Bound<T> {
    fn drop(&mut self) {
        // A context can be the last to hold the server, and contexts may go anywhere: that is no reason to panic.
        if let Some(value) = self.0.take()
            && !value.valid()
        {
            mem::forget(value);
        }
    }
}

/// State of one thread, as it stands among the state of all.
pub(super) struct BoundState(Bound<Box<dyn Any>>);

impl BoundState {
    pub(super) fn new<S: SharedState>(state: S) -> Self {
        Self(Bound::new(Box::new(state)))
    }
}

/// Finds what is bound as what it is.
struct Unbound<'s>(&'s dyn Lookup);

impl Lookup for Unbound<'_> {
    fn find(&self, state: TypeId) -> Option<&dyn Any> {
        let bound: &BoundState = self.0.find(state)?.downcast_ref()?;
        Some(&**bound.0.here()?)
    }
}

/// What makes that which runs a closure of one thread.
pub(super) fn make<F, P, M>(
    function: F,
) -> impl FnOnce(&dyn Lookup) -> Result<Arc<dyn Run>, &'static str> + Send + Sync + 'static
where
    F: LocalFn<P, M>,
    P: Feature,
    M: 'static,
{
    let function = Bound::new(function);
    move |states| {
        let function = function.into_inner().ok_or("another thread")?;
        let typed = Typed::<F, P, M>::new(function, &Unbound(states))?;
        Ok(Arc::new(BoundRun(Bound::new(typed))))
    }
}

struct BoundRun<T>(Bound<T>);

impl<F, P, M> Run for BoundRun<Typed<F, P, M>>
where
    F: LocalFn<P, M>,
    P: Feature,
    M: 'static,
{
    fn run(&self, invocation: Invocation) -> Work {
        let Some(typed) = self.0.here() else {
            return Box::pin(ready(Err(elsewhere())));
        };
        match typed.start(invocation) {
            Ok((future, facts)) => Box::pin(BoundWork::<F, P, M> {
                future: Bound::new(Box::pin(future)),
                facts: Some(facts),
            }),
            Err(outcome) => Box::pin(ready(outcome)),
        }
    }
}

/// The future of a closure of one thread.
struct BoundWork<F: LocalFn<P, M>, P: Feature, M> {
    future: Bound<Pin<Box<F::Future>>>,
    facts: Option<P::Facts>,
}

/// Both are boxed or moved as they are.
impl<F: LocalFn<P, M>, P: Feature, M> Unpin for BoundWork<F, P, M> {}

impl<F: LocalFn<P, M>, P: Feature, M> Future for BoundWork<F, P, M> {
    type Output = Result<ResultBody, ErrorObject>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.future.here_mut() else {
            return Poll::Ready(Err(elsewhere()));
        };
        let returned = ready!(future.as_mut().poll(cx));
        Poll::Ready(match self.facts.take() {
            Some(facts) => returned.into_outcome(facts),
            None => Err(elsewhere()),
        })
    }
}

fn elsewhere() -> ErrorObject {
    ErrorObject::internal("a local server is served on the thread that has made it")
}
