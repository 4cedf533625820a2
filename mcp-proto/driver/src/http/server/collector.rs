//! The body of a request, as it comes.

use core::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use mcp_proto::http::server::Refusal;

/// Most bytes for which room is made before they are here: a length is easily claimed.
const AHEAD: usize = 256 << 10;

/// Collects the body of a request, within a limit. A body in one piece is not copied.
pub struct Collector {
    limit: usize,
    /// The first piece of the body, and usually the only one.
    first: Bytes,
    /// All of it, where there are more.
    all: BytesMut,
}

/// Says how much is there, and not what it says.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector")
            .field("limit", &self.limit)
            .field("length", &(self.first.len() + self.all.len()))
            .finish_non_exhaustive()
    }
}

impl Collector {
    /// Nothing yet, and `limit` bytes at most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let (first, all) = (Bytes::new(), BytesMut::new());
        Self { limit, first, all }
    }

    /// Takes another piece. `rest` is how much is still to come, where that is known: room is made for it once, within reason.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`]: the piece goes beyond the limit, and is not taken.
    pub fn push(&mut self, mut data: impl Buf, rest: Option<u64>) -> Result<(), Refusal> {
        let length = self.first.len() + self.all.len();
        if data.remaining() > self.limit.saturating_sub(length) {
            return Err(Refusal::TooLarge);
        }
        // One piece is the rule, and is kept as it came.
        if length == 0 {
            self.first = data.copy_to_bytes(data.remaining());
            return Ok(());
        }
        if self.all.is_empty() {
            let first = core::mem::take(&mut self.first);
            let rest = rest.and_then(|rest| usize::try_from(rest).ok()).unwrap_or(0);
            // For all of it: growing piece by piece would copy what is there each time.
            self.all
                .reserve(first.len() + data.remaining() + rest.min(self.limit).min(AHEAD));
            self.all.extend_from_slice(&first);
        }
        self.all.put(data);
        Ok(())
    }

    /// The whole, once there is no more.
    #[must_use]
    pub fn finish(&mut self) -> Bytes {
        let first = core::mem::take(&mut self.first);
        if self.all.is_empty() {
            return first;
        }
        core::mem::take(&mut self.all).freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_become_one_body() {
        let text = b"0123456789";
        for size in 1..=text.len() {
            let mut collector = Collector::new(text.len());
            for piece in text.chunks(size) {
                collector.push(Bytes::from_static(piece), Some(3)).unwrap();
            }
            assert_eq!(collector.push(&b"x"[..], None), Err(Refusal::TooLarge));
            assert_eq!(collector.finish(), &text[..]);
        }
        assert!(Collector::new(0).finish().is_empty());
    }

    #[test]
    fn one_piece_is_not_copied() {
        let piece = Bytes::from(alloc::vec![7; 100]);
        let mut collector = Collector::new(100);
        collector.push(piece.clone(), Some(0)).unwrap();
        assert_eq!(collector.finish().as_ptr(), piece.as_ptr());
    }
}
