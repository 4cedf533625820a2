//! The server's side of the legacy handshake.

use alloc::vec::Vec;
use core::fmt;

use crate::Revision;
use crate::jsonrpc::{ErrorCode, ErrorObject};

/// Where a legacy connection stands, seen from the server.
///
/// Everything that affects the transitions is in this file: the table below, and [`negotiate`].
///
/// | input | awaiting initialize | awaiting initialized | operating | closed | why |
/// |---|---|---|---|---|---|
/// | `initialize` | negotiate | refuse | refuse | ignore | what runs is bound to the revision: it is agreed on once |
/// | negotiated | → awaiting initialized | – | – | – | the same |
/// | `notifications/initialized` | ignore | open, → operating | ignore | ignore | it confirms an `initialize`, once |
/// | `ping` | answer | answer | answer | ignore | it asks for the other side, and not for a session |
/// | another request | refuse | serve | serve | ignore | there is no revision to serve it in; then, see below |
/// | another notification | ignore | deliver | deliver | ignore | the same; nobody waits for an answer |
/// | a reply | correlate | correlate | correlate | ignore | this side may have sent pings from the first |
/// | close | → closed | → closed | → closed | – | |
///
/// 2025-11-25, Lifecycle: the initialization phase MUST be the first interaction. A client SHOULD NOT send
/// requests before its `initialize` is answered, but clients do send them before `notifications/initialized`
/// (over HTTP the two travel on different connections), so those are served. Before that notification this side
/// sends no requests other than pings: see [`ServerHandshake::may_send_requests`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerHandshake {
    /// Nothing has been agreed on.
    #[default]
    AwaitingInitialize,
    /// `initialize` has been answered with this revision.
    AwaitingInitialized(Revision),
    /// The client has said that it is ready.
    Operating(Revision),
    /// Over.
    Closed,
}

/// What can happen to a [`ServerHandshake`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerInput {
    /// The request `initialize`.
    Initialize,
    /// `initialize` was acceptable and is answered with this revision.
    Negotiated(Revision),
    /// The notification `notifications/initialized`.
    Initialized,
    /// The request `ping`.
    Ping,
    /// Any other request.
    Request,
    /// Any other notification.
    Notification,
    /// A response to a request of ours.
    Reply,
    /// The connection or session ends.
    Close,
}

/// What a [`ServerHandshake`] wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerAction {
    /// Nothing; what came is dropped.
    Ignore,
    /// Read the parameters of `initialize`, [`negotiate`], and come back with [`ServerInput::Negotiated`].
    Negotiate,
    /// The handshake is complete.
    Open,
    /// Answer the ping with an empty result (2025-11-25, Ping: MUST respond promptly).
    AnswerPing,
    /// Hand the request to the application.
    Serve,
    /// Hand the notification to the application.
    Deliver,
    /// Look for the call that is answered.
    Correlate,
    /// Answer the request with an error.
    Refuse(HandshakeRefusal),
}

impl ServerHandshake {
    /// Takes the next input and says what to do.
    pub fn receive(&mut self, input: ServerInput) -> ServerAction {
        let (next, action) = transition(*self, input);
        *self = next;
        action
    }

    /// The revision that was agreed on, while there is one.
    pub fn revision(self) -> Option<Revision> {
        match self {
            Self::AwaitingInitialized(revision) | Self::Operating(revision) => Some(revision),
            Self::AwaitingInitialize | Self::Closed => None,
        }
    }

    /// Whether requests other than `ping` may be sent to the client
    /// (2025-11-25, Lifecycle: SHOULD NOT before `notifications/initialized`).
    pub fn may_send_requests(self) -> bool {
        matches!(self, Self::Operating(_))
    }
}

