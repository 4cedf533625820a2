//! Whom to tell of what was done to a stream.

use core::task::Waker;

use super::unread::Lost;

/// Whom to tell of what was done to a stream, under no lock: its tasks are woken, and others that were lost for it are cut
/// off.
#[must_use = "tasks wait for it"]
pub(super) struct Told {
    wakers: [Option<Waker>; 2],
    lost: Lost,
}

impl Told {
    pub(super) fn new(wakers: [Option<Waker>; 2], lost: Lost) -> Self {
        Self { wakers, lost }
    }

    /// Tells them.
    pub(super) fn tell(self) {
        self.wakers.into_iter().flatten().for_each(Waker::wake);
        self.lost.cut_off();
    }
}
