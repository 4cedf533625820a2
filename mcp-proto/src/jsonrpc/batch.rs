//! What a line, body or event holds: one message, or several.

use alloc::vec::Vec;

use super::envelope;
use super::message::Message;
use super::{InvalidMessage, RawJson};
use crate::limits::Limits;

/// What one line, body or event holds.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// One message.
    Single(Message),
    /// A batch (2025-03-26 alone).
    Batch(Batch),
}

/// The messages of a batch, each valid or not on its own.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(super) items: Vec<RawJson>,
    pub(super) id_bytes: usize,
}

impl Batch {
    /// How many messages there are; at least one.
    #[allow(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The messages in their order.
    pub fn messages(self) -> impl Iterator<Item = Result<Message, InvalidMessage>> {
        // Depth and length were bounded when the whole was read; the bound of ids is for each message.
        let limits = Limits {
            id_bytes: self.id_bytes,
            ..Limits::default()
        };
        self.items.into_iter().map(move |item| envelope::message(item, &limits))
    }
}
