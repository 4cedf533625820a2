//! 2025-03-26 to 2025-11-25, Transports, Resumability and Redelivery: streams that break and go on.

use super::legacy::{get, in_session};
use super::*;
use crate::http::server::{ReplyForm, Resumption};

const LATEST: &str = "2025-11-25";

fn world() -> World {
    World::with(
        Limits::default(),
        HttpConfig::default().resumable(Resumption::default()),
    )
}

fn after(session: &str, event: &str) -> Request<Bytes> {
    request("GET", &[("mcp-session-id", session), ("last-event-id", event)], "")
}

/// The ids in a body, in their order.
fn ids(body: &str) -> Vec<String> {
    let ids = body.lines().filter_map(|line| line.strip_prefix("id: "));
    ids.map(String::from).collect()
}

fn say(world: &mut World, asked: &ClientRequest<HttpRequestToken>, progress: u32) {
    let message = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"p","progress":{progress}}}}}"#
    );
    let message = message.into_bytes();
    world.server.send_for(&asked.token, message).unwrap();
}

fn has_answer(body: &str) -> bool {
    body.contains(r#"data: {"jsonrpc":"2.0","id":1,"result""#)
}

/// A call that is not answered yet, with what its stream begins with.
fn begun(world: &mut World, session: &str) -> (ExchangeId, ClientRequest<HttpRequestToken>, Answer) {
    let id = world.send(in_session(session, &tool(1)));
    let asked = world.asked();
    let answer = world.read(id);
    assert!(!answer.ended);
    (id, asked, answer)
}

/// The scenario `server-sse-polling`: priming event, `retry`, the end of the connection before the answer, and the answer
/// to a GET.
#[test]
fn a_server_closes_the_stream_and_is_polled_for_the_answer() {
    let mut world = world();
    let session = world.session(LATEST);
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    assert!(world.server.close_stream(&asked.token));
    let answer = world.read(id);
    assert!(answer.ended && !world.server.is_open(id), "{answer:?}");
    let event = ids(&answer.body).pop().unwrap();
    assert_eq!(answer.body, format!("id: {event}\nretry: 1000\ndata:\n\n"));
    assert!(world.server.is_in_progress(&asked.token), "it runs on");
    let poll = world.send(after(&session, &event));
    let polled = world.read(poll);
    assert_eq!(
        (polled.status(), polled.body.as_str(), polled.ended),
        (200, "retry: 1000\n\n", false)
    );
    // Closed once more.
    say(&mut world, &asked, 1);
    assert!(world.server.close_stream(&asked.token));
    let (body, ended) = world.body(poll);
    assert!(ended && ids(&body).len() == 1, "{body}");
    world.answer(asked.token, "{}");
    let last = world.send(after(&session, &ids(&body)[0]));
    let last = world.read(last);
    assert!(
        last.ended && has_answer(&last.body) && ids(&last.body).len() == 1,
        "{last:?}"
    );
}

#[test]
fn a_broken_stream_goes_on_and_nothing_is_lost_or_comes_twice() {
    let mut world = world();
    let session = world.session(LATEST);
    let (id, asked, answer) = begun(&mut world, &session);
    say(&mut world, &asked, 1);
    say(&mut world, &asked, 2);
    let (body, _) = world.body(id);
    let [first, second] = &ids(&body)[..] else {
        panic!("{body}")
    };
    // The client has had the first, and its connection breaks.
    world.server.disconnect(world.now, id);
    say(&mut world, &asked, 3);
    let resumed = world.send(after(&session, first));
    let again = world.read(resumed);
    assert_eq!(&ids(&again.body)[0], second);
    assert_eq!(ids(&again.body).len(), 2, "{again:?}");
    say(&mut world, &asked, 4);
    world.answer(asked.token, "{}");
    let (rest, ended) = world.body(resumed);
    assert!(ended && has_answer(&rest) && ids(&rest).len() == 2, "{rest}");
    // The same from the start, as the answer may have been lost on its way: again, and yet again.
    let primed = &ids(&answer.body)[0];
    for _ in 0..2 {
        let whole = world.send(after(&session, primed));
        let whole = world.read(whole);
        assert!(
            whole.ended && has_answer(&whole.body) && ids(&whole.body).len() == 5,
            "{whole:?}"
        );
    }
    assert!(world.server.abandoned.is_empty() && world.server.exchanges.is_empty());
}

#[test]
fn a_stream_is_taken_over_while_its_server_believes_it_open() {
    let mut world = world();
    let session = world.session(LATEST);
    let (id, asked, answer) = begun(&mut world, &session);
    let event = &ids(&answer.body)[0];
    let first = world.send(after(&session, event));
    assert_eq!(world.read(first).body, "retry: 1000\n\n");
    assert_eq!(world.body(id), (String::new(), true), "its connection ends");
    let second = world.send(after(&session, event));
    world.read(second);
    assert_eq!(world.body(first), (String::new(), true));
    // The first one that is gone is not the one that reads.
    world.server.disconnect(world.now, first);
    world.server.disconnect(world.now, id);
    world.answer(asked.token, "{}");
    let (body, ended) = world.body(second);
    assert!(ended && has_answer(&body), "{body}");
    assert!(world.server.exchanges.is_empty() && world.server.abandoned.is_empty());
}

/// GHSA-84j6-jc92-77jm and its class: an id is worth nothing outside its session, and a session nothing outside its
/// principal.
#[test]
fn an_event_of_another_session_or_principal_is_never_replayed() {
    let mut world = world();
    let [mine, other] = [world.session(LATEST), world.session(LATEST)];
    let (_, asked, answer) = begun(&mut world, &mine);
    let event = ids(&answer.body).remove(0);
    world.answer(asked.token, r#"{"secret":true}"#);
    // The other session has a stream of the same number.
    let (_, _, others) = begun(&mut world, &other);
    assert_ne!(ids(&others.body)[0], event);
    for id in [
        event.as_str(),
        "1",
        "0000000000000000-2-0",
        &event.replace("-2-0", "-2-9"),
        &event.replace("-2-0", "-4-0"),
        &event.replace("-2-0", "-3-0"),
        &format!("{event} "),
        "\u{7f}",
    ] {
        let session = if id == event { &other } else { &mine };
        let Ok(value) = http::HeaderValue::from_str(id) else {
            continue;
        };
        let mut request = after(session, "x");
        request.headers_mut().insert("last-event-id", value);
        let refused = world.call(request);
        // Not 404, with which a client has to begin a new session.
        assert_eq!(refused.status(), 400, "{id}");
        assert!(!refused.body.contains("secret"));
    }
    let mut twice = after(&mine, &event);
    twice
        .headers_mut()
        .append("last-event-id", http::HeaderValue::from_static("1"));
    assert_eq!(world.call(twice).status(), 400);
    let mut foreign = after(&mine, &event);
    foreign.extensions_mut().insert(Principal::new("mallory"));
    assert_eq!(world.call(foreign).status(), 404);
}

#[test]
fn a_get_stream_goes_on_with_what_came_meanwhile() {
    let mut world = world();
    let session = world.session(LATEST);
    let announce = |world: &mut World| {
        world
            .server
            .notify(Method::ToolListChangedNotification, Params::NONE)
            .unwrap()
    };
    let first = world.send(get(&session));
    let primed = world.read(first);
    announce(&mut world);
    announce(&mut world);
    let (body, _) = world.body(first);
    let [seen, lost] = &ids(&body)[..] else {
        panic!("{body}")
    };
    // The server does not know yet that it is gone: the next one takes its place, and it ends.
    let second = world.send(after(&session, seen));
    let again = world.read(second);
    assert_eq!(&ids(&again.body)[..], core::slice::from_ref(lost));
    assert!(world.body(first).1);
    world.server.disconnect(world.now, second);
    announce(&mut world);
    let third = world.send(after(&session, lost));
    let third_body = world.read(third);
    assert_eq!(third_body.body.matches("list_changed").count(), 1, "{third_body:?}");
    let mut all = [ids(&primed.body), ids(&body), ids(&third_body.body)].concat();
    announce(&mut world);
    all.extend(ids(&world.body(third).0));
    let unique: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), unique.len()), (5, 5), "{all:?}");
}

