//! Reading an event stream.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem;
use core::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use crate::shown::shown;
use crate::wire::outline::Outline;
use crate::wire::{BOM, scan};

/// The event type of an event that names none; MCP messages travel in events of this type.
pub const MESSAGE: &str = "message";

/// Turns the bytes of a `text/event-stream` body into events.
///
/// The world tells it with [`push`](Self::push) and [`restart`](Self::restart); it tells the world with
/// [`poll_event`](Self::poll_event), which runs dry. [`last_event_id`](Self::last_event_id) and
/// [`retry`](Self::retry) are getters. Any order of calls is fine, and how the stream was cut makes no difference to
/// the events that come out. An event that is incomplete when the stream ends is never delivered.
///
/// Memory: the event under construction and the bytes pushed since the last drain. Of an event above the limit, and
/// of a comment of any length, nothing more than that is held.
///
/// ```
/// use mcp_proto::wire::sse::SseDecoder;
///
/// let mut events = SseDecoder::new(1024);
/// events.push(b": hello\n\nid: 4\ndata: {\"jsonrpc\"");
/// assert_eq!(events.poll_event(), None);
/// events.push(b":\"2.0\"}\r\n\r\n");
/// let event = events.poll_event().unwrap().unwrap();
/// assert_eq!(event.data, "{\"jsonrpc\":\"2.0\"}");
/// assert_eq!(events.last_event_id(), Some("4"));
/// ```
pub struct SseDecoder {
    limit: usize,
    /// Bytes that are not read yet, from the beginning of a line or, with `skips_line`, from inside one.
    buffer: BytesMut,
    /// How much of the front of `buffer` is known to hold no line end.
    searched: usize,
    /// Nothing has been read: a byte order mark may come.
    at_start: bool,
    /// The last line ended with CR: an LF that comes next is part of that end.
    after_cr: bool,
    /// The rest of the current line is dropped.
    skips_line: bool,
    /// Everything up to the next blank line is dropped.
    skips_event: bool,
    pending: Pending,
    last_event_id: String,
    retry: Option<Duration>,
    refused: Outline,
}

shown!(SseDecoder { limit, skips_event, retry, pending } bytes { buffer });

/// One event of a stream.
///
/// How MCP reads it: [`message`](Self::message) gives the JSON-RPC message, if there is one. An event is also
/// delivered when it has only an empty `data` field, an `id` or a `retry`, since Streamable HTTP of the legacy
/// revisions primes clients with an id and empty data (2025-11-25, basic/transports); WHATWG dispatches no such event
/// but lets its id and retry take effect. A blank line after nothing but comments, an `event` field or unknown
/// fields delivers nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The event type; `None` when absent or empty, which means `message`.
    pub event: Option<String>,
    /// The `data` lines joined with LF; valid UTF-8. Empty when there was no `data` field, or an empty one.
    pub data: Bytes,
    /// The `id` field of this very event. Empty: the last event id is forgotten.
    pub id: Option<String>,
    /// The `retry` field of this very event.
    pub retry: Option<Duration>,
}

// Neither data nor id: whoever knows an id may ask for what came after it.
shown!(SseEvent { event, retry } bytes { data });

/// An event that cannot be delivered. The stream goes on with the event after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseError {
    /// The event is above the limit. Reported when the limit is passed; the rest of the event is skipped and its
    /// id does not take effect.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The `event`, `id` or `data` is not UTF-8. A valid id takes effect.
    InvalidUtf8,
}

/// The event under construction.
#[derive(Default)]
struct Pending {
    /// Bytes of all its lines so far, without line ends.
    size: usize,
    event: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
    data: Data,
    invalid_utf8: bool,
}

shown!(Pending {
    size,
    event,
    retry,
    invalid_utf8
});

/// The `data` fields so far.
#[derive(Default)]
enum Data {
    #[default]
    None,
    /// One field, as a slice of what was pushed.
    One(Bytes),
    /// Several fields, joined.
    Joined(Vec<u8>),
}

/// What the buffer holds next.
enum Step {
    Line(Bytes),
    TooLarge,
    Dry,
}

