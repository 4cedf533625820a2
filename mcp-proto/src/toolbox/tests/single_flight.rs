//! C: one reading of the list and one handshake, however many ask.

use super::*;
use crate::rpc::CallOptions;
use crate::server::CacheHints;
use crate::toolbox::{ServerTools, ToolSource, Toolbox};
use core::time::Duration;

async fn join<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs = Vec::new();
    poll_fn(|cx| {
        futures.retain_mut(|future| match core::pin::Pin::new(future).poll(cx) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        match futures.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    outputs
}

#[test]
fn c1_a_hundred_listings_are_one_tools_list_and_one_handshake() {
    for mode in ERAS {
        let (client, mut world) = World::new(mode, named("s", &["a", "b"]));
        let toolbox = Toolbox::builder().server("s", client.clone()).build();
        let lists = run(&mut [&mut world], join((0..100).map(|_| toolbox.list()).collect()));
        assert!(
            lists
                .iter()
                .all(|list| list.tools.len() == 2 && list.problems.is_empty())
        );
        assert_eq!(world.count("tools/list"), 1);
        let is_legacy = mode != Mode::Modern;
        assert_eq!(world.count("initialize"), usize::from(is_legacy));
        assert_eq!(world.count("notifications/initialized"), usize::from(is_legacy));
        let asked = run(&mut [&mut world], join((0..100).map(|_| client.list_tools()).collect()));
        assert!(asked.iter().all(|list| list.as_ref().unwrap().len() == 2));
        assert_eq!(world.count("tools/list"), 2, "the first was not to be kept");
    }
}

#[test]
fn c1_a_hundred_calls_need_no_list() {
    for mode in ERAS {
        let (one, mut first) = World::new(mode, named("one", &["a"]));
        let (two, mut second) = World::new(mode, named("two", &["a"]));
        let toolbox = Toolbox::builder()
            .server("one", ServerTools::new(one).prefix("one_"))
            .server("two", ServerTools::new(two).prefix("two_"))
            .build();
        let calls = (0..100).map(|n| toolbox.call(["one_a", "two_a"][n % 2], ())).collect();
        let results = run(&mut [&mut first, &mut second], join(calls));
        assert!(results.iter().all(Result::is_ok));
        for world in [first, second] {
            assert_eq!((world.count("tools/call"), world.count("tools/list")), (50, 0));
        }
    }
}

#[test]
fn c2_a_name_that_several_servers_may_have_is_asked_for_once_by_all_callers() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    let (two, mut second) = World::new(Mode::Modern, named("two", &["b"]));
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let worlds = &mut [&mut first, &mut second];
    let results = run(worlds, join((0..50).map(|_| toolbox.call("b", ())).collect()));
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().unwrap().to_text() == "two.b")
    );
    assert_eq!((first.count("tools/list"), second.count("tools/list")), (1, 1));
    assert_eq!((first.count("tools/call"), second.count("tools/call")), (0, 50));
    // What was listed is not asked again, though neither list may be kept.
    run(&mut [&mut first, &mut second], toolbox.list());
    run(&mut [&mut first, &mut second], toolbox.call("a", ())).unwrap();
    assert_eq!((first.count("tools/list"), second.count("tools/list")), (2, 2));
}

#[test]
fn a_list_is_kept_for_its_ttl_and_read_once_more_after_it() {
    let hints = CacheHints {
        ttl_ms: 5_000,
        ..CacheHints::default()
    };
    let (client, mut world) = World::new(Mode::Modern, named("s", &["a"]).cache(hints));
    let toolbox = Toolbox::builder().server("s", client.clone()).build();
    for (second, lists) in [(0, 1), (4, 1), (5, 2), (9, 2), (10, 3)] {
        world.now = Time::ORIGIN + Duration::from_secs(second);
        world.poll(&mut Context::from_waker(Waker::noop()));
        for _ in 0..10 {
            assert_eq!(run(&mut [&mut world], toolbox.list()).tools.len(), 1);
        }
        assert_eq!(world.count("tools/list"), lists, "at {second}");
    }
    toolbox.forget_tools();
    run(&mut [&mut world], toolbox.list());
    assert_eq!(world.count("tools/list"), 4);
    // Kept is given without IO, also where no driver is polled.
    assert_eq!(
        run(
            &mut [],
            ToolSource::tools(&client, CallOptions::default(), Duration::ZERO)
        )
        .outcome
        .unwrap()
        .len(),
        1
    );
}

#[test]
fn a_caller_that_goes_takes_nothing_from_the_others() {
    let (client, mut world) = World::new(Mode::Modern, named("s", &["a"]));
    let cx = &mut Context::from_waker(Waker::noop());
    let mut first = alloc::boxed::Box::pin(client.list_tools());
    let mut second = alloc::boxed::Box::pin(client.list_tools());
    assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
    drop(first);
    assert_eq!(run(&mut [&mut world], second).unwrap().len(), 1);
    assert_eq!(
        (world.count("tools/list"), world.count("notifications/cancelled")),
        (1, 0)
    );
}

#[test]
fn the_last_caller_that_goes_ends_the_reading() {
    let (client, mut world) = World::new(Mode::Modern, named("s", &["a"]));
    let cx = &mut Context::from_waker(Waker::noop());
    let mut only = alloc::boxed::Box::pin(client.list_tools());
    assert!(only.as_mut().poll(cx).is_pending());
    drop(only);
    world.poll(cx);
    assert_eq!(world.count("tools/list"), 0, "it was not sent yet");
}

#[test]
fn a_dropped_driver_ends_every_listing() {
    let (client, world) = World::new(Mode::Modern, named("s", &["a"]));
    let cx = &mut Context::from_waker(Waker::noop());
    let mut listing = pin!(client.list_tools());
    assert!(listing.as_mut().poll(cx).is_pending());
    drop(world);
    assert!(matches!(
        listing.as_mut().poll(cx),
        Poll::Ready(Err(crate::rpc::CallError::Closed(_)))
    ));
}
