//! What a driver has to tell when the connection is over already.

use alloc::boxed::Box;
use core::fmt;

/// Tells one side of the end of the peer that its driver had started; also after the connection, which ends first.
///
/// # On drop
/// Says that there is nothing more to tell.
pub struct Teller(Box<Told>);

type Told = dyn Fn(&str, bool, Option<&str>) + Send + Sync;

impl Teller {
    pub(super) fn new(told: impl Fn(&str, bool, Option<&str>) + Send + Sync + 'static) -> Self {
        Self(Box::new(told))
    }

    /// The peer has ended: how, such as `exited with status 1`, whether that is how one exits that wants to, and the last
    /// that it said for people, where that is known.
    /// Whoever reads [`Client::incidents`](super::Client::incidents) is told.
    pub fn ended(&self, status: &str, is_success: bool, last_output: Option<&str>) {
        (self.0)(status, is_success, last_output);
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}
