//! Newline framing: one message per line, for stdio and every other byte stream.
//!
//! 2026-07-28, basic/transports/stdio: messages are delimited by newlines and MUST NOT contain embedded newlines.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::outline::Outline;
use super::{BOM, scan};
use crate::shown::{Size, shown};

/// Most bytes of an overlong line that are handed out with it.
const HEAD: usize = 256;

/// Splits a byte stream into lines.
///
/// The world tells it with [`push`](Self::push), [`push_bytes`](Self::push_bytes) and [`finish`](Self::finish);
/// it tells the world with [`poll_line`](Self::poll_line), which runs dry. Any order of calls is fine, and how the
/// stream was cut makes no difference to the lines that come out.
///
/// Lines are slices of a shared buffer: keeping one alive keeps its whole chunk alive.
///
/// Memory: of an unfinished line at most `limit + 1` bytes are held, and of one above the limit its outline. Complete lines are held until polled, so a
/// driver that drains after each push holds one chunk and one unfinished line at most.
///
/// ```
/// use mcp_proto::wire::line::{Line, LineDecoder};
///
/// let mut lines = LineDecoder::new(1024);
/// lines.push(b"{\"id\":1}\r\n{\"id\"");
/// assert_eq!(lines.poll_line(), Some(Line::Complete("{\"id\":1}".into())));
/// assert_eq!(lines.poll_line(), None);
/// lines.push(b":2}\n");
/// assert_eq!(lines.poll_line(), Some(Line::Complete("{\"id\":2}".into())));
/// ```
pub struct LineDecoder {
    limit: usize,
    /// Complete lines, each with its newline, that came before everything in `buffer`.
    chunk: Bytes,
    /// Complete lines and after them the unfinished one.
    buffer: BytesMut,
    /// Length of the unfinished line at the end of `buffer`: no newline in there.
    tail: usize,
    /// How much of the front of `buffer` is known to hold no newline.
    searched: usize,
    skip: Skip,
    /// How many bytes have been put into `buffer` since the beginning: tells which line an outline is of.
    appended: u64,
    /// The outlines of lines in `buffer` of which the rest was dropped, each with its end there. The last may be one
    /// whose rest is still to come.
    cut: VecDeque<(u64, Outline)>,
}

shown!(LineDecoder { limit, skip } bytes { chunk, buffer });

/// What becomes of the bytes up to the next newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skip {
    /// They belong to the unfinished line.
    No,
    /// They are dropped; what was kept of their line lies at the end of the buffer.
    Kept,
    /// They are dropped, their line has been reported.
    Reported,
}

/// One line of a byte stream.
#[derive(Clone, PartialEq, Eq)]
pub enum Line {
    /// A line without its end (LF or CRLF). Never empty: empty lines are skipped, and those of nothing but a byte order
    /// mark.
    Complete(Bytes),
    /// A line above the limit. It is reported as soon as it is told what it was meant as, at its end at the latest, and
    /// skipped up to its newline.
    TooLong {
        /// The line has at least this many bytes: one more than the limit.
        length_at_least: usize,
        /// Its first bytes, at most 256 and at most the limit. May be cut inside a character.
        head: Bytes,
        /// Whose it is, up to where that was told: where the id comes last, from beyond the limit.
        outline: Box<Outline>,
    },
}

/// Says how long a line is, and not what is in it.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete(line) => write!(f, "Complete({:?})", Size(line.len())),
            Self::TooLong { length_at_least, .. } => write!(f, "TooLong({:?} at least)", Size(*length_at_least)),
        }
    }
}

