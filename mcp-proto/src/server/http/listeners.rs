//! The GET streams of a legacy session.

use alloc::vec::Vec;

/// The GET streams of a legacy session, of which a client may have several (2025-11-25, Transports, Multiple
/// Connections, 1). Where one stands (`L`) is the driver's.
///
/// A client knows of the end of a stream before its server does, and opens the next one: it is never refused. Where
/// there are too many the oldest ends, whose client is the likeliest to be gone.
#[derive(Debug)]
pub(super) struct Listeners<L>(
    /// A vector, as they are few, and every session pays for the room of an empty one.
    Vec<L>,
);

impl<L> Listeners<L> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one more, of `most`: the oldest, where it is one too many.
    pub(super) fn open(&mut self, most: usize, stream: L) -> Option<L> {
        // Before the new one comes in, which is served in any case.
        let is_full = self.0.len() >= most && !self.0.is_empty();
        let oldest = is_full.then(|| self.0.remove(0));
        self.0.push(stream);
        oldest
    }

    /// Forgets one that is over.
    pub(super) fn close(&mut self, is_it: impl Fn(&L) -> bool) {
        self.0.retain(|stream| !is_it(stream));
    }

    /// All of them, to be ended.
    pub(super) fn take(&mut self) -> Vec<L> {
        core::mem::take(&mut self.0)
    }

    /// In the order in which a message is offered: it MUST be sent on one of them alone (2025-11-25, Transports, Multiple
    /// Connections, 2), and the client of the newest is the likeliest to read.
    pub(super) fn iter(&self) -> impl Iterator<Item = &L> {
        self.0.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_hears_and_the_oldest_ends() {
        let mut streams = Listeners::new();
        assert_eq!((streams.open(2, 'a'), streams.open(2, 'b')), (None, None));
        assert_eq!(streams.open(2, 'c'), Some('a'));
        assert_eq!(streams.iter().copied().collect::<Vec<_>>(), ['c', 'b']);
        streams.close(|stream| *stream == 'c');
        streams.close(|stream| *stream == 'a');
        assert_eq!((streams.open(2, 'd'), streams.len()), (None, 2));
        assert_eq!((streams.take(), streams.is_empty()), (alloc::vec!['b', 'd'], true));
        // None is as good as one: a stream that is opened is served.
        assert_eq!((streams.open(0, 'e'), streams.open(0, 'f')), (None, Some('e')));
    }
}
