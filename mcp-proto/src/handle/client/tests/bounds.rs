//! What waits for a reader is bounded, and what a handle shows of itself is no secret.

use super::*;

const TOTAL: usize = 10_000;

fn bounded() -> (Client, ClientPump) {
    let limits = Limits {
        total_bytes: TOTAL,
        ..Limits::default()
    };
    Client::over_stream(
        ClientConfig::named("t", "1")
            .with_mode(Mode::Modern)
            .with_limits(limits),
    )
}

fn notify(pump: &ClientPump, bytes: usize) {
    let params = json!({"text": "x".repeat(bytes)});
    answer(
        pump,
        &json!({"jsonrpc": "2.0", "method": "notifications/x", "params": params}),
    );
}

fn drain(notes: &mut super::super::Notifications) -> usize {
    let mut taken = 0;
    while let Poll::Ready(Some(_)) = poll(pin!(notes.next())) {
        taken += 1;
    }
    taken
}

#[test]
fn notifications_that_nobody_takes_are_bounded_in_bytes() {
    let (client, pump) = bounded();
    let (mut first, second) = (client.notifications(), client.notifications());
    for _ in 0..100 {
        notify(&pump, 1_000);
    }
    let cx = &mut Context::from_waker(Waker::noop());
    assert_eq!(pump.poll_wants_input(cx), Poll::Ready(true), "replies are still read");
    let taken = drain(&mut first);
    assert!(taken * 2 * 1_000 < TOTAL && taken > 2, "{taken}");
    assert_eq!(first.missed(), 100 - taken as u64);
    drop(second);
    for _ in 0..100 {
        notify(&pump, 1_000);
    }
    let alone = drain(&mut first);
    assert!(
        alone >= 2 * taken && alone * 1_000 < TOTAL,
        "{alone}: what was taken or dropped makes room"
    );
    notify(&pump, TOTAL);
    assert_eq!(drain(&mut first), 0);
}

#[test]
fn a_reply_comes_while_nobody_reads_notifications() {
    let (client, pump) = bounded();
    let notes = client.notifications();
    let mut call = pin!(client.call_tool("x", ()));
    assert!(poll(call.as_mut()).is_pending());
    let id = written(&pump)[0]["id"].clone();
    for _ in 0..100 {
        notify(&pump, 1_000);
    }
    answer(&pump, &json!({"jsonrpc": "2.0", "id": id, "result": {"content": []}}));
    assert!(matches!(poll(call.as_mut()), Poll::Ready(Ok(_))));
    assert!(notes.missed() > 0);
}

#[test]
fn progress_that_nobody_takes_is_bounded_in_bytes_and_the_newest_stays() {
    let (client, pump) = bounded();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    for round in 0..2 {
        let sink = seen.clone();
        let mut call = Box::pin(
            client
                .call_tool("a", ())
                .on_progress(move |report| sink.lock().unwrap().push(report.progress)),
        );
        assert!(poll(call.as_mut()).is_pending());
        let token = written(&pump).pop().unwrap()["id"].clone();
        for n in 0..100 {
            let params = json!({"progressToken": token, "progress": n, "message": "x".repeat(1_000)});
            answer(
                &pump,
                &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}),
            );
        }
        if round == 0 {
            // Dropped with all that it has not seen, which makes room for the next.
            continue;
        }
        assert!(poll(call.as_mut()).is_pending());
        let seen = seen.lock().unwrap();
        assert!((5..10).contains(&seen.len()), "{seen:?}");
        assert_eq!(seen.last(), Some(&99.0));
    }
}

#[cfg(feature = "http")]
#[test]
fn credentials_are_never_shown() {
    use crate::client::ClientConfig;
    use crate::http::client::{HttpAction, HttpClientConfig};

    let mut http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    http.headers.insert("authorization", "Bearer hunter2".parse().unwrap());
    http.headers.append("x-api-key", "hunter2".parse().unwrap());
    let machine = crate::client::HttpClient::new(ClientConfig::named("t", "1"), &http);
    let (client, mut pump) = Client::over_http(ClientConfig::named("t", "1").with_mode(Mode::Modern), &http);
    let mut call = Box::pin(client.call_tool("x", ()));
    assert!(poll(call.as_mut()).is_pending());
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Some(action)) = pump.poll_action(cx, Time::ORIGIN) else {
        panic!()
    };
    let notes = client.notifications();
    for shown in [
        format!("{http:?}"),
        format!("{client:?}"),
        format!("{pump:?}"),
        format!("{call:?}"),
        format!("{notes:?}"),
        format!("{machine:?}"),
        format!("{action:?}"),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(format!("{client:?}").contains("pending_calls: 1"));
    let HttpAction::Open { request, .. } = action else {
        panic!()
    };
    assert_eq!(
        request.headers()["authorization"],
        "Bearer hunter2",
        "it is sent all the same"
    );
}
