//! What is queued on a byte stream, as all connections of a server share the room for it.

use alloc::sync::Weak;

use bytes::Bytes;

use super::Application;
#[cfg(feature = "http")]
pub(super) use super::unread::Lost;
#[cfg(feature = "http")]
use super::unread::{Queued, Stream};
#[cfg(feature = "http")]
use crate::http::server::{Holder, Remote};
#[cfg(feature = "http")]
use crate::server::http::Asker;

/// What is queued on a byte stream, within [`Limits::unread_bytes`](crate::Limits::unread_bytes) with all else that the
/// clients of its server have not read. Without the feature `http`, which knows who holds how much, each connection has
/// its own bound alone.
pub(super) struct Outflow {
    /// What a piece of is being written, and may be lost yet.
    rest: Bytes,
    /// Whether that, or what is left of it, is given out in pieces.
    is_large: bool,
    /// The bytes that the driver has taken last. They are being written until it takes more, and in memory as long.
    handed: usize,
    /// What the lines become on their way out.
    framing: Option<fn(Bytes) -> Bytes>,
    #[cfg(feature = "http")]
    queued: Queued,
    #[cfg(feature = "http")]
    connection: u64,
}

/// The most that a driver is given at once, in bytes: what it holds cannot be taken back.
const PIECE: usize = 64 << 10;

/// Nothing is lost where nothing is shared.
#[cfg(not(feature = "http"))]
pub(super) struct Lost;

#[cfg(not(feature = "http"))]
impl Lost {
    pub(super) fn cut_off(self) {}
}

impl Outflow {
    /// Nothing is queued on `stream`, of somebody who is told apart from all others.
    #[cfg(feature = "http")]
    pub(super) fn new(application: &dyn Application, stream: &Weak<impl Stream + 'static>) -> Self {
        let unread = application.unread();
        let connection = unread.next_connection();
        let holder = Holder::new(None, Remote::new(None, Some(connection)));
        Self {
            rest: Bytes::new(),
            is_large: false,
            handed: 0,
            framing: None,
            queued: Queued::new(&unread, holder, stream.clone()),
            connection,
        }
    }

    #[cfg(not(feature = "http"))]
    pub(super) fn new<S>(_: &dyn Application, _: &Weak<S>) -> Self {
        Self {
            rest: Bytes::new(),
            is_large: false,
            handed: 0,
            framing: None,
        }
    }

    /// It is for whoever this is.
    #[cfg(feature = "http")]
    pub(super) fn is_for(&mut self, asker: &Asker) {
        let known = asker.extension().copied().unwrap_or(Remote::UNKNOWN);
        let mut remote = Remote::new(asker.sender.address, asker.sender.connection);
        remote.address = remote.address.or(known.address);
        remote.connection = remote.connection.or(known.connection).or(Some(self.connection));
        self.queued.held_by(Holder::new(asker.principal(), remote));
    }

    /// Whole lines become this on their way out.
    #[cfg(feature = "http")]
    pub(super) fn set_framing(&mut self, framing: fn(Bytes) -> Bytes) {
        self.framing = Some(framing);
    }

    /// The next piece of what was begun; the driver has written what it took before. `None` where nothing is left.
    pub(super) fn next_piece(&mut self) -> Option<Bytes> {
        self.handed = 0;
        (!self.rest.is_empty()).then(|| self.piece())
    }

    /// Begins whole lines: their first piece.
    pub(super) fn begin(&mut self, lines: Bytes) -> Bytes {
        let output = match self.framing {
            Some(framing) => framing(lines),
            None => lines,
        };
        self.handed = output.len();
        self.is_large = output.len() > PIECE;
        if !self.is_large {
            return output;
        }
        self.rest = output;
        self.piece()
    }

    fn piece(&mut self) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        self.handed = piece.len();
        // A piece keeps all of the memory it was a piece of, and a driver that cannot write holds it.
        match self.is_large && self.is_short() {
            true => Bytes::copy_from_slice(&piece),
            false => piece,
        }
    }

    /// Nothing is queued, and the driver has written everything.
    pub(super) fn forget(&mut self) {
        #[cfg(feature = "http")]
        self.queued.set(0);
    }

    /// So many bytes wait beside what the driver has. What is lost for them.
    #[cfg(feature = "http")]
    pub(super) fn count(&mut self, waiting: usize) -> Option<Lost> {
        let queued = waiting + self.rest.len() + self.handed;
        if !self.queued.is_news(queued) {
            return None;
        }
        self.queued.set(queued);
        Some(self.queued.take_lost())
    }

    #[cfg(not(feature = "http"))]
    pub(super) fn count(&mut self, _: usize) -> Option<Lost> {
        None
    }

    /// Whether there is little room left.
    fn is_short(&self) -> bool {
        #[cfg(feature = "http")]
        return self.queued.is_short();
        #[cfg(not(feature = "http"))]
        false
    }

    /// It is lost, and nothing is counted any more.
    #[cfg(feature = "http")]
    pub(super) fn cut_off(&mut self) {
        self.rest = Bytes::new();
        self.queued.cut_off();
    }

    /// Whether it was lost.
    pub(super) fn is_cut_off(&self) -> bool {
        #[cfg(feature = "http")]
        return self.queued.is_cut_off();
        #[cfg(not(feature = "http"))]
        false
    }
}

