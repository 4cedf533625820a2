//! What sessions keep, for how long, and for whom.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn small(limits: Limits) -> World {
    World::with(HttpConfig::default(), limits, &Revision::ALL)
}

#[test]
fn an_idle_session_expires() {
    let mut world = World::new();
    let (idle, used) = (world.session("2025-11-25"), world.session("2025-06-18"));
    world.pass(29 * MINUTE);
    assert_eq!(world.call(used.tool(1, "echo")).status(), 200);
    world.pass(MINUTE);
    assert_eq!(world.endpoint.sessions(), 1);
    assert_eq!(world.call(idle.tool(1, "echo")).status(), 404);
    world.pass(29 * MINUTE);
    assert_eq!(world.endpoint.sessions(), 0);
}

#[test]
fn an_open_stream_keeps_a_session() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut stream = world.send(client.get());
    assert!(!stream.read(world.now).ended);
    for _ in 0..100 {
        world.pass(MINUTE);
    }
    assert_eq!(world.endpoint.sessions(), 1);
    drop(stream);
    world.keep();
    world.pass(29 * MINUTE);
    assert_eq!(world.endpoint.sessions(), 1);
    world.pass(MINUTE);
    assert_eq!(world.endpoint.sessions(), 0);
}

#[test]
fn a_session_has_several_streams_and_each_message_is_on_one() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut first = world.send(client.get());
    let answer = first.read(world.now);
    assert_eq!((answer.status(), answer.content_type()), (200, "text/event-stream"));
    assert_eq!(answer.head.headers["cache-control"], "no-cache");
    let mut second = world.send(client.get());
    assert_eq!(second.read(world.now).status(), 200);
    world.announce(Method::ToolListChangedNotification);
    assert!(second.body(world.now).0.contains("notifications/tools/list_changed"));
    assert_eq!(first.body(world.now).0, "");
    drop(second);
    world.keep();
    world.announce(Method::ToolListChangedNotification);
    assert!(
        first.body(world.now).0.contains("notifications/tools/list_changed"),
        "the first still reads"
    );
    let mut streams: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = world.send(client.get());
            assert_eq!(stream.read(world.now).status(), 200);
            stream
        })
        .collect();
    let most = Limits::default().get_streams_per_session;
    let newest = streams.split_off(streams.len() - most);
    assert!(first.body(world.now).1 && streams.iter_mut().all(|stream| stream.body(world.now).1));
    drop(newest);
}

#[test]
fn notifications_wait_for_a_stream_each_once_and_within_bounds() {
    let mut world = small(Limits {
        notifications: 5,
        ..Limits::default()
    });
    let client = world.session("2025-11-25");
    for _ in 0..100 {
        world.announce(Method::ToolListChangedNotification);
    }
    let message = |number: usize| {
        let json = format!(r#"{{"level":"info","data":{number}}}"#);
        Params::from_raw(RawJson::parse(json).unwrap()).unwrap()
    };
    for number in 0..100 {
        world.tell(Method::LoggingMessageNotification, message(number));
    }
    let mut stream = world.send(client.get());
    let body = stream.read(world.now).body;
    assert_eq!(body.matches("list_changed").count(), 1, "{body}");
    assert_eq!(body.matches("notifications/message").count(), 4, "{body}");
}

#[test]
fn delete_ends_everything_at_once() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut stream = world.send(client.get());
    assert!(!stream.read(world.now).ended);
    let mut waiting = world.send(client.tool(1, "wait"));
    assert!(waiting.head(world.now).is_none());
    let mut asking = world.send(client.tool(2, "ask"));
    assert!(!asking.read(world.now).ended);
    let mut orphan = world.send(client.tool(3, "wait"));
    assert!(orphan.head(world.now).is_none());
    drop(orphan);
    world.keep();
    assert_eq!(world.running(), 3);

    let answer = world.call(client.delete());
    assert_eq!((answer.status(), answer.body.as_str()), (204, ""));
    assert_eq!(stream.body(world.now), (String::new(), true));
    assert!(waiting.read(world.now).ended);
    assert!(asking.body(world.now).1);
    world.keep();
    assert_eq!((world.running(), world.endpoint.sessions()), (0, 0));
    for request in [client.tool(4, "echo"), client.get(), client.delete()] {
        assert_eq!(world.call(request).status(), 404);
    }
}

#[test]
fn a_session_belongs_to_its_principal() {
    let mut world = World::new();
    let as_who = |mut request: Request<Bytes>, who: &str| {
        request.extensions_mut().insert(Principal::new(who));
        request
    };
    let answer = world.call(as_who(post(&[], &initialize("2025-11-25")), "alice"));
    let id = answer.head.headers["mcp-session-id"].to_str().unwrap().to_string();
    let client = Client {
        id,
        version: "2025-11-25".into(),
    };
    for request in [client.tool(1, "echo"), client.get(), client.delete()] {
        let nobody = world.call(request);
        assert_eq!(nobody.status(), 404);
    }
    for request in [client.tool(1, "echo"), client.get(), client.delete()] {
        let mallory = world.call(as_who(request, "mallory"));
        assert_eq!(mallory.status(), 404, "not 403: that there is one is not told");
    }
    assert_eq!(world.call(as_who(client.tool(1, "echo"), "alice")).status(), 200);
}

