//! A stream that can be resumed, as its response sees it.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::replay::{EventId, Recorded, Replayed, StreamKey};
use crate::wire::sse::{self, SseFrame};

/// That a response can be resumed, if it becomes a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumable {
    /// The stream it is then.
    pub(crate) key: StreamKey,
    /// How long a client is to wait before it opens the stream again.
    pub(crate) retry: Duration,
    /// Whether it begins with an event that has an id alone (2025-11-25, Transports, Sending Messages, 6).
    pub(crate) primes: bool,
}

/// The events of a stream that can be resumed: their ids, and what of them is to be kept.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) key: StreamKey,
    retry: Duration,
    /// Where the next event stands.
    next: u64,
    records: VecDeque<Recorded>,
    pub(super) reader: Reader,
}

/// Who reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// A connection.
    There,
    /// A connection that is to end once it has taken what is queued.
    Leaving,
    /// Nobody, for the moment.
    Gone,
}

impl Track {
    /// A stream from its beginning, which `out` gets.
    pub(super) fn begin(resumable: Resumable, out: &mut Vec<u8>) -> Self {
        let Resumable { key, retry, primes } = resumable;
        let first = key.event(0);
        if primes {
            let id = first.to_string();
            // An id of ours can always be written.
            let _ = sse::encode_event(
                out,
                &SseFrame {
                    id: Some(&id),
                    retry: Some(retry),
                    ..SseFrame::default()
                },
            );
        }
        let mut track = Self::at(resumable, 1);
        // With it the stream is known, also to a client that has no more than this.
        track.record(first, Bytes::new(), false);
        track
    }

    /// A stream of which so much is known already.
    pub(super) fn at(resumable: Resumable, next: u64) -> Self {
        Self {
            key: resumable.key,
            retry: resumable.retry,
            next,
            records: VecDeque::new(),
            reader: Reader::There,
        }
    }

    /// An event, for whoever reads, and to be kept.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, message: &[u8], is_last: bool) {
        let id = self.key.event(self.next);
        self.next += 1;
        let mut event = Vec::with_capacity(message.len().saturating_add(64));
        let text = id.to_string();
        let _ = sse::encode_event(
            &mut event,
            &SseFrame {
                id: Some(&text),
                data: message,
                ..SseFrame::default()
            },
        );
        if self.reader != Reader::Gone {
            out.extend_from_slice(&event);
        }
        self.record(id, Bytes::from(event), is_last);
    }

    /// No more will come, though nothing says so.
    pub(super) fn end(&mut self) {
        let id = self.key.event(self.next);
        self.next += 1;
        self.record(id, Bytes::new(), true);
    }

    fn record(&mut self, id: EventId, event: Bytes, is_last: bool) {
        self.records.push_back(Recorded { id, event, is_last });
    }

    pub(super) fn poll_record(&mut self) -> Option<Recorded> {
        self.records.pop_front()
    }

    /// What a connection gets that goes on with the stream.
    pub(super) fn catch_up(retry: Duration, replayed: &Replayed) -> Vec<u8> {
        let mut out = alloc::format!("retry: {}\n\n", retry.as_millis()).into_bytes();
        if replayed.lost > 0 {
            sse::encode_comment(&mut out, &alloc::format!("{} events are lost", replayed.lost));
        }
        out.extend_from_slice(&replayed.events);
        out
    }

    pub(super) fn retry(&self) -> Duration {
        self.retry
    }
}
