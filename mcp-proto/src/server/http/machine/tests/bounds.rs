//! Bodies, and what is too much.

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
    assert!(world.is_idle() && world.server.kept().bytes == 0);
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
