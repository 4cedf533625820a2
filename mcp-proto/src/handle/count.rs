//! Counts what happens in a test, wakes above all.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::handle::sync::held;

/// As a waker it counts how often it was woken. It is never woken under one of our locks, nor dropped with its last waker.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        assert_eq!(held(), 0, "woken under a lock");
        self.add();
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        assert_eq!(held(), 0, "dropped under a lock");
    }
}
