//! What a response may look like, and where it may break off.

use std::time::Duration;

use mcp_proto::rpc::CallError;
use serde_json::json;

use crate::site::{Site, Step};
use crate::{call, client, everywhere};

#[test]
fn a_body_in_small_and_slow_pieces_is_read_to_its_end() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let body = request.message(&json!({"resultType": "complete", "n": 7}));
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            let mut steps = vec![Step::Write(head.to_vec())];
            for piece in body.as_bytes().chunks(9) {
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.extend_from_slice(piece);
                chunk.extend_from_slice(b"\r\n");
                steps.extend([Step::Wait(Duration::from_millis(2)), Step::Write(chunk)]);
            }
            steps.push(Step::Write(b"0\r\n\r\n".to_vec()));
            steps
        });
        let client = client(runtime, &site.url);
        for _ in 0..2 {
            assert_eq!(call(&client, 7).await, Ok(7));
        }
        assert_eq!(site.connections(), 1);
    });
}

#[test]
fn a_large_body_arrives_whole() {
    everywhere(async |runtime| {
        let text = "x".repeat(5 << 20);
        let length = text.len();
        let site = Site::start(move |request| {
            vec![Step::Write(
                request.json(&json!({"resultType": "complete", "n": text.len(), "text": text})),
            )]
        });
        assert_eq!(call(&client(runtime, &site.url), 0).await, Ok(length));
    });
}

#[test]
fn an_event_stream_answers_before_it_ends() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let message = request.message(&json!({"resultType": "complete", "n": 3}));
            let event = format!("data: {message}\n\n");
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let text = format!("{head}{:x}\r\n{event}\r\n", event.len());
            vec![Step::Write(text.into_bytes()), Step::Hang]
        });
        let client = client(runtime, &site.url);
        assert_eq!(call(&client, 3).await, Ok(3));
        // The machine gives the server some time to end the response, and ends the exchange then.
        site.open_is(runtime, 0).await;
    });
}

#[test]
fn a_response_that_breaks_off_fails_its_call_alone() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let whole = request.json(&json!({"resultType": "complete", "n": request.body["params"]["n"]}));
            let half = whole[..whole.len() - 9].to_vec();
            match request.number {
                0 => vec![Step::Write(half), Step::Close],
                1 => vec![Step::Write(half), Step::Wait(Duration::from_millis(20)), Step::Reset],
                2 => vec![Step::Write(whole[..20].to_vec()), Step::Close],
                3 => vec![Step::Close],
                4 => vec![Step::Reset],
                5 => vec![Step::Write(b"no http at all\r\n\r\n".to_vec()), Step::Close],
                _ => request.plain(),
            }
        });
        let client = client(runtime, &site.url);
        for number in 0..6 {
            assert_eq!(call(&client, number).await, Err(CallError::Disconnected), "{number}");
        }
        assert_eq!(call(&client, 6).await, Ok(6));
        assert_eq!((site.connections(), site.requests()), (7, 7));
    });
}
