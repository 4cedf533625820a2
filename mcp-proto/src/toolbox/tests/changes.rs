//! Tools that change.

use super::*;
use crate::client::ClientConfig;
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::model::{ServerCapabilities, ToolsCapability};
use crate::toolbox::Toolbox;

/// A server that promises to say when its tools change.
fn changing(server: &str) -> ServerBuilder {
    let capabilities = ServerCapabilities {
        tools: Some(ToolsCapability {
            list_changed: Some(true),
            ..ToolsCapability::default()
        }),
        ..ServerCapabilities::default()
    };
    named(server, &["a"]).capabilities(capabilities)
}

fn change(world: &World) {
    world
        .server
        .notify(Method::ToolListChangedNotification, Params::NONE)
        .unwrap();
}

#[test]
fn changes_are_heard_in_both_eras_and_end_what_is_kept() {
    for mode in ERAS {
        let (one, mut first) = World::new(mode, changing("one"));
        let (two, mut second) = World::new(mode, changing("two"));
        let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
        let mut changes = toolbox.changes();
        run(&mut [&mut first, &mut second], toolbox.list());
        let cx = &mut Context::from_waker(Waker::noop());
        for _ in 0..5 {
            assert!(changes.poll_next(cx).is_pending(), "nothing has changed");
            first.poll(cx);
            second.poll(cx);
        }
        let listens = usize::from(mode == Mode::Modern);
        assert_eq!(first.count("subscriptions/listen"), listens);
        for _ in 0..3 {
            change(&second);
            let changed = run(&mut [&mut first, &mut second], changes.next());
            assert_eq!(changed.as_deref(), Some("two"));
            change(&first);
            let changed = run(&mut [&mut first, &mut second], changes.next());
            assert_eq!(changed.as_deref(), Some("one"));
        }
        assert!(changes.poll_next(cx).is_pending());

        let before = (first.count("tools/list"), second.count("tools/list"));
        run(&mut [&mut first, &mut second], toolbox.list());
        let after = (first.count("tools/list"), second.count("tools/list"));
        assert_eq!(after, (before.0 + 1, before.1 + 1));
        if mode != Mode::Modern {
            run(&mut [&mut first, &mut second], toolbox.list());
            let kept = (first.count("tools/list"), second.count("tools/list"));
            assert_eq!(kept, after, "a legacy list is kept until the promised word");
        }

        drop(changes);
        first.poll(cx);
        assert_eq!(first.count("notifications/cancelled"), listens);
        drop((first, second));
    }
}

#[test]
fn what_was_missed_counts_as_changed_and_a_closed_connection_ends_it() {
    let limits = crate::Limits {
        notifications: 1,
        ..crate::Limits::default()
    };
    let config = ClientConfig::named("test", "1").with_mode(ERAS[1]).with_limits(limits);
    let (client, mut world) = World::with(config, changing("s"));
    let toolbox = Toolbox::builder().server("s", client.clone()).build();
    let mut changes = toolbox.changes();
    run(&mut [&mut world], client.ready()).unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(changes.poll_next(cx).is_pending());
    for _ in 0..3 {
        world.server.notify("notifications/other", Params::NONE).unwrap();
        world.poll(cx);
    }
    assert!(
        matches!(changes.poll_next(cx), Poll::Ready(Some(_))),
        "it may have been among them"
    );
    assert!(changes.poll_next(cx).is_pending());
    drop(world);
    assert!(matches!(changes.poll_next(cx), Poll::Ready(None)));
}

#[test]
fn an_empty_box_never_changes() {
    let toolbox = Toolbox::builder().build();
    assert!(run(&mut [], toolbox.changes().next()).is_none());
    assert!(run(&mut [], toolbox.list()).tools.is_empty());
}

#[test]
fn a_server_that_changes_all_the_time_does_not_hide_the_others() {
    let (one, mut first) = World::new(ERAS[1], changing("one"));
    let (two, mut second) = World::new(ERAS[1], changing("two"));
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let mut changes = toolbox.changes();
    run(&mut [&mut first, &mut second], toolbox.list());
    let cx = &mut Context::from_waker(Waker::noop());
    change(&second);
    second.poll(cx);
    let mut heard = Vec::new();
    for _ in 0..3 {
        change(&first);
        first.poll(cx);
        if let Poll::Ready(Some(server)) = changes.poll_next(cx) {
            heard.push(server);
        }
    }
    assert_eq!(
        heard.iter().map(|server| &**server).collect::<Vec<_>>(),
        ["one", "two", "one"]
    );
}

#[test]
fn what_one_read_brings_beyond_the_limit_counts_as_missed() {
    let limits = crate::Limits {
        notifications: 1,
        ..crate::Limits::default()
    };
    let config = ClientConfig::named("test", "1").with_mode(ERAS[1]).with_limits(limits);
    let (client, mut world) = World::with(config, changing("s"));
    let mut notifications = client.notifications();
    run(&mut [&mut world], client.ready()).unwrap();
    let cx = &mut Context::from_waker(Waker::noop());
    world.server.notify("notifications/other", Params::NONE).unwrap();
    world.server.notify("notifications/other", Params::NONE).unwrap();
    change(&world);
    world.poll(cx);
    assert!(matches!(notifications.poll_next(cx), Poll::Ready(Some(_))));
    assert!(notifications.poll_next(cx).is_pending());
    assert_eq!(notifications.missed(), 2);
}
