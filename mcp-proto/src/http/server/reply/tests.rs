use alloc::string::String;
use alloc::vec;

use super::*;

const NOW: Time = Time::ORIGIN;
const OK: StatusCode = StatusCode::OK;

fn reply(accepts: Accepts, form: ReplyForm) -> Reply {
    Reply::new(accepts, &HttpConfig::default().reply(form), &Limits::default())
}

fn text(bytes: Option<Bytes>) -> String {
    String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
}

/// Status, content type, length if known, whole body.
fn taken(reply: &mut Reply) -> (u16, String, Option<usize>, String) {
    let length = reply.body_length();
    let parts = reply.poll_head(NOW).unwrap();
    let content_type = parts
        .headers
        .get("content-type")
        .map_or("", |value| value.to_str().unwrap());
    let body = text(reply.poll_body(NOW));
    assert!(reply.poll_head(NOW).is_none(), "one head");
    (parts.status.as_u16(), content_type.into(), length, body)
}

#[test]
fn an_answer_that_is_ready_at_once_is_whole_in_either_form() {
    let json = (200, "application/json".into(), Some(2), "{}".into());
    let sse = (200, "text/event-stream".into(), Some(10), "data: {}\n\n".into());
    for (accepts, form, expected) in [
        (Accepts::BOTH, ReplyForm::Json, &json),
        (Accepts::BOTH, ReplyForm::Sse, &sse),
        (Accepts::JSON, ReplyForm::Json, &json),
        (Accepts::JSON, ReplyForm::Sse, &json),
        (Accepts::SSE, ReplyForm::Json, &sse),
        (Accepts::SSE, ReplyForm::Sse, &sse),
    ] {
        let mut reply = reply(accepts, form);
        assert!(reply.poll_head(NOW).is_none() && reply.poll_body(NOW).is_none());
        reply.respond(OK, b"{}".to_vec());
        assert_eq!(&taken(&mut reply), expected, "{accepts:?} {form:?}");
        assert!(reply.is_finished() && reply.poll_body(NOW).is_none());
    }
}

#[test]
fn what_comes_first_makes_a_stream_and_what_is_ready_together_is_one_body() {
    let mut reply = reply(Accepts::BOTH, ReplyForm::Json);
    reply.notify(b"1".to_vec()).unwrap();
    reply.call(b"2".to_vec()).unwrap();
    assert_eq!(reply.body_length(), None);
    let head = reply.poll_head(NOW).unwrap();
    assert_eq!(head.headers["x-accel-buffering"], "no");
    assert_eq!(head.headers["cache-control"], "no-cache");
    assert_eq!(text(reply.poll_body(NOW)), "data: 1\n\ndata: 2\n\n");
    assert!(reply.poll_body(NOW).is_none() && !reply.is_finished());
    reply.notify(b"3".to_vec()).unwrap();
    reply.respond(StatusCode::BAD_REQUEST, b"4".to_vec());
    assert_eq!(reply.body_length(), Some(18));
    assert_eq!(text(reply.poll_body(NOW)), "data: 3\n\ndata: 4\n\n");
    assert!(reply.is_finished());
    reply.notify(b"5".to_vec()).unwrap();
    assert_eq!(reply.dropped(), 1);
    assert!(!reply.can_call() && reply.poll_body(NOW).is_none());
}

#[test]
fn a_stream_that_is_complete_before_its_head_is_taken_has_a_length() {
    let mut reply = reply(Accepts::BOTH, ReplyForm::Json);
    reply.notify(b"1".to_vec()).unwrap();
    reply.respond(OK, b"2".to_vec());
    assert_eq!(
        taken(&mut reply),
        (
            200,
            "text/event-stream".into(),
            Some(18),
            "data: 1\n\ndata: 2\n\n".into()
        )
    );
}

#[test]
fn a_client_without_streams_gets_its_answer_and_nothing_else() {
    let mut reply = reply(Accepts::JSON, ReplyForm::Sse);
    reply.notify(b"1".to_vec()).unwrap();
    assert_eq!(reply.call(b"2".to_vec()), Err(Blocked(b"2".to_vec())));
    reply.respond(OK, b"3".to_vec());
    assert_eq!(taken(&mut reply).3, "3");
    assert_eq!(reply.dropped(), 1);
}

#[test]
fn errors_with_a_status_of_their_own_are_documents() {
    for accepts in [Accepts::BOTH, Accepts::SSE] {
        let mut reply = reply(accepts, ReplyForm::Sse);
        reply.respond(StatusCode::NOT_FOUND, b"{}".to_vec());
        assert_eq!(
            taken(&mut reply),
            (404, "application/json".into(), Some(2), "{}".into())
        );
    }
}

#[test]
fn an_accepted_notification_has_no_body() {
    let mut reply = reply(Accepts::BOTH, ReplyForm::Sse);
    reply.accepted();
    assert_eq!(taken(&mut reply), (202, String::new(), Some(0), String::new()));
    assert!(reply.is_finished());
}

