//! What a listener of a client hears.

use alloc::sync::Arc;
use core::fmt;

/// What a listener hears ([`Client::listen`](super::Client::listen)): that something has changed, and not how.
///
/// Equal ones that wait to be taken are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools (`notifications/tools/list_changed`).
    Tools,
    /// The list of prompts (`notifications/prompts/list_changed`).
    Prompts,
    /// The list of resources (`notifications/resources/list_changed`).
    Resources,
    /// A resource (`notifications/resources/updated`).
    Resource {
        /// Its URI, as the server says it: it may be that of a part of what was subscribed to.
        uri: Arc<str>,
    },
    /// A task (`notifications/tasks`, the tasks extension of 2026-07-28).
    Task {
        /// Its id.
        id: Arc<str>,
    },
    /// More changes than [`Limits::listener_bytes`](crate::Limits::listener_bytes) waited here to be taken. This stands for
    /// all of them: whatever is listened to may have changed.
    Lagged,
    /// The subscription was lost, and is there again: after a stream that broke off, or with the next session. Whatever is
    /// listened to may have changed meanwhile, and the server may grant something else now.
    Restored,
}

impl Change {
    /// How many bytes one takes that waits.
    pub(super) fn weight(&self) -> usize {
        let text = match self {
            Self::Resource { uri } => uri.len(),
            Self::Task { id } => id.len(),
            _ => 0,
        };
        // Many with short names must count as well.
        text + 2 * size_of::<Self>()
    }
}

/// A listener of a client, scoped to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub(super) u64);

impl fmt::Debug for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listener {}", self.0)
    }
}
