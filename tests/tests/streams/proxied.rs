//! A proxy between a client and a server that are both written by hand, in every combination of eras.

use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::{Client, Proxy};
use mcp_tests::runtime::{AnyPump, Runtime, Stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};

use crate::everywhere;

/// One end of the line, which no machine holds.
struct End {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
}

impl End {
    fn new(stream: DuplexStream) -> Self {
        let (read, write) = tokio::io::split(stream);
        let lines = BufReader::new(read).lines();
        Self { lines, write }
    }

    async fn say(&mut self, line: &str) {
        self.write
            .write_all(format!("{line}\n").as_bytes())
            .await
            .expect("write");
    }

    async fn hear(&mut self) -> String {
        self.lines.next_line().await.expect("read").expect("a line")
    }

    /// The request of this method that comes next, with its id as it stands there.
    async fn asked(&mut self, method: &str) -> (String, String) {
        let line = self.hear().await;
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["method"], method, "{line}");
        (line, value["id"].to_string())
    }
}

/// The server behind a proxy, and the client before it.
async fn between(runtime: &dyn Runtime, server: Revision, client: Revision) -> (End, End, Proxy) {
    let proxy = Proxy::new();
    let mode = match server.has_initialize() {
        true => Mode::Legacy(server),
        false => Mode::Auto,
    };
    let config = ClientConfig::named("proxy", "1").with_mode(mode);
    let (upstream, pump) = Client::over_stream(proxy.client(config));
    let (near, far) = Stream::pipe(1 << 12);
    let driving = runtime.drive_over(AnyPump::new(pump), near);
    runtime.spawn(Box::pin(async { drop(driving.await) }));
    let mut behind = End::new(far);
    let capabilities = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}, "logging": {}});
    let handshake = async {
        if server.has_initialize() {
            let (_, id) = behind.asked("initialize").await;
            let result = json!({"protocolVersion": server, "capabilities": capabilities, "serverInfo": {"name": "far", "version": "7"}, "instructions": "Ask."});
            behind
                .say(
                    &json!({"jsonrpc": "2.0", "id": 1, "result": result})
                        .to_string()
                        .replace("\"id\":1", &format!("\"id\":{id}")),
                )
                .await;
            behind.asked("notifications/initialized").await;
        } else {
            let (_, id) = behind.asked("server/discover").await;
            let result = json!({"resultType": "complete", "supportedVersions": [server], "capabilities": capabilities, "instructions": "Ask.", "ttlMs": 0, "cacheScope": "private", "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "far", "version": "7"}}});
            behind
                .say(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"))
                .await;
        }
    };
    let (builder, ()) = futures_util::future::join(proxy.server(&upstream), handshake).await;
    let served = builder.expect("a server").build();
    let relay = proxy.relay(&upstream, &served);
    runtime.spawn(Box::pin(relay));
    let (near, far) = Stream::pipe(1 << 12);
    let serving = runtime.serve_stream(&served, near);
    runtime.spawn(Box::pin(async { drop(serving.await) }));
    drop(upstream);
    let mut before = End::new(far);
    if client.has_initialize() {
        let hello = json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"protocolVersion": client, "capabilities": {"roots": {}, "elicitation": {}}, "clientInfo": {"name": "c", "version": "1"}}});
        before.say(&hello.to_string()).await;
        let answer = before.hear().await;
        assert!(
            answer.contains(r#""serverInfo":{"name":"far","version":"7"},"instructions":"Ask.""#),
            "{answer}"
        );
        before
            .say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
    }
    if !server.has_initialize() {
        behind.asked("subscriptions/listen").await;
    }
    (behind, before, proxy)
}

/// A call of a client that speaks `client`, with a token for progress.
fn call(client: Revision, id: &str, method: &str) -> String {
    let modern = match client.has_initialize() {
        true => "",
        false => {
            r#","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1","odd":1.0},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}"#
        }
    };
    format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{{ "name":"x" ,"unknown":1.50,"_meta":{{"progressToken":"mine","k":[ ]{modern}}}}}}}"#
    )
}

const EACH: [(Revision, Revision); 8] = [
    (Revision::V2024_11_05, Revision::V2024_11_05),
    (Revision::V2025_03_26, Revision::V2025_03_26),
    (Revision::V2025_06_18, Revision::V2025_06_18),
    (Revision::V2025_11_25, Revision::V2025_11_25),
    (Revision::V2026_07_28, Revision::V2026_07_28),
    (Revision::V2025_11_25, Revision::V2024_11_05),
    (Revision::V2025_11_25, Revision::V2026_07_28),
    (Revision::V2026_07_28, Revision::V2025_11_25),
];

