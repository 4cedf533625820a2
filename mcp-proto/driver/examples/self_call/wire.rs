//! What comes in from the wire, so that the counting is not left to the code that is examined.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

/// How many messages of some methods the server has been sent.
#[derive(Default)]
pub(crate) struct Wire {
    handshakes: AtomicU64,
    notices: AtomicU64,
}

impl Wire {
    /// A message came in.
    pub(crate) fn saw(&self, message: &[u8]) {
        #[derive(Deserialize)]
        struct Asked<'a> {
            method: Option<&'a str>,
        }
        let asked = serde_json::from_slice(message).ok().and_then(|Asked { method }| method);
        let counter = match asked {
            Some("initialize" | "server/discover") => &self.handshakes,
            Some("notifications/cancelled") => &self.notices,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How often a client introduced itself, since this was asked last.
    pub(crate) fn take_handshakes(&self) -> u64 {
        self.handshakes.swap(0, Ordering::Relaxed)
    }

    /// How often a client said that it had given up a call, since this was asked last.
    pub(crate) fn take_notices(&self) -> u64 {
        self.notices.swap(0, Ordering::Relaxed)
    }
}