#[cfg(all(test, feature = "http", feature = "schema"))]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::task::{Context, Poll, Waker};

    use super::*;
    use crate::handle::server::{NoArgs, ServerPump};
    use crate::handle::{Pump, Server};
    use crate::limits::Limits;
    use crate::rpc::CloseReason;
    use crate::server::http::Sender;
    use crate::time::Time;

    const TOTAL: usize = 1 << 20;
    const ANSWER: usize = 100 << 10;

    fn server() -> Server {
        Server::builder("s", "1")
            .limits(Limits::default().with_unread_bytes(TOTAL))
            .tool("large", "", |_: NoArgs| async { Ok("x".repeat(ANSWER)) })
            .build()
    }

    fn ask(pump: &ServerPump, id: usize) {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let params = format!(r#"{{"name":"large","arguments":{{}},"_meta":{meta}}}"#);
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
        pump.receive(Time::ORIGIN, (line + "\n").into());
        pump.poll_work(&mut Context::from_waker(Waker::noop()), Time::ORIGIN);
    }

    /// A piece of what is queued.
    fn take(pump: &ServerPump) -> Poll<Option<usize>> {
        let mut cx = Context::from_waker(Waker::noop());
        pump.poll_transmit(&mut cx, Time::ORIGIN)
            .map(|output| output.map(|bytes| bytes.len()))
    }

    fn queued(pump: &ServerPump) -> usize {
        pump.stream.connection(|connection| connection.queued_bytes())
    }

    #[test]
    fn what_no_connection_reads_is_bounded_over_all_of_them() {
        let server = server();
        let stalled: Vec<ServerPump> = (0..10).map(|_| server.pump()).collect();
        for id in 0..4 {
            for pump in &stalled {
                ask(pump, id);
                let all: usize = stalled.iter().map(queued).sum();
                assert!(all <= TOTAL, "{all}");
            }
        }
        let lost: Vec<_> = stalled.iter().filter(|pump| pump.is_cut_off()).collect();
        assert!((1..10).contains(&lost.len()), "{}", lost.len());
        for pump in lost {
            assert_eq!(pump.handle().close_reason(), Some(CloseReason::Unread));
            assert_eq!((take(pump), queued(pump)), (Poll::Ready(None), 0));
            assert_eq!(
                pump.poll_wants_input(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(false)
            );
        }
    }

    #[test]
    fn what_is_being_written_counts_until_it_is_written() {
        let server = server();
        let stalled: Vec<ServerPump> = (0..20).map(|_| server.pump()).collect();
        for pump in &stalled {
            ask(pump, 1);
            assert!(take(pump).is_pending() || pump.is_cut_off() || queued(pump) == 0);
        }
        let held = stalled.iter().filter(|pump| !pump.is_cut_off()).count();
        assert!(held * ANSWER <= TOTAL && held > 5, "{held}");
    }

    #[test]
    fn who_reads_is_never_lost_and_room_comes_back() {
        let server = server();
        let (stalled, reader) = (server.pump(), server.pump());
        for id in 0..50 {
            ask(&stalled, id);
            ask(&reader, id);
            let mut taken = 0;
            while let Poll::Ready(Some(bytes)) = take(&reader) {
                taken += bytes;
            }
            assert!(taken > ANSWER, "{id}");
        }
        assert!(!reader.is_cut_off());
    }

    #[test]
    fn one_address_that_holds_most_loses_first() {
        let server = server();
        let from = |address: &str| {
            let sender = Sender::new().with_address(format!("{address}:1").parse().unwrap());
            server
                .pump()
                .asked_by(Asker::over_stream(sender, http::Extensions::new()))
        };
        let other = from("10.0.0.2");
        (0..3).for_each(|id| ask(&other, id));
        let many: Vec<ServerPump> = (0..9).map(|_| from("10.0.0.1")).collect();
        many.iter().for_each(|pump| ask(pump, 1));
        assert!(!other.is_cut_off());
        assert!(many.iter().any(ServerPump::is_cut_off));
        let why: String = format!("{}", CloseReason::Unread);
        assert!(why.contains("did not read"), "{why}");
    }
}