#[test]
fn results_errors_and_progress_pass_as_they_come_in_every_combination_of_revisions() {
    for (server, client) in EACH {
        everywhere(async |runtime| {
            let (mut behind, mut before, proxy) = between(runtime, server, client).await;
            for method in ["tools/call", "its/own"] {
                before.say(&call(client, "a", method)).await;
                let (line, id) = behind.asked(method).await;
                assert!(
                    line.contains(r#"{ "name":"x" ,"unknown":1.50,"_meta":{"#) && line.contains(r#""k":[ ]"#),
                    "{line}"
                );
                assert!(!line.contains("mine"), "{line}");
                assert_eq!(
                    line.contains(r#""odd":1.0"#),
                    !server.has_initialize() && !client.has_initialize(),
                    "{line}"
                );
                let token: Value = serde_json::from_str(&line).expect("JSON");
                let token = &token["params"]["_meta"]["progressToken"];
                behind.say(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"x":1.0 ,"progressToken":{token},"progress":0.50}}}}"#)).await;
                let report = before.hear().await;
                assert_eq!(
                    report,
                    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"mine","x":1.0 ,"progress":0.50}}"#
                );
                let meta = r#""_meta":{ "io.modelcontextprotocol/serverInfo":{"name":"far","version":"7"}}"#;
                let kind = if client.has_initialize() {
                    ""
                } else {
                    r#""resultType":"complete","#
                };
                behind
                    .say(&format!(
                        r#"{{"jsonrpc":"2.0","id":{id},"result":{{{kind}"b":1.50, "a":{{ }},{meta}}}}}"#
                    ))
                    .await;
                let answer = before.hear().await;
                assert_eq!(
                    answer,
                    format!(r#"{{"jsonrpc":"2.0","id":"a","result":{{{kind}"b":1.50, "a":{{ }},{meta}}}}}"#),
                    "{server} {client}"
                );
            }
            before.say(&call(client, "b", "tools/call")).await;
            let (_, id) = behind.asked("tools/call").await;
            behind
                .say(&format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-77,"message":"no","data":{{ "a":1.0}}}}}}"#
                ))
                .await;
            let answer = before.hear().await;
            assert_eq!(
                answer,
                r#"{"jsonrpc":"2.0","id":"b","error":{"code":-77,"message":"no","data":{ "a":1.0}}}"#
            );
            assert_eq!(proxy.lost(), 0);
        });
    }
}

