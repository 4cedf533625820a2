//! Sessions over HTTP+SSE, polled by hand on virtual time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use bytes::Bytes;
use http::Request;
use http::request::Parts;

use super::*;
use crate::handle::server::http::{Admission, Endpoint};
use crate::handle::{Server, Timer};
use crate::http::server::{HttpConfig, Principal, SessionId, SsePaths, SseRoute};
use crate::limits::Limits;
use crate::model::{Json, Tool};
use crate::server::http::{Asker, Sender};
use crate::time::Time;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"hi","arguments":{}}}"#;

/// Time that stands still.
struct Still(Time);

impl Timer for Still {
    fn now(&self) -> Time {
        self.0
    }

    fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> {
        Poll::Pending
    }
}

struct Site {
    endpoint: Endpoint,
    hub: SseHub,
    made: u8,
    now: Time,
}

impl Site {
    fn new(limits: Limits) -> Self {
        let server = Server::builder("test", "1")
            .limits(limits)
            .raw_tool(Tool::new("hi", Json::empty_object()), |_, _| async { Ok("hello") })
            .raw_tool(Tool::new("wait", Json::empty_object()), |_, _| async {
                core::future::pending::<()>().await;
                Ok("never")
            })
            .build();
        let config = HttpConfig::default().http_sse(SsePaths::default());
        Self {
            hub: SseHub::new(&server, &config).unwrap(),
            endpoint: Endpoint::new(&server, config),
            made: 0,
            now: Time::ORIGIN,
        }
    }

    fn admit(&self, method: &str, uri: &str, principal: &str) -> (Admission, Parts) {
        let request = Request::builder().method(method).uri(uri).header("host", "localhost");
        let request = request.header("content-type", "application/json");
        let mut head = request.body(()).unwrap().into_parts().0;
        if !principal.is_empty() {
            head.extensions.insert(Principal::new(principal));
        }
        (self.endpoint.admit(&head).unwrap(), head)
    }

    fn try_open(&mut self, principal: &str) -> Result<SseStream, u16> {
        let (admission, head) = self.admit("GET", "/sse", principal);
        self.made += 1;
        let asker = Asker {
            head,
            sender: Sender::new(),
        };
        let opened = self.hub.open(&admission, asker, &Still(self.now), [self.made; 32]);
        opened.map_err(|response| response.status().as_u16())
    }

    /// A session, and where its messages go.
    fn open(&mut self, principal: &str) -> (SseStream, String) {
        let mut stream = self.try_open(principal).unwrap();
        let event = self.next(&mut stream).unwrap();
        let endpoint = event.strip_prefix("event: endpoint\ndata: ").unwrap().trim();
        (stream, format!("/{endpoint}"))
    }

    fn post(&self, uri: &str, principal: &str, body: &str) -> u16 {
        let (admission, head) = self.admit("POST", uri, principal);
        let session: SessionId = match self.hub.route(&admission, &head) {
            Ok(Some(SseRoute::Message(session))) => session,
            Ok(_) => panic!("{uri} is no place for messages"),
            Err(response) => return response.status().as_u16(),
        };
        let body = Bytes::copy_from_slice(body.as_bytes());
        let response = self.hub.take(self.now, &admission, &head, &session, body);
        response.status().as_u16()
    }

    /// What comes next; `None` where nothing does.
    fn next(&self, stream: &mut SseStream) -> Option<String> {
        match stream.poll_frame(&mut Context::from_waker(Waker::noop()), self.now) {
            Poll::Ready(Some(frame)) => Some(core::str::from_utf8(&frame).unwrap().to_string()),
            Poll::Ready(None) => Some("end".into()),
            Poll::Pending => None,
        }
    }
}

