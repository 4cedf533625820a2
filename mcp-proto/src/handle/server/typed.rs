//! Typed closures behind the seam of all that runs.

use alloc::boxed::Box;
use core::future::ready;
use core::marker::PhantomData;

use super::Work;
use super::extract::Takes;
use super::feature::Feature;
use super::function::{HandlerFn, SharedFn};
use super::invocation::{Invocation, Run};
use super::returns::Returns as _;
use super::state::Lookup;
use crate::jsonrpc::ErrorObject;
use crate::server::ResultBody;

/// The outcome of a request.
type Outcome = Result<ResultBody, ErrorObject>;

/// A closure with what is kept for its arguments.
pub(super) struct Typed<F, P, M>
where
    F: HandlerFn<P, M>,
    F::Taken: Takes,
{
    function: F,
    kept: <F::Taken as Takes>::Kept,
    marker: PhantomData<fn() -> (P, M)>,
}

impl<F, P, M> Typed<F, P, M>
where
    F: HandlerFn<P, M>,
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

impl<F, P, M> Typed<F, P, M>
where
    F: HandlerFn<P, M>,
    F::Taken: Takes,
    P: Feature,
{
    /// Calls the closure; its outcome where the arguments do not fit.
    pub(super) fn start(&self, mut invocation: Invocation) -> Result<(F::Future, P::Facts), Outcome> {
        let facts = P::facts(&mut invocation);
        match F::Taken::take(&self.kept, &mut invocation) {
            Ok(taken) => Ok((self.function.call(taken), facts)),
            Err(message) => Err(P::misfit(facts, message)),
        }
    }
}

impl<F, P, M> Run for Typed<F, P, M>
where
    F: SharedFn<P, M>,
    P: Feature,
{
    fn run(&self, invocation: Invocation) -> Work {
        match self.start(invocation) {
            Ok((future, facts)) => Box::pin(async move { future.await.into_outcome(facts) }),
            Err(outcome) => Box::pin(ready(outcome)),
        }
    }
}
