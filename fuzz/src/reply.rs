//! One response of the server, against a model of it.
//!
//! A reply has one head and then a body of the length it says, holds every message that it took in their order, and
//! comes to its end when the last answer is in.

use std::iter;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use mcp_proto::Time;
use mcp_proto::http::server::{Accepts, Blocked, HttpConfig, Refusal, Reply, SessionId};
use mcp_proto::jsonrpc::{self, RawJson};
use mcp_proto::wire::sse::SseDecoder;

use crate::ledger::dry;
use crate::message::Raw;
use crate::settings;

#[derive(Arbitrary, Debug)]
enum Op {
    Notify(Raw),
    Request(Raw),
    Respond(Raw),
    Accepted,
    Refuse,
    End,
    Wait(u8),
    Head,
    Body,
}

/// What a reply took, and what came out of it.
struct Books {
    reply: Reply,
    now: Time,
    sent: Vec<Vec<u8>>,
    head: Option<http::response::Parts>,
    body: Vec<u8>,
    streams: bool,
}

/// The input is a kind of reply, and operations on it.
pub fn run(config: &HttpConfig, u: &mut Unstructured<'_>) {
    let limits = settings::limits();
    let Ok((json, sse, kind)) = <(bool, bool, u8)>::arbitrary(u) else {
        return;
    };
    let accepts = if json || sse {
        Accepts { json, sse }
    } else {
        Accepts::BOTH
    };
    let mut reply = match kind % 4 {
        0 => Reply::stream(config, &limits),
        1 => Reply::batch(usize::from(kind / 4 % 4) + 1, accepts, config, &limits),
        _ => Reply::new(accepts, config, &limits),
    };
    reply.set_session(SessionId::from_random([kind; 32]));
    let mut books = Books {
        reply,
        now: Time::ORIGIN,
        sent: Vec::new(),
        head: None,
        body: Vec::new(),
        streams: false,
    };
    while !u.is_empty() {
        let Ok(op) = Op::arbitrary(u) else { break };
        books.apply(op);
    }
    books.end(limits.outbox_bytes);
}

impl Books {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Notify(raw) => {
                let (message, dropped) = (json(raw), self.reply.dropped());
                let taken = self.reply.notify(message.clone()).is_ok();
                self.took(message, taken && self.reply.dropped() == dropped);
            }
            Op::Request(raw) => {
                let message = json(raw);
                let taken = match self.reply.call(message.clone()) {
                    Ok(()) => true,
                    Err(Blocked(back)) => {
                        assert_eq!(back, message);
                        false
                    }
                };
                self.took(message, taken);
            }
            Op::Respond(raw) => {
                let message = json(raw);
                let taken = !self.reply.is_ended();
                self.reply.respond(StatusCode::OK, message.clone());
                self.took(message, taken);
            }
            Op::Accepted => self.reply.accepted(),
            Op::Refuse => self.reply.refuse(Refusal::Busy.into_response()),
            Op::End => self.reply.end(),
            Op::Wait(seconds) => {
                self.now = self.now + Duration::from_secs(seconds.into());
                self.reply.handle_timeout(self.now);
            }
            Op::Head => self.poll_head(),
            Op::Body => self.poll_body(),
        }
    }

    fn took(&mut self, message: Vec<u8>, taken: bool) {
        if taken {
            self.sent.push(message);
        }
        self.streams |= self.reply.is_streaming();
    }

    fn poll_head(&mut self) {
        for head in dry(1, || self.reply.poll_head(self.now)) {
            assert!(self.head.replace(head).is_none(), "two heads");
        }
    }

    fn poll_body(&mut self) {
        let length = self.reply.body_length().filter(|_| self.head.is_some());
        let pieces = dry(2, || self.reply.poll_body(self.now));
        assert!(pieces.is_empty() || self.head.is_some(), "a body before the head");
        let body = pieces.concat();
        assert!(
            length.is_none_or(|length| length == body.len()),
            "{length:?} is not {}",
            body.len()
        );
        self.body.extend(body);
    }

    fn end(mut self, most: usize) {
        assert!(
            self.reply
                .body_length()
                .is_none_or(|length| length <= 4 * most + 64 * 1024)
        );
        self.streams |= self.reply.is_streaming();
        if !self.reply.is_ended() {
            match self.streams {
                true => self.reply.end(),
                false => self.reply.accepted(),
            }
            if !self.streams {
                self.sent.clear();
            }
        }
        self.poll_head();
        self.poll_body();
        self.poll_body();
        assert!(self.reply.is_finished() && self.reply.is_ended());
        assert_eq!(self.reply.poll_timeout(), None);
        self.compare();
    }

    /// Everything that was taken has come out, in its order.
    fn compare(self) {
        let head = self.head.expect("a head");
        if head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream")
        {
            let mut decoder = SseDecoder::new(usize::MAX);
            decoder.push(&self.body);
            let events: Vec<Vec<u8>> = iter::from_fn(|| decoder.poll_event())
                .map(|event| event.expect("an event").data.to_vec())
                .collect();
            assert_eq!(events, self.sent);
        } else if head.status == StatusCode::OK {
            let whole: Vec<Box<serde_json::value::RawValue>> = match self.body.first() {
                Some(b'[') => serde_json::from_slice(&self.body).expect("an array"),
                _ => vec![serde_json::from_slice(&self.body).expect("JSON")],
            };
            let whole: Vec<&[u8]> = whole.iter().map(|message| message.get().as_bytes()).collect();
            assert_eq!(whole, self.sent);
        }
    }
}

/// A message with these bytes in it, on one line.
fn json(Raw(bytes): Raw) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes);
    let params = serde_json::to_vec(&serde_json::json!({ "text": text })).expect("JSON");
    jsonrpc::encode_notification("notifications/x", RawJson::parse(params).expect("JSON").as_bytes())
}
