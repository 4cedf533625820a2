//! A connection to an HTTP server, on which this thread says one thing after the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::load::{header, is_response, post};
use crate::messages::{Era, INITIALIZE, INITIALIZED, count_to};

pub(crate) struct Wire {
    stream: TcpStream,
    /// Of the server, where it has sessions.
    session: Option<String>,
    buffer: Vec<u8>,
    piece: Vec<u8>,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            session: None,
            buffer: Vec::new(),
            piece: vec![0; 256 << 10],
        }
    }

    /// Makes a session, where the server has any.
    pub(crate) fn initialize(&mut self) {
        self.send_initialize();
        self.send_initialized();
        self.take_accepted();
    }

    pub(crate) fn send_initialize(&mut self) {
        self.send(&post(Era::Legacy, None, INITIALIZE.as_bytes()));
    }

    /// Takes the answer to the first request, and sends what comes after it.
    pub(crate) fn send_initialized(&mut self) {
        let answer = self.answer();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        self.session = header(&answer, "mcp-session-id").map(str::to_owned);
        self.send(&post(Era::Legacy, self.session.as_deref(), INITIALIZED.as_bytes()));
    }

    pub(crate) fn take_accepted(&mut self) {
        let answer = self.answer();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }

    /// Opens the stream of what the server says on its own, and leaves it open.
    pub(crate) fn listen(&mut self) {
        let session = self.session.as_deref().expect("a session");
        let request = format!(
            "GET /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nmcp-session-id: {session}\r\n\
             mcp-protocol-version: 2025-11-25\r\n\r\n"
        );
        self.send(request.as_bytes());
        self.buffer.clear();
        while !self.buffer.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            self.read();
        }
        assert!(self.buffer.starts_with(b"HTTP/1.1 200"), "no stream");
    }

    /// Has the server count so far, and takes what it reports as fast as it can. `pause` comes after the request.
    pub(crate) fn count(&mut self, number: u64, pause: impl FnOnce()) {
        self.send(&post(Era::Legacy, self.session.as_deref(), &count_to(number)));
        pause();
        let (mut events, mut tail) = (0, Vec::new());
        let mut end: Option<&[u8]> = None;
        while end.is_none_or(|end| !tail.ends_with(end)) {
            let length = self.stream.read(&mut self.piece).expect("an open connection");
            let piece = &self.piece[..length];
            assert!(length > 0, "cut off: {}", String::from_utf8_lossy(&tail));
            // A few events may come as a whole that is ready at once, and otherwise the last piece of a body is empty.
            let is_whole = || {
                String::from_utf8_lossy(piece)
                    .to_lowercase()
                    .contains("\r\ncontent-length:")
            };
            end = end.or_else(|| Some(if is_whole() { b"]}}\n\n" } else { b"0\r\n\r\n" }));
            events += count_ends(tail.last().copied(), piece);
            tail.extend_from_slice(&piece[length.saturating_sub(8)..]);
            tail.drain(..tail.len().saturating_sub(8));
        }
        // With the result, and what a server sends first so that it can be resumed.
        assert!(
            (number + 1..=number + 3).contains(&events),
            "{events} events of {number}"
        );
    }

    /// Sends a body, and checks that `text` comes back.
    pub(crate) fn echo(&mut self, body: &[u8], text: &str) {
        self.send(&post(Era::Legacy, self.session.as_deref(), body));
        self.buffer.clear();
        // An answer is longer than what it repeats; whether it is whole is looked at only then.
        while self.buffer.len() < text.len() || !self.is_answer() {
            self.read();
        }
        let at = self
            .buffer
            .windows(9)
            .position(|bytes| bytes == br#""text":"x"#)
            .expect("a text")
            + 8;
        assert!(self.buffer[at..].starts_with(text.as_bytes()), "no echo");
    }

    /// Whether the end is there, of an answer that is too long to be looked through.
    fn is_answer(&self) -> bool {
        let start = String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(1024)]);
        let (head, _) = start.split_once("\r\n\r\n").expect("a head");
        match header(head, "content-length") {
            Some(length) => self.buffer.len() >= head.len() + 4 + length.parse::<usize>().expect("a number"),
            None => self.buffer.ends_with(b"0\r\n\r\n"),
        }
    }

    fn answer(&mut self) -> String {
        self.buffer.clear();
        while !is_response(&self.buffer) {
            self.read();
        }
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("an open connection");
    }

    fn read(&mut self) {
        let length = self.stream.read(&mut self.piece).expect("an open connection");
        assert!(length > 0, "cut off: {}", String::from_utf8_lossy(&self.buffer));
        self.buffer.extend_from_slice(&self.piece[..length]);
    }
}

/// How many events end in a piece, after this byte.
fn count_ends(before: Option<u8>, piece: &[u8]) -> u64 {
    let within = piece.windows(2).filter(|bytes| *bytes == b"\n\n").count() as u64;
    within + u64::from(before == Some(b'\n') && piece.first() == Some(&b'\n'))
}
