//! What a runtime does for an HTTP server.

use core::future::Future;

use mcp_proto::handle::server::http::Upkeep;

use super::keeper::Keeper;
use crate::{Clock, ClockTimer, Spawner};

/// What a runtime does for an HTTP server. It is cloned for every request, and cheap to clone.
///
/// # On drop
/// Its clones are one: what it keeps or has spawned goes on, until the endpoint or the connection is gone.
pub trait ServerRuntime: Clone + Send + Sync + Unpin + 'static {
    /// Its clock.
    type Clock: Clock;

    /// What a service that begins runs on, and its clock: all of its timers have one origin.
    fn start() -> (Self, Self::Clock);

    /// Takes the upkeep of the endpoint, to have it [kept](super::keep) from now on, in the time of `timer`. Called while a
    /// request is polled, when there is something to keep for the first time.
    fn keep(&self, upkeep: Upkeep, timer: ClockTimer<Self::Clock>);

    /// Has a stream of a connection of HTTP/2 polled: by a task of its own, or [beside](Spawner::spawn) its connection.
    /// Dropped before it is over, its request ends as if its client had gone.
    fn spawn(&self, stream: impl Future<Output = ()> + Send + 'static, beside: &Spawner);

    /// Bytes of a cryptographically secure source: a server must not hand out session ids that can be guessed.
    ///
    /// # Panics
    /// Where the system has no source of randomness.
    fn random(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        #[expect(clippy::expect_used, reason = "ids that can be guessed are worse than none")]
        getrandom::fill(&mut bytes).expect("the system has a source of randomness");
        bytes
    }
}

/// A runtime that spawns nothing: whoever serves polls the upkeep as well.
pub trait KeepingRuntime: ServerRuntime {
    /// What holds the upkeep.
    fn keeper(&self) -> &Keeper;
}
