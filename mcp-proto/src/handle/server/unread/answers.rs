//! Large answers that clients have not taken yet, and what is queued on streams.

use alloc::collections::BTreeMap;
use alloc::sync::Weak;

use bytes::Bytes;

use super::lost::{Lost, Stream};
use crate::handle::sync::{Mutex, lock};
use crate::http::server::{Bodies, BodyKey};
use crate::limits::Limits;

/// The large answers that clients have not taken yet, where they can be taken back from those who do not read.
pub(crate) struct UnreadAnswers(pub(super) Mutex<Rest>);

/// Each with its key.
pub(super) struct Rest {
    pub(super) bodies: Bodies,
    pub(super) rest: BTreeMap<BodyKey, Bytes>,
    pub(super) streams: BTreeMap<BodyKey, Weak<dyn Stream>>,
    /// The last connection that got a number here, as its driver has none for it.
    connections: u64,
}

impl UnreadAnswers {
    pub(in crate::handle::server) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Rest {
            bodies: Bodies::of_responses(limits),
            rest: BTreeMap::new(),
            streams: BTreeMap::new(),
            connections: 0,
        }))
    }

    /// A number for a connection of which nothing is known.
    pub(in crate::handle::server) fn next_connection(&self) -> u64 {
        let mut rest = lock(&self.0);
        rest.connections += 1;
        rest.connections
    }
}

impl Rest {
    /// What was lost.
    pub(super) fn take_lost(&mut self) -> Lost {
        let mut lost = Lost::default();
        while let Some(loser) = self.bodies.poll_lost() {
            lost.answers.extend(self.rest.remove(&loser));
            lost.streams.extend(self.streams.remove(&loser));
        }
        lost
    }
}
