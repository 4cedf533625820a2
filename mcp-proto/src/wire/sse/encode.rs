//! Writing events. Nothing that is passed in can end a field or an event early.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::shown::shown;
use crate::wire::scan;
#[cfg(feature = "http")]
use crate::wire::splice::{self, put_around};

/// One event to write.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SseFrame<'a> {
    /// The event type. `None` or empty means `message`.
    pub event: Option<&'a str>,
    /// The event id. An empty one makes the reader forget its last id.
    pub id: Option<&'a str>,
    /// How long a reader that loses the stream should wait before it reconnects; written in whole milliseconds.
    pub retry: Option<Duration>,
    /// The data, UTF-8 text. A `data` field is always written, so that an event with an id and empty data is what
    /// 2025-11-25, basic/transports ("Sending Messages to the Server", item 6) asks to prime a client for resumption.
    pub data: &'a [u8],
}

shown!(SseFrame<'_> { event, retry } bytes { data });

/// Why an event cannot be written. Nothing has been written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseEncodeError {
    /// The event type contains CR or LF.
    InvalidEvent,
    /// The id contains CR, LF or NUL.
    InvalidId,
}

impl fmt::Display for SseEncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidEvent => "the event type contains a line end",
            Self::InvalidId => "the event id contains a line end or NUL",
        })
    }
}

impl core::error::Error for SseEncodeError {}

/// Appends an event to `out`.
///
/// Data is split at every CR, LF and CRLF into `data` lines, which a reader joins with LF.
///
/// # Errors
///
/// When the event type or the id cannot be said in a field; `out` is unchanged.
pub fn encode_event(out: &mut Vec<u8>, frame: &SseFrame<'_>) -> Result<(), SseEncodeError> {
    let event = frame.event.filter(|event| !event.is_empty());
    if event.is_some_and(|event| scan::find_line_end(event.as_bytes()).is_some()) {
        return Err(SseEncodeError::InvalidEvent);
    }
    // A reader ignores an id with NUL in it (HTML, Interpreting an event stream).
    if frame
        .id
        .is_some_and(|id| id.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)))
    {
        return Err(SseEncodeError::InvalidId);
    }
    if let Some(event) = event {
        field(out, b"event:", event.as_bytes());
    }
    if let Some(id) = frame.id {
        field(out, b"id:", id.as_bytes());
    }
    if let Some(retry) = frame.retry {
        field(out, b"retry:", retry.as_millis().to_string().as_bytes());
    }
    encode_message(out, frame.data);
    Ok(())
}

/// Appends an event that has only data: an MCP message. The event type is left out, since `message` is the default.
pub fn encode_message(out: &mut Vec<u8>, data: &[u8]) {
    // `data: ` and two line ends.
    out.reserve(data.len().saturating_add(8));
    lines(out, b"data:", data);
    out.push(b'\n');
}

/// The event of one message. A large one is not copied where it is one line.
#[cfg(feature = "http")]
pub(crate) fn into_event(mut message: Vec<u8>) -> Vec<u8> {
    if message.len() >= splice::LARGE && scan::find_line_end(&message).is_none() {
        put_around(&mut message, 0, b"data: ", b"\n\n");
        return message;
    }
    let mut event = Vec::with_capacity(message.len().saturating_add(8));
    encode_message(&mut event, &message);
    event
}

/// Appends a comment, which readers ignore: a keep-alive (2026-07-28, basic/transports/streamable-http, "Receiving
/// Messages"). Several lines become several comments.
pub fn encode_comment(out: &mut Vec<u8>, text: &str) {
    lines(out, b":", text.as_bytes());
    out.push(b'\n');
}

/// One field per line of `value`.
fn lines(out: &mut Vec<u8>, name: &[u8], mut value: &[u8]) {
    while let Some((line, end_and_rest)) = scan::find_line_end(value).and_then(|end| value.split_at_checked(end)) {
        field(out, name, line);
        value = match end_and_rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => end_and_rest,
        };
    }
    field(out, name, value);
}

/// `name` includes the colon.
fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    if !value.is_empty() {
        out.push(b' ');
        out.extend_from_slice(value);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(frame: &SseFrame<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode_event(&mut out, frame).unwrap();
        out
    }

    #[test]
    fn messages() {
        let mut out = Vec::new();
        encode_message(&mut out, b"{}");
        encode_message(&mut out, b"{\n}");
        encode_message(&mut out, b"a\r\nb\rc\n\rd\n");
        assert_eq!(
            out,
            b"data: {}\n\ndata: {\ndata: }\n\ndata: a\ndata: b\ndata: c\ndata:\ndata: d\ndata:\n\n"
        );
    }

    #[cfg(feature = "http")]
    #[test]
    fn an_event_in_the_place_of_its_message_is_the_same() {
        let large = alloc::vec![b'x'; splice::LARGE];
        let lines = [&large[..], b"\r\n", &large[..]].concat();
        for message in [&b""[..], b"{}", b"{\n}", &large, &lines] {
            let mut out = Vec::new();
            encode_message(&mut out, message);
            assert_eq!(into_event(message.to_vec()), out);
        }
    }

    #[test]
    fn every_field() {
        let retry = Some(Duration::from_millis(1500));
        let frame = SseFrame {
            event: Some("endpoint"),
            id: Some("7"),
            retry,
            data: b" /m",
        };
        assert_eq!(written(&frame), b"event: endpoint\nid: 7\nretry: 1500\ndata:  /m\n\n");
        let priming = SseFrame {
            id: Some("s/1"),
            ..SseFrame::default()
        };
        assert_eq!(written(&priming), b"id: s/1\ndata:\n\n");
        let reset = SseFrame {
            event: Some(""),
            id: Some(""),
            ..SseFrame::default()
        };
        assert_eq!(written(&reset), b"id:\ndata:\n\n");
    }

    #[test]
    fn nothing_is_injected() {
        let mut out = Vec::new();
        for event in ["a\nb", "a\rdata: x", "\n"] {
            let frame = SseFrame {
                event: Some(event),
                ..SseFrame::default()
            };
            assert_eq!(encode_event(&mut out, &frame), Err(SseEncodeError::InvalidEvent));
        }
        for id in ["a\nb", "a\r", "\0"] {
            let frame = SseFrame {
                id: Some(id),
                ..SseFrame::default()
            };
            assert_eq!(encode_event(&mut out, &frame), Err(SseEncodeError::InvalidId));
        }
        assert!(out.is_empty());
    }

    #[test]
    fn comments() {
        let mut out = Vec::new();
        encode_comment(&mut out, "");
        encode_comment(&mut out, "hi\n\ndata: x");
        assert_eq!(out, b":\n\n: hi\n:\n: data: x\n\n");
    }
}
