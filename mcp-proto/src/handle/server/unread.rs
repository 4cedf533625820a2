//! Large answers that clients have not taken yet, and what is queued on streams.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::handle::sync::{Mutex, lock};
use crate::http::server::{Bodies, BodyKey, Holder};
use crate::limits::Limits;

/// How much is given out at once, in bytes: what an HTTP library holds is out of reach, and so is to be little.
const PIECE: usize = 256 << 10;

/// The large answers that clients have not taken yet, where they can be taken back from those who do not read.
pub(super) struct UnreadAnswers(Mutex<Rest>);

struct Rest {
    bodies: Bodies,
    rest: BTreeMap<BodyKey, Bytes>,
    streams: BTreeMap<BodyKey, Weak<dyn Stream>>,
    /// Streams that are lost, and do not know it yet: they are not told under a lock.
    losers: Vec<Weak<dyn Stream>>,
}

/// A stream that can be lost.
pub(super) trait Stream: Send + Sync {
    /// It is lost: what is queued is dropped, and its client is told by its end.
    fn cut_off(&self);
}

impl UnreadAnswers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Rest {
            bodies: Bodies::of_responses(limits),
            rest: BTreeMap::new(),
            streams: BTreeMap::new(),
            losers: Vec::new(),
        }))
    }

    /// Cuts off the streams that were lost. To be called under no lock, after something was queued.
    pub(super) fn cut_off_losers(&self) {
        let losers = core::mem::take(&mut lock(&self.0).losers);
        (losers.iter().filter_map(Weak::upgrade)).for_each(|loser| loser.cut_off());
    }
}

impl Rest {
    /// The answers that were lost, to be dropped under no lock; streams are remembered.
    fn collect_lost(&mut self, lost: &mut Vec<Bytes>) {
        while let Some(loser) = self.bodies.poll_lost() {
            lost.extend(self.rest.remove(&loser));
            self.losers.extend(self.streams.remove(&loser));
        }
    }
}

/// What is queued on a stream, within [`Limits::unread_bytes`] with all large answers of the endpoint.
///
/// | queued | counted | why |
/// |---|---|---|
/// | up to 16 KiB | nothing | a stream that is read needs nothing of what all share |
/// | more | in pieces of 64 KiB | not each event is to lock what all share |
/// | all is taken | nothing | |
pub(super) struct Queued {
    answers: Arc<UnreadAnswers>,
    holder: Holder,
    stream: Weak<dyn Stream>,
    key: Option<BodyKey>,
    counted: usize,
    is_cut_off: bool,
}

/// What a stream may queue without being counted, in bytes.
const SMALL: usize = 16 << 10;

/// What is queued beyond that is counted in pieces of so many bytes.
const STEP: usize = 64 << 10;

impl Queued {
    /// Nothing is queued.
    pub(super) fn new(answers: &Arc<UnreadAnswers>, holder: Holder, stream: Weak<dyn Stream>) -> Self {
        Self {
            answers: answers.clone(),
            holder,
            stream,
            key: None,
            counted: 0,
            is_cut_off: false,
        }
    }

    /// So many bytes are queued by now. Where there is no room for them, a stream or an answer is lost, maybe this one:
    /// [`UnreadAnswers::cut_off_losers`] is to be called then, under no lock.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes == 0 {
            self.forget();
        } else if bytes > self.counted.max(SMALL) && !self.is_cut_off {
            self.count(bytes.div_ceil(STEP).saturating_mul(STEP));
        }
    }

    fn count(&mut self, counted: usize) {
        let (mut lost, mut unread) = (Vec::new(), lock(&self.answers.0));
        let key = *self.key.get_or_insert_with(|| unread.bodies.begin(self.holder.clone()));
        match unread.bodies.take(key, counted - self.counted) {
            Ok(()) => drop(unread.streams.insert(key, self.stream.clone())),
            Err(_) => {
                unread.bodies.finish(key);
                unread.streams.remove(&key);
                unread.losers.push(self.stream.clone());
            }
        }
        unread.collect_lost(&mut lost);
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

    /// It is lost, and nothing is counted any more.
    pub(super) fn cut_off(&mut self) {
        self.is_cut_off = true;
        self.forget();
    }

    /// Whether it was lost.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A large answer, or a piece of a stream, that its client has not taken yet, within
/// [`Limits::unread_bytes`] with all others of the endpoint; see [`Bodies`].
///
/// # On drop
/// What is left of it is dropped.
#[must_use = "the client waits for it"]
pub struct Unread {
    answers: Arc<UnreadAnswers>,
    key: BodyKey,
    left: usize,
}

/// A response was broken off: its client took it slowly, or held more than any other, and there was no room for all
/// ([`Limits::unread_bytes`]). Over HTTP/1 its connection is closed, over HTTP/2 its stream is reset, so that nobody takes
/// it for whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response was broken off, as its client does not read it")
    }
}

impl core::error::Error for CutOff {}

impl Unread {
    pub(super) fn new(answers: &Arc<UnreadAnswers>, holder: Holder, body: Bytes) -> Self {
        let left = body.len();
        let mut unread = lock(&answers.0);
        let key = unread.bodies.begin(holder);
        // Dropped under no lock: a large one is given back to the system, which takes its time.
        let mut lost = Vec::new();
        match unread.bodies.take(key, left) {
            Ok(()) => drop(unread.rest.insert(key, body)),
            Err(_) => {
                unread.bodies.finish(key);
                lost.push(body);
            }
        }
        unread.collect_lost(&mut lost);
        drop(unread);
        drop(lost);
        answers.cut_off_losers();
        let answers = answers.clone();
        Self { answers, key, left }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// The next piece; `None` at the end. To be asked when the HTTP library takes more.
    ///
    /// # Errors
    /// [`CutOff`] where it was lost: the response is to be broken off.
    pub fn take(&mut self) -> Option<Result<Bytes, CutOff>> {
        if self.left == 0 {
            return None;
        }
        let mut unread = lock(&self.answers.0);
        let is_short = unread.bodies.is_short();
        let Some(rest) = unread.rest.get_mut(&self.key) else {
            return Some(Err(CutOff));
        };
        let mut piece = rest.split_to(rest.len().min(PIECE));
        if is_short {
            // A piece keeps all of the memory it was a piece of, and may be held for long by who writes it.
            piece = Bytes::copy_from_slice(&piece);
        }
        unread.bodies.give_back(self.key, piece.len());
        self.left -= piece.len();
        Some(Ok(piece))
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let mut unread = lock(&self.answers.0);
        unread.bodies.finish(self.key);
        let rest = unread.rest.remove(&self.key);
        drop(unread);
        drop(rest);
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