#[test]
fn what_is_forgotten_is_refused_and_leaves_nothing() {
    let resumption = Resumption::default().with_keep(Duration::from_secs(10));
    let mut world = World::with(Limits::default(), HttpConfig::default().resumable(resumption));
    let session = world.session(LATEST);
    let (id, asked, answer) = begun(&mut world, &session);
    let event = &ids(&answer.body)[0];
    world.server.disconnect(world.now, id);
    world.server.handle_timeout(world.now);
    world.now = world.now + Duration::from_secs(11);
    world.server.handle_timeout(world.now);
    world.answer(asked.token, "{}");
    assert_eq!(world.call(after(&session, event)).status(), 400);
    assert!(world.server.replay.kept().is_empty());
    // With its session all is gone at once.
    let (_, _, answer) = begun(&mut world, &session);
    world.call(request("DELETE", &[("mcp-session-id", &session)], ""));
    assert_eq!(world.call(after(&session, &ids(&answer.body)[0])).status(), 404);
    assert!(world.server.replay.kept().is_empty());
}

#[test]
fn a_gap_is_told_and_the_answer_still_comes() {
    let limits = Limits::default().with_replay_events(2);
    let mut world = World::with(limits, HttpConfig::default().resumable(Resumption::default()));
    let session = world.session(LATEST);
    let (id, asked, answer) = begun(&mut world, &session);
    world.server.disconnect(world.now, id);
    for progress in 1..100 {
        say(&mut world, &asked, progress);
    }
    world.answer(asked.token, "{}");
    let late = world.send(after(&session, &ids(&answer.body)[0]));
    let late = world.read(late);
    assert!(
        late.body.contains(": 98 events are lost\n") && has_answer(&late.body),
        "{late:?}"
    );
}