#[test]
fn the_session_is_named_on_success_alone() {
    let id = SessionId::from_random([7; 32]);
    for (status, named) in [(OK, true), (StatusCode::BAD_REQUEST, false)] {
        let mut reply = reply(Accepts::BOTH, ReplyForm::Json);
        reply.set_session(id);
        reply.respond(status, b"{}".to_vec());
        assert_eq!(
            reply.poll_head(NOW).unwrap().headers.contains_key("mcp-session-id"),
            named
        );
    }
}

#[test]
fn a_batch_is_one_array_or_a_stream_of_single_answers() {
    let config = HttpConfig::default();
    let batch = |accepts| Reply::batch(3, accepts, &config, &Limits::default());
    let mut reply = batch(Accepts::BOTH);
    for answer in ["1", "2", "3"] {
        assert!(reply.poll_head(NOW).is_none());
        reply.respond(OK, answer.into());
    }
    assert_eq!(
        taken(&mut reply),
        (200, "application/json".into(), Some(7), "[1,2,3]".into())
    );

    let mut reply = batch(Accepts::SSE);
    for answer in ["1", "2", "3"] {
        reply.respond(OK, answer.into());
    }
    assert_eq!(taken(&mut reply).3, "data: 1\n\ndata: 2\n\ndata: 3\n\n");

    let mut reply = batch(Accepts::BOTH);
    reply.respond(OK, b"1".to_vec());
    reply.notify(b"n".to_vec()).unwrap();
    reply.respond(OK, b"2".to_vec());
    assert!(!reply.is_ended());
    reply.respond(OK, b"3".to_vec());
    assert_eq!(taken(&mut reply).3, "data: 1\n\ndata: n\n\ndata: 2\n\ndata: 3\n\n");
}

#[test]
fn a_reader_that_stops_blocks_notifications_and_never_the_answer() {
    let limits = Limits {
        outbox_bytes: 100,
        ..Limits::default()
    };
    let mut reply = Reply::new(Accepts::BOTH, &HttpConfig::default(), &limits);
    reply.notify(vec![b'x'; 500]).unwrap(); // larger than the queue, but the queue is empty
    assert_eq!(reply.notify(b"1".to_vec()), Err(Blocked(b"1".to_vec())));
    assert_eq!(reply.call(b"2".to_vec()), Err(Blocked(b"2".to_vec())));
    assert!(reply.poll_head(NOW).is_some() && reply.poll_body(NOW).is_some());
    assert!(reply.has_room());
    reply.notify(vec![b'x'; 80]).unwrap();
    reply.notify(vec![b'x'; 80]).unwrap();
    assert!(!reply.has_room());
    assert!(reply.notify(vec![b'x'; 1]).is_err());
    reply.respond(OK, vec![b'y'; 200]);
    assert!(text(reply.poll_body(NOW)).contains("yyy"));
    assert!(reply.is_finished());
}

#[test]
fn a_stream_that_is_polled_in_vain_stays_silent() {
    let second = Duration::from_secs(1);
    let config = HttpConfig::default().keep_alive(Some(3 * second));
    let mut reply = Reply::stream(&config, &Limits::default());
    assert!(reply.poll_head(NOW).is_some());
    for seconds in 1..3 {
        assert!(reply.poll_body(NOW + seconds * second).is_none());
        assert_eq!(reply.poll_timeout(), Some(NOW + 3 * second), "after {seconds} s");
    }
    reply.handle_timeout(NOW + 3 * second);
    assert_eq!(text(reply.poll_body(NOW + 3 * second)), ":\n\n");
}

#[test]
fn a_silent_stream_is_kept_open() {
    let second = Duration::from_secs(1);
    let config = HttpConfig::default().keep_alive(Some(second));
    let mut reply = Reply::stream(&config, &Limits::default());
    assert_eq!(reply.poll_timeout(), None); // before the head there is nothing to keep open
    assert!(reply.poll_head(NOW + second).is_some());
    assert_eq!(reply.poll_timeout(), Some(NOW + 2 * second));
    reply.handle_timeout(NOW + second); // too early
    assert!(reply.poll_body(NOW + second).is_none());
    reply.handle_timeout(NOW + 2 * second);
    reply.handle_timeout(NOW + 2 * second); // once is enough
    assert_eq!(reply.poll_timeout(), None);
    assert_eq!(text(reply.poll_body(NOW + 2 * second)), ":\n\n");
    assert_eq!(reply.poll_timeout(), Some(NOW + 3 * second));
    reply.end();
    assert_eq!(reply.poll_timeout(), None);
    assert!(reply.poll_body(NOW).is_none() && reply.is_finished());
    assert_eq!(
        Reply::stream(&config.keep_alive(None), &Limits::default()).poll_timeout(),
        None
    );
}

