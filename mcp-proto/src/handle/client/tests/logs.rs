//! Log messages of calls over HTTP.

use alloc::boxed::Box;
use alloc::vec;

use super::*;
use crate::client::ClientConfig;
use crate::http::client::{ExchangeId, HttpAction, HttpClientConfig};
use crate::model::LoggingLevel;

/// The id of the exchange that the pump opens, and that of the request in it.
fn opened(pump: &mut super::super::HttpPump) -> (ExchangeId, Value) {
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Some(HttpAction::Open { id, request })) = pump.poll_action(cx, Time::ORIGIN) else {
        panic!("nothing is opened")
    };
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    (id, body["id"].clone())
}

fn event(message: &Value) -> bytes::Bytes {
    format!("data: {message}\n\n").into()
}

fn log(level: &str, data: &str) -> bytes::Bytes {
    event(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": data}}))
}

#[test]
fn each_call_hears_its_own_messages_from_its_level_on_in_order_with_its_progress() {
    let http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
    let (client, mut pump) = Client::over_http(ClientConfig::named("test", "1").with_mode(Mode::Modern), &http);
    let heard = Arc::new(std::sync::Mutex::new(vec![String::new(); 2]));
    let mut calls: Vec<_> = (0..2)
        .map(|at| {
            let (reports, messages) = (heard.clone(), heard.clone());
            let call = client
                .call_tool("x", ())
                .on_progress(move |report| reports.lock().unwrap()[at] += &format!("{}", report.progress))
                .on_log(LoggingLevel::Warning, move |message| {
                    messages.lock().unwrap()[at] += message.data.as_str();
                });
            Box::pin(call)
        })
        .collect();
    let mut notes = client.notifications();
    let (mut exchanges, mut ids) = (Vec::new(), Vec::new());
    assert_eq!(calls[0].id(), None, "it is not made yet");
    for call in &mut calls {
        assert!(poll(call.as_mut()).is_pending());
        exchanges.push(opened(&mut pump));
        ids.push(call.id());
    }
    let (parts, ()) = ::http::Response::builder()
        .header("content-type", "text/event-stream")
        .body(())
        .unwrap()
        .into_parts();
    for (id, _) in &exchanges {
        pump.head(Time::ORIGIN, *id, &parts);
    }
    for (at, level, data) in [
        (1, "error", "a"),
        (0, "info", "b"),
        (0, "warning", "c"),
        (1, "alert", "d"),
    ] {
        let (id, token) = &exchanges[at];
        pump.body(Time::ORIGIN, *id, &log(level, data));
        let params = json!({"progressToken": token, "progress": at});
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
        pump.body(Time::ORIGIN, *id, &event(&progress));
    }
    for (call, (id, token)) in calls.iter_mut().zip(&exchanges) {
        let answer = json!({"jsonrpc": "2.0", "id": token, "result": {}});
        pump.body(Time::ORIGIN, *id, &event(&answer));
        assert!(matches!(poll(call.as_mut()), Poll::Ready(Ok(_))));
    }
    assert_eq!(*heard.lock().unwrap(), [r#"0"c"0"#, r#""a"1"d"1"#]);
    let mut related = Vec::new();
    while let Poll::Ready(Some(note)) = poll(pin!(notes.next())) {
        assert_eq!(note.notification.method.as_str(), "notifications/message");
        related.push(note.related);
    }
    let [first, second] = [ids[0], ids[1]];
    assert!(first.is_some() && first != second);
    // They are notifications as well, and each says whose it is.
    assert_eq!(related, [second, first, first, second]);
}