/// The table.
fn transition(state: ServerHandshake, input: ServerInput) -> (ServerHandshake, ServerAction) {
    use ServerAction as A;
    use ServerHandshake as H;
    use ServerInput as I;
    match (state, input) {
        (H::AwaitingInitialize, I::Initialize) => (state, A::Negotiate),
        (H::AwaitingInitialize, I::Negotiated(revision)) => (H::AwaitingInitialized(revision), A::Ignore),
        (H::AwaitingInitialize, I::Initialized) => (state, A::Ignore),
        (H::AwaitingInitialize, I::Ping) => (state, A::AnswerPing),
        (H::AwaitingInitialize, I::Request) => (state, A::Refuse(HandshakeRefusal::BeforeInitialize)),
        // There is no revision to read it in, and nobody waits for an answer.
        (H::AwaitingInitialize, I::Notification) => (state, A::Ignore),
        // This side may have sent pings (2025-11-25, Lifecycle).
        (H::AwaitingInitialize, I::Reply) => (state, A::Correlate),
        (H::AwaitingInitialize, I::Close) => (H::Closed, A::Ignore),

        // What is served meanwhile is bound to the revision that was agreed on.
        (H::AwaitingInitialized(_), I::Initialize) => (state, A::Refuse(HandshakeRefusal::InitializedTwice)),
        (H::AwaitingInitialized(_), I::Negotiated(_)) => (state, A::Ignore),
        (H::AwaitingInitialized(revision), I::Initialized) => (H::Operating(revision), A::Open),
        (H::AwaitingInitialized(_), I::Ping) => (state, A::AnswerPing),
        // Clients do not wait with it, and over HTTP the notification may be overtaken.
        (H::AwaitingInitialized(_), I::Request) => (state, A::Serve),
        (H::AwaitingInitialized(_), I::Notification) => (state, A::Deliver),
        (H::AwaitingInitialized(_), I::Reply) => (state, A::Correlate),
        (H::AwaitingInitialized(_), I::Close) => (H::Closed, A::Ignore),

        (H::Operating(_), I::Initialize) => (state, A::Refuse(HandshakeRefusal::InitializedTwice)),
        (H::Operating(_), I::Negotiated(_)) => (state, A::Ignore),
        // Said twice, it changes nothing.
        (H::Operating(_), I::Initialized) => (state, A::Ignore),
        (H::Operating(_), I::Ping) => (state, A::AnswerPing),
        (H::Operating(_), I::Request) => (state, A::Serve),
        (H::Operating(_), I::Notification) => (state, A::Deliver),
        (H::Operating(_), I::Reply) => (state, A::Correlate),
        (H::Operating(_), I::Close) => (H::Closed, A::Ignore),

        // Nothing that comes late opens it again.
        (H::Closed, _) => (state, A::Ignore),
    }
}

/// Why the lifecycle refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeRefusal {
    /// A request other than `initialize` and `ping` came first.
    BeforeInitialize,
    /// `initialize` came a second time.
    InitializedTwice,
    /// `initialize` came inside a batch (2025-03-26, Lifecycle: MUST NOT).
    InitializeInBatch,
}

impl HandshakeRefusal {
    /// The error to answer with.
    pub fn to_error(self) -> ErrorObject {
        ErrorObject::new(ErrorCode::INVALID_REQUEST, alloc::format!("{self}"))
    }

    /// The same at a server of the legacy era alone, which speaks `supported`.
    pub(crate) fn to_legacy_error(self, supported: &[Revision]) -> ErrorObject {
        if self != Self::BeforeInitialize {
            return self.to_error();
        }
        // Not a version in `_meta`, which is what such a client has sent in vain.
        let names: Vec<_> = supported.iter().rev().map(|revision| revision.as_str()).collect();
        let names = names.join(", ");
        let message = alloc::format!("not initialized: the first request has to be initialize; supported are {names}");
        ErrorObject::new(ErrorCode::INVALID_REQUEST, message)
    }
}

impl fmt::Display for HandshakeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeInitialize => {
                "not initialized: the first request has to be initialize, or carry its protocol version in _meta"
            }
            Self::InitializedTwice => "already initialized: initialize may be sent once",
            Self::InitializeInBatch => "initialize must not be part of a batch",
        })
    }
}

impl core::error::Error for HandshakeRefusal {}