impl LineDecoder {
    /// A decoder for lines of up to `limit` bytes, not counting the line end.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            chunk: Bytes::new(),
            buffer: BytesMut::new(),
            tail: 0,
            searched: 0,
            skip: Skip::No,
            appended: 0,
            cut: VecDeque::new(),
        }
    }

    /// Takes the next bytes of the stream. They are copied, at most once.
    pub fn push(&mut self, bytes: &[u8]) {
        let skipped = self.skip_in(bytes);
        self.append(bytes.get(skipped..).unwrap_or_default());
    }

    /// Takes the next bytes of the stream. When nothing is buffered, complete lines are slices of them, not copies.
    pub fn push_bytes(&mut self, mut bytes: Bytes) {
        let skipped = self.skip_in(&bytes);
        bytes.advance(skipped);
        // Only where nothing waits: what is in the buffer comes first.
        if self.buffered() == 0
            && let Some(last) = scan::rfind(b'\n', &bytes)
        {
            self.chunk = bytes.split_to(last + 1);
        }
        self.append(&bytes);
    }

    /// The next line, if one is complete or too long.
    #[must_use]
    pub fn poll_line(&mut self) -> Option<Line> {
        loop {
            let line = match self.take_complete() {
                Some(line) => line,
                None => return self.take_overlong(),
            };
            let (line, end) = line;
            if let Some(line) = self.classify(line, end) {
                return Some(line);
            }
        }
    }

    /// Says that the stream has ended, and gives the next line. Call it until it gives `None`: the last line is
    /// delivered even if it has no newline. Afterwards the decoder is as new.
    #[must_use]
    pub fn finish(&mut self) -> Option<Line> {
        if let Some(line) = self.poll_line() {
            return Some(line);
        }
        self.skip = Skip::No;
        self.tail = 0;
        self.searched = 0;
        let line = self.buffer.split().freeze();
        self.classify(line, self.appended)
    }

    /// Bytes held now.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.chunk.len().saturating_add(self.buffer.len())
    }

    /// Drops the rest of an overlong line: how many of `bytes` belong to it.
    fn skip_in(&mut self, bytes: &[u8]) -> usize {
        let end = match self.skip {
            Skip::No => return 0,
            Skip::Kept | Skip::Reported => scan::find(b'\n', bytes),
        };
        let kept = self.skip == Skip::Kept;
        if kept && let Some((_, outline)) = self.cut.back_mut() {
            outline.push_until_told(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default());
        }
        let Some(end) = end else { return bytes.len() };
        self.skip = Skip::No;
        // A line that has not been reported still needs its newline.
        if kept { end } else { end + 1 }
    }

    fn append(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        // There is no newline in all that is kept.
        if self.buffer.len() == self.tail {
            self.searched = self.tail;
        }
        self.tail = match scan::rfind(b'\n', bytes) {
            Some(last) => bytes.len() - last - 1,
            None => self.tail.saturating_add(bytes.len()),
        };
        // One more than the limit, because the last one may be the CR of a line end.
        let most = self.limit.saturating_add(1);
        let excess = self.tail.saturating_sub(most);
        let (fits, cut) = bytes.split_at(bytes.len() - excess.min(bytes.len()));
        self.buffer.extend_from_slice(fits);
        self.appended += fits.len() as u64;
        if excess > 0 {
            self.tail = most;
            self.cut_off(cut);
        }
    }

    /// The unfinished line is too long: of what does not fit only the outline is kept.
    #[cold]
    fn cut_off(&mut self, rest: &[u8]) {
        self.skip = Skip::Kept;
        let start = self.buffer.len().saturating_sub(self.tail);
        let mut outline = Outline::default();
        outline.push_until_told(self.buffer.get(start..).unwrap_or_default());
        outline.push_until_told(rest);
        self.cut.push_back((self.appended, outline));
        // What was cut off must not make this byte look like part of a line end. It is beyond the head.
        if let Some(last) = self.buffer.last_mut() {
            *last = b' ';
        }
    }

    /// The next line that has its newline, without it, and where in the buffer it ended.
    fn take_complete(&mut self) -> Option<(Bytes, u64)> {
        if !self.chunk.is_empty() {
            let end = scan::find(b'\n', &self.chunk).unwrap_or(self.chunk.len());
            let line = self.chunk.split_to(end);
            self.chunk.advance(self.chunk.len().min(1));
            // It was there as a whole.
            return Some((line, 0));
        }
        // Only the unfinished line is there, which was searched when it came.
        if self.buffer.len() <= self.tail {
            return None;
        }
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        let end = self.searched + scan::find(b'\n', fresh)?;
        self.searched = 0;
        let line = self.buffer.split_to(end).freeze();
        let end = self.appended - self.buffer.len() as u64;
        self.buffer.advance(1);
        Some((line, end))
    }

    /// Reports the unfinished line if it is too long already, and it is told what it was meant as.
    fn take_overlong(&mut self) -> Option<Line> {
        if self.skip != Skip::Kept || !self.cut.back().is_some_and(|(_, outline)| outline.is_told()) {
            return None;
        }
        self.skip = Skip::Reported;
        self.tail = 0;
        self.searched = 0;
        let kept = self.buffer.split().freeze();
        Some(self.too_long(&kept, self.appended))
    }

    /// `None` for an empty line.
    fn classify(&mut self, mut line: Bytes, end: u64) -> Option<Line> {
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        match line.len() {
            0 => None,
            len if len > self.limit => Some(self.too_long(&line, end)),
            // Some peers write one at the beginning of the stream, and go on with the next line.
            _ if line.first() == BOM.first() && line.chunks(BOM.len()).all(|mark| mark == BOM) => None,
            _ => Some(Line::Complete(line)),
        }
    }

    #[cold]
    fn too_long(&mut self, line: &[u8], end: u64) -> Line {
        let is_cut = self.cut.front().is_some_and(|(cut_at, _)| *cut_at == end);
        let cut = if is_cut { self.cut.pop_front() } else { None };
        let outline = cut.map(|(_, outline)| outline).unwrap_or_else(|| {
            let mut outline = Outline::default();
            outline.push_until_told(line);
            outline
        });
        let head = line.get(..line.len().min(self.limit).min(HEAD)).unwrap_or_default();
        // A copy, so that the head does not keep the whole buffer alive.
        Line::TooLong {
            length_at_least: self.limit.saturating_add(1),
            head: Bytes::copy_from_slice(head),
            outline: Box::new(outline),
        }
    }
}

