//! The load of a server over pipes: requests that are ready to be sent, so that the server is busier than its client.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};

use crate::messages::{Era, INITIALIZE, INITIALIZED, TEXT, count_to, request};

/// The id of the first request in flight; all have as many digits.
const FIRST: u64 = 1000;

/// A client that keeps a number of requests in flight.
pub(crate) struct Lines {
    input: ChildStdin,
    output: ChildStdout,
    requests: Vec<Vec<u8>>,
    /// Which of them are in flight.
    sent: Vec<bool>,
    /// How long each reply is, and where in it the id and the text are; they are all alike.
    shape: Option<(usize, usize, usize)>,
    buffer: Vec<u8>,
    piece: Vec<u8>,
}

impl Lines {
    /// Says hello where the era wants it.
    pub(crate) fn open(input: ChildStdin, output: ChildStdout, era: Era, window: usize) -> Self {
        let meta = era.meta();
        let line = |id| [request(id, meta.as_deref()), b"\n".to_vec()].concat();
        let mut lines = Self {
            input,
            output,
            requests: (0..window as u64).map(|n| line(FIRST + n)).collect(),
            sent: vec![false; window],
            shape: None,
            buffer: Vec::new(),
            piece: vec![0; 64 << 10],
        };
        if era == Era::Legacy {
            lines.initialize();
        }
        lines
    }

    /// Makes so many requests in all.
    pub(crate) fn drive(&mut self, times: u64) {
        let mut left = times;
        let mut out = Vec::new();
        for slot in 0..self.requests.len() {
            self.send(slot, &mut left, &mut out);
        }
        while !out.is_empty() {
            self.input.write_all(&out).expect("an open pipe");
            out.clear();
            // What answers come together make room for as many requests, which go out together.
            while self.sent.contains(&true) && out.is_empty() {
                for slot in self.answers() {
                    assert!(std::mem::replace(&mut self.sent[slot], false), "answered twice");
                    self.send(slot, &mut left, &mut out);
                }
            }
        }
    }

    /// Sends `line`, and gives the next line that comes.
    pub(crate) fn say(&mut self, line: &[u8]) -> Vec<u8> {
        self.input.write_all(line).expect("an open pipe");
        self.input.write_all(b"\n").expect("an open pipe");
        let mut seen = 0;
        loop {
            if let Some(end) = self.buffer[seen..].iter().position(|byte| *byte == b'\n') {
                return self.buffer.drain(..=seen + end).collect();
            }
            seen = self.buffer.len();
            self.read();
        }
    }

    /// Has the server count so far, and takes what it reports as fast as it can. `pause` comes after the request.
    pub(crate) fn count(&mut self, number: u64, pause: impl FnOnce()) {
        self.input.write_all(&count_to(number)).expect("an open pipe");
        self.input.write_all(b"\n").expect("an open pipe");
        pause();
        let mut seen = 0;
        // The result is a line too.
        while seen <= number {
            let length = self.output.read(&mut self.piece).expect("an open pipe");
            assert!(length > 0, "cut off");
            seen += self.piece[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        assert_eq!(seen, number + 1);
    }

    fn send(&mut self, slot: usize, left: &mut u64, out: &mut Vec<u8>) {
        if let Some(rest) = left.checked_sub(1) {
            *left = rest;
            self.sent[slot] = true;
            out.extend_from_slice(&self.requests[slot]);
        }
    }

    /// Which requests are answered by what is there now.
    fn answers(&mut self) -> Vec<usize> {
        self.read();
        let Some((length, id_at, text_at)) = self.shape.or_else(|| self.learn()) else {
            return Vec::new();
        };
        let whole = self.buffer.len() / length * length;
        let slot = |line: &[u8]| {
            assert!(line.ends_with(b"\n") && line[text_at..].starts_with(TEXT.as_bytes()));
            let id = std::str::from_utf8(&line[id_at..id_at + 4]).expect("text");
            (id.parse::<u64>().expect("a number") - FIRST) as usize
        };
        let slots = self.buffer[..whole].chunks_exact(length).map(slot).collect();
        self.buffer.drain(..whole);
        slots
    }

    fn learn(&mut self) -> Option<(usize, usize, usize)> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let text = std::str::from_utf8(&self.buffer[..end]).expect("text");
        let find = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
        self.shape = Some((end + 1, find(r#""id":"#) + 5, find(TEXT)));
        self.shape
    }

    fn read(&mut self) {
        let length = self.output.read(&mut self.piece).expect("an open pipe");
        assert!(length > 0, "cut off: {}", String::from_utf8_lossy(&self.buffer));
        self.buffer.extend_from_slice(&self.piece[..length]);
    }

    fn initialize(&mut self) {
        let answer = self.say(INITIALIZE.as_bytes());
        assert!(String::from_utf8_lossy(&answer).contains("serverInfo"));
        self.input.write_all(INITIALIZED.as_bytes()).expect("an open pipe");
        self.input.write_all(b"\n").expect("an open pipe");
    }
}
