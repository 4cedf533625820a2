//! What waits to be written to a byte stream: lines, put together as they leave.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::shown::shown;
use crate::wire::line::encode_line;

/// Messages from this size on are not copied to stand with others in one piece.
const LARGE: usize = 16 << 10;

/// Lines on their way out, bounded in bytes.
///
/// The bound is for what the application sends of its own accord: it asks [`has_room`](Self::has_room) first. What
/// is owed to the peer is always taken; while there is no room nothing more is read from it.
pub(crate) struct Lines {
    /// Pieces that are complete.
    pieces: VecDeque<Bytes>,
    /// The lines after them.
    open: BytesMut,
    bytes: usize,
    most: usize,
    most_for_requests: usize,
}

shown!(Lines { bytes, most });

impl Lines {
    pub(crate) fn new(most: usize, most_for_requests: usize) -> Self {
        Self {
            pieces: VecDeque::new(),
            open: BytesMut::new(),
            bytes: 0,
            most,
            most_for_requests: most.min(most_for_requests),
        }
    }

    /// Whether there is room for another message. One is always taken, however large.
    pub(crate) fn has_room(&self) -> bool {
        // Before a message, whatever its size: a large one must fit at some time, or it would block for ever.
        self.bytes < self.most
    }

    /// The same for what belongs to a request: whoever sends that waits, and more would only take memory.
    pub(crate) fn has_room_for_requests(&self) -> bool {
        self.bytes < self.most_for_requests
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len() + usize::from(!self.open.is_empty())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, message: Vec<u8>) {
        let line = encode_line(message);
        self.bytes = self.bytes.saturating_add(line.len());
        // Many small ones leave in one write; to copy a large one is dearer than a write of its own.
        if line.len() < LARGE {
            self.open.extend_from_slice(&line);
            return;
        }
        // The small ones before it leave before it.
        if !self.open.is_empty() {
            self.pieces.push_back(self.open.split().freeze());
        }
        self.pieces.push_back(line.into());
    }

    /// The next piece: all small lines up to the next large one, or a large one.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let piece = match self.pieces.pop_front() {
            Some(piece) => piece,
            None if self.open.is_empty() => return None,
            None => self.open.split().freeze(),
        };
        self.bytes = self.bytes.saturating_sub(piece.len());
        Some(piece)
    }

    /// Drops what has not left.
    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        self.open.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn small_lines_leave_together_and_large_ones_alone() {
        let mut lines = Lines::new(10, 5);
        assert!(lines.is_empty() && lines.pop().is_none());
        lines.push(b"a".to_vec());
        lines.push(b"b\nc".to_vec());
        assert!(lines.has_room() && !lines.has_room_for_requests());
        let large = vec![b'x'; LARGE];
        lines.push(large.clone());
        assert!(!lines.has_room());
        lines.push(b"d".to_vec());
        assert_eq!(lines.pop().unwrap(), "a\nb c\n");
        assert_eq!(lines.pop().unwrap().len(), large.len() + 1);
        assert!(!lines.is_empty());
        assert_eq!(lines.pop().unwrap(), "d\n");
        assert!(lines.is_empty() && lines.has_room() && lines.pop().is_none());
    }
}