#[test]
fn json_answers_pay_nothing_and_each_revision_gets_what_it_knows() {
    for (revision, primes, has_ids) in [
        ("2024-11-05", false, false),
        ("2025-03-26", false, true),
        ("2025-06-18", false, true),
        (LATEST, true, true),
    ] {
        let mut world = world();
        let session = world.session(revision);
        let id = world.send(in_session(&session, &tool(1)));
        let asked = world.asked();
        assert_eq!(world.server.close_stream(&asked.token), primes, "{revision}");
        if !primes {
            world.answer(asked.token, "{}");
            assert_eq!(world.read(id).body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        }
        assert_eq!(world.server.replay.kept().bytes > 0, primes, "{revision}");
        let id = world.send(in_session(&session, &tool(2)));
        let asked = world.asked();
        say(&mut world, &asked, 1);
        let answer = world.read(id);
        assert_eq!(!ids(&answer.body).is_empty(), has_ids, "{revision}");
        assert_eq!(answer.body.contains("retry:"), primes, "{revision}");
    }
    // One event alone is a stream too.
    let http = HttpConfig::default()
        .reply(ReplyForm::Sse)
        .resumable(Resumption::default());
    let mut world = World::with(Limits::default(), http);
    let session = world.session(LATEST);
    let id = world.send(in_session(&session, &tool(1)));
    let asked = world.asked();
    world.answer(asked.token, "{}");
    let answer = world.read(id);
    assert!(answer.ended && ids(&answer.body).len() == 2, "{answer:?}");
}

#[test]
fn without_resumption_an_event_id_means_nothing() {
    let mut world = World::new();
    let session = world.session(LATEST);
    let stream = world.send(after(&session, "0000000000000000-2-0"));
    assert_eq!(world.read(stream).status(), 200);
    assert!(world.server.replay.kept().is_empty());
    let (_, asked) = (world.send(in_session(&session, &tool(1))), world.asked());
    assert!(!world.server.close_stream(&asked.token));
}
