//! Many servers in one box.

use alloc::boxed::Box;

use super::*;
use crate::client::{ClientConfig, Incident};
use crate::rpc::CloseReason;
use crate::toolbox::{
    FindToolError, Mismatch, ServerTools, Signature, ToolCallError, ToolOrigin, ToolOverrides, ToolSelection, Toolbox,
    ToolboxList, ToolboxProblem,
};

fn names(list: &ToolboxList) -> Vec<&str> {
    list.tools.iter().map(|tool| tool.definition.name.as_str()).collect()
}

fn text(worlds: &mut [&mut World], toolbox: &Toolbox, name: &str) -> Result<String, ToolCallError> {
    run(worlds, toolbox.call(name, ())).map(|result| result.to_text())
}

#[test]
fn tools_are_filtered_renamed_prefixed_and_described() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["read", "write", "stat"]));
    let (two, mut second) = World::new(ERAS[1], named("two", &["read", "list"]));
    let toolbox = Toolbox::builder()
        .server(
            "one",
            ServerTools::new(one)
                .except(["write"])
                .rename("stat", "status")
                .overrides("read", ToolOverrides::description("reads files")),
        )
        .server(
            "two",
            ServerTools::new(two).prefix("two_").filter(|tool| tool.name != "list"),
        )
        .build();
    assert_eq!(toolbox.servers().collect::<Vec<_>>(), ["one", "two"]);
    let worlds = &mut [&mut first, &mut second];
    let list = run(worlds, toolbox.list());
    assert_eq!(names(&list), ["read", "status", "two_read"]);
    assert_eq!(list.problems, []);
    let read = list.get("read").unwrap();
    assert_eq!(read.definition.description.as_deref(), Some("reads files"));
    assert_eq!(list.get("two_read").unwrap().origin, ToolOrigin::new("two", "read"));
    assert_eq!(run(worlds, toolbox.tool("status").validate()).unwrap().name, "status");

    for (name, said) in [("read", "one.read"), ("status", "one.stat"), ("two_read", "two.read")] {
        assert_eq!(text(worlds, &toolbox, name).unwrap(), said);
    }
    for name in ["write", "stat", "two_list"] {
        let unknown = ToolCallError::Find(FindToolError::Unknown { name: name.into() });
        assert_eq!(text(worlds, &toolbox, name), Err(unknown), "{name}");
    }
    let missing = FindToolError::Missing(ToolOrigin::new("one", "nothing"));
    assert_eq!(text(worlds, &toolbox, "nothing"), Err(missing.into()));
}

#[test]
fn a_name_that_was_never_listed_is_found_where_it_is() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    let (two, mut second) = World::new(Mode::Modern, named("two", &["b", "hidden"]));
    let toolbox = Toolbox::builder()
        .server("one", one)
        .server("two", ServerTools::new(two).filter(|tool| tool.name != "hidden"))
        .build();
    let worlds = &mut [&mut first, &mut second];
    assert_eq!(text(worlds, &toolbox, "b").unwrap(), "two.b");
    let unknown = |name: &str| Err(ToolCallError::Find(FindToolError::Unknown { name: name.into() }));
    assert_eq!(text(worlds, &toolbox, "hidden"), unknown("hidden"));
    assert_eq!(text(worlds, &toolbox, "nothing"), unknown("nothing"));
}

#[test]
fn of_two_tools_with_one_name_neither_is_taken_for_the_other() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["search", "a"]));
    let (two, mut second) = World::new(Mode::Modern, named("two", &["search", "b"]));
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let worlds = &mut [&mut first, &mut second];
    let origins = || Box::from([ToolOrigin::new("one", "search"), ToolOrigin::new("two", "search")]);
    let ambiguous = || {
        Err(ToolCallError::Find(FindToolError::Ambiguous {
            name: "search".into(),
            tools: origins(),
        }))
    };
    assert_eq!(text(worlds, &toolbox, "search"), ambiguous());
    let list = run(worlds, toolbox.list());
    assert_eq!(names(&list), ["a", "b"]);
    let collision = ToolboxProblem::Collision {
        name: "search".into(),
        tools: origins(),
    };
    assert_eq!(list.problems.first(), Some(&collision));
    assert_eq!(list.problems.len(), 1);
    assert_eq!(list.complete(), Err(collision));
    assert_eq!(text(worlds, &toolbox, "search"), ambiguous());
    assert_eq!(text(worlds, &toolbox, "b").unwrap(), "two.b");
    assert_eq!((first.count("tools/call"), second.count("tools/call")), (0, 1));
}

