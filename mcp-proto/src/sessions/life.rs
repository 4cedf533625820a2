//! The life of the session of one key, as a table.

/// How it stands with the session of one key.
///
/// ```text
///              Acquire                   Connected
///   Absent ───────────────► Connecting ─────────────► Ready
///     ▲ ▲ ▲     Failed       │ │   ▲   ▲              │   │
///     │ │ └──────────────────┘ │   │   │ Acquire      │   │ Lost
///     │ │                      │   │   └──────────┐   │   ▼
///     │ │     Rejected, Close, │   │ Acquire      └───│─ Lost
///     │ │   Overdue, Unwanted  ▼   │            Close │   │
///     │ └────────────────── Closing ◄─────────────────┘   │
///     │        Closed                                     │
///     └───────────────────────────────────────────────────┘
///                            Closed
/// ```
///
/// Every pair that the picture does not show changes nothing, but for `Closed` in `Ready`, a session that is lost
/// and cleared up at once. [`step`](Self::step) is the whole truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Life {
    /// There is none.
    #[default]
    Absent,
    /// It is being created.
    Connecting,
    /// It is there.
    Ready,
    /// It was lost, and what is left of it is being cleared up.
    Lost,
    /// It is being closed, by this side; or its creation was given up, and what was opened for it is being closed.
    Closing,
}

/// What happens to the session of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LifeInput {
    /// A caller wants it.
    Acquire,
    /// It was created.
    Connected,
    /// It could not be created: there is no connection.
    Failed,
    /// It could not be created: there is a connection, and the handshake failed.
    Rejected,
    /// Creating it took too long.
    Overdue,
    /// Everyone who waited for its creation is gone.
    Unwanted,
    /// The server forgot it, or its connection ended.
    Lost,
    /// It is to be closed: for room, for being idle, or by the application.
    Close,
    /// Nothing is left of it.
    Closed,
}

/// What has to be done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Nothing.
    None,
    /// Begin to connect; the caller waits.
    Connect,
    /// The caller waits for what was begun.
    Join,
    /// The caller has it.
    Serve,
    /// All who wait have it.
    ServeAll,
    /// All who wait learn why there is none.
    FailAll,
    /// The same, and what the attempt has opened is closed.
    FailAllAndAbandon,
    /// What the attempt has opened is closed.
    Abandon,
    /// Close it, or clear up what is left.
    Clear,
}

impl Life {
    /// The next state, and what has to be done.
    #[must_use]
    pub fn step(self, input: LifeInput) -> (Self, Deed) {
        match (self, input) {
            // What is left of the last one is cleared up beside the next: nobody waits for that.
            (Self::Absent | Self::Lost | Self::Closing, LifeInput::Acquire) => (Self::Connecting, Deed::Connect),
            (Self::Connecting, LifeInput::Acquire) => (Self::Connecting, Deed::Join),
            (Self::Connecting, LifeInput::Connected) => (Self::Ready, Deed::ServeAll),
            // There is nothing to be closed.
            (Self::Connecting, LifeInput::Failed) => (Self::Absent, Deed::FailAll),
            // There may be a connection, and who waits has to learn why.
            (Self::Connecting, LifeInput::Rejected | LifeInput::Overdue | LifeInput::Close) => {
                (Self::Closing, Deed::FailAllAndAbandon)
            }
            // Nobody is left who could learn why.
            (Self::Connecting, LifeInput::Unwanted) => (Self::Closing, Deed::Abandon),
            (Self::Ready, LifeInput::Acquire) => (Self::Ready, Deed::Serve),
            (Self::Ready, LifeInput::Lost) => (Self::Lost, Deed::Clear),
            (Self::Ready, LifeInput::Close) => (Self::Closing, Deed::Clear),
            (Self::Ready | Self::Lost | Self::Closing, LifeInput::Closed) => (Self::Absent, Deed::None),
            // News of what is over, and wishes that are met already.
            (state, _) => (state, Deed::None),
        }
    }

    /// Whether it counts towards [`SessionsConfig::sessions`](super::SessionsConfig::sessions).
    pub(super) fn is_live(self) -> bool {
        // What is being closed has a bound of its own: a server that is slow to close keeps no new session out.
        matches!(self, Self::Connecting | Self::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Deed as D;
    use Life as L;
    use LifeInput as I;

    #[test]
    fn every_pair_of_state_and_input() {
        let table = [
            (L::Absent, I::Acquire, L::Connecting, D::Connect),
            (L::Absent, I::Connected, L::Absent, D::None),
            (L::Absent, I::Failed, L::Absent, D::None),
            (L::Absent, I::Rejected, L::Absent, D::None),
            (L::Absent, I::Overdue, L::Absent, D::None),
            (L::Absent, I::Unwanted, L::Absent, D::None),
            (L::Absent, I::Lost, L::Absent, D::None),
            (L::Absent, I::Close, L::Absent, D::None),
            (L::Absent, I::Closed, L::Absent, D::None),
            (L::Connecting, I::Acquire, L::Connecting, D::Join),
            (L::Connecting, I::Connected, L::Ready, D::ServeAll),
            (L::Connecting, I::Failed, L::Absent, D::FailAll),
            (L::Connecting, I::Rejected, L::Closing, D::FailAllAndAbandon),
            (L::Connecting, I::Overdue, L::Closing, D::FailAllAndAbandon),
            (L::Connecting, I::Unwanted, L::Closing, D::Abandon),
            (L::Connecting, I::Lost, L::Connecting, D::None),
            (L::Connecting, I::Close, L::Closing, D::FailAllAndAbandon),
            (L::Connecting, I::Closed, L::Connecting, D::None),
            (L::Ready, I::Acquire, L::Ready, D::Serve),
            (L::Ready, I::Connected, L::Ready, D::None),
            (L::Ready, I::Failed, L::Ready, D::None),
            (L::Ready, I::Rejected, L::Ready, D::None),
            (L::Ready, I::Overdue, L::Ready, D::None),
            (L::Ready, I::Unwanted, L::Ready, D::None),
            (L::Ready, I::Lost, L::Lost, D::Clear),
            (L::Ready, I::Close, L::Closing, D::Clear),
            (L::Ready, I::Closed, L::Absent, D::None),
            (L::Lost, I::Acquire, L::Connecting, D::Connect),
            (L::Lost, I::Connected, L::Lost, D::None),
            (L::Lost, I::Failed, L::Lost, D::None),
            (L::Lost, I::Rejected, L::Lost, D::None),
            (L::Lost, I::Overdue, L::Lost, D::None),
            (L::Lost, I::Unwanted, L::Lost, D::None),
            (L::Lost, I::Lost, L::Lost, D::None),
            (L::Lost, I::Close, L::Lost, D::None),
            (L::Lost, I::Closed, L::Absent, D::None),
            (L::Closing, I::Acquire, L::Connecting, D::Connect),
            (L::Closing, I::Connected, L::Closing, D::None),
            (L::Closing, I::Failed, L::Closing, D::None),
            (L::Closing, I::Rejected, L::Closing, D::None),
            (L::Closing, I::Overdue, L::Closing, D::None),
            (L::Closing, I::Unwanted, L::Closing, D::None),
            (L::Closing, I::Lost, L::Closing, D::None),
            (L::Closing, I::Close, L::Closing, D::None),
            (L::Closing, I::Closed, L::Absent, D::None),
        ];
        for (state, input, next, deed) in table {
            assert_eq!(state.step(input), (next, deed), "{state:?} × {input:?}");
        }
    }
}
