//! Bodies, and what is too much.

use super::legacy::{get, in_session};
use super::*;

#[test]
fn a_body_comes_in_pieces() {
    let mut world = World::new();
    let (head, body) = modern_tool().into_parts();
    let id = world.server.receive_head(NOW, head, Sender::new());
    for byte in &body {
        assert!(world.server.wants_body(id));
        world.server.receive_body(id, &[*byte]);
    }
    assert!(world.server.poll_event().is_none());
    assert_eq!(world.server.kept().bytes, body.len());
    world.server.receive_end(NOW, id, || [0; 32]);
    world.server.receive_end(NOW, id, || [0; 32]);
    assert!(!world.server.wants_body(id));
    let asked = world.asked();
    world.answer(asked.token, "{}");
    assert!(world.read(id).ended && world.server.kept().is_empty());
}

#[test]
fn bodies_are_bounded_each_and_together() {
    let limits = Limits {
        body_bytes: 10,
        reading_bytes: 15,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let [first, second, third] = [(); 3].map(|()| {
        let head = post(&[], "").into_parts().0;
        world.server.receive_head(NOW, head, Sender::new())
    });
    world.server.receive_body(first, b"0123456789");
    world.server.receive_body(second, b"012345");
    assert_eq!(world.read(second).status(), 503);
    world.server.receive_body(third, b"01234");
    world.server.receive_body(first, b"0");
    assert_eq!(world.read(first).status(), 413);
    world.server.receive_body(third, b"56789");
    assert_eq!(world.server.kept().bytes, 10);
    world.server.fail_body(third, &Refusal::TimedOut);
    assert_eq!(world.read(third).status(), 408);
    assert_eq!(world.call(post(&[], "0123456789a")).status(), 413);
    assert_eq!(
        world.call(post(&[], "0123456789")).status(),
        400,
        "it fits, and is no JSON"
    );
    assert!(world.is_idle() && world.server.kept().bytes == 0);
}

/// Sends a head from a connection.
fn head_from(world: &mut World, connection: u64) -> ExchangeId {
    let head = post(&[], "").into_parts().0;
    let sender = Sender::new().with_address(([10, 0, 0, 1], 1).into());
    world.server.receive_head(NOW, head, sender.with_connection(connection))
}

#[test]
fn unfinished_large_bodies_lock_nobody_out() {
    let limits = Limits::default().with_reading_bytes(100);
    let mut world = World::with(limits, HttpConfig::default());
    let stalled = [1, 2].map(|connection| {
        let id = head_from(&mut world, connection);
        world.server.receive_body(id, &[b' '; 50]);
        id
    });
    let good = head_from(&mut world, 3);
    world.server.receive_body(good, &[b' '; 30]);
    let lost = stalled.map(|id| !world.server.wants_body(id));
    assert_eq!(lost.iter().filter(|lost| **lost).count(), 1);
    for (id, lost) in stalled.into_iter().zip(lost) {
        match lost {
            true => assert_eq!(world.read(id).status(), 503),
            false => world.server.disconnect(NOW, id),
        }
    }
    assert_eq!(world.server.kept().bytes, 30);
    world.server.receive_end(NOW, good, || [0; 32]);
    assert_eq!(world.read(good).status(), 400);
    assert!(world.is_idle() && world.server.kept().is_empty());
}

#[test]
fn small_bodies_never_need_the_shared_budget() {
    let mut world = World::with(Limits::default().with_reading_bytes(1 << 20), HttpConfig::default());
    let large = head_from(&mut world, 1);
    world.server.receive_body(large, &[b' '; 1 << 20]);
    for connection in 2..9 {
        let small = head_from(&mut world, connection);
        world.server.receive_body(small, &[b' '; 1 << 8]);
        assert!(world.server.wants_body(small));
    }
    assert_eq!(world.server.large.len(), 1);
    assert!(world.server.wants_body(large));
}

#[test]
fn who_fills_the_table_of_sessions_locks_nobody_out() {
    let limits = Limits {
        sessions: 3,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let begin = |world: &mut World, connection| {
        let (head, body) = post(&[], &initialize("2025-11-25")).into_parts();
        let sender = Sender::new().with_address(([10, 0, 0, 1], 1).into());
        world.sessions += 1;
        let random = [world.sessions; 32];
        let id = (world.server).receive(NOW, head, body, sender.with_connection(connection), || random);
        let answer = world.read(id);
        assert_eq!(answer.status(), 200);
        answer.session()
    };
    let first = begin(&mut world, 1);
    let stream = world.send(get(&first));
    assert!(!world.read(stream).ended);
    let (second, _third) = (begin(&mut world, 1), begin(&mut world, 1));
    let good = begin(&mut world, 2);
    let told = core::iter::from_fn(|| world.server.poll_event()).collect::<Vec<_>>();
    assert!(matches!(told[..], [HttpEvent::Ended(_)]), "{told:?}");
    assert_eq!(world.call(in_session(&second, &tool(1))).status(), 404);
    assert!(!world.body(stream).1);
    for session in [&first, &good] {
        let id = world.send(in_session(session, &tool(1)));
        let asked = world.asked();
        world.answer(asked.token, "{}");
        assert_eq!(world.read(id).status(), 200);
    }
}

#[test]
fn who_fills_the_table_of_subscriptions_locks_nobody_out() {
    let limits = Limits {
        sessions: 3,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let listen = |world: &mut World, connection| {
        let request = modern("subscriptions/listen", r#""notifications":{"toolsListChanged":true},"#);
        let (head, body) = request.into_parts();
        let sender = Sender::new().with_address(([10, 0, 0, 1], 1).into());
        (world.server).receive(NOW, head, body, sender.with_connection(connection), || [0; 32])
    };
    let many = [1, 1, 1].map(|connection| listen(&mut world, connection));
    assert!(many.iter().all(|id| !world.read(*id).ended));
    let refused = listen(&mut world, 1);
    assert_eq!(world.read(refused).status(), 503);
    let good = listen(&mut world, 2);
    assert_eq!(world.read(good).status(), 200);
    let (body, ended) = world.body(many[0]);
    assert!(
        body.contains(r#""resultType":"complete""#) && ended,
        "it is told: {body}"
    );
    assert_eq!(many.map(|id| world.server.is_open(id)), [false, true, true]);
    assert!(world.server.is_open(good));
}

#[test]
fn a_client_that_hangs_up_while_its_body_is_read_leaves_nothing() {
    let mut world = World::new();
    let head = post(&[], "").into_parts().0;
    let id = world.server.receive_head(NOW, head, Sender::new());
    world.server.receive_body(id, b"{");
    world.server.disconnect(NOW, id);
    assert!(world.is_idle() && world.server.kept().is_empty());
}

#[test]
fn of_too_many_abandoned_requests_the_oldest_is_given_up() {
    let limits = Limits {
        abandoned_requests: 1,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let session = world.session("2025-11-25");
    let mut abandon = |number: u32| {
        let id = world.send(post(&[("mcp-session-id", &session)], &tool(number)));
        let asked = world.asked();
        world.server.disconnect(NOW, id);
        (asked.token, world.server.poll_event())
    };
    let (first, none) = abandon(1);
    assert!(none.is_none());
    let (second, event) = abandon(2);
    let key = first.key();
    assert!(matches!(event, Some(HttpEvent::Cancelled { request, .. }) if request == key));
    world.answer(first, "{}");
    world.answer(second, "{}");
    assert_eq!(world.server.open_exchanges(), 0);
}

#[test]
fn an_application_that_takes_no_events_is_not_buried_in_them() {
    let limits = Limits {
        requests_in_progress: 2,
        ..Limits::default()
    };
    let mut world = World::with(limits, HttpConfig::default());
    let _ = (world.send(modern_tool()), world.send(modern_tool()));
    assert_eq!(world.call(modern_tool()).status(), 503);
    drop(world.server.poll_event());
    let id = world.send(modern_tool());
    assert!(world.server.poll_head(NOW, id).is_none());
}
