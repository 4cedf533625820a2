//! What a runtime does for an HTTP server.

use mcp_proto::handle::Timer;
use mcp_proto::handle::server::http::Upkeep;

/// What a runtime does for an HTTP server. It is cloned for every request.
pub trait ServerRuntime: Clone {
    /// Its timers.
    type Timer: Timer;

    /// A timer that is not set. All timers of a server have one origin.
    fn timer(&self) -> Self::Timer;

    /// Bytes of a cryptographically secure source: a server must not hand out session ids that can be guessed.
    fn random(&self) -> [u8; 32];

    /// Takes the upkeep of the endpoint, to have it [kept](super::keep) from now on. Called while a request is polled,
    /// when there is something to keep for the first time.
    fn keep(&self, upkeep: Upkeep);
}
