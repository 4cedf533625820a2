//! 2025-11-25 and before: sessions, and what runs in them.

use super::*;

pub(super) fn in_session(id: &str, body: &str) -> Request<Bytes> {
    post(&[("mcp-session-id", id)], body)
}

pub(super) fn get(id: &str) -> Request<Bytes> {
    request("GET", &[("mcp-session-id", id)], "")
}

fn delete(id: &str) -> Request<Bytes> {
    request("DELETE", &[("mcp-session-id", id)], "")
}

fn announce(world: &mut World) {
    let changed = Method::ToolListChangedNotification;
    world.server.notify(changed, Params::NONE).unwrap();
}

#[test]
fn a_session_from_its_handshake_to_its_end() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    let key = asked.token.session().expect("a session");
    world.answer(asked.token, r#"{"x":1}"#);
    let answer = world.read(id);
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#;
    assert_eq!((answer.status(), answer.body.as_str()), (200, expected));
    assert_eq!(world.server.sessions(), 1);
    assert_eq!(world.call(delete(&session)).status(), 204);
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Ended(ended)) if ended == key));
    assert_eq!(world.call(in_session(&session, &tool(2))).status(), 404);
    assert!(world.is_idle() && world.server.kept().is_empty());
}

#[test]
fn a_session_without_a_version_header_stays_legacy_whatever_its_meta_says() {
    // No revision before 2025-06-18 has the header, and what is forwarded may bring the `_meta` of somebody else.
    let mut world = World::new();
    let session = world.session("2025-03-26");
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t",{META}}}}}"#);
    let id = world.send(in_session(&session, &body));
    let asked = world.asked();
    assert_eq!(asked.context.revision(), crate::Revision::V2025_03_26);
    world.answer(asked.token, "{}");
    assert_eq!(world.read(id).body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    // Without a session nothing is agreed on: it is meant for the modern era, and lacks its headers.
    assert_eq!(world.call(post(&[], &body)).status(), 400);
}

#[test]
fn sessions_that_are_ended_cancel_what_they_have_in_progress_and_new_ones_begin() {
    let mut world = World::new();
    world.server.end_sessions();
    assert!(world.server.poll_event().is_none(), "there was none");
    let [busy, idle] = [world.session("2025-11-25"), world.session("2025-06-18")];
    let stream = world.send(get(&idle));
    assert!(!world.read(stream).ended);
    let call = world.send(in_session(&busy, &tool(1)));
    let asked = world.asked();
    world.server.end_sessions();
    let events: Vec<HttpEvent> = core::iter::from_fn(|| world.server.poll_event()).collect();
    let is_cancelled =
        |event: &HttpEvent| matches!(event, HttpEvent::Cancelled { request, .. } if *request == asked.token.key());
    assert_eq!(
        events.iter().filter(|event| is_cancelled(event)).count(),
        1,
        "{events:?}"
    );
    let ended = |event: &&HttpEvent| matches!(event, HttpEvent::Ended(_));
    assert_eq!(events.iter().filter(ended).count(), 2, "{events:?}");
    assert_eq!(world.server.sessions(), 0);
    world.answer(asked.token, "{}");
    assert_eq!(world.read(call).body, "", "a cancelled request is not answered");
    assert!(world.body(stream).1, "the stream is over");
    for gone in [busy, idle] {
        assert_eq!(world.call(in_session(&gone, &tool(2))).status(), 404);
    }
    world.session("2025-11-25");
    assert_eq!(world.server.sessions(), 1, "the endpoint is not closed");
}

/// A reply that can be attributed and not read: the call would wait its whole time.
#[test]
fn a_posted_reply_that_cannot_be_read_ends_the_call_that_it_names() {
    let (deep, end) = ("[".repeat(1_000), "]".repeat(1_000));
    let broken: [&[u8]; 6] = [
        br#"{"jsonrpc":"2.0","id":$i,"result":{"roots":[{"ur"#,
        b"{\"jsonrpc\":\"2.0\",\"id\":$i,\"result\":{\"x\":\"\xff\"}}",
        br#"{"result":{"x":NaN},"jsonrpc":"2.0","id":$i}"#,
        br#"{"id":$i,"result":{}}"#,
        format!(r#"{{"result":{deep}{end},"id":$i}}"#).leak().as_bytes(),
        br#"[{"jsonrpc":"1.0","id":$i,"result":{}}]"#,
    ];
    for text in broken {
        let mut world = World::new();
        let is_batch = text.starts_with(b"[");
        let session = world.session(if is_batch { "2025-03-26" } else { "2025-11-25" });
        let id = world.send(in_session(&session, &tool(1)));
        let asked = world.asked();
        let asking = world
            .server
            .call(&asked.token, Method::ListRoots, Params::NONE, CallOptions::default());
        let begun = world.read(id).body;
        let number = begun
            .split(r#""id":"#)
            .nth(1)
            .unwrap()
            .split([',', '}'])
            .next()
            .unwrap();
        let reply = |number: &str| {
            let at = text.windows(2).position(|it| it == b"$i").unwrap();
            let body = [&text[..at], number.as_bytes(), &text[at + 2..]].concat();
            in_session(&session, "").map(|_| Bytes::from(body))
        };
        // What names no call of the session settles none, and neither does it in another session.
        assert_eq!(world.call(reply("99")).status(), if is_batch { 202 } else { 400 });
        let mut elsewhere = reply(number);
        let other = world.session("2025-11-25");
        elsewhere.headers_mut().insert("mcp-session-id", other.parse().unwrap());
        assert_eq!(world.call(elsewhere).status(), 400);
        assert!(world.server.poll_event().is_none());
        assert_eq!(world.call(reply(number)).status(), if is_batch { 202 } else { 400 });
        match world.server.poll_event() {
            Some(HttpEvent::Reply { call, outcome }) => {
                assert_eq!(Some(call), asking.ok());
                assert!(
                    matches!(outcome, Err(crate::rpc::CallError::InvalidReply(_))),
                    "{outcome:?}"
                );
            }
            other => panic!("{other:?}: {}", String::from_utf8_lossy(text)),
        }
        world.answer(asked.token, "{}");
        assert!(world.body(id).1 && world.server.poll_event().is_none());
        assert_eq!(world.server.open_exchanges(), 0, "no visit is left");
    }
}

#[test]
fn the_server_asks_its_client_on_the_stream_of_a_request() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    let options = CallOptions::default();
    let ask = |server: &mut HttpServer| server.call(&asked.token, Method::ListRoots, Params::NONE, options.clone());
    let asking = ask(&mut world.server).unwrap();
    let begun = world.read(id).body;
    assert!(begun.contains("roots/list"), "{begun}");
    let number = begun
        .split(r#""id":"#)
        .nth(1)
        .unwrap()
        .split([',', '}'])
        .next()
        .unwrap();
    world.server.handle_timeout(NOW);
    let reply = format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{{"roots":[]}}}}"#);
    assert_eq!(world.call(in_session(&session, &reply)).status(), 202);
    match world.server.poll_event() {
        Some(HttpEvent::Reply { call, outcome }) => {
            assert_eq!((call, outcome.unwrap().as_str()), (asking, r#"{"roots":[]}"#));
        }
        other => panic!("{other:?}"),
    }
    let late = ask(&mut world.server).unwrap();
    world.server.handle_timeout(NOW);
    assert_eq!(world.server.rooms.poll_timeout(), Some(NOW + Duration::from_secs(60)));
    assert!(world.server.poll_timeout() <= Some(NOW + Duration::from_secs(60)));
    world.now = NOW + Duration::from_secs(61);
    world.server.handle_timeout(world.now);
    let event = world.server.poll_event();
    assert!(matches!(event, Some(HttpEvent::Reply { call, outcome: Err(_) }) if call == late));
    assert!(world.body(id).0.contains("notifications/cancelled"));
    world.answer(asked.token, "{}");
    assert!(world.body(id).1 && world.server.calls.is_empty());
}

#[test]
fn a_cancelled_request_is_not_answered() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}"#;
    assert_eq!(world.call(in_session(&session, cancel)).status(), 202);
    match world.server.poll_event() {
        Some(HttpEvent::Cancelled { request, reason }) => {
            assert_eq!((request, reason.as_deref()), (asked.token.key(), Some("enough")));
        }
        other => panic!("{other:?}"),
    }
    world.answer(asked.token, "{}");
    let answer = world.read(id);
    assert_eq!((answer.body.as_str(), answer.ended), ("", true));
}

#[test]
fn who_hangs_up_does_not_cancel_but_not_for_ever() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    for is_late in [false, true] {
        let id = world.send(in_session(&session, &tool(1)));
        let asked = world.asked();
        world.server.disconnect(world.now, id);
        assert!(world.server.poll_event().is_none() && !world.server.is_open(id));
        assert!(world.server.is_in_progress(&asked.token));
        if is_late {
            world.now = world.now + Duration::from_secs(3600);
            world.server.handle_timeout(world.now);
            assert!(matches!(world.server.poll_event(), Some(HttpEvent::Cancelled { .. })));
        }
        world.answer(asked.token, "{}");
        assert_eq!((world.server.open_exchanges(), world.server.abandoned.len()), (0, 0));
    }
    assert_eq!(world.server.sessions(), 1, "the requests have kept it");
    world.now = world.now + Duration::from_secs(1800);
    world.server.handle_timeout(world.now);
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Ended(_))));
    assert!(world.is_idle());
}