#[test]
fn a_session_is_a_stream_and_its_posts() {
    let mut site = Site::new(Limits::default());
    let (mut stream, place) = site.open("");
    assert_eq!(stream.head().headers["content-type"], "text/event-stream");
    // Whatever its layout: a message is one line of a stream.
    assert_eq!(site.post(&place, "", &INITIALIZE.replace(',', ",\r\n ")), 202);
    let event = site.next(&mut stream).unwrap();
    assert!(
        event.starts_with("data: {") && event.contains(r#""protocolVersion":"2024-11-05""#),
        "{event}"
    );
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(site.post(&place, "", initialized), 202);
    assert_eq!(site.next(&mut stream), None);
    assert_eq!(site.post(&place, "", CALL), 202);
    let event = site.next(&mut stream).unwrap();
    assert!(event.contains("hello") && event.ends_with("\n\n"), "{event}");
    assert_eq!(site.hub.sessions(), 1);
    drop(stream);
    assert_eq!((site.hub.sessions(), site.post(&place, "", CALL)), (0, 404));
}

#[test]
fn a_session_is_nobody_elses() {
    let mut site = Site::new(Limits::default());
    let (mut stream, place) = site.open("a");
    for other in ["", "b"] {
        assert_eq!(site.post(&place, other, INITIALIZE), 404);
    }
    assert_eq!(site.next(&mut stream), None, "nothing has arrived");
    assert_eq!(
        site.post("/messages?sessionId=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a", CALL),
        404
    );
    assert_eq!(site.post("/messages", "a", CALL), 404);
    assert_eq!(site.post(&place, "a", INITIALIZE), 202);
    assert!(site.next(&mut stream).is_some());
}

#[test]
fn a_client_of_streamable_http_learns_that_this_is_another_transport() {
    let site = Site::new(Limits::default());
    assert_eq!(site.post("/sse", "", INITIALIZE), 405);
    let (admission, head) = site.admit("POST", "/mcp", "");
    assert!(matches!(site.hub.route(&admission, &head), Ok(None)));
}

#[test]
fn sessions_are_bounded_and_a_principal_has_its_share() {
    let limits = Limits::default().with_sessions(3).with_sessions_per_principal(2);
    let mut site = Site::new(limits);
    let kept = [site.open("a"), site.open("a")];
    assert_eq!(site.try_open("a").unwrap_err(), 429);
    let (_last, _) = site.open("b");
    assert_eq!(site.hub.sessions(), 3);
    // Who holds most loses to who holds nothing.
    let (_new, place) = site.open("c");
    assert_eq!((site.hub.sessions(), site.post(&place, "c", INITIALIZE)), (3, 202));
    let statuses = kept.each_ref().map(|(_, place)| site.post(place, "a", INITIALIZE));
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 1);
    let ended = kept.into_iter().filter_map(|(mut stream, _)| site.next(&mut stream));
    assert_eq!(
        ended.filter(|frame| frame == "end").count(),
        1,
        "the stream of that session ends"
    );
}

#[test]
fn a_silent_stream_is_kept_alive() {
    let mut site = Site::new(Limits::default());
    let (mut stream, _) = site.open("");
    assert_eq!(site.next(&mut stream), None);
    let due = Time::ORIGIN + Duration::from_secs(15);
    assert_eq!(stream.poll_timeout(), Some(due));
    site.now = due;
    assert!(site.next(&mut stream).unwrap().starts_with(':'));
    assert_eq!(site.next(&mut stream), None);
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    let mut site = Site::new(Limits::default().with_outbox_bytes(2_000));
    let (mut stream, place) = site.open("");
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    let taken = (0..1_000).take_while(|_| site.post(&place, "", ping) == 202).count();
    assert!((1..1_000).contains(&taken), "{taken}");
    assert_eq!(site.post(&place, "", ping), 503);
    while site.next(&mut stream).is_some() {}
    assert_eq!(site.post(&place, "", ping), 202);
}

#[test]
fn a_hub_that_closes_ends_its_streams_and_takes_nobody() {
    let mut site = Site::new(Limits::default());
    let (mut stream, place) = site.open("");
    assert_eq!(site.post(&place, "", INITIALIZE), 202);
    site.hub.close();
    assert!(
        site.next(&mut stream).unwrap().contains("2024-11-05"),
        "what was asked is answered"
    );
    assert_eq!(site.next(&mut stream).as_deref(), Some("end"));
    assert_eq!(site.try_open("").unwrap_err(), 503);
    assert_eq!(site.post(&place, "", CALL), 404);
}

#[test]
fn what_is_no_message_harms_nobody() {
    let mut site = Site::new(Limits::default());
    let (mut stream, place) = site.open("");
    for junk in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        r#"{"jsonrpc":"2.0","id":4000,"result":{}}"#,
    ] {
        assert_eq!(site.post(&place, "", junk), 202, "{junk:?}");
        while site.next(&mut stream).is_some() {}
    }
    assert_eq!(site.post(&place, "", INITIALIZE), 202);
    assert!(site.next(&mut stream).unwrap().contains("2024-11-05"));
}

#[test]
fn what_no_session_reads_is_bounded_over_all_of_them() {
    const TOTAL: usize = 256 << 10;
    let mut site = Site::new(Limits::default().with_unread_bytes(TOTAL));
    let ping = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(1_000));
    let mut sessions: Vec<_> = (0..10).map(|_| site.open("")).collect();
    for _ in 0..100 {
        for (_, place) in &sessions {
            site.post(place, "", &ping);
        }
    }
    let (mut queued, mut ended) = (0, 0);
    for (stream, _) in &mut sessions {
        while let Some(frame) = site.next(stream) {
            if frame == "end" {
                ended += 1;
                break;
            }
            queued += frame.len();
        }
    }
    assert!((1..10).contains(&ended), "{ended}");
    // Framing adds a little to what is counted.
    assert!(queued > TOTAL / 4 && queued < TOTAL + TOTAL / 8, "{queued}");
    // Who reads goes on.
    let (mut stream, place) = site.open("");
    assert_eq!(site.post(&place, "", &ping), 202);
    assert!(site.next(&mut stream).is_some_and(|frame| frame.starts_with("data: ")));
}
