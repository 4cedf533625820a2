//! What is queued on a stream.

use alloc::sync::{Arc, Weak};

use super::answers::UnreadAnswers;
use super::lost::{Lost, Stream};
use crate::handle::sync::lock;
use crate::http::server::{BodyKey, Holder};

/// What is queued on a stream, within [`Limits::unread_bytes`](crate::Limits::unread_bytes) with all large answers of the
/// endpoint.
///
/// | queued | counted | why |
/// |---|---|---|
/// | up to 16 KiB | nothing | a stream that is read needs nothing of what all share |
/// | more | in pieces of 64 KiB | not each event is to lock what all share |
/// | all is taken | nothing | |
pub(in crate::handle::server) struct Queued {
    answers: Arc<UnreadAnswers>,
    holder: Holder,
    stream: Weak<dyn Stream>,
    key: Option<BodyKey>,
    counted: usize,
    is_cut_off: bool,
    lost: Lost,
}

/// What a stream may queue without being counted, in bytes.
pub(super) const SMALL: usize = 16 << 10;

/// What is queued beyond that is counted in pieces of so many bytes.
pub(super) const STEP: usize = 64 << 10;

impl Queued {
    /// Nothing is queued.
    pub(in crate::handle::server) fn new(
        answers: &Arc<UnreadAnswers>,
        holder: Holder,
        stream: Weak<dyn Stream>,
    ) -> Self {
        Self {
            answers: answers.clone(),
            holder,
            stream,
            key: None,
            counted: 0,
            is_cut_off: false,
            lost: Lost::default(),
        }
    }

    /// From now on this holds it.
    pub(in crate::handle::server) fn held_by(&mut self, holder: Holder) {
        // What is counted already was taken by the other.
        self.forget();
        self.holder = holder;
    }

    /// Whether that so many bytes are queued by now is to be [set](Self::set).
    pub(in crate::handle::server) fn is_news(&self, bytes: usize) -> bool {
        bytes > self.counted.max(SMALL) || (bytes == 0 && self.key.is_some())
    }

    /// So many bytes are queued by now. Where there is no room for them, a stream or an answer is lost, maybe this one:
    /// see [`take_lost`](Self::take_lost).
    pub(in crate::handle::server) fn set(&mut self, bytes: usize) {
        if bytes == 0 {
            self.forget();
        } else if bytes > self.counted.max(SMALL) && !self.is_cut_off {
            self.count(bytes.div_ceil(STEP).saturating_mul(STEP));
        }
    }

    /// What was lost for what is queued.
    pub(in crate::handle::server) fn take_lost(&mut self) -> Lost {
        core::mem::take(&mut self.lost)
    }

    fn count(&mut self, counted: usize) {
        let mut unread = lock(&self.answers.0);
        let key = *self.key.get_or_insert_with(|| unread.bodies.begin(self.holder.clone()));
        match unread.bodies.take(key, counted - self.counted) {
            Ok(()) => drop(unread.streams.insert(key, self.stream.clone())),
            Err(_) => {
                unread.bodies.finish(key);
                unread.streams.remove(&key);
                self.lost.streams.push(self.stream.clone());
            }
        }
        self.lost.extend(unread.take_lost());
        drop(unread);
        self.counted = counted;
    }

    fn forget(&mut self) {
        self.counted = 0;
        if let Some(key) = self.key.take() {
            let mut unread = lock(&self.answers.0);
            unread.bodies.finish(key);
            unread.streams.remove(&key);
        }
    }

    /// Whether more than half of the room for everybody is taken.
    pub(in crate::handle::server) fn is_short(&self) -> bool {
        lock(&self.answers.0).bodies.is_short()
    }

    /// It is lost, and nothing is counted any more.
    pub(in crate::handle::server) fn cut_off(&mut self) {
        self.is_cut_off = true;
        self.forget();
    }

    /// Whether it was lost.
    pub(in crate::handle::server) fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.forget();
    }
}