#[test]
fn the_get_stream_carries_what_waited_and_what_comes() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    for _ in 0..3 {
        announce(&mut world);
    }
    let id = world.send(get(&session));
    let begun = world.read(id).body;
    assert_eq!(begun.matches("list_changed").count(), 1, "the same thing once");
    while world.server.poll_ready().is_some() {}
    announce(&mut world);
    assert_eq!(world.server.poll_ready(), Some(id));
    assert_eq!(world.body(id).0.matches("list_changed").count(), 1);
    world.server.disconnect(NOW, id);
    let again = world.send(get(&session));
    assert_eq!(world.read(again).status(), 200);
    world.call(delete(&session));
    assert!(world.body(again).1 && world.is_idle());
}

#[test]
fn a_batch_is_answered_together() {
    let mut world = World::new();
    let session = world.session("2025-03-26");
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#;
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    let batch = format!("[{},{},{},{cancel},{ping}]", tool(1), tool(2), tool(3));
    let id = world.send(in_session(&session, &batch));
    let (first, second) = (world.asked(), world.asked());
    assert!(
        world.server.poll_event().is_none(),
        "the third was cancelled by its own batch"
    );
    assert_ne!(first.token.key(), second.token.key());
    world.answer(second.token, r#"{"n":2}"#);
    assert!(world.server.poll_head(NOW, id).is_none(), "one more is in progress");
    world.answer(first.token, r#"{"n":1}"#);
    let answer = world.read(id);
    let answers: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [9, 2, 1]);
    let later = world.session("2025-11-25");
    assert_eq!(world.call(in_session(&later, &batch)).status(), 400);
}

/// JSON-RPC 2.0, 6 and 7. Notifications and responses alone are taken (2025-03-26, Transports, Sending Messages, 4: MUST).
#[test]
fn entries_of_a_batch_that_are_no_message_are_answered() {
    let mut world = World::new();
    let session = world.session("2025-03-26");
    let (notification, response) = (
        r#"{"jsonrpc":"2.0","method":"x"}"#,
        r#"{"jsonrpc":"2.0","id":8,"result":{}}"#,
    );
    for (entries, ids) in [
        ("{}", &[None][..]),
        (r#"{"foo":"boo"},5,null,"x",[]"#, &[None; 5]),
        (r#"{"jsonrpc":"2.0"},{"jsonrpc":"2.0","id":7}"#, &[None, Some(7)]),
        (r#"{"jsonrpc":"2.0","id":7,"method":5}"#, &[Some(7)]),
    ] {
        for batch in [format!("[{entries}]"), format!("[{notification},{entries},{response}]")] {
            let answer = world.call(in_session(&session, &batch));
            assert_eq!(answer.status(), 200, "{batch} {answer:?}");
            let answers: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
            assert!(
                answers.iter().all(|answer| answer["error"]["code"] == -32600),
                "{answer:?}"
            );
            let answered: Vec<_> = answers.iter().map(|answer| answer["id"].as_i64()).collect();
            assert_eq!(answered, ids, "{batch}");
        }
    }
    for batch in [
        format!("[{notification}]"),
        format!("[{response}]"),
        format!("[{notification},{response},{response}]"),
        r#"[{"jsonrpc":"2.0","id":8,"error":5}]"#.into(),
    ] {
        let answer = world.call(in_session(&session, &batch));
        assert_eq!((answer.status(), &*answer.body), (202, ""), "{batch}");
    }
}

#[test]
fn a_session_belongs_to_its_principal() {
    let mut world = World::new();
    let mut send = |request: Request<Bytes>, who: &str| {
        let (head, body) = request.into_parts();
        let sender = Sender::new().with_principal(Principal::new(who));
        let id = world.server.receive(NOW, head, body, sender, || [9; 32]);
        world.read(id)
    };
    let session = send(post(&[], &initialize("2025-11-25")), "alice").session();
    assert_eq!(send(delete(&session), "bob").status(), 404);
    assert_eq!(send(delete(&session), "alice").status(), 204);
}

#[test]
fn without_sessions_a_request_ends_with_its_client() {
    let http = HttpConfig::default().sessions(SessionPolicy::Stateless);
    let mut world = World::with(Limits::default(), http);
    let id = world.send(post(&[], &tool(1)));
    let asked = world.asked();
    world.answer(asked.token, r#"{"x":1}"#);
    assert!(world.read(id).ended && world.is_idle());
    let id = world.send(post(&[], &tool(1)));
    let asked = world.asked();
    world.server.disconnect(NOW, id);
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Cancelled { .. })));
    world.answer(asked.token, "{}");
    assert!(world.server.poll_event().is_none() && world.is_idle());
}

#[test]
fn a_session_that_drains_ends_with_its_last_request() {
    let mut world = World::new();
    let (idle, busy) = (world.session("2025-11-25"), world.session("2025-11-25"));
    let streams = [&idle, &busy].map(|session| world.send(get(session)));
    let id = world.send(in_session(&busy, &tool(1)));
    let asked = world.asked();
    world.server.drain();
    assert_eq!(world.server.sessions(), 0);
    assert_eq!(streams.map(|stream| world.read(stream).ended), [true, false]);
    assert_eq!(world.call(in_session(&busy, &tool(2))).status(), 503);
    world.answer(asked.token, "{}");
    assert!(world.read(id).ended && world.body(streams[1]).1);
    assert!(world.is_idle());
}

#[test]
fn closing_ends_what_is_in_progress_in_sessions() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let (id, alone) = (world.send(in_session(&session, &tool(1))), world.send(modern_tool()));
    let (asked, modern) = (world.asked(), world.asked());
    world.server.close();
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Cancelled { .. })));
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Ended(_))));
    world.answer(asked.token, "{}");
    assert_eq!(world.read(id).body, "");
    assert!(!world.server.is_finished());
    world.answer(modern.token, "{}");
    assert!(world.read(alone).ended && world.server.is_finished());
}