#[test]
fn a_cancelled_request_is_cancelled_behind_and_lists_that_change_are_told_before() {
    for (server, client) in EACH {
        everywhere(async |runtime| {
            let (mut behind, mut before, _proxy) = between(runtime, server, client).await;
            before.say(&call(client, "a", "tools/call")).await;
            let (_, id) = behind.asked("tools/call").await;
            before
                .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#)
                .await;
            let (line, _) = behind.asked("notifications/cancelled").await;
            assert!(line.contains(&format!(r#""requestId":{id}"#)), "{line}");
            if client.has_initialize() {
                behind
                    .say(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
                    .await;
                before.asked("notifications/tools/list_changed").await;
            }
        });
    }
}

#[test]
fn what_a_legacy_server_asks_is_asked_of_the_client_and_taken_back() {
    for (server, client) in EACH
        .into_iter()
        .filter(|(server, client)| server.has_initialize() && client.has_initialize())
    {
        everywhere(async |runtime| {
            let (mut behind, mut before, _proxy) = between(runtime, server, client).await;
            // Before anybody is there to be asked: it waits.
            behind
                .say(r#"{"jsonrpc":"2.0","id":"r","method":"roots/list","params":{"odd":1.0 }}"#)
                .await;
            before.say(&call(client, "a", "tools/call")).await;
            let (_, call_id) = behind.asked("tools/call").await;
            let (line, id) = before.asked("roots/list").await;
            assert!(line.contains(r#""params":{"odd":1.0 }"#), "{line}");
            before
                .say(&format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[ ],"odd":1.0}}}}"#
                ))
                .await;
            assert_eq!(
                behind.hear().await,
                r#"{"jsonrpc":"2.0","id":"r","result":{"roots":[ ],"odd":1.0}}"#
            );
            behind.say(r#"{"jsonrpc":"2.0","id":"s","method":"roots/list"}"#).await;
            let (_, id) = before.asked("roots/list").await;
            behind
                .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s"}}"#)
                .await;
            let (line, _) = before.asked("notifications/cancelled").await;
            assert!(line.contains(&format!(r#""requestId":{id}"#)), "{line}");
            behind
                .say(&format!(r#"{{"jsonrpc":"2.0","id":{call_id},"result":{{}}}}"#))
                .await;
            assert_eq!(before.hear().await, r#"{"jsonrpc":"2.0","id":"a","result":{}}"#);
            // Nothing is in progress: it is asked on the stream that the last request came on.
            behind.say(r#"{"jsonrpc":"2.0","id":"t","method":"roots/list"}"#).await;
            let (_, id) = before.asked("roots/list").await;
            before
                .say(&format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-5,"message":"no"}}}}"#
                ))
                .await;
            assert_eq!(
                behind.hear().await,
                r#"{"jsonrpc":"2.0","id":"t","error":{"code":-5,"message":"no"}}"#
            );
        });
    }
}

#[test]
fn a_modern_client_is_not_asked_by_a_legacy_server_which_hears_why() {
    everywhere(async |runtime| {
        let (mut behind, mut before, _proxy) = between(runtime, Revision::V2025_11_25, Revision::V2026_07_28).await;
        before.say(&call(Revision::V2026_07_28, "a", "tools/call")).await;
        behind.asked("tools/call").await;
        behind.say(r#"{"jsonrpc":"2.0","id":"r","method":"roots/list"}"#).await;
        let answer = behind.hear().await;
        assert!(
            answer.contains(r#""id":"r","error":{"code":-32603"#) && answer.contains("2026-07-28"),
            "{answer}"
        );
    });
}

const REQUIRED: &str = r#"{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"mode":"form","message":"Who?","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"s"}"#;

#[test]
fn rounds_of_a_modern_server_are_a_modern_clients_and_requests_to_a_legacy_one() {
    everywhere(async |runtime| {
        let (mut behind, mut before, _proxy) = between(runtime, Revision::V2026_07_28, Revision::V2026_07_28).await;
        before.say(&call(Revision::V2026_07_28, "a", "tools/call")).await;
        let (_, id) = behind.asked("tools/call").await;
        behind
            .say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{REQUIRED}}}"#))
            .await;
        let answer = before.hear().await;
        assert!(
            answer.contains(r#""requestState":"s""#) && answer.contains(r#""message":"Who?""#),
            "{answer}"
        );

        let (mut behind, mut before, _proxy) = between(runtime, Revision::V2026_07_28, Revision::V2025_11_25).await;
        before.say(&call(Revision::V2025_11_25, "a", "tools/call")).await;
        let (_, id) = behind.asked("tools/call").await;
        behind
            .say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{REQUIRED}}}"#))
            .await;
        let (line, asked) = before.asked("elicitation/create").await;
        assert!(line.contains("Who?"), "{line}");
        before
            .say(&format!(
                r#"{{"jsonrpc":"2.0","id":{asked},"result":{{"action":"decline"}}}}"#
            ))
            .await;
        let (line, id) = behind.asked("tools/call").await;
        assert!(
            line.contains(r#""inputResponses":{"k":{"action":"decline"}}"#) && line.contains(r#""requestState":"s""#),
            "{line}"
        );
        behind
            .say(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","content":[]}}}}"#
            ))
            .await;
        assert_eq!(
            before.hear().await,
            r#"{"jsonrpc":"2.0","id":"a","result":{"content":[]}}"#
        );
    });
}

#[test]
fn a_subscription_of_a_legacy_client_is_listened_to_at_a_modern_server() {
    everywhere(async |runtime| {
        let (mut behind, mut before, _proxy) = between(runtime, Revision::V2026_07_28, Revision::V2025_11_25).await;
        before
            .say(r#"{"jsonrpc":"2.0","id":"a","method":"resources/subscribe","params":{"uri":"x:y"}}"#)
            .await;
        assert_eq!(before.hear().await, r#"{"jsonrpc":"2.0","id":"a","result":{}}"#);
        let mut line = behind.hear().await;
        if line.contains("notifications/cancelled") {
            line = behind.hear().await;
        }
        assert!(line.contains(r#""resourceSubscriptions":["x:y"]"#), "{line}");
        before
            .say(r#"{"jsonrpc":"2.0","id":"b","method":"logging/setLevel","params":{"level":"error"}}"#)
            .await;
        assert_eq!(before.hear().await, r#"{"jsonrpc":"2.0","id":"b","result":{}}"#);
        behind
            .say(r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:y"}}"#)
            .await;
        before.asked("notifications/resources/updated").await;
    });
}

#[test]
fn each_request_ends_with_an_error_when_the_server_behind_dies() {
    for (server, client) in EACH {
        everywhere(async |runtime| {
            let (mut behind, mut before, _proxy) = between(runtime, server, client).await;
            for id in ["a", "b"] {
                before.say(&call(client, id, "tools/call")).await;
                behind.asked("tools/call").await;
            }
            drop(behind);
            for _ in 0..2 {
                let answer = before.hear().await;
                assert!(
                    answer.contains(r#""error":{"code":-32603,"message":"the other side of this proxy"#),
                    "{answer}"
                );
            }
            before.say(&call(client, "c", "tools/call")).await;
            let answer = before.hear().await;
            assert!(answer.contains(r#""id":"c","error":{"code":-32603"#), "{answer}");
        });
    }
}
