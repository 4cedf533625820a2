//! What is seen of the bytes of a connection, whatever HTTP makes of them.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use core::cell::RefCell;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

/// How many reads a connection has before others get their turn: over HTTP/2 each may bring a thousand informational
/// responses, which are parsed and mean nothing.
const READS: usize = 4;

/// How many bytes may come before the head of a response is whole, with all informational ones before it, which mean
/// nothing here: a server could send them without end.
const HEAD_BYTES: usize = 256 << 10;

/// How much is read at once while a head is awaited, and in how many reads of a turn: each informational response is
/// parsed, and most fit into 30 bytes.
const PIECE: usize = 8 << 10;
const PIECES: usize = 2;

thread_local! {
    /// What is read into while a head is awaited, one stream at a time: what came is counted, which hyper's own buffer does
    /// not tell, and heads are small.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(alloc::vec![0; PIECE].into());
}

/// How much can be read of a stream without waiting: `None` where nothing can, 0 at its end.
pub(super) type Look<S> = fn(&S) -> Option<usize>;

/// A stream that is watched.
pub(super) struct Tap<S> {
    shared: Arc<Watched<S>>,
    gauge: Gauge,
}

/// Who watches it. It does not keep the stream open.
pub(super) struct Watch {
    stream: Weak<dyn Looked + Send + Sync>,
    pub(super) gauge: Gauge,
}

/// What has come of it, and what may still come. Clones are one.
#[derive(Clone)]
pub(super) struct Gauge(Arc<Counts>);

struct Watched<S> {
    stream: Mutex<S>,
    look: Look<S>,
}

/// What is counted.
struct Counts {
    /// How many bytes have come while heads were awaited, and how many reads have brought something otherwise.
    came: AtomicUsize,
    /// How many reads are left in this turn.
    reads: AtomicUsize,
    /// How many bytes may come of the head that is awaited; `usize::MAX` where none is.
    head: AtomicUsize,
}

impl Gauge {
    /// The turn of the connection begins: so much may be read in it.
    pub(super) fn begin_turn(&self) {
        let reads = if self.is_head_awaited() { PIECES } else { READS };
        self.0.reads.store(reads, Relaxed);
    }

    /// The head of a response is awaited from now on.
    pub(super) fn await_head(&self) {
        self.0.head.store(HEAD_BYTES, Relaxed);
    }

    /// The head has come.
    pub(super) fn has_head(&self) {
        self.0.head.store(usize::MAX, Relaxed);
    }

    /// Differs where something has come meanwhile.
    pub(super) fn came(&self) -> usize {
        self.0.came.load(Relaxed)
    }

    fn is_head_awaited(&self) -> bool {
        self.0.head.load(Relaxed) != usize::MAX
    }

    /// A read of this turn has brought so many bytes, or something.
    fn count(&self, bytes: usize) {
        self.0.came.fetch_add(bytes, Relaxed);
        let left = self.0.reads.load(Relaxed);
        self.0.reads.store(left.saturating_sub(1), Relaxed);
    }
}

trait Looked {
    fn look(&self) -> Option<usize>;
}

impl<S> Watched<S> {
    /// One side has it at a time: what looks at it is polled by the same driver as what reads.
    fn lock(&self) -> MutexGuard<'_, S> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Looked for Watched<S> {
    fn look(&self) -> Option<usize> {
        (self.look)(&self.lock())
    }
}

/// Has a stream watched; `look` looks at it.
pub(super) fn tap<S: Send + 'static>(stream: S, look: Look<S>) -> (Tap<S>, Watch) {
    let stream = Mutex::new(stream);
    let shared = Arc::new(Watched { stream, look });
    let gauge = Gauge(Arc::new(Counts {
        came: AtomicUsize::new(0),
        reads: AtomicUsize::new(usize::MAX),
        head: AtomicUsize::new(usize::MAX),
    }));
    let looked: Arc<dyn Looked + Send + Sync> = shared.clone();
    let watch = Watch {
        stream: Arc::downgrade(&looked),
        gauge: gauge.clone(),
    };
    (Tap { shared, gauge }, watch)
}

