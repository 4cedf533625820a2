//! Large answers that clients have not taken yet, and what is queued on streams.

use alloc::collections::BTreeMap;
use alloc::sync::Weak;

use bytes::Bytes;

use super::lost::{Lost, Stream};
use crate::handle::sync::Mutex;
use crate::http::server::{Bodies, BodyKey};
use crate::limits::Limits;

/// The large answers that clients have not taken yet, where they can be taken back from those who do not read.
pub(in crate::handle::server) struct UnreadAnswers(pub(super) Mutex<Rest>);

/// Each with its key.
pub(super) struct Rest {
    pub(super) bodies: Bodies,
    pub(super) rest: BTreeMap<BodyKey, Bytes>,
    pub(super) streams: BTreeMap<BodyKey, Weak<dyn Stream>>,
}

impl UnreadAnswers {
    pub(in crate::handle::server) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Rest {
            bodies: Bodies::of_responses(limits),
            rest: BTreeMap::new(),
            streams: BTreeMap::new(),
        }))
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
