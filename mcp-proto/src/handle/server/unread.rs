//! A large answer that its client has not taken yet.

use alloc::sync::Arc;
use core::fmt;

use bytes::Bytes;

use crate::handle::sync::lock;
use crate::http::server::{BodyKey, Holder};

mod answers;
mod lost;
mod queued;

pub(crate) use answers::UnreadAnswers;
pub(super) use lost::{Lost, Stream};
pub(super) use queued::Queued;

/// How much is given out at once, in bytes: what an HTTP library holds is out of reach, and so is to be little. Over HTTP/2
/// that is one piece of each stream, over HTTP/1 sixteen of the connection.
const PIECE: usize = 16 << 10;

/// A large answer, or a piece of a stream, that its client has not taken yet, within
/// [`Limits::unread_bytes`](crate::Limits::unread_bytes) with all others of the endpoint; see [`Bodies`](crate::http::server::Bodies).
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
/// ([`Limits::unread_bytes`](crate::Limits::unread_bytes)). Over HTTP/1 its connection is closed, over HTTP/2 its stream is reset, so that nobody takes
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
        let taken = unread.bodies.take(key, left);
        let mut lost = unread.take_lost();
        match taken {
            Ok(()) => drop(unread.rest.insert(key, body)),
            Err(_) => {
                unread.bodies.finish(key);
                lost.answers.push(body);
            }
        }
        drop(unread);
        lost.cut_off();
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