#[test]
fn verbs_in_any_order_neither_panic_nor_lose_the_answer() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..2_000 {
        let mut reply = Reply::batch(2, Accepts::BOTH, &HttpConfig::default(), &Limits::default());
        let (mut heads, mut body, mut answers) = (0, String::new(), 0);
        for _ in 0..12 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            match seed % 7 {
                0 => drop(reply.notify(b"n".to_vec())),
                1 => drop(reply.call(b"r".to_vec())),
                2 => {
                    reply.respond(OK, b"a".to_vec());
                    answers += 1;
                }
                3 => heads += usize::from(reply.poll_head(NOW).is_some()),
                4 => body += &text(reply.poll_body(NOW)),
                5 => reply.handle_timeout(NOW + Duration::from_secs(60)),
                _ => drop(reply.poll_timeout()),
            }
        }
        for _ in answers..2 {
            reply.respond(OK, b"a".to_vec());
        }
        heads += usize::from(reply.poll_head(NOW).is_some());
        body += &text(reply.poll_body(NOW));
        assert_eq!(heads, 1);
        assert_eq!(body.replace("data", "").matches('a').count(), 2, "{body}");
        assert!(reply.is_finished());
    }
}

#[test]
fn a_cancelled_request_is_not_answered() {
    for (accepts, status) in [(Accepts::BOTH, 200), (Accepts::JSON, 202)] {
        let mut reply = reply(accepts, ReplyForm::Json);
        reply.skip();
        let (taken, _, length, body) = taken(&mut reply);
        assert_eq!((taken, length, body.as_str()), (status, Some(0), ""));
        assert!(reply.is_finished());
    }
    let mut batch = Reply::batch(3, Accepts::BOTH, &HttpConfig::default(), &Limits::default());
    batch.skip();
    batch.respond(OK, b"1".to_vec());
    batch.skip();
    assert_eq!(taken(&mut batch).3, "[1]");
    let mut stream = reply(Accepts::BOTH, ReplyForm::Json);
    stream.notify(b"1".to_vec()).unwrap();
    stream.skip();
    assert_eq!(taken(&mut stream).3, "data: 1\n\n");
}

#[test]
fn nothing_is_kept_for_a_client_that_has_gone() {
    let mut reply = reply(Accepts::BOTH, ReplyForm::Json);
    reply.notify(b"1".to_vec()).unwrap();
    reply.abandon();
    reply.notify(b"2".to_vec()).unwrap();
    reply.respond(OK, b"3".to_vec());
    assert!(reply.is_finished() && reply.poll_head(NOW).is_none() && reply.poll_body(NOW).is_none());
    assert_eq!((reply.dropped(), reply.can_call()), (1, false));
}

#[test]
fn what_belongs_to_a_request_waits_for_its_reader_before_the_queue_of_a_client_is_full() {
    let limits = Limits {
        stream_bytes: 100,
        ..Limits::default()
    };
    let mut reply = Reply::new(Accepts::BOTH, &HttpConfig::default(), &limits);
    let mut sent = 0;
    while reply.notify(b"{}".to_vec()).is_ok() {
        sent += 1;
    }
    assert!((2..=100).contains(&sent) && !reply.has_room(), "{sent}");
    let mut stream = Reply::stream(&HttpConfig::default(), &limits);
    assert!((0..1_000).all(|_| stream.notify(b"{}".to_vec()).is_ok()));
}

#[test]
fn a_queue_has_room_below_its_bound_and_while_it_is_empty() {
    for (bound, room) in [
        (0, [true, false, false]),
        (9, [true, false, false]),
        (10, [true, true, false]),
    ] {
        let limits = Limits::default().with_outbox_bytes(bound);
        let mut stream = Reply::stream(&HttpConfig::default(), &limits);
        for expected in room {
            assert_eq!(stream.has_room(), expected, "{bound}");
            // Nine bytes as an event.
            assert_eq!(stream.notify(b"1".to_vec()).is_ok(), expected, "{bound}");
        }
        stream.end();
        assert!(
            stream.has_room(),
            "what comes after the end is dropped, and needs no room"
        );
    }
}

#[test]
fn a_batch_as_a_stream_ends_with_its_last_answer() {
    let config = HttpConfig::default().reply(ReplyForm::Sse);
    let mut reply = Reply::batch(2, Accepts::BOTH, &config, &Limits::default());
    reply.respond(OK, b"1".to_vec());
    assert!(!reply.is_ended() && !reply.is_streaming());
    reply.respond(OK, b"2".to_vec());
    assert!(reply.is_ended() && reply.is_streaming());
    assert_eq!(reply.body_length(), Some(18));
    assert!(reply.poll_head(NOW).is_some());
    assert_eq!(text(reply.poll_body(NOW)), "data: 1\n\ndata: 2\n\n");
    assert!(reply.is_finished());
}

#[test]
fn a_reply_begins_a_session_once_it_names_one() {
    let mut reply = reply(Accepts::BOTH, ReplyForm::Json);
    assert!(!reply.begins_session());
    reply.set_session(SessionId::from_random([1; 32]));
    assert!(reply.begins_session());
}
