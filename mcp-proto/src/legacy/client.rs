//! The handshake of the legacy era as a client sees it.

/// Where a client stands in the `initialize` handshake
/// (2025-11-25, Lifecycle, Initialization).
///
/// ```text
///            Begin                  Accepted               Announced
///   Start ───────────► Initializing ─────────► Announcing ───────────► Operating
///     ▲                     │                      │                       │
///     │      Rejected       │     Rejected, Lost   │          Lost         │
///     └─────────────────────┴──────────────────────┴───────────────────────┘
///   any state ── Close ──► Closed
/// ```
///
/// Every pair that the picture does not show changes nothing. [`step`](Self::step) is the whole truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientHandshake {
    /// Nothing has been sent, or the last attempt is over.
    #[default]
    Start,
    /// `initialize` has been sent.
    Initializing,
    /// `initialize` has been answered and `notifications/initialized` is on its way.
    Announcing,
    /// Requests may go both ways.
    Operating,
    /// No more.
    Closed,
}

/// What happens to a [`ClientHandshake`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientInput {
    /// Someone needs the connection.
    Begin,
    /// `initialize` was answered with a revision that this side supports.
    Accepted,
    /// `initialize` was answered with an error or an unknown revision, or not in time.
    Rejected,
    /// The server has `notifications/initialized`: written on a byte stream, answered over HTTP.
    Announced,
    /// The server does not know the session any more.
    Lost,
    /// This side closes.
    Close,
}

/// What has to be done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAction {
    /// Nothing.
    None,
    /// Send `initialize`.
    SendInitialize,
    /// Send `notifications/initialized`.
    SendInitialized,
    /// Send the calls that were held back.
    Release,
    /// Fail the calls that were held back.
    Fail,
}

impl ClientHandshake {
    /// The next state, and what has to be done.
    #[must_use]
    pub fn step(self, input: ClientInput) -> (Self, ClientAction) {
        match (self, input) {
            // Before all else: nothing that comes late may open what is closed.
            (Self::Closed, _) => (Self::Closed, ClientAction::None),
            (_, ClientInput::Close) => (Self::Closed, ClientAction::Fail),
            (Self::Start, ClientInput::Begin) => (Self::Initializing, ClientAction::SendInitialize),
            (Self::Initializing, ClientInput::Accepted) => (Self::Announcing, ClientAction::SendInitialized),
            // Back to the start and not to the end: the next call tries again.
            (Self::Initializing, ClientInput::Rejected) => (Self::Start, ClientAction::Fail),
            (Self::Announcing, ClientInput::Announced) => (Self::Operating, ClientAction::Release),
            // A session that is lost before it was ever used would be lost for ever.
            (Self::Announcing, ClientInput::Rejected | ClientInput::Lost) => (Self::Start, ClientAction::Fail),
            // Nobody is held back here: the calls that were sent learn it from exchanges of their own.
            (Self::Operating, ClientInput::Lost) => (Self::Start, ClientAction::None),
            // Each of them may come late, or twice: then what it was about is over.
            (state, _) => (state, ClientAction::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientAction as A;
    use ClientHandshake as H;
    use ClientInput as I;

    #[test]
    fn every_pair_of_state_and_input() {
        let table = [
            (H::Start, I::Begin, H::Initializing, A::SendInitialize),
            (H::Start, I::Accepted, H::Start, A::None),
            (H::Start, I::Rejected, H::Start, A::None),
            (H::Start, I::Announced, H::Start, A::None),
            (H::Start, I::Lost, H::Start, A::None),
            (H::Start, I::Close, H::Closed, A::Fail),
            (H::Initializing, I::Begin, H::Initializing, A::None),
            (H::Initializing, I::Accepted, H::Announcing, A::SendInitialized),
            (H::Initializing, I::Rejected, H::Start, A::Fail),
            (H::Initializing, I::Announced, H::Initializing, A::None),
            (H::Initializing, I::Lost, H::Initializing, A::None),
            (H::Initializing, I::Close, H::Closed, A::Fail),
            (H::Announcing, I::Begin, H::Announcing, A::None),
            (H::Announcing, I::Accepted, H::Announcing, A::None),
            (H::Announcing, I::Rejected, H::Start, A::Fail),
            (H::Announcing, I::Announced, H::Operating, A::Release),
            (H::Announcing, I::Lost, H::Start, A::Fail),
            (H::Announcing, I::Close, H::Closed, A::Fail),
            (H::Operating, I::Begin, H::Operating, A::None),
            (H::Operating, I::Accepted, H::Operating, A::None),
            (H::Operating, I::Rejected, H::Operating, A::None),
            (H::Operating, I::Announced, H::Operating, A::None),
            (H::Operating, I::Lost, H::Start, A::None),
            (H::Operating, I::Close, H::Closed, A::Fail),
            (H::Closed, I::Begin, H::Closed, A::None),
            (H::Closed, I::Accepted, H::Closed, A::None),
            (H::Closed, I::Rejected, H::Closed, A::None),
            (H::Closed, I::Announced, H::Closed, A::None),
            (H::Closed, I::Lost, H::Closed, A::None),
            (H::Closed, I::Close, H::Closed, A::None),
        ];
        for (state, input, next, action) in table {
            assert_eq!(state.step(input), (next, action), "{state:?} × {input:?}");
        }
    }
}