impl Watch {
    /// How much can be read at once, whether the runtime has noticed or not: `None` where nothing can, 0 at the end.
    pub(super) fn look(&self) -> Option<usize> {
        match self.stream.upgrade() {
            Some(stream) => stream.look(),
            // It went with its connection.
            None => Some(0),
        }
    }
}

impl<S: Read + Unpin> Tap<S> {
    /// Reads a piece of the head that is awaited.
    fn poll_piece(&self, cx: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let left = self.gauge.0.head.load(Relaxed);
        if left == 0 {
            let message = "the head of the response is too long, with the informational ones before it";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
        }
        // Borrowed by one at a time: below is a socket, and none of these.
        SCRATCH.with_borrow_mut(|scratch| {
            let room = buffer.remaining().min(scratch.len());
            let mut piece = ReadBuf::new(scratch.get_mut(..room).unwrap_or_default());
            ready!(Pin::new(&mut *self.shared.lock()).poll_read(cx, piece.unfilled()))?;
            buffer.put_slice(piece.filled());
            let length = piece.filled().len();
            self.gauge.count(length);
            self.gauge.0.head.store(left.saturating_sub(length), Relaxed);
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: Read + Unpin> Read for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.gauge.0.reads.load(Relaxed) == 0 {
            // Others have waited for long enough.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.gauge.is_head_awaited() {
            return self.poll_piece(cx, buffer);
        }
        ready!(Pin::new(&mut *self.shared.lock()).poll_read(cx, buffer))?;
        self.gauge.count(1);
        Poll::Ready(Ok(()))
    }
}

impl<S: Write + Unpin> Write for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.shared.lock()).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.shared.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.shared.lock()).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.shared.lock().is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.shared.lock()).poll_write_vectored(cx, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;

    /// A server that sends without end, and whose client looks at so much.
    struct Endless(Option<usize>);

    impl Read for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
            let bytes = alloc::vec![b'x'; buffer.remaining()];
            buffer.put_slice(&bytes);
            Poll::Ready(Ok(()))
        }
    }

    /// How much comes in a turn, and whether it ends with an error.
    fn turn(tap: &mut Tap<Endless>, watch: &Watch) -> (usize, bool) {
        let (mut came, mut cx) = (0, Context::from_waker(Waker::noop()));
        watch.gauge.begin_turn();
        loop {
            let mut bytes = [0; 32 << 10];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *tap).poll_read(&mut cx, buffer.unfilled()) {
                Poll::Ready(Ok(())) => came += buffer.filled().len(),
                Poll::Ready(Err(_)) => return (came, true),
                Poll::Pending => return (came, false),
            }
        }
    }

    #[test]
    fn a_turn_is_bounded_and_so_is_a_head() {
        let (mut tap, watch) = tap(Endless(None), |it| it.0);
        assert_eq!(turn(&mut tap, &watch), (READS * (32 << 10), false));
        watch.gauge.await_head();
        let before = watch.gauge.came();
        let turns = HEAD_BYTES / (PIECE * PIECES);
        for _ in 0..turns {
            assert_eq!(turn(&mut tap, &watch), (PIECE * PIECES, false));
        }
        assert_eq!(watch.gauge.came() - before, HEAD_BYTES);
        assert_eq!(turn(&mut tap, &watch), (0, true));
        watch.gauge.has_head();
        assert!(!turn(&mut tap, &watch).1, "what follows is no head");
    }

    #[test]
    fn what_is_looked_at_is_not_kept_open() {
        let (tap, watch) = tap(Endless(Some(3)), |it| it.0);
        assert_eq!(watch.look(), Some(3));
        drop(tap);
        assert_eq!(watch.look(), Some(0));
    }
}