#[test]
fn a_stream_is_reopened_before_the_server_knows_of_its_end() {
    let mut world = World::new();
    let id = world.session("2025-11-25");
    let most = Limits::default().get_streams_per_session;
    let mut open = Vec::new();
    // The client is gone from each, and nobody has noticed.
    for round in 0..100 {
        let stream = world.send(get(&id));
        let answer = world.read(stream);
        assert_eq!((answer.status(), answer.ended), (200, false), "{round}: {answer:?}");
        open.push(stream);
        if open.len() > most {
            let oldest = open.remove(0);
            assert_eq!(
                world.body(oldest),
                (String::new(), true),
                "{round}: at the limit the oldest ends"
            );
        }
        assert!(open.iter().all(|stream| world.server.is_open(*stream)), "{round}");
        // 2025-11-25, Transports, Multiple Connections, 2: MUST be sent on one stream alone.
        announce(&mut world);
        let heard: Vec<_> = open.iter().map(|stream| world.body(*stream).0).collect();
        let (newest, others) = heard.split_last().unwrap();
        assert!(newest.contains("list_changed"), "{round}: {heard:?}");
        assert!(others.iter().all(String::is_empty), "{round}: {heard:?}");
    }
    for stream in open {
        world.server.disconnect(NOW, stream);
    }
    announce(&mut world);
    let stream = world.send(get(&id));
    assert!(world.read(stream).body.contains("list_changed"), "it has waited");
    world.server.end_sessions();
    assert!(world.body(stream).1);
    assert!(world.is_idle());
}

