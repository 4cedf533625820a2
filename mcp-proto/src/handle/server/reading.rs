//! The bodies of requests, while they are read.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll, Waker};

use http::request::Parts;

use crate::handle::sync::{Mutex, lock};
use crate::http::server::{Admission, Bodies, BodyBudget, BodyKey, BodyRoom, Refusal};
use crate::limits::Limits;

/// The bodies that are being read: the small ones without a lock, the large ones behind one.
pub(super) struct Reading {
    budget: BodyBudget,
    large: Mutex<LargeBodies>,
}

/// The large ones, and the tasks that read them.
struct LargeBodies {
    bodies: Bodies,
    readers: BTreeMap<BodyKey, Waker>,
}

impl Reading {
    pub(super) fn new(limits: &Limits) -> Self {
        let (bodies, readers) = (Bodies::of_requests(limits), BTreeMap::new());
        Self {
            budget: BodyBudget::new(limits),
            large: Mutex::new(LargeBodies { bodies, readers }),
        }
    }
}

/// Room for the body of one request while it is read, within [`Limits::body_bytes`]; a large one within
/// [`Limits::reading_bytes`] with all others, see [`Bodies`]. Nothing is locked for a small one.
///
/// # On drop
/// The room is given back.
#[must_use = "the room is given back when it is dropped"]
pub struct ReadingRoom {
    reading: Arc<Reading>,
    room: BodyRoom,
    /// Once it is large.
    key: Option<BodyKey>,
}

impl ReadingRoom {
    pub(super) fn new(reading: &Arc<Reading>, admission: &Admission) -> Self {
        Self {
            reading: reading.clone(),
            room: BodyRoom::new(admission.body_limit().unwrap_or(0)),
            key: None,
        }
    }

    /// Takes room for a piece of the body that has arrived. `admission` and `head` are those of its request.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] where the body is too large, [`Refusal::Overloaded`] where all bodies together are. The
    /// refusal is the response, and the rest need not be read.
    pub fn take(&mut self, admission: &Admission, head: &Parts, bytes: usize) -> Result<(), Refusal> {
        match self.room.take(&self.reading.budget, bytes)? {
            0 => Ok(()),
            needed => self.take_large(admission, head, needed),
        }
    }

    fn take_large(&mut self, admission: &Admission, head: &Parts, bytes: usize) -> Result<(), Refusal> {
        let mut large = lock(&self.reading.large);
        let begin = || large.bodies.begin(admission.holder(head));
        let key = *self.key.get_or_insert_with(begin);
        let taken = large.bodies.take(key, bytes);
        let mut woken = alloc::vec::Vec::new();
        while let Some(lost) = large.bodies.poll_lost() {
            woken.extend(large.readers.remove(&lost));
        }
        drop(large);
        woken.into_iter().for_each(Waker::wake);
        taken
    }

    /// Ready where the body is lost for others, which its client is to be told at once. To be asked while nothing of the
    /// body comes.
    pub fn poll_lost(&self, cx: &Context<'_>) -> Poll<Refusal> {
        let Some(key) = self.key else {
            return Poll::Pending;
        };
        let mut large = lock(&self.reading.large);
        if large.bodies.is_lost(key) {
            return Poll::Ready(Refusal::Overloaded);
        }
        let before = large.readers.insert(key, cx.waker().clone());
        drop(large);
        drop(before);
        Poll::Pending
    }
}

impl Drop for ReadingRoom {
    fn drop(&mut self) {
        self.room.give_back(&self.reading.budget);
        if let Some(key) = self.key {
            let mut large = lock(&self.reading.large);
            large.bodies.finish(key);
            let reader = large.readers.remove(&key);
            drop(large);
            drop(reader);
        }
    }
}

impl fmt::Debug for ReadingRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadingRoom")
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