impl SseDecoder {
    /// A decoder for events of up to `limit` bytes, counting all lines of the event but comments, without their ends.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            searched: 0,
            at_start: true,
            after_cr: false,
            skips_line: false,
            skips_event: false,
            pending: Pending::default(),
            last_event_id: String::new(),
            retry: None,
            refused: Outline::default(),
        }
    }

    /// Takes the next bytes of the stream; poll until dry afterwards. The bytes are copied once; the data of an event
    /// with one `data` line is a slice of that copy, other data is copied once more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that another stream begins, after a reconnection. An incomplete event is dropped; the last event id and
    /// the retry time are kept.
    pub fn restart(&mut self) {
        let fresh = Self::new(self.limit);
        let old = mem::replace(self, fresh);
        self.last_event_id = old.last_event_id;
        self.retry = old.retry;
    }

    /// The next event, or why one cannot be delivered.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Result<SseEvent, SseError>> {
        loop {
            let outcome = match self.next_line() {
                Step::Dry => return None,
                Step::TooLarge => Some(Err(self.too_large())),
                Step::Line(line) => self.take_line(&line),
            };
            if outcome.is_some() {
                return outcome;
            }
        }
    }

    /// The id to resume from: that of the last complete event that had one, unless an empty one came since.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        Some(self.last_event_id.as_str()).filter(|id| !id.is_empty())
    }

    /// How long the server asks to wait before a reconnection: the last valid `retry` field. Takes effect with its
    /// line, without waiting for the end of the event.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// What the data of the event tells that was refused last: an answer that cannot be read may show whose it is. Of one
    /// that was too large, as far as it goes to the limit.
    #[must_use]
    pub fn refused(&self) -> &Outline {
        &self.refused
    }

    /// Bytes held now, including those of the event under construction.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len().saturating_add(self.pending.size)
    }

    fn next_line(&mut self) -> Step {
        loop {
            if !self.skip_bom() {
                return Step::Dry;
            }
            if self.after_cr && self.buffer.first() == Some(&b'\n') {
                self.buffer.advance(1);
                self.after_cr = false;
            }
            if self.buffer.is_empty() {
                return Step::Dry;
            }
            self.after_cr = false;
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(end) = scan::find_line_end(fresh) else {
                return self.unfinished_line();
            };
            let line = self.buffer.split_to(self.searched + end).freeze();
            self.searched = 0;
            self.after_cr = self.buffer.first() == Some(&b'\r');
            self.buffer.advance(1);
            if !mem::take(&mut self.skips_line) {
                return Step::Line(line);
            }
        }
    }

    /// Whether it is known if the stream starts with a byte order mark; one is dropped.
    fn skip_bom(&mut self) -> bool {
        if self.at_start {
            if self.buffer.len() < BOM.len() && BOM.starts_with(&self.buffer) {
                return false;
            }
            // One at the beginning is no part of the stream (HTML, Parsing an event stream).
            if self.buffer.starts_with(BOM) {
                self.buffer.advance(BOM.len());
            }
            self.at_start = false;
        }
        true
    }

    /// The buffer holds a part of a line: keeps it only if it can matter.
    fn unfinished_line(&mut self) -> Step {
        let comment = self.buffer.first() == Some(&b':');
        let size = self.pending.size.saturating_add(self.buffer.len());
        if !self.skips_line && !self.skips_event && !comment && size <= self.limit {
            // What was searched is not searched again: a line that comes byte by byte would cost the square of its
            // length.
            self.searched = self.buffer.len();
            return Step::Dry;
        }
        // Once: what is skipped already was reported, and a comment may have any length.
        let reported = self.skips_line || self.skips_event || comment;
        if !reported {
            self.refused = self.outline(&self.buffer, self.pending.size);
        }
        self.skips_line = true;
        self.searched = 0;
        self.buffer.clear();
        if reported { Step::Dry } else { Step::TooLarge }
    }

    fn too_large(&mut self) -> SseError {
        // What was kept of it goes at once: the rest may take long to come.
        self.skips_event = true;
        self.pending = Pending::default();
        SseError::TooLarge { limit: self.limit }
    }

    /// What the event tells whose next line, or the beginning of it, is this, behind so many bytes.
    fn outline(&self, line: &[u8], before: usize) -> Outline {
        // Never more than the limit: else it would depend on how the stream was cut.
        let fits = line.len().min(self.limit.saturating_sub(before));
        self.pending.data.outline(line.get(..fits).unwrap_or_default())
    }

    fn take_line(&mut self, line: &Bytes) -> Option<Result<SseEvent, SseError>> {
        if line.is_empty() {
            self.skips_event = false;
            return self.dispatch();
        }
        if self.skips_event || line.first() == Some(&b':') {
            return None;
        }
        let before = self.pending.size;
        self.pending.size = before.saturating_add(line.len());
        if self.pending.size > self.limit {
            self.refused = self.outline(line, before);
            return Some(Err(self.too_large()));
        }
        let colon = scan::find(b':', line).unwrap_or(line.len());
        let mut value = line.slice(colon..);
        // Without a colon, the line is a name with an empty value (HTML, Interpreting an event stream).
        value.advance(value.len().min(1));
        // One space belongs to the format, any other to the value.
        if value.first() == Some(&b' ') {
            value.advance(1);
        }
        self.take_field(line.get(..colon).unwrap_or_default(), value);
        None
    }

    fn take_field(&mut self, name: &[u8], value: Bytes) {
        match name {
            b"data" => self.pending.data.push(value),
            b"event" => match core::str::from_utf8(&value) {
                Ok(event) => self.pending.event = Some(event.into()).filter(|event: &String| !event.is_empty()),
                Err(_) => self.pending.invalid_utf8 = true,
            },
            // Ignored, as is a `retry` of anything but digits (HTML, Interpreting an event stream).
            b"id" if value.contains(&0) => {}
            b"id" => match core::str::from_utf8(&value) {
                Ok(id) => self.pending.id = Some(id.into()),
                Err(_) => self.pending.invalid_utf8 = true,
            },
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let milliseconds = value.iter().fold(0_u64, |sum, digit| {
                    // Saturating: there may be any number of digits.
                    sum.saturating_mul(10)
                        .saturating_add(u64::from(digit.saturating_sub(b'0')))
                });
                self.retry = Some(Duration::from_millis(milliseconds));
                self.pending.retry = self.retry;
            }
            _ => {}
        }
    }

    /// A blank line: the event is complete.
    fn dispatch(&mut self) -> Option<Result<SseEvent, SseError>> {
        let pending = mem::take(&mut self.pending);
        if let Some(id) = &pending.id {
            // Only now: an event that is never complete must not be resumed from.
            self.last_event_id.clone_from(id);
        }
        let data = match pending.data {
            // What cannot be read is reported, also where the event has nothing else.
            Data::None if pending.id.is_none() && pending.retry.is_none() && !pending.invalid_utf8 => return None,
            Data::None => Bytes::new(),
            Data::One(data) => data,
            Data::Joined(data) => Bytes::from(data),
        };
        if pending.invalid_utf8 || core::str::from_utf8(&data).is_err() {
            self.refused = Outline::of(&data);
            return Some(Err(SseError::InvalidUtf8));
        }
        Some(Ok(SseEvent {
            event: pending.event,
            data,
            id: pending.id,
            retry: pending.retry,
        }))
    }
}

