//! What was given to a builder, before it is known what it shares.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use super::BuildError;
use super::invocation::Run;
use super::state::Lookup;
/// Makes what runs, once the state is there; otherwise gives the type of which there is none.
type Make = Box<dyn FnOnce(&dyn Lookup) -> Result<Arc<dyn Run>, &'static str> + Send + Sync>;

/// What is told apart by a name, to be named in errors.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

/// Something to offer, and what makes that which runs for it.
pub(crate) struct Pending<T> {
    item: T,
    make: Make,
}

/// Something that is offered, and what runs for it.
pub(crate) struct Registered<T> {
    pub(crate) item: T,
    pub(crate) run: Arc<dyn Run>,
}

impl<T: Named> Pending<T> {
    #[cfg(feature = "schema")]
    pub(crate) fn typed<F, P, M>(item: T, function: F) -> Self
    where
        F: super::SharedFn<P, M>,
        P: super::Feature,
        M: 'static,
    {
        let make = Box::new(|states: &dyn Lookup| {
            let run = super::typed::Typed::new(function, states)?;
            Ok(Arc::new(run) as Arc<dyn Run>)
        });
        Self { item, make }
    }

    /// From a closure of one thread.
    #[cfg(feature = "schema")]
    pub(crate) fn local<F, P, M>(item: T, function: F) -> Self
    where
        F: super::LocalFn<P, M>,
        P: super::Feature,
        M: 'static,
    {
        let make = Box::new(super::bound::make::<F, P, M>(function));
        Self { item, make }
    }

    /// What runs without any state.
    pub(crate) fn made(item: T, run: Arc<dyn Run>) -> Self {
        let make = Box::new(|_: &dyn Lookup| Ok(run));
        Self { item, make }
    }

    pub(crate) fn make(self, states: &dyn Lookup) -> Result<Registered<T>, BuildError> {
        let Self { item, make } = self;
        match make(states) {
            Ok(run) => Ok(Registered { item, run }),
            Err(state) => Err(BuildError::MissingState {
                name: String::from(item.name()),
                state,
            }),
        }
    }
}
