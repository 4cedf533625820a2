//! The decoder of server-sent events.
//!
//! However a stream is cut and whatever its line ends are, the same events come out, and the same last id and retry; an
//! unfinished event holds no more than the limit; what is written as events is read back.

use std::iter;
use std::time::Duration;

use mcp_proto::wire::sse::{SseDecoder, SseError, SseEvent, SseFrame, encode_event};

use crate::cuts;

type Seen = (Vec<Result<SseEvent, SseError>>, Option<String>, Option<Duration>);

/// The first byte is the limit of an event, the rest is the stream.
pub fn run(data: &[u8]) {
    let Some((limit, stream)) = data.split_first() else {
        return;
    };
    let limit = usize::from(*limit) * 4;
    let expected = read(limit, &[stream]);
    for pieces in cuts::all(stream) {
        assert_eq!(read(limit, &pieces), expected);
    }
    assert_eq!(read(limit, &[&with_line_feeds(stream)]), expected);
    for event in expected.0.into_iter().flatten() {
        write_back(event);
    }
}

fn read(limit: usize, pieces: &[&[u8]]) -> Seen {
    let mut decoder = SseDecoder::new(limit);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        events.extend(iter::from_fn(|| decoder.poll_event()));
        // The first two bytes may be those of a byte order mark.
        assert!(decoder.buffered() <= limit.max(2));
    }
    (events, decoder.last_event_id().map(String::from), decoder.retry())
}

/// The same stream with LF for each CRLF and CR.
fn with_line_feeds(stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut after_cr = false;
    for byte in stream {
        if !(after_cr && *byte == b'\n') {
            out.push(if *byte == b'\r' { b'\n' } else { *byte });
        }
        after_cr = *byte == b'\r';
    }
    out
}

fn write_back(event: SseEvent) {
    let frame = SseFrame {
        event: event.event.as_deref(),
        id: event.id.as_deref(),
        retry: event.retry,
        data: &event.data,
    };
    let mut written = Vec::new();
    encode_event(&mut written, &frame).expect("what was read can be written");
    let (again, ..) = read(usize::MAX, &[&written]);
    assert_eq!(again, [Ok(event)]);
}