#[test]
fn an_older_stream_takes_what_the_newest_has_no_room_for() {
    let mut world = World::with(
        Limits::default().with_outbox_bytes(1),
        HttpConfig::default().keep_alive(None),
    );
    let id = world.session("2025-11-25");
    let [older, newer] = [(); 2].map(|()| world.send(get(&id)));
    for stream in [older, newer] {
        assert_eq!(world.read(stream).status(), 200);
    }
    announce(&mut world);
    announce(&mut world);
    for stream in [older, newer] {
        assert_eq!(world.body(stream).0.matches("list_changed").count(), 1);
    }
    // One that is over takes nothing from those that are not.
    world.server.disconnect(NOW, newer);
    announce(&mut world);
    assert!(world.body(older).0.contains("list_changed"));
}

#[test]
fn every_stream_of_a_session_ends_with_it_and_is_its_principals() {
    let mut world = World::new();
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let mut as_alice = post(&[], &initialize("2025-11-25"));
    as_alice.extensions_mut().insert(alice.clone());
    let id = world.call(as_alice).session();
    for other in [Some(bob), None] {
        let mut request = get(&id);
        other
            .into_iter()
            .for_each(|other| drop(request.extensions_mut().insert(other)));
        assert_eq!(world.call(request).status(), 404);
    }
    let streams = [(); 3].map(|()| {
        let mut request = get(&id);
        request.extensions_mut().insert(alice.clone());
        world.send(request)
    });
    for stream in streams {
        let answer = world.read(stream);
        assert_eq!((answer.status(), answer.ended), (200, false));
    }
    let mut end = delete(&id);
    end.extensions_mut().insert(alice);
    assert_eq!(world.call(end).status(), 204);
    for stream in streams {
        assert!(world.body(stream).1);
    }
}

