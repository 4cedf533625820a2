//! The locks and the one flag of this layer, of the standard library. In its own tests a checker of schedules may be behind
//! them, which decides at each of them which thread goes on.

#[cfg(test)]
mod model;

#[cfg(not(test))]
pub(crate) use core::sync::atomic::AtomicBool;
#[cfg(not(test))]
use std::sync::PoisonError;
#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard as Guard};

#[cfg(test)]
pub(crate) use model::{AtomicBool, Guard, Mutex, held};

/// Locks what is held for a few steps. Under it nobody is woken, and no waker is dropped: with its last waker a task goes,
/// and what that holds may come back to the same lock.
#[cfg(not(test))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
    // A panic of a handler happens under none of our locks, so what they guard is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks what one task has to itself while it polls others: no other waits for it, and so those may be woken under it.
#[cfg(not(test))]
pub(crate) fn lock_to_poll<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
    lock(mutex)
}

/// What a lock guards, where nobody else has the lock.
#[cfg(not(test))]
pub(crate) fn unlocked<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) use model::{lock, lock_to_poll, unlocked};
