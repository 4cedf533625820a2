//! The same in tests: of the standard library, or of the checker of schedules where one runs; and how many a thread holds.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::cell::RefCell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;
use std::sync::PoisonError;

use shuttle::current::{TaskId, try_get_current_task};

std::thread_local! {
    /// How many locks each thread of the checker holds, and with `None` this thread of the system.
    static HELD: RefCell<BTreeMap<Option<TaskId>, usize>> = const { RefCell::new(BTreeMap::new()) };
}

/// How many of our locks the thread holds under which nobody may be woken.
pub(crate) fn held() -> usize {
    HELD.with_borrow(|held| held.get(&try_get_current_task()).copied().unwrap_or(0))
}

fn count(change: impl FnOnce(&mut usize)) {
    HELD.with_borrow_mut(|held| {
        let task = try_get_current_task();
        let count = held.entry(task).or_default();
        change(count);
        // Numbers of tasks serve again in the next schedule.
        if *count == 0 {
            held.remove(&task);
        }
    });
}

fn is_modelled() -> bool {
    try_get_current_task().is_some()
}

/// A lock: of the checker, where it is made while one runs.
pub(crate) enum Mutex<T> {
    Real(std::sync::Mutex<T>),
    // Behind a box: what is measured in tests is to be as large as it is.
    Modelled(Box<shuttle::sync::Mutex<T>>),
}

/// What holds a lock.
pub(crate) struct Guard<'a, T> {
    kind: Kind<'a, T>,
    is_counted: bool,
}

enum Kind<'a, T> {
    Real(std::sync::MutexGuard<'a, T>),
    Modelled(shuttle::sync::MutexGuard<'a, T>),
}

/// It is locked.
#[derive(Debug)]
pub(crate) struct Locked;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
    Guard::new(mutex.kind(), true)
}

pub(crate) fn lock_to_poll<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
    Guard::new(mutex.kind(), false)
}

pub(crate) fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    match mutex {
        Mutex::Real(mutex) => mutex.get_mut().unwrap_or_else(PoisonError::into_inner),
        Mutex::Modelled(mutex) => mutex.get_mut().unwrap_or_else(PoisonError::into_inner),
    }
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        match is_modelled() {
            true => Self::Modelled(Box::new(shuttle::sync::Mutex::new(value))),
            false => Self::Real(std::sync::Mutex::new(value)),
        }
    }

    pub(crate) fn try_lock(&self) -> Result<Guard<'_, T>, Locked> {
        let kind = match self {
            Self::Real(mutex) => mutex.try_lock().map(Kind::Real).map_err(|_| Locked),
            Self::Modelled(mutex) => mutex.try_lock().map(Kind::Modelled).map_err(|_| Locked),
        };
        kind.map(|kind| Guard::new(kind, true))
    }

    fn kind(&self) -> Kind<'_, T> {
        match self {
            Self::Real(mutex) => Kind::Real(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
            Self::Modelled(mutex) => Kind::Modelled(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

impl<'a, T> Guard<'a, T> {
    fn new(kind: Kind<'a, T>, is_counted: bool) -> Self {
        if is_counted {
            count(|held| *held += 1);
        }
        Self { kind, is_counted }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.kind {
            Kind::Real(guard) => guard,
            Kind::Modelled(guard) => guard,
        }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.kind {
            Kind::Real(guard) => guard,
            Kind::Modelled(guard) => guard,
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        if self.is_counted {
            count(|held| *held = held.saturating_sub(1));
        }
    }
}

/// A flag: of the checker, where it is made while one runs.
#[derive(Debug)]
pub(crate) enum AtomicBool {
    Real(core::sync::atomic::AtomicBool),
    Modelled(shuttle::sync::atomic::AtomicBool),
}

impl AtomicBool {
    pub(crate) fn new(value: bool) -> Self {
        match is_modelled() {
            true => Self::Modelled(shuttle::sync::atomic::AtomicBool::new(value)),
            false => Self::Real(core::sync::atomic::AtomicBool::new(value)),
        }
    }

    pub(crate) fn swap(&self, value: bool, ordering: Ordering) -> bool {
        match self {
            Self::Real(flag) => flag.swap(value, ordering),
            Self::Modelled(flag) => flag.swap(value, ordering),
        }
    }
}