impl SseEvent {
    /// The MCP message in this event: its data, when the event type is `message` and the data is not empty.
    #[must_use]
    pub fn message(&self) -> Option<&Bytes> {
        let is_message = self.event.as_deref().is_none_or(|event| event == MESSAGE);
        Some(&self.data).filter(|data| is_message && !data.is_empty())
    }
}

impl Data {
    /// What it tells together with a line, or the beginning of one, that comes next.
    fn outline(&self, line: &[u8]) -> Outline {
        let mut outline = Outline::default();
        match self {
            Self::None => {}
            Self::One(data) => outline.push_until_told(data),
            Self::Joined(data) => outline.push_until_told(data),
        }
        outline.push_until_told(line.strip_prefix(b"data:").unwrap_or_default());
        outline
    }

    fn push(&mut self, value: Bytes) {
        *self = match mem::take(self) {
            Self::None => Self::One(value),
            Self::One(first) => {
                let mut joined = Vec::with_capacity(first.len().saturating_add(value.len()).saturating_add(1));
                joined.extend_from_slice(&first);
                Self::join(joined, &value)
            }
            Self::Joined(joined) => Self::join(joined, &value),
        };
    }

    fn join(mut joined: Vec<u8>, value: &[u8]) -> Self {
        joined.push(b'\n');
        joined.extend_from_slice(value);
        Self::Joined(joined)
    }
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(f, "the event is larger than {limit} bytes"),
            Self::InvalidUtf8 => f.write_str("the event is not UTF-8"),
        }
    }
}

impl core::error::Error for SseError {}
