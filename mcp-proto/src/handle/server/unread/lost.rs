//! What was lost for others.

use alloc::sync::Weak;
use alloc::vec::Vec;

use bytes::Bytes;

/// A stream that can be lost.
pub(in crate::handle::server) trait Stream: Send + Sync {
    /// It is lost: what is queued is dropped, and its client is told by its end.
    fn cut_off(&self);
}

/// What was lost for something that was queued. It was found under a lock, and is dropped and told under none.
#[derive(Default)]
#[must_use = "streams are to be cut off"]
pub(in crate::handle::server) struct Lost {
    /// Large ones are given back to the system, which takes its time.
    pub(super) answers: Vec<Bytes>,
    pub(super) streams: Vec<Weak<dyn Stream>>,
}

impl Lost {
    /// Drops the answers, and cuts off the streams. To be called under no lock.
    pub(in crate::handle::server) fn cut_off(self) {
        drop(self.answers);
        (self.streams.iter().filter_map(Weak::upgrade)).for_each(|stream| stream.cut_off());
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.answers.extend(more.answers);
        self.streams.extend(more.streams);
    }
}
