//! The line framer.
//!
//! However a stream is cut and whenever it is polled, the same lines come out; an unfinished line holds no more than
//! its limit; what is written as lines is read back.

use bytes::Bytes;
use mcp_proto::wire::line::{Line, LineDecoder, encode_line, strip_newlines};

use crate::cuts;

/// The first byte is the limit of a line, the rest is the stream.
pub fn run(data: &[u8]) {
    let Some((limit, stream)) = data.split_first() else {
        return;
    };
    let limit = usize::from(*limit);
    let expected = read(limit, &[stream], false, false);
    for pieces in cuts::all(stream) {
        for (shared, eager) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(read(limit, &pieces, shared, eager), expected);
        }
    }
    write_back(&expected);
    forward(stream);
}

fn read(limit: usize, pieces: &[&[u8]], shared: bool, eager: bool) -> Vec<Line> {
    let mut decoder = LineDecoder::new(limit);
    let mut lines = Vec::new();
    for piece in pieces {
        match shared {
            true => decoder.push_bytes(Bytes::copy_from_slice(piece)),
            false => decoder.push(piece),
        }
        if eager {
            lines.extend(std::iter::from_fn(|| decoder.poll_line()));
            assert!(decoder.buffered() <= limit.saturating_add(1));
        }
    }
    lines.extend(std::iter::from_fn(|| decoder.finish()));
    assert_eq!(decoder.buffered(), 0);
    lines
}

/// Lines that are written come out again.
fn write_back(lines: &[Line]) {
    let complete: Vec<&Bytes> = lines.iter().filter_map(complete).collect();
    let written: Vec<u8> = complete.iter().flat_map(|line| encode_line(line.to_vec())).collect();
    let again = read(usize::MAX, &[&written], true, true);
    let again: Vec<&Bytes> = again.iter().filter_map(self::complete).collect();
    let expected: Vec<Bytes> = complete.into_iter().cloned().map(strip_newlines).collect();
    assert_eq!(again, expected.iter().collect::<Vec<_>>());
}

fn complete(line: &Line) -> Option<&Bytes> {
    match line {
        Line::Complete(line) => Some(line),
        Line::TooLong { .. } => None,
    }
}

/// A text that is forwarded keeps its length and every byte but its line ends.
fn forward(text: &[u8]) {
    let stripped = strip_newlines(Bytes::copy_from_slice(text));
    assert_eq!(stripped.len(), text.len());
    for (new, old) in stripped.iter().zip(text) {
        assert_eq!(*new, if matches!(old, b'\n' | b'\r') { b' ' } else { *old });
    }
}