/// The revision to answer `initialize` with: the one asked for where it is among the `supported` ones, otherwise
/// the newest of them that has a handshake (2025-11-25, Lifecycle, Version Negotiation).
///
/// `None` where none of them has one.
pub fn negotiate(requested: &str, supported: &[Revision]) -> Option<Revision> {
    let legacy = || supported.iter().copied().filter(|revision| revision.has_initialize());
    legacy()
        .find(|revision| revision.as_str() == requested)
        // "Otherwise, the server MUST respond with another protocol version it supports", which SHOULD be the latest.
        .or_else(|| legacy().max())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision as R;

    const INPUTS: [ServerInput; 8] = [
        ServerInput::Initialize,
        ServerInput::Negotiated(R::V2025_06_18),
        ServerInput::Initialized,
        ServerInput::Ping,
        ServerInput::Request,
        ServerInput::Notification,
        ServerInput::Reply,
        ServerInput::Close,
    ];

    /// The table of the docs, row by row in the order of [`INPUTS`].
    fn expected(state: ServerHandshake) -> [(ServerHandshake, ServerAction); 8] {
        use ServerAction as A;
        use ServerHandshake as H;
        match state {
            H::AwaitingInitialize => [
                (state, A::Negotiate),
                (H::AwaitingInitialized(R::V2025_06_18), A::Ignore),
                (state, A::Ignore),
                (state, A::AnswerPing),
                (state, A::Refuse(HandshakeRefusal::BeforeInitialize)),
                (state, A::Ignore),
                (state, A::Correlate),
                (H::Closed, A::Ignore),
            ],
            H::AwaitingInitialized(revision) => [
                (state, A::Refuse(HandshakeRefusal::InitializedTwice)),
                (state, A::Ignore),
                (H::Operating(revision), A::Open),
                (state, A::AnswerPing),
                (state, A::Serve),
                (state, A::Deliver),
                (state, A::Correlate),
                (H::Closed, A::Ignore),
            ],
            H::Operating(_) => [
                (state, A::Refuse(HandshakeRefusal::InitializedTwice)),
                (state, A::Ignore),
                (state, A::Ignore),
                (state, A::AnswerPing),
                (state, A::Serve),
                (state, A::Deliver),
                (state, A::Correlate),
                (H::Closed, A::Ignore),
            ],
            H::Closed => [(state, A::Ignore); 8],
        }
    }

    #[test]
    fn every_state_and_input() {
        for revision in [R::V2024_11_05, R::V2025_11_25] {
            for state in [
                ServerHandshake::AwaitingInitialize,
                ServerHandshake::AwaitingInitialized(revision),
                ServerHandshake::Operating(revision),
                ServerHandshake::Closed,
            ] {
                for (input, (next, action)) in INPUTS.into_iter().zip(expected(state)) {
                    let mut handshake = state;
                    assert_eq!(handshake.receive(input), action, "{state:?} {input:?}");
                    assert_eq!(handshake, next, "{state:?} {input:?}");
                }
            }
        }
    }

    #[test]
    fn requests_to_the_client_wait_for_initialized() {
        let mut handshake = ServerHandshake::default();
        assert!(!handshake.may_send_requests());
        handshake.receive(ServerInput::Negotiated(R::V2025_11_25));
        assert!(!handshake.may_send_requests());
        handshake.receive(ServerInput::Initialized);
        assert!(handshake.may_send_requests());
        handshake.receive(ServerInput::Close);
        assert!(!handshake.may_send_requests());
    }

    #[test]
    fn a_revision_is_negotiated() {
        for revision in R::ALL.into_iter().filter(|revision| revision.has_initialize()) {
            assert_eq!(negotiate(revision.as_str(), &R::ALL), Some(revision));
        }
        for unknown in ["2026-07-28", "1999-01-01", "", "2025-11-25 "] {
            assert_eq!(negotiate(unknown, &R::ALL), Some(R::LATEST_LEGACY), "{unknown}");
            assert_eq!(
                negotiate(unknown, &[R::V2024_11_05, R::V2025_03_26]),
                Some(R::V2025_03_26)
            );
        }
        assert_eq!(negotiate("2025-11-25", &[R::V2026_07_28]), None);
        assert_eq!(negotiate("2025-11-25", &[]), None);
    }

    #[test]
    fn a_server_of_the_legacy_era_alone_names_what_it_supports_and_only_where_that_helps() {
        let refused = |refusal: HandshakeRefusal| refusal.to_legacy_error(&[R::V2025_06_18, R::V2025_11_25]).message;
        assert!(refused(HandshakeRefusal::BeforeInitialize).ends_with("supported are 2025-11-25, 2025-06-18"));
        for refusal in [HandshakeRefusal::InitializedTwice, HandshakeRefusal::InitializeInBatch] {
            assert_eq!(refused(refusal), alloc::format!("{refusal}"));
        }
    }
}
