//! Functions that hear of progress and log messages.

use alloc::boxed::Box;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use crate::handle::client::CallObserver;
use crate::model::{LoggingMessageParams, ProgressParams};

type Hear<T> = Box<dyn FnMut(T) + Send>;

/// Functions that hear of progress and log messages of one call. Their locks are never contended: they are called in
/// the one task that polls the call.
#[derive(Default)]
pub(super) struct Functions {
    progress: Option<Mutex<Hear<ProgressParams>>>,
    log: Option<Mutex<Hear<LoggingMessageParams>>>,
}

impl Functions {
    pub(super) fn is_empty(&self) -> bool {
        self.progress.is_none() && self.log.is_none()
    }

    pub(super) fn set_progress(&mut self, hear: Hear<ProgressParams>) {
        self.progress = Some(Mutex::new(hear));
    }

    pub(super) fn set_log(&mut self, hear: Hear<LoggingMessageParams>) {
        self.log = Some(Mutex::new(hear));
    }
}

impl CallObserver for Functions {
    fn progress(&self, report: ProgressParams) {
        tell(self.progress.as_ref(), report);
    }

    fn log(&self, message: LoggingMessageParams) {
        tell(self.log.as_ref(), message);
    }
}

fn tell<T>(hear: Option<&Mutex<Hear<T>>>, said: T) {
    if let Some(hear) = hear {
        hear.lock().unwrap_or_else(PoisonError::into_inner)(said);
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").finish_non_exhaustive()
    }
}
