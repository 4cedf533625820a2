//! What follows from what the server says of itself.

use alloc::boxed::Box;

use crate::revision::Revision;
use crate::rpc::CallError;

/// What follows for the rest of the client.
#[derive(Debug, PartialEq)]
#[must_use]
pub(super) struct Step {
    /// Whether the session or era before is over: what waits was written for it, and what was learnt is void.
    pub(super) is_void: bool,
    pub(super) next: Next,
}

/// What has to be done then.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Nothing,
    /// Send `server/discover`.
    Discover,
    /// Send `initialize`.
    Initialize(Revision),
    /// Send `notifications/initialized`.
    Announce,
    /// Send what was held back.
    Release,
    /// Fail what was held back.
    Fail(CallError),
    /// The session is gone: its requests want no answers.
    Lose,
}

/// What the error means that a call was answered with.
#[derive(Debug, PartialEq)]
pub(super) enum Renegotiation {
    /// Nothing but itself.
    None,
    /// The call is made again, when this is done.
    Again(Step),
    /// There is no revision that both sides speak.
    Never(Box<[Box<str>]>),
}

impl Step {
    pub(super) const NOTHING: Self = Self::to(Next::Nothing);

    pub(super) const fn to(next: Next) -> Self {
        Self { is_void: false, next }
    }

    /// The same, where what was before is void.
    pub(super) fn void(self) -> Self {
        Self { is_void: true, ..self }
    }
}
