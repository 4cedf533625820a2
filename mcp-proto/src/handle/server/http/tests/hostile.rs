//! Whatever comes, there is an answer, and nothing is left behind.

use super::*;
use crate::http::server::Remote;

#[test]
fn bodies_that_are_read_are_bounded_together() {
    let limits = Limits {
        body_bytes: 10,
        reading_bytes: 15,
        ..Limits::default()
    };
    let endpoint = World::with(HttpConfig::default(), limits, &Revision::ALL).endpoint;
    let head = post(&[], "").into_parts().0;
    let admission = endpoint.admit(&head).unwrap();
    let take = |room: &mut ReadingRoom, bytes| room.take(&admission, &head, bytes);
    let mut first = endpoint.reading_room(&admission);
    let mut second = endpoint.reading_room(&admission);
    assert_eq!((take(&mut first, 4), take(&mut first, 6)), (Ok(()), Ok(())));
    assert_eq!(take(&mut first, 1), Err(Refusal::TooLarge));
    assert_eq!(
        (take(&mut second, 5), take(&mut second, 1)),
        (Ok(()), Err(Refusal::Overloaded))
    );
    drop(first);
    assert_eq!(take(&mut second, 4), Ok(()));
    drop(second);
    assert_eq!(take(&mut endpoint.reading_room(&admission), 10), Ok(()));
    assert_eq!(Refusal::Overloaded.into_response().status(), 503);
}

#[derive(Default)]
struct Count(AtomicUsize);

impl alloc::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_body_that_is_lost_for_others_is_refused_while_nothing_of_it_comes() {
    let limits = Limits::default().with_reading_bytes(100);
    let endpoint = World::with(HttpConfig::default(), limits, &Revision::ALL).endpoint;
    let head = post(&[], "").into_parts().0;
    let from = |connection| {
        let remote = Remote::new(Some(([10, 0, 0, 1], 1).into()), Some(connection));
        endpoint.admit(&head).unwrap().from(remote)
    };
    let (one, other) = (from(1), from(2));
    let mut large = endpoint.reading_room(&one);
    let count = Arc::new(Count::default());
    let (waker, noop) = (Waker::from(count.clone()), &Context::from_waker(Waker::noop()));
    assert_eq!(large.take(&one, &head, 90), Ok(()));
    assert!(large.poll_lost(&Context::from_waker(&waker)).is_pending());
    let mut small = endpoint.reading_room(&other);
    assert_eq!(small.take(&other, &head, 11), Ok(()));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(large.poll_lost(noop), Poll::Ready(Refusal::Overloaded));
    assert_eq!(large.take(&one, &head, 1), Err(Refusal::Overloaded));
    drop(large);
    assert_eq!(small.take(&other, &head, 89), Ok(()));
    assert!(small.poll_lost(noop).is_pending());
}

#[test]
fn mangled_requests_are_answered() {
    let mut world = World::new();
    let client = world.session("2025-03-26");
    let good = [
        initialize("2025-11-25"),
        tool(1, "echo"),
        format!("[{}]", tool(1, "echo")),
        r#"{"jsonrpc":"2.0","id":"r","method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#.into(),
    ];
    let versions = ["", "2025-03-26", "2025-11-25", "2026-07-28", "v999.0.0"];
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize % most
    };
    for _ in 0..3_000 {
        let mut body = good[random(good.len())].clone().into_bytes();
        for _ in 0..random(4) {
            let at = random(body.len());
            match random(3) {
                0 => body[at] = b"{}[]\",:0x\\\xff"[random(11)],
                1 => body.truncate(at.max(1)),
                _ => body.insert(at, b"{}[]\",:0"[random(8)]),
            }
        }
        let session = if random(2) == 0 { client.id.as_str() } else { "" };
        let headers = [
            ("mcp-protocol-version", versions[random(versions.len())]),
            ("mcp-session-id", session),
            ("mcp-method", ["", "tools/list", "tools/call"][random(3)]),
            ("mcp-name", ["", "echo", "=?base64?!?="][random(3)]),
        ];
        let method = ["POST", "POST", "POST", "GET", "DELETE", "PUT"][random(6)];
        if method == "DELETE" && !session.is_empty() {
            continue;
        }
        let mut request = request(method, &headers, "");
        *request.body_mut() = body.into();
        let mut open = world.send(request);
        let answer = open.read(world.now);
        assert!(
            (200..=431).contains(&answer.status()) || answer.status() == 503,
            "{}",
            answer.status()
        );
        drop(open);
        world.keep();
    }
    assert_eq!(world.running(), 0);
    assert_eq!(world.call(client.tool(1, "echo")).status(), 200);
}

#[test]
fn a_body_over_the_limit_is_refused_by_its_length() {
    let mut world = World::with(
        HttpConfig::default(),
        Limits {
            body_bytes: 10,
            ..Limits::default()
        },
        &Revision::ALL,
    );
    assert_eq!(world.call(post(&[("content-length", "11")], "")).status(), 413);
    let head = post(&[], "").into_parts().0;
    assert_eq!(world.endpoint.admit(&head).unwrap().body_limit(), Some(10));
    let head = request("GET", &[], "").into_parts().0;
    assert_eq!(world.endpoint.admit(&head).unwrap().body_limit(), None);
}

#[test]
fn the_guard_stands_before_every_method_and_era() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    for method in ["POST", "GET", "DELETE", "PUT"] {
        for header in [("host", "evil.example.com"), ("origin", "http://evil.example.com")] {
            let mut headers = client.headers().to_vec();
            headers.push(header);
            assert_eq!(
                world.call(request(method, &headers, &tool(1, "echo"))).status(),
                403,
                "{method} {header:?}"
            );
        }
    }
    assert_eq!(world.endpoint.sessions(), 1, "the DELETE did not get through");
    assert_eq!(
        world
            .call(post(&[("content-type", "text/plain")], &initialize("2025-11-25")))
            .status(),
        415
    );
}

#[test]
fn what_must_not_be_told_is_not_shown() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let open = world.send(client.get());
    let Open::Exchange(exchange) = &open else { panic!() };
    for text in [
        format!("{:?}", world.endpoint),
        format!("{exchange:?}"),
        format!("{:?}", world.upkeep),
    ] {
        assert!(!text.contains(&client.id), "{text}");
    }
    assert_eq!(ErrorCode::PARSE_ERROR.0, -32700);
}
