//! What was given to a builder, before it is known what it shares.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use super::BuildError;
use super::invocation::Run;
use super::state::Lookup;
use crate::model::Tool;

/// Makes what runs, once the state is there; otherwise gives the type of which there is none.
type Make = Box<dyn FnOnce(&dyn Lookup) -> Result<Arc<dyn Run>, &'static str> + Send + Sync>;

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

/// What is offered under a name.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

impl Named for Tool {
    fn name(&self) -> &str {
        &self.name
    }
}

impl<T: Named> Pending<T> {
    #[cfg(feature = "schema")]
    pub(crate) fn typed<F, R, M>(item: T, function: F) -> Self
    where
        F: super::HandlerFn<R, M> + Send + Sync,
        F::Taken: super::Takes<Kept: Send + Sync>,
        F::Returned: super::Returns<R>,
        F::Future: Send,
        R: super::Role,
        M: 'static,
    {
        let make = |states: &dyn Lookup| {
            let run = super::typed::Typed::new(function, states)?;
            Ok(Arc::new(run) as Arc<dyn Run>)
        };
        let make = Box::new(make);
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
