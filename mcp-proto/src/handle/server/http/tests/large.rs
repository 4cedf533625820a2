//! Large results: written in another poll than the one that makes them, and never twice.

use super::*;

fn large(id: u32) -> String {
    let text = "x".repeat(1 << 17);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"{text}"}}}}}}"#
    )
}

fn modern() -> Request<Bytes> {
    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}"#;
    let body = large(1).replace("}}}", &format!("}},{META}}}"));
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "echo"),
    ];
    post(&headers, &body)
}

#[test]
fn a_large_result_is_written_in_a_poll_of_its_own() {
    for form in [ReplyForm::Json, ReplyForm::Sse] {
        let mut world = World::with(HttpConfig::default().reply(form), Limits::default(), &Revision::ALL);
        let client = world.session("2025-11-25");
        for request in [client.post(&large(1)), modern()] {
            let mut open = world.send(request);
            assert!(
                open.head(world.now).is_none(),
                "the handler is done, and nothing is written"
            );
            assert_eq!(world.running(), 0);
            let answer = open.read(world.now);
            assert!(answer.ended);
            let json = answer.body.strip_prefix("data: ").unwrap_or(&answer.body);
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(json["id"], 1);
            assert_eq!(json["result"]["echo"]["text"].as_str().map(str::len), Some(1 << 17));
        }
    }
}

#[test]
fn a_client_that_goes_in_between_leaves_nothing() {
    let mut world = World::new();
    let mut open = world.send(modern());
    assert!(open.head(world.now).is_none());
    drop(open);
    assert_eq!(world.running(), 0);

    let client = world.session("2025-11-25");
    let mut open = world.send(client.post(&large(1)));
    assert!(open.head(world.now).is_none());
    drop(open);
    world.keep();
    // The id is free again: the request was answered, to nobody.
    let mut again = world.send(client.post(&large(1)));
    assert!(again.head(world.now).is_none());
    assert_eq!(again.read(world.now).json()["id"], 1);
}

#[test]
fn what_is_cancelled_in_between_is_not_answered() {
    let mut world = World::new();
    let client = world.session("2025-11-25");
    let mut open = world.send(client.post(&large(7)));
    assert!(open.head(world.now).is_none());
    let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
    assert_eq!(world.call(client.post(cancelled)).status(), 202);
    let answer = open.read(world.now);
    assert!(answer.ended && answer.body.is_empty(), "{} bytes", answer.body.len());
}
