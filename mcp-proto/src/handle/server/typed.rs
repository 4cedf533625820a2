//! Typed closures behind the seam of all that runs.

use alloc::boxed::Box;
use core::future::ready;
use core::marker::PhantomData;

use super::Work;
use super::extract::Takes;
use super::function::HandlerFn;
use super::invocation::{Invocation, Run};
use super::returns::Returns;
use super::role::Role;
use super::state::Lookup;

/// A closure with what is kept for its arguments.
pub(super) struct Typed<F, R, M>
where
    F: HandlerFn<R, M>,
    F::Taken: Takes,
{
    function: F,
    kept: <F::Taken as Takes>::Kept,
    marker: PhantomData<fn() -> (R, M)>,
}

impl<F, R, M> Typed<F, R, M>
where
    F: HandlerFn<R, M>,
    F::Taken: Takes,
{
    /// Finds what its arguments need; otherwise gives the type of which there is no state.
    pub(super) fn new(function: F, states: &dyn Lookup) -> Result<Self, &'static str> {
        const {
            assert!(
                F::Taken::ARGUMENTS <= 1,
                "a handler takes its typed arguments as one value: put the fields of both into one struct"
            );
        }
        Ok(Self {
            function,
            kept: F::Taken::keep(states)?,
            marker: PhantomData,
        })
    }
}

impl<F, R, M> Run for Typed<F, R, M>
where
    F: HandlerFn<R, M> + Send + Sync,
    F::Taken: Takes,
    F::Returned: Returns<R>,
    F::Future: Send,
    <F::Taken as Takes>::Kept: Send + Sync,
    R: Role,
{
    fn run(&self, mut invocation: Invocation) -> Work {
        let facts = R::facts(&mut invocation);
        match F::Taken::take(&self.kept, &mut invocation) {
            Ok(taken) => {
                let future = self.function.call(taken);
                Box::pin(async move { future.await.into_outcome(facts) })
            }
            Err(message) => Box::pin(ready(R::misfit(facts, message))),
        }
    }
}
