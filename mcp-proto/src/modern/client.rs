//! Discovery, the optional first exchange of the modern era, as a client sees it.

/// Where a client stands with `server/discover` (2026-07-28, Discovery; stdio, Backward Compatibility).
///
/// ```text
///            Begin                Settled
///   Start ───────────► Discovering ───────► Settled
///     │   Settled (pinned, or known before)    ▲
///     └────────────────────────────────────────┘
///   Discovering ── Failed ──► Start        Settled ── Failed ──► Start
///   any state ── Close ──► Closed
/// ```
///
/// Every pair that the picture does not show changes nothing. [`step`](Self::step) is the whole truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Discovery {
    /// Nothing has been asked, or the last attempt is over.
    #[default]
    Start,
    /// `server/discover` has been sent.
    Discovering,
    /// The server speaks a revision that this side speaks too: every request stands on its own.
    Settled,
    /// No more.
    Closed,
}

/// What happens to a [`Discovery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscoveryInput {
    /// Someone needs to know what the server speaks.
    Begin,
    /// The server speaks a modern revision that this side speaks too.
    Settled,
    /// It does not, or the question was not answered, or what was believed proved wrong.
    Failed,
    /// This side closes.
    Close,
}

/// What has to be done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscoveryAction {
    /// Nothing.
    None,
    /// Send `server/discover`.
    SendDiscover,
    /// Send the calls that were held back.
    Release,
    /// Fail the calls that were held back, unless the server turns out to be of the other era.
    Fail,
}

impl Discovery {
    /// The next state, and what has to be done.
    #[must_use]
    pub fn step(self, input: DiscoveryInput) -> (Self, DiscoveryAction) {
        // Before all else: nothing that comes late may open what is closed.
        match (self, input) {
            (Self::Closed, _) => (Self::Closed, DiscoveryAction::None),
            (_, DiscoveryInput::Close) => (Self::Closed, DiscoveryAction::Fail),
            (Self::Start, DiscoveryInput::Begin) => (Self::Discovering, DiscoveryAction::SendDiscover),
            (Self::Start | Self::Discovering, DiscoveryInput::Settled) => (Self::Settled, DiscoveryAction::Release),
            // Also what was settled: it may have rested on an earlier connection alone (2026-07-28, Versioning:
            // "re-probing if the cached assumption later fails").
            (Self::Discovering | Self::Settled, DiscoveryInput::Failed) => (Self::Start, DiscoveryAction::Fail),
            (state, _) => (state, DiscoveryAction::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Discovery as D;
    use DiscoveryAction as A;
    use DiscoveryInput as I;

    #[test]
    fn every_pair_of_state_and_input() {
        let table = [
            (D::Start, I::Begin, D::Discovering, A::SendDiscover),
            (D::Start, I::Settled, D::Settled, A::Release),
            (D::Start, I::Failed, D::Start, A::None),
            (D::Start, I::Close, D::Closed, A::Fail),
            (D::Discovering, I::Begin, D::Discovering, A::None),
            (D::Discovering, I::Settled, D::Settled, A::Release),
            (D::Discovering, I::Failed, D::Start, A::Fail),
            (D::Discovering, I::Close, D::Closed, A::Fail),
            (D::Settled, I::Begin, D::Settled, A::None),
            (D::Settled, I::Settled, D::Settled, A::None),
            (D::Settled, I::Failed, D::Start, A::Fail),
            (D::Settled, I::Close, D::Closed, A::Fail),
            (D::Closed, I::Begin, D::Closed, A::None),
            (D::Closed, I::Settled, D::Closed, A::None),
            (D::Closed, I::Failed, D::Closed, A::None),
            (D::Closed, I::Close, D::Closed, A::None),
        ];
        for (state, input, next, action) in table {
            assert_eq!(state.step(input), (next, action), "{state:?} × {input:?}");
        }
    }
}
