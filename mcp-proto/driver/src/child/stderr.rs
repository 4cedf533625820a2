//! What a child writes to its standard error.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

/// Most bytes of one line; a longer one is given in pieces.
const LINE_BYTES: usize = 8 << 10;

/// What becomes of the standard error of a child. Clients SHOULD NOT take what is written there for an error
/// (2025-11-25, Transports, stdio).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stderr {
    /// It goes where that of this process goes.
    #[default]
    Inherit,
    /// It is thrown away.
    Null,
    /// It is given to a callback; see [`lines`](Self::lines).
    Lines(Callback<str>),
}

impl Stderr {
    /// Gives each line to `callback`, without its end; what is not UTF-8 is replaced. A line of more than 8 KiB comes in
    /// pieces. The driver calls it, and reads no more meanwhile: it must not block.
    pub fn lines(callback: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self::Lines(Callback::new(callback))
    }
}

/// A function of the application, the same as its clones and no other.
pub struct Callback<T: ?Sized>(Arc<dyn Fn(&T) + Send + Sync>);

impl<T: ?Sized> Callback<T> {
    pub(super) fn new(function: impl Fn(&T) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(super) fn call(&self, argument: &T) {
        (self.0)(argument);
    }

    fn address(&self) -> *const () {
        // Without the table of functions, of which there may be several copies for one type.
        Arc::as_ptr(&self.0).cast()
    }
}

impl<T: ?Sized> Clone for Callback<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> PartialEq for Callback<T> {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl<T: ?Sized> Eq for Callback<T> {}

impl<T: ?Sized> Hash for Callback<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl<T: ?Sized> fmt::Debug for Callback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

/// Cuts bytes into lines.
pub(super) struct Lines {
    callback: Callback<str>,
    /// The line that has begun.
    line: Vec<u8>,
    /// The last one that said something.
    last: String,
}

impl Lines {
    pub(super) fn new(callback: Callback<str>) -> Self {
        Self {
            callback,
            line: Vec::new(),
            last: String::new(),
        }
    }

    /// The last line that was not blank.
    pub(super) fn last(&self) -> Option<&str> {
        Some(self.last.as_str()).filter(|last| !last.is_empty())
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in part.chunks(LINE_BYTES) {
                self.piece(piece);
            }
        }
    }

    /// There is no more.
    pub(super) fn finish(&mut self) {
        if !self.line.is_empty() {
            self.emit();
        }
    }

    fn piece(&mut self, piece: &[u8]) {
        let end = piece.strip_suffix(b"\n");
        let text = end.unwrap_or(piece);
        // A child that never ends its line must not fill the memory.
        if self.line.len() + text.len() > LINE_BYTES {
            self.emit();
        }
        self.line.extend_from_slice(text);
        if end.is_some() {
            self.emit();
        }
    }

    fn emit(&mut self) {
        // Programs for Windows end a line so.
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let line = String::from_utf8_lossy(line);
        self.callback.call(&line);
        if !line.trim().is_empty() {
            self.last = line.into_owned();
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;
    use std::sync::Mutex;

    fn cut(text: &[u8], size: usize) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let Stderr::Lines(callback) = Stderr::lines(move |line| sink.lock().unwrap().push(line.to_owned())) else {
            unreachable!()
        };
        let mut lines = Lines::new(callback);
        for piece in text.chunks(size) {
            lines.push(piece);
        }
        lines.finish();
        drop(lines);
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = b"one\r\n\ntwo\xff\nthree";
        for size in 1..=text.len() {
            assert_eq!(cut(text, size), ["one", "", "two\u{fffd}", "three"], "{size}");
        }
    }

    #[test]
    fn an_endless_line_comes_in_pieces_and_nothing_of_it_is_lost() {
        let text = alloc::vec![b'x'; 5 * LINE_BYTES / 2];
        for size in [1, 1000, LINE_BYTES, text.len()] {
            let pieces = cut(&text, size);
            assert!(pieces.iter().all(|piece| piece.len() <= LINE_BYTES), "{size}");
            assert_eq!(pieces.iter().map(String::len).sum::<usize>(), text.len(), "{size}");
        }
    }
}
