//! 2026-07-28: requests that stand alone, and subscriptions.

use super::*;

#[test]
fn a_request_is_answered_by_its_token() {
    let mut world = World::new();
    let id = world.send(modern_tool());
    assert!(
        world.server.poll_head(NOW, id).is_none(),
        "the application has not answered"
    );
    let asked = world.asked();
    assert_eq!((asked.name(), asked.token.session()), (Some("t"), None));
    assert_eq!(asked.token.key().exchange(), id);
    assert!(world.server.is_in_progress(&asked.token));
    world.answer(asked.token, r#"{"x":1}"#);
    assert!(world.read(id).body.contains(r#""x":1"#));
    assert!(world.is_idle() && world.server.kept().is_empty());
}

#[test]
fn what_the_driver_knows_of_the_peer_comes_with_the_request() {
    let mut world = World::new();
    let (mut head, body) = modern_tool().into_parts();
    head.extensions.insert("an extension");
    let sender = Sender::new().with_connection(3).with_principal(Principal::new("alice"));
    world.server.receive(NOW, head, body, sender, || [0; 32]);
    let asked = world.asked();
    assert_eq!(asked.token.asker().sender.connection, Some(3));
    assert_eq!(asked.token.asker().principal(), Some(&Principal::new("alice")));
    assert_eq!(asked.token.asker().head.extensions.get(), Some(&"an extension"));
    assert_eq!(asked.token.asker().head.headers["mcp-name"], "t");
    assert!(!format!("{asked:?}").contains("localhost"), "headers are not shown");
}

#[test]
fn what_is_said_before_the_answer_makes_it_a_stream() {
    let mut world = World::new();
    let id = world.send(modern_tool());
    let mut asked = world.asked();
    let progress = asked.context.encode_progress(1.0, None, None).unwrap();
    world.server.send_for(&asked.token, progress).unwrap();
    assert_eq!((world.server.poll_ready(), world.server.poll_ready()), (Some(id), None));
    let begun = world.read(id);
    assert_eq!(begun.head.headers["content-type"], "text/event-stream");
    assert!(begun.body.contains("notifications/progress") && !begun.ended);
    let refused = world
        .server
        .call(&asked.token, Method::ListRoots, Params::NONE, CallOptions::default());
    assert!(matches!(refused, Err(SendError::OutOfEra { .. })), "{refused:?}");
    world.answer(asked.token, "{}");
    let (rest, ended) = world.body(id);
    assert!(rest.contains(r#""id":7"#) && ended);
}

#[test]
fn a_silent_stream_gets_a_comment() {
    let mut world = World::new();
    let id = world.send(modern_tool());
    let mut asked = world.asked();
    let progress = asked.context.encode_progress(1.0, None, None).unwrap();
    world.server.send_for(&asked.token, progress).unwrap();
    let _ = (world.read(id), world.server.poll_ready());
    world.now = world.server.poll_timeout().unwrap();
    assert_eq!(world.now, NOW + Duration::from_secs(15));
    world.server.handle_timeout(world.now);
    assert_eq!(world.server.poll_ready(), Some(id));
    assert!(world.body(id).0.starts_with(':'));
    world.answer(asked.token, "{}");
}

#[test]
fn hanging_up_cancels() {
    let mut world = World::new();
    let id = world.send(modern_tool());
    let asked = world.asked();
    world.server.disconnect(NOW, id);
    let key = asked.token.key();
    assert!(matches!(world.server.poll_event(), Some(HttpEvent::Cancelled { request, .. }) if request == key));
    assert!(!world.server.is_in_progress(&asked.token));
    world.answer(asked.token, "{}");
    assert!(world.server.poll_ready().is_none() && world.is_idle());
}

#[test]
fn a_subscription_hears_what_it_asked_for() {
    let mut world = World::new();
    let listen = || modern("subscriptions/listen", r#""notifications":{"toolsListChanged":true},"#);
    let (id, other) = (world.send(listen()), world.send(listen()));
    assert!(world.read(id).body.contains("acknowledged"));
    assert_eq!(world.server.subscriptions(), 2);
    world.server.disconnect(NOW, other);
    while world.server.poll_ready().is_some() {}
    let changed = Method::ToolListChangedNotification;
    world.server.notify(changed, Params::NONE).unwrap();
    assert_eq!((world.server.poll_ready(), world.server.poll_ready()), (Some(id), None));
    assert!(world.body(id).0.contains("list_changed"));
    let wrong = world.server.notify(Method::PromptListChangedNotification, Params::NONE);
    assert!(matches!(wrong, Err(SendError::NotSupported { .. })), "{wrong:?}");
    world.server.drain();
    let (body, ended) = world.body(id);
    assert!(body.contains(r#""resultType":"complete""#) && ended);
    // 2026-07-28, Subscriptions, Graceful Closure: over HTTP the response ends it, and says all there is to say.
    assert_eq!(
        (body.matches("data: ").count(), body.contains("notifications/cancelled")),
        (1, false),
        "{body}"
    );
    assert!(world.is_idle() && world.server.is_finished());
    assert_eq!(world.call(listen()).status(), 503);
}

#[test]
fn discovery_and_what_is_wrong_are_answered_at_once() {
    let mut world = World::new();
    assert_eq!(world.call(modern("server/discover", "")).status(), 200);
    assert_eq!(world.call(modern("ping", "")).status(), 404);
    let mut wrong = modern_tool();
    wrong.headers_mut().insert("mcp-name", "other".parse().unwrap());
    let answer = world.call(wrong);
    assert!(answer.status() == 400 && answer.body.contains("-32020"), "{answer:?}");
    assert_eq!(world.call(request("PUT", &[], "")).status(), 405);
    assert!(world.server.poll_event().is_none() && world.is_idle());
}

#[test]
fn a_request_has_room_until_its_stream_is_full() {
    let limits = Limits::default().with_stream_bytes(9);
    let mut world = World::with(limits, HttpConfig::default());
    let id = world.send(modern_tool());
    let asked = world.asked();
    assert!(world.server.has_room(&asked.token));
    assert_eq!(world.server.send_for(&asked.token, b"1".to_vec()), Ok(()));
    assert!(!world.server.has_room(&asked.token));
    assert_eq!(world.server.send_for(&asked.token, b"2".to_vec()), Err(b"2".to_vec()));
    assert_eq!(world.read(id).body, "data: 1\n\n");
    assert!(world.server.has_room(&asked.token));
    world.answer(asked.token, "{}");
    let length = world.server.body_length(id).expect("it is settled");
    let (text, ended) = world.body(id);
    assert_eq!((text.len(), ended), (length, true));
    assert!(world.server.body_length(id).is_none(), "it is over");
}

#[test]
fn what_the_driver_knows_of_a_sender_adds_up() {
    let address = ([10, 0, 0, 1], 1).into();
    let sender = Sender::new()
        .with_principal(Principal::new("alice"))
        .with_connection(7)
        .with_certificate(Bytes::from_static(b"c"))
        .with_address(address);
    assert_eq!((sender.address, sender.connection), (Some(address), Some(7)));
    assert_eq!(sender.principal.as_ref().map(Principal::as_bytes), Some(&b"alice"[..]));
    let sender = sender.with_certificate(Bytes::from_static(b"d"));
    assert_eq!(
        (sender.address, sender.certificate),
        (Some(address), Some(Bytes::from_static(b"d")))
    );
}