#[test]
fn a_name_that_is_given_may_collide_within_one_server() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a", "b"]));
    let tools = ServerTools::new(one).rename("a", "b");
    let toolbox = Toolbox::builder().server("one", tools).build();
    let list = run(&mut [&mut first], toolbox.list());
    assert!(matches!(&list.problems[..], [ToolboxProblem::Collision { tools, .. }] if tools.len() == 2));
    assert!(text(&mut [&mut first], &toolbox, "b").is_err());
}

#[test]
fn one_broken_server_hides_no_tools_of_the_others() {
    let (one, first) = World::new(Mode::Modern, named("one", &["a"]));
    let (two, mut second) = World::new(Mode::Modern, named("two", &["b"]));
    drop(first);
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let list = run(&mut [&mut second], toolbox.list());
    assert_eq!(names(&list), ["b"]);
    assert!(matches!(&list.problems[..], [ToolboxProblem::Server { server, .. }] if &**server == "one"));
    assert!(list.complete().is_err());
    assert_eq!(text(&mut [&mut second], &toolbox, "b").unwrap(), "two.b");
    let error = text(&mut [&mut second], &toolbox, "a").unwrap_err();
    assert!(
        matches!(&error, ToolCallError::Find(FindToolError::List { server, .. }) if server.as_deref() == Some("one"))
    );
}

#[test]
fn a_silent_server_holds_a_listing_up_for_the_time_that_is_set() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    // Nobody drives the other one but for its time.
    let (two, pump) = Client::over_stream(ClientConfig::named("test", "1").with_mode(Mode::Modern));
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let mut listing = pin!(toolbox.list().timeout(core::time::Duration::from_secs(3)));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..10 {
        assert!(listing.as_mut().poll(cx).is_pending());
        first.poll(cx);
        let _ = pump.poll_transmit(cx, Time::ORIGIN);
    }
    let deadline = pump.deadline().unwrap();
    assert_eq!(deadline.elapsed(), core::time::Duration::from_secs(3));
    pump.handle_timeout(deadline);
    let Poll::Ready(list) = listing.as_mut().poll(cx) else {
        panic!("it waits on")
    };
    assert_eq!((names(&list), list.problems.len()), (alloc::vec!["a"], 1));
}

#[test]
fn what_a_selection_names_and_is_not_there_or_not_as_expected_is_told() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a", "b"]));
    let strict = Signature::Schema(Json::parse(r#"{"type":"object","required":["x"]}"#).unwrap());
    let tools = ServerTools::new(one)
        .only(["a", "b", "gone"])
        .expects("b", strict)
        .rename("lost", "found");
    let toolbox = Toolbox::builder().server("one", tools).build();
    let list = run(&mut [&mut first], toolbox.list());
    assert_eq!(names(&list), ["a"]);
    let mismatch = ToolboxProblem::Mismatch {
        tool: ToolOrigin::new("one", "b"),
        mismatch: Mismatch::Schema { at: "/required".into() },
    };
    let missing = ToolboxProblem::Missing(ToolOrigin::new("one", "gone"));
    assert_eq!(
        list.problems,
        [missing, mismatch],
        "`lost` is not among those that are taken"
    );
}

#[test]
fn a_server_of_the_same_label_takes_the_place_of_the_one_before() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    let (two, mut second) = World::new(Mode::Modern, named("two", &["a"]));
    let toolbox = Toolbox::builder().server("s", one).server("s", two).build();
    assert_eq!(text(&mut [&mut first, &mut second], &toolbox, "a").unwrap(), "two.a");
}

#[test]
fn a_name_means_what_it_meant_in_the_last_listing() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    let selection = ToolSelection {
        overrides: [("b".into(), ToolOverrides::name("a"))].into(),
        ..ToolSelection::default()
    };
    let (two, mut second) = World::new(Mode::Modern, named("two", &["c"]));
    let toolbox = Toolbox::builder()
        .server("one", one)
        .server("two", ServerTools::new(two).selection(selection))
        .build();
    let worlds = &mut [&mut first, &mut second];
    let list = run(worlds, toolbox.list());
    assert_eq!(names(&list), ["a", "c"]);
    assert_eq!(
        text(worlds, &toolbox, "a").unwrap(),
        "one.a",
        "the other server has no such tool"
    );
    assert_eq!((first.count("tools/list"), second.count("tools/list")), (1, 1));
}

