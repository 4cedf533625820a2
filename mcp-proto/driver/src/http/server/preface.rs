//! Which HTTP a client speaks.

/// What a client of HTTP/2 sends first (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Tells HTTP/2 from HTTP/1 by the first bytes of a connection, and gives them back to be read again.
///
/// ```
/// use mcp_driver::http::Preface;
///
/// let mut preface = Preface::new();
/// let request = b"POST / HTTP/1.1\r\n";
/// let length = request.len().min(preface.room().len());
/// preface.room()[..length].copy_from_slice(&request[..length]);
/// preface.fill(length);
/// assert_eq!(preface.is_http2(), Some(false));
/// assert_eq!(preface.take(usize::MAX), request);
/// assert!(preface.take(usize::MAX).is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Preface {
    bytes: [u8; 24],
    filled: usize,
    taken: usize,
}

impl Preface {
    /// Nothing has been read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where to read to, as long as [`is_http2`](Self::is_http2) does not know.
    pub fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// So many bytes of the room were read.
    pub fn fill(&mut self, length: usize) {
        self.filled = self.filled.saturating_add(length).min(self.bytes.len());
    }

    /// Whether it is HTTP/2, once that is clear.
    #[must_use]
    pub fn is_http2(&self) -> Option<bool> {
        let same = self.bytes.iter().zip(PREFACE).take(self.filled);
        match same.clone().all(|(byte, expected)| byte == expected) {
            // When it is whole: until then it may be a request of HTTP/1 whose method begins so.
            true => (self.filled == PREFACE.len()).then_some(true),
            false => Some(false),
        }
    }

    /// Up to `most` bytes that were read; what is given once is not given again.
    pub fn take(&mut self, most: usize) -> &[u8] {
        let from = self.taken;
        self.taken = from.saturating_add(most).min(self.filled);
        self.bytes.get(from..self.taken).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn feed(text: &[u8], size: usize) -> (Option<bool>, Vec<u8>) {
        let mut preface = Preface::new();
        let mut rest = text;
        while preface.is_http2().is_none() && !rest.is_empty() {
            let room = preface.room();
            let length = rest.len().min(size).min(room.len());
            room[..length].copy_from_slice(&rest[..length]);
            preface.fill(length);
            rest = &rest[length..];
        }
        let verdict = preface.is_http2();
        let mut replayed = Vec::new();
        loop {
            match preface.take(size) {
                [] => break,
                piece => replayed.extend_from_slice(piece),
            }
        }
        replayed.extend_from_slice(rest);
        (verdict, replayed)
    }

    #[test]
    fn the_preface_is_told_from_requests_in_pieces_of_any_size() {
        let http2 = [PREFACE.as_slice(), b"and more"].concat();
        for size in 1..40 {
            assert_eq!(feed(&http2, size), (Some(true), http2.clone()));
            assert_eq!(feed(PREFACE, size), (Some(true), PREFACE.to_vec()));
            for length in 0..PREFACE.len() {
                assert_eq!(feed(&PREFACE[..length], size), (None, PREFACE[..length].to_vec()));
                let other = [&PREFACE[..length], b"\0" as &[u8], &[b'x'; 30]].concat();
                assert_eq!(feed(&other, size), (Some(false), other.clone()));
            }
        }
    }
}