#[test]
fn sessions_are_bounded_in_all_and_per_principal() {
    let mut world = small(Limits {
        sessions: 3,
        sessions_per_principal: 1,
        ..Limits::default()
    });
    let mut begin = |who: &str| {
        let mut request = post(&[], &initialize("2025-11-25"));
        request.extensions_mut().insert(Principal::new(who));
        let answer = world.call(request);
        (answer.status(), answer.head.headers.contains_key("retry-after"))
    };
    assert_eq!(begin("alice"), (200, false));
    assert_eq!(begin("alice"), (429, true));
    assert_eq!(begin("bob"), (200, false));
    assert_eq!(begin("carol"), (200, false));
    assert_eq!(begin("dave"), (503, true));
    assert_eq!(world.endpoint.sessions(), 3);
}

#[test]
fn exchanges_of_a_session_are_bounded() {
    let mut world = small(Limits {
        streams_per_session: 2,
        ..Limits::default()
    });
    let client = world.session("2025-11-25");
    let open: Vec<_> = (1..=2).map(|id| world.send(client.tool(id, "wait"))).collect();
    assert_eq!(world.call(client.tool(3, "echo")).status(), 429);
    drop(open);
    world.keep();
    // They run on, and count: a client cannot have more by hanging up.
    assert_eq!(world.call(client.tool(3, "echo")).status(), 429);
    world.open_gate();
    world.keep();
    assert_eq!(world.call(client.tool(3, "echo")).status(), 200);
}

#[test]
fn closing_ends_sessions_and_refuses_new_requests() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut stream = world.send(client.get());
    assert!(!stream.read(world.now).ended);
    let mut waiting = world.send(client.tool(1, "wait"));
    assert!(waiting.head(world.now).is_none());
    world.endpoint.close();
    assert!(stream.body(world.now).1 && waiting.read(world.now).ended);
    assert_eq!((world.running(), world.endpoint.sessions()), (0, 0));
    assert_eq!(world.call(client.tool(2, "echo")).status(), 503);
}

#[test]
fn a_session_that_drains_ends_with_its_last_request() {
    let mut world = World::new();
    let (idle, busy, cancelled) = (
        world.session("2025-11-25"),
        world.session("2025-11-25"),
        world.session("2025-11-25"),
    );
    let mut streams = [&idle, &busy, &cancelled].map(|client| world.send(client.get()));
    let mut waiting = [(&busy, 1), (&busy, 2), (&cancelled, 1)].map(|(client, id)| world.send(client.tool(id, "wait")));
    for waiting in &mut waiting {
        assert!(waiting.head(world.now).is_none());
    }
    world.endpoint.drain();
    assert_eq!(world.endpoint.sessions(), 0);
    assert_eq!(world.call(busy.tool(2, "echo")).status(), 503);
    let ended = streams.each_mut().map(|stream| stream.read(world.now).ended);
    assert_eq!((ended, world.running()), ([true, false, false], 3));

    world.open_gate();
    assert!(waiting[0].read(world.now).body.contains("waited"));
    assert!(!streams[1].body(world.now).1, "one more is in progress");
    assert!(waiting[1].read(world.now).body.contains("waited"));
    assert!(streams[1].body(world.now).1);

    world.endpoint.close();
    assert!(streams[2].body(world.now).1 && waiting[2].read(world.now).ended);
    assert_eq!(world.running(), 0);
}

#[test]
fn a_request_admitted_before_closing_begins_nothing_after_it() {
    let world = World::new();
    for request in [post(&[], &initialize("2025-11-25")), request("GET", &[], "")] {
        let (head, body) = request.into_parts();
        let endpoint = World::new().endpoint;
        let admission = endpoint.admit(&head).unwrap();
        endpoint.close();
        let exchange = endpoint.open(world.now, &admission, &head, body, || [7; 32]);
        assert_eq!(Open::Exchange(exchange).read(world.now).status(), 503);
        assert_eq!(endpoint.sessions(), 0);
    }
}

#[test]
fn a_hundred_sessions_at_once() {
    let mut world = World::new();
    let clients: Vec<_> = (0..100).map(|_| world.session("2025-11-25")).collect();
    let ids: alloc::collections::BTreeSet<_> = clients.iter().map(|client| client.id.clone()).collect();
    assert_eq!((ids.len(), world.endpoint.sessions()), (100, 100));
    for client in &clients {
        assert_eq!(world.call(client.tool(1, "echo")).status(), 200);
    }
}

#[test]
fn an_idle_session_is_a_small_struct() {
    // The lock of tests says which one it is, besides.
    let lock = size_of::<crate::handle::sync::Mutex<u64>>() - size_of::<std::sync::Mutex<u64>>();
    let size = size_of::<super::super::session::SharedSession>() - lock;
    assert!(size <= 512, "{size} bytes");
}