#[test]
fn a_client_that_takes_no_stream_cannot_be_asked() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let mut request = in_session(&session, &tool(1));
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert("accept", json);
    world.send(request);
    let asked = world.asked();
    assert!(world.server.has_room(&asked.token));
    let refused = (world.server).call(&asked.token, Method::ListRoots, Params::NONE, CallOptions::default());
    assert!(matches!(refused, Err(SendError::Closed(_))), "{refused:?}");
    assert!(world.server.calls.is_empty());
}

#[test]
fn a_session_that_finds_no_room_in_the_table_leaves_nothing() {
    let limits = Limits {
        sessions: 1,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let session = world.session("2025-11-25");
    let busy = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    let kept = world.server.kept();
    let refused = world.call(post(&[], &initialize("2025-11-25")));
    assert_eq!(refused.status(), 503);
    assert!(refused.body.contains(r#""id":0,"#), "{refused:?}");
    assert!(refused.body.contains("-32603"), "nothing is wrong with it: {refused:?}");
    assert_eq!(world.server.kept(), kept);
    world.answer(asked.token, "{}");
    assert!(world.read(busy).ended);
    assert_eq!(world.call(delete(&session)).status(), 204);
    assert!(world.is_idle());
}

#[test]
fn a_late_answer_to_a_cancelled_request_does_not_end_the_batch_of_others() {
    let mut world = World::new();
    let session = world.session("2025-03-26");
    let id = world.send(in_session(&session, &format!("[{},{}]", tool(1), tool(2))));
    let (first, second) = (world.asked(), world.asked());
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(world.call(in_session(&session, cancel)).status(), 202);
    assert!(!world.server.is_in_progress(&first.token) && world.server.is_in_progress(&second.token));
    world.answer(first.token, r#"{"n":1}"#);
    assert!(world.server.poll_head(NOW, id).is_none(), "the second is in progress");
    world.answer(second.token, r#"{"n":2}"#);
    assert_eq!(world.read(id).body, r#"[{"jsonrpc":"2.0","id":2,"result":{"n":2}}]"#);
}

#[test]
fn who_does_not_wait_for_a_call_any_more_tells_the_client_once() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    let call = (world.server).call(&asked.token, Method::ListRoots, Params::NONE, CallOptions::default());
    let call = call.unwrap();
    assert!(world.read(id).body.contains("roots/list"));
    world.server.cancel(call, Some("enough"));
    world.server.cancel(call, Some("again"));
    let (told, ended) = world.body(id);
    assert_eq!(told.matches("notifications/cancelled").count(), 1, "{told}");
    assert!(told.contains("enough") && !ended);
    assert!(world.server.calls.is_empty() && world.server.rooms.poll_timeout().is_none());
}

#[test]
fn a_session_that_has_ended_is_forgotten_with_its_last_exchange() {
    let mut world = World::new();
    let session = world.session("2025-11-25");
    let call = world.send(in_session(&session, &tool(1)));
    let key = world.asked().token.session().unwrap();
    let stream = world.send(get(&session));
    assert_eq!(world.call(delete(&session)).status(), 204);
    assert!(world.server.rooms.get(key).is_some());
    assert!(world.read(stream).ended);
    assert!(world.server.rooms.get(key).is_some(), "one is left");
    assert!(world.read(call).ended);
    assert!(world.server.rooms.get(key).is_none() && world.is_idle());
}