#[test]
fn a_call_carries_its_meta_and_its_time() {
    let seen = Arc::new(Mutex::new(None));
    let sink = seen.clone();
    let server = Server::builder("s", "1").raw_tool(any_object("look"), move |_, context: server::Context| {
        *sink.lock().unwrap() = context.meta().map(ToString::to_string);
        async { core::future::pending::<Result<String, ToolError>>().await }
    });
    let (client, mut world) = World::new(Mode::Modern, server);
    let toolbox = Toolbox::builder().server("s", client).build();
    let mut meta = crate::model::Meta::new();
    meta.insert("com.example/trace", json!("t-1"));
    let call = toolbox
        .call("look", ())
        .meta(meta)
        .timeout(core::time::Duration::from_secs(2))
        .idempotent();
    let mut call = pin!(call);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..10 {
        assert!(call.as_mut().poll(cx).is_pending());
        world.poll(cx);
    }
    assert!(
        seen.lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .contains(r#""com.example/trace":"t-1""#)
    );
    world.now = Time::ORIGIN + core::time::Duration::from_secs(2);
    let error = run(&mut [&mut world], call).unwrap_err();
    assert!(
        matches!(error.call_error(), Some(crate::rpc::CallError::Timeout { .. })),
        "{error}"
    );
    world.poll(cx);
    assert_eq!(world.count("notifications/cancelled"), 1);
}

#[test]
fn a_dropped_call_is_cancelled_at_the_server() {
    let server = Server::builder("s", "1").raw_tool(any_object("hang"), |_, _| {
        core::future::pending::<Result<String, ToolError>>()
    });
    let (client, mut world) = World::new(ERAS[1], server);
    let toolbox = Toolbox::builder().server("s", client).build();
    let mut call = Box::pin(toolbox.call("hang", ()));
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..10 {
        assert!(call.as_mut().poll(cx).is_pending());
        world.poll(cx);
    }
    drop(call);
    world.poll(cx);
    assert_eq!(world.count("notifications/cancelled"), 1);
}

#[test]
fn a_condition_holds_for_names_that_were_never_listed_and_for_those_that_were() {
    let is_open = Arc::new(AtomicUsize::new(1));
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a"]));
    let condition = is_open.clone();
    let tools = ServerTools::new(one).filter(move |_| condition.load(Ordering::Relaxed) == 1);
    let toolbox = Toolbox::builder().server("one", tools).build();
    let worlds = &mut [&mut first];
    let unknown = || Err(ToolCallError::Find(FindToolError::Unknown { name: "a".into() }));
    is_open.store(0, Ordering::Relaxed);
    assert_eq!(text(worlds, &toolbox, "a"), unknown());
    is_open.store(1, Ordering::Relaxed);
    assert_eq!(names(&run(worlds, toolbox.list())), ["a"]);
    assert_eq!(text(worlds, &toolbox, "a").unwrap(), "one.a");
    is_open.store(0, Ordering::Relaxed);
    assert_eq!(names(&run(worlds, toolbox.list())), [""; 0]);
    assert_eq!(
        text(worlds, &toolbox, "a"),
        unknown(),
        "the last listing does not have it"
    );
}

#[test]
fn two_tools_of_one_server_that_are_given_the_same_name_are_neither_called() {
    let (one, mut first) = World::new(Mode::Modern, named("one", &["a", "b"]));
    let toolbox = Toolbox::builder()
        .server("one", ServerTools::new(one).rename("a", "x").rename("b", "x"))
        .build();
    let worlds = &mut [&mut first];
    for _ in 0..2 {
        let refused = text(worlds, &toolbox, "x").unwrap_err();
        assert!(
            matches!(&refused, ToolCallError::Find(FindToolError::Ambiguous { tools, .. }) if tools.len() == 2),
            "{refused:?}"
        );
        assert!(run(worlds, toolbox.list()).tools.is_empty());
    }
}

#[test]
fn what_is_lost_is_told_with_the_label_of_its_server() {
    let (one, world) = World::new(ERAS[0], named("one", &["a"]));
    let (two, _other) = World::new(ERAS[0], named("two", &["a"]));
    let toolbox = Toolbox::builder().server("one", one).server("two", two).build();
    let mut incidents = toolbox.incidents();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(incidents.poll_next(cx).is_pending());
    drop(world);
    let Poll::Ready(Some((server, incident))) = incidents.poll_next(cx) else {
        panic!("nothing is told")
    };
    assert_eq!(
        (&*server, incident),
        ("one", Incident::Disconnected(CloseReason::DriverDropped))
    );
    assert!(incidents.poll_next(cx).is_pending(), "the other is there still");
    assert_eq!(incidents.missed(), 0);
}
