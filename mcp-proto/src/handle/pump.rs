//! The driver's side of a byte stream.

use core::task::{Context, Poll};

use bytes::Bytes;

use super::teller::Teller;
use super::timer::Timer;
use crate::time::Time;

/// The driver's side of one byte-stream connection, of a client or of a server.
///
/// A driver is one future that polls three straight lanes: it reads while [`poll_wants_input`](Self::poll_wants_input)
/// says so, and hands over what came; it writes what [`poll_transmit`](Self::poll_transmit) gives, and only asks for more
/// when that is written; and it sleeps until [`deadline`](Self::deadline). It never drops a half-done write because
/// something could be read. Every method that starts with `poll_` keeps the waker of the driver, and anything
/// that changes wakes it.
///
/// `examples/std_stream.rs` is such a driver in less than 60 lines, and explains how to write one.
///
/// Dropping a pump closes the connection: every call that waits ends with `Closed`.
pub trait Pump {
    /// The driver begins, with this timer. To be called once, before anything else.
    fn begin(&self, timer: &dyn Timer) {
        let _ = timer;
    }

    /// Whether to read. `Ready(false)` means never again; `Pending`, that there is no room at present.
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool>;

    /// Bytes came, cut anywhere.
    fn receive(&self, now: Time, bytes: Bytes);

    /// The stream ended. What is queued may still be written.
    fn receive_eof(&self, now: Time);

    /// The stream broke off: the same, with why. Whoever waits for an answer is told.
    fn receive_failure(&self, now: Time, why: &str) {
        let _ = why;
        self.receive_eof(now);
    }

    /// Says that the driver can open the stream again; see
    /// [`StreamClient::allow_reopening`](crate::client::StreamClient::allow_reopening). Nothing, for a server.
    fn allow_reopening(&self) {}

    /// Whether the stream has ended and is to be opened again. To be asked after [`receive_eof`](Self::receive_eof):
    /// [`reopened`](Self::reopened) answers it, or `receive_eof` again where it cannot be.
    fn wants_reopening(&self) -> bool {
        false
    }

    /// The stream is a new one.
    fn reopened(&self) {}

    /// What a driver tells of the end of the server that it had started, if this side wants to know.
    fn teller(&self) -> Option<Teller> {
        None
    }

    /// Runs what runs in place: the handlers of requests in progress.
    ///
    /// To be called after bytes were handed over and before [`poll_transmit`](Self::poll_transmit), so that a reply that
    /// is ready at once leaves in the next write.
    fn poll_work(&self, cx: &mut Context<'_>, now: Time);

    /// The next bytes to write, everything that is ready in one piece. `Ready(None)` means that the connection
    /// is closed and everything is written: the driver is done.
    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>>;

    /// Whether what is being written is to be given up at once, as the peer does not read it. To be asked where there
    /// is nothing to read any more.
    fn is_cut_off(&self) -> bool {
        false
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; read it after the polls.
    fn deadline(&self) -> Option<Time>;

    /// Time has passed. Too early or too often changes nothing. What can be read is handed over before: an answer that has
    /// arrived when its deadline is noticed is in time.
    fn handle_timeout(&self, now: Time);
}