/// Ends a message with a newline, after replacing raw newlines in it: the line that is written to a byte stream.
#[must_use]
pub fn encode_line(mut message: Vec<u8>) -> Vec<u8> {
    if scan::find_line_end(&message).is_some() {
        replace_newlines(&mut message);
    }
    message.push(b'\n');
    message
}

/// The same JSON text without raw CR and LF, each replaced by a space. Without any the text itself comes back, not
/// a copy.
///
/// In JSON they can only be white space between tokens, since inside a string they must be escaped: the value stays
/// the same. For texts of others that are forwarded byte for byte.
#[must_use]
pub fn strip_newlines(message: Bytes) -> Bytes {
    if scan::find_line_end(&message).is_none() {
        return message;
    }
    let mut copy = Vec::from(message);
    replace_newlines(&mut copy);
    Bytes::from(copy)
}

fn replace_newlines(message: &mut [u8]) {
    for byte in message {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cuts;
    use alloc::string::String;
    use alloc::{format, vec};

    fn drain(decoder: &mut LineDecoder, lines: &mut Vec<Line>) {
        while let Some(line) = decoder.poll_line() {
            lines.push(line);
        }
    }

    fn decode(limit: usize, pieces: &[&[u8]], as_bytes: bool, eager: bool) -> Vec<Line> {
        let mut decoder = LineDecoder::new(limit);
        let mut lines = Vec::new();
        for piece in pieces {
            match as_bytes {
                true => decoder.push_bytes(Bytes::copy_from_slice(piece)),
                false => decoder.push(piece),
            }
            if eager {
                drain(&mut decoder, &mut lines);
            }
        }
        while let Some(line) = decoder.finish() {
            lines.push(line);
        }
        assert_eq!(decoder.buffered(), 0);
        lines
    }

    fn told(line: &[u8]) -> Box<Outline> {
        let mut outline = Outline::default();
        outline.push_until_told(line);
        Box::new(outline)
    }

    /// The rules, said the slow way.
    fn reference(limit: usize, input: &[u8]) -> Vec<Line> {
        let strip = |line: &[u8]| Vec::from(line.strip_suffix(b"\r").unwrap_or(line));
        let lines = input
            .split(|&byte| byte == b'\n')
            .map(strip)
            .filter(|line| !line.is_empty());
        lines
            .map(|line| match line.len() > limit {
                true => Line::TooLong {
                    length_at_least: limit + 1,
                    head: Bytes::copy_from_slice(&line[..line.len().min(limit).min(256)]),
                    outline: told(&line),
                },
                false => Line::Complete(line.into()),
            })
            .collect()
    }

    /// However a long line is cut, each byte is looked at a few times and no more.
    #[test]
    fn the_work_grows_with_the_line_and_not_with_its_pieces() {
        const LENGTH: usize = 1 << 18;
        let mut input = vec![b'x'; LENGTH];
        input.push(b'\n');
        for size in [1, 7, 1 << 10, 1 << 16, LENGTH + 1] {
            for as_bytes in [false, true] {
                let pieces: Vec<_> = input.chunks(size).collect();
                let looked_at = scan::bytes_looked_at(|| {
                    let lines = decode(LENGTH, &pieces, as_bytes, true);
                    assert!(matches!(&lines[..], [Line::Complete(line)] if line.len() == LENGTH));
                });
                assert!(looked_at <= 3 * input.len(), "pieces of {size}: {looked_at} bytes");
            }
        }
    }

    fn complete(text: &str) -> Option<Line> {
        Some(Line::Complete(Bytes::copy_from_slice(text.as_bytes())))
    }

    fn check(limit: usize, input: &[u8]) {
        let expected = reference(limit, input);
        for pieces in cuts::all(input, input.len() as u64) {
            for (as_bytes, eager) in [(false, false), (false, true), (true, false), (true, true)] {
                let lines = decode(limit, &pieces, as_bytes, eager);
                assert_eq!(
                    lines, expected,
                    "limit {limit}, bytes {as_bytes}, eager {eager}, {pieces:?}"
                );
            }
        }
    }

    #[test]
    fn cuts_make_no_difference() {
        check(100, b"");
        check(100, b"one\ntwo\r\n\n\r\n  \nthree\rthree\r\r\nlast");
        check(100, b"\n\n\none\n\r");
        check(4, b"abcd\nabcde\nabcd\r\nabcd\rX\nabcd\r\r\nabcdefgh\nab\n");
        check(4, b"abcd\rXYZ\nabc\rd\nabcd\rXYZ");
        check(0, b"a\n\r\n\nbb\r\n");
        check(1, b"a\r");
        check(usize::MAX, b"a\nb");
    }

    #[test]
    fn random_streams_equal_the_reference() {
        let mut prng = cuts::Prng::new(7);
        for _ in 0..200 {
            let alphabet = b"\n\r\rabcdefgh{}\xff\"\":,";
            let input: Vec<u8> = (0..prng.below(120))
                .map(|_| alphabet[prng.below(alphabet.len())])
                .collect();
            check(prng.below(9), &input);
        }
    }

    #[test]
    fn long_heads_are_cut_at_256_bytes() {
        let input = format!("{}\n{}\n", "x".repeat(1000), "y".repeat(700));
        let lines = decode(800, &[input.as_bytes()], false, true);
        let head = Bytes::from("x".repeat(256));
        assert_eq!(
            lines[0],
            Line::TooLong {
                length_at_least: 801,
                head,
                outline: told(b"x"),
            }
        );
        assert_eq!(lines[1], Line::Complete("y".repeat(700).into()));
    }

    #[test]
    fn an_endless_line_is_reported_at_once_and_held_in_bounded_memory() {
        let mut decoder = LineDecoder::new(1000);
        let mut lines = Vec::new();
        for _ in 0..10_000 {
            decoder.push(&[b'x'; 4096]);
            assert!(decoder.buffered() <= 1001);
            drain(&mut decoder, &mut lines);
            assert_eq!(lines.len(), 1);
        }
        decoder.push(b"\nnext\n");
        assert_eq!(decoder.poll_line(), complete("next"));
        assert_eq!(decoder.finish(), None);
    }

    #[test]
    fn an_endless_line_nobody_polls_is_held_in_bounded_memory() {
        let mut decoder = LineDecoder::new(1000);
        decoder.push(b"first\n");
        for _ in 0..1000 {
            decoder.push_bytes(Bytes::from(vec![b'x'; 4096]));
            assert!(decoder.buffered() <= 1001 + 6);
        }
        decoder.push(b"\nnext\n");
        assert_eq!(decoder.poll_line(), complete("first"));
        assert!(matches!(decoder.poll_line(), Some(Line::TooLong { .. })));
        assert_eq!(decoder.poll_line(), complete("next"));
    }

    #[test]
    fn an_id_is_found_beyond_the_limit() {
        let reply = |id: i32| format!("{{\"result\":\"{}\",\"id\":{id}}}\r\n", "x".repeat(1000));
        let input = [reply(1), String::from("ok\n"), reply(2), reply(3)].concat();
        check(20, input.as_bytes());
        let ids: Vec<_> = decode(20, &[input.as_bytes()], false, true)
            .iter()
            .filter_map(|line| match line {
                Line::TooLong { outline, .. } => outline.id().map(String::from),
                Line::Complete(_) => None,
            })
            .collect();
        assert_eq!(ids, ["1", "2", "3"]);
    }

    #[test]
    fn push_bytes_slices_without_copying() {
        let chunk = Bytes::from(String::from("first\r\nsecond\npart"));
        let mut decoder = LineDecoder::new(100);
        decoder.push_bytes(chunk.clone());
        let Some(Line::Complete(first)) = decoder.poll_line() else {
            panic!("no line")
        };
        let Some(Line::Complete(second)) = decoder.poll_line() else {
            panic!("no line")
        };
        assert_eq!(first.as_ptr(), chunk.as_ptr());
        assert_eq!(second.as_ptr(), chunk[7..].as_ptr());
        assert_eq!(decoder.poll_line(), None);
        assert_eq!(decoder.finish(), complete("part"));
    }

    #[test]
    fn lines_of_one_push_share_one_buffer() {
        let mut decoder = LineDecoder::new(100);
        decoder.push(b"one\ntwo\n");
        let Some(Line::Complete(one)) = decoder.poll_line() else {
            panic!("no line")
        };
        let Some(Line::Complete(two)) = decoder.poll_line() else {
            panic!("no line")
        };
        assert_eq!(one.as_ptr() as usize + 4, two.as_ptr() as usize);
    }

    #[test]
    fn a_decoder_goes_on_after_finish() {
        let mut decoder = LineDecoder::new(3);
        decoder.push(b"abcdef");
        assert!(matches!(decoder.finish(), Some(Line::TooLong { .. })));
        assert_eq!(decoder.finish(), None);
        decoder.push(b"new\n");
        assert_eq!(decoder.poll_line(), complete("new"));
    }

    #[test]
    fn newlines_are_stripped_and_nothing_else_is_copied() {
        let plain = Bytes::from_static(b"{\"a\": \"b\\n\"}");
        assert_eq!(strip_newlines(plain.clone()).as_ptr(), plain.as_ptr());
        assert_eq!(strip_newlines(Bytes::from_static(b"{\r\n\"a\":\n1}")), "{  \"a\": 1}");
        assert_eq!(encode_line(b"{\n}".to_vec()), b"{ }\n");
        assert_eq!(encode_line(b"{}".to_vec()), b"{}\n");
    }
}
