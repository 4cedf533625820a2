//! Anything, in any order, against a server that says anything: what must hold all the same.

use std::collections::{BTreeMap, BTreeSet};

use mcp_proto::Revision;
use mcp_proto::client::{Client, ClientConfig, ClientEvent, Mode, Prior, ServerRequest};
use mcp_proto::http::client::ExchangeError;
use mcp_proto::jsonrpc::{Params, RawJson};
use mcp_proto::rpc::{CallId, CallOptions, CloseReason};
use serde_json::{Value, json};

use crate::http_support::{JSON, Opened, SSE, Web, sse};
use crate::support::{Wire, config, discover_result, error, initialize_result, params, result, secs, tools};

/// xorshift64*.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(mixed).unwrap() % bound
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        (!items.is_empty()).then(|| &items[self.below(items.len())])
    }
}

/// What must hold of every run.
#[derive(Default)]
struct Book {
    made: Vec<CallId>,
    cancelled: BTreeSet<CallId>,
    resolved: BTreeMap<CallId, usize>,
    requests: Vec<ServerRequest>,
    closed: bool,
    tally: Tally,
}

/// What happened at all: a run in which nothing does proves nothing.
#[derive(Debug, Default)]
struct Tally {
    results: usize,
    errors: usize,
    ready: usize,
    failed: usize,
    lost: usize,
    requests: usize,
    lists: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.results += other.results;
        self.errors += other.errors;
        self.ready += other.ready;
        self.failed += other.failed;
        self.lost += other.lost;
        self.requests += other.requests;
        self.lists += other.lists;
    }

    fn assert_all(&self) {
        let counts = [
            self.results,
            self.errors,
            self.ready,
            self.failed,
            self.requests,
            self.lists,
        ];
        assert!(counts.iter().all(|count| *count > 100), "{self:?}");
    }
}

impl Book {
    fn note(&mut self, event: ClientEvent) {
        assert!(!self.closed, "an event after Closed: {event:?}");
        match event {
            ClientEvent::Reply { call, outcome } => {
                *self.resolved.entry(call).or_default() += 1;
                assert_eq!(self.resolved[&call], 1, "{call:?} resolved twice");
                assert!(self.made.contains(&call), "{call:?} is the machine's own");
                match outcome {
                    Ok(_) => self.tally.results += 1,
                    Err(_) => self.tally.errors += 1,
                }
            }
            ClientEvent::ToolsListed { call, outcome } => {
                *self.resolved.entry(call).or_default() += 1;
                assert_eq!(self.resolved[&call], 1, "{call:?} resolved twice");
                assert!(self.made.contains(&call), "{call:?} is not asked for");
                match outcome {
                    Ok(_) => self.tally.lists += 1,
                    Err(_) => self.tally.errors += 1,
                }
            }
            ClientEvent::Request(request) => {
                self.tally.requests += 1;
                self.requests.push(request);
            }
            ClientEvent::Ready => self.tally.ready += 1,
            ClientEvent::NotReady(_) => self.tally.failed += 1,
            ClientEvent::SessionLost => self.tally.lost += 1,
            ClientEvent::Closed(_) => self.closed = true,
            _ => {}
        }
    }

    fn assert_settled(&self) {
        assert!(self.closed);
        for call in &self.made {
            let resolved = self.resolved.get(call).copied().unwrap_or_default();
            let expected = usize::from(!self.cancelled.contains(call));
            assert!(resolved >= expected, "{call:?} was never resolved");
        }
    }
}

fn any_config(random: &mut Random) -> ClientConfig {
    let mut config = config();
    let revision = Revision::ALL[random.below(5)];
    match random.below(6) {
        0 => config.mode = Mode::Modern,
        1 => config.mode = Mode::Legacy(revision),
        2 | 3 => config.prior = Some(Prior::new(revision)),
        _ => {}
    }
    config.strict_capabilities = random.below(2) == 0;
    if random.below(2) == 0 {
        config.limits.pending_calls = 8;
        config.limits.outbox_bytes = 2_000;
        config.limits.notifications = 3;
        config.limits.requests_in_progress = 3;
        config.limits.total_bytes = 4_000;
        config.limits.line_bytes = 1_000;
        config.limits.body_bytes = 1_000;
        config.limits.event_bytes = 500;
        config.limits.error_body_bytes = 200;
    }
    config
}

/// A verb of the application.
fn apply(client: &mut Client, book: &mut Book, random: &mut Random) {
    match random.below(18) {
        14 | 15 => {
            let timeout = (random.below(3) == 0).then(|| secs(1 + random.below(20) as u64));
            let mut options = CallOptions::new();
            options.timeout = timeout;
            book.made.extend(client.list_tools(&options));
        }
        16 => client.forget_tools(),
        0..=5 => {
            let method = random
                .pick(&["tools/list", "tools/call", "ping", "x/y", "resources/read"])
                .unwrap();
            let mut options = CallOptions::new();
            options.timeout = (random.below(3) == 0).then(|| secs(1 + random.below(20) as u64));
            options.max_timeout = (random.below(5) == 0).then(|| secs(1 + random.below(20) as u64));
            options.progress = random.below(3) == 0;
            let params = match random.below(3) {
                0 => Params::NONE,
                _ => params(&json!({"name": "x".repeat(random.below(300)), "_meta": {"a": 1}})),
            };
            book.made.extend(client.call(*method, params, options));
        }
        6 => drop(client.notify("notifications/roots/list_changed", Params::NONE)),
        7 => client.connect(),
        8 | 9 => {
            if let Some(call) = random.pick(&book.made).copied() {
                client.cancel(call);
                book.cancelled.insert(call);
                assert!(!client.is_waiting(call));
            }
        }
        10..=12 => {
            if let Some(request) = random.pick(&book.requests) {
                client.respond(request.key, Ok(RawJson::parse("{}").unwrap()));
            }
        }
        _ if random.below(60) == 0 => client.close(CloseReason::Local),
        _ => {}
    }
    let config = client.config();
    assert!(client.pending_calls() <= config.limits.pending_calls + 3);
}

/// An answer to the message that is right, or nearly.
fn any_answer(asked: &Value, random: &mut Random) -> Value {
    let id = match random.below(12) {
        0 => json!(random.below(20)),
        1 => json!(null),
        2 => json!(asked["id"].to_string()),
        _ => asked["id"].clone(),
    };
    let versions = [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
        "2031-01-01",
    ];
    match (random.below(10), asked["method"].as_str()) {
        (0, _) => json!({"jsonrpc": "2.0", "id": id, "result": {}, "error": 5}),
        (1 | 2, _) => {
            let codes = [
                -32601, -32600, -32602, -32603, -32700, -32020, -32021, -32022, -32002, 1,
            ];
            let mut answer = error(&id, *random.pick(&codes).unwrap());
            if random.below(2) == 0 {
                answer["error"]["data"] = json!({"supported": [random.pick(&versions).unwrap()]});
            }
            answer
        }
        (3, Some("server/discover")) => {
            let mut answer = discover_result();
            answer["supportedVersions"] = json!([random.pick(&versions).unwrap()]);
            result(&id, answer)
        }
        (4, Some("initialize")) => result(&id, initialize_result(random.pick(&versions).unwrap())),
        (5, _) => result(
            &id,
            json!({"resultType": "input_required", "x": "y".repeat(random.below(1_500))}),
        ),
        (_, Some("server/discover")) if random.below(2) == 0 => result(&id, discover_result()),
        (_, Some("server/discover")) => error(&id, -32601),
        (_, Some("initialize")) => result(&id, initialize_result(random.pick(&versions[..4]).unwrap())),
        (6, Some("tools/list")) => {
            let mut page = tools();
            page["nextCursor"] = json!(random.below(9).to_string());
            page["ttlMs"] = json!(random.below(9_000));
            result(&id, page)
        }
        _ => result(&id, tools()),
    }
}

/// Something of the server's own.
fn any_message(random: &mut Random) -> Value {
    let id = json!(random.below(6));
    match random.below(8) {
        6 if random.below(2) == 0 => json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
        0 => json!({"jsonrpc": "2.0", "id": id, "method": "ping"}),
        1 | 2 => json!({"jsonrpc": "2.0", "id": id, "method": "roots/list"}),
        3 => json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}),
        4 => json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}),
        5 => {
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": id, "progress": 1}})
        }
        6 => json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "z"}}),
        _ => json!([{"jsonrpc": "2.0", "id": id, "method": "ping"}, 5, {}]),
    }
}

fn run_stream(seed: u64) -> Tally {
    let random = &mut Random::new(seed);
    let mut wire = Wire::new(any_config(random));
    let mut book = Book::default();
    let mut asked = Vec::new();
    let mut seconds = 0;
    for _ in 0..80 {
        match random.below(12) {
            0..=3 => apply(wire.client.client(), &mut book, random),
            4 | 5 => asked.extend(wire.sent()),
            6..=8 => {
                if let Some(message) = random.pick(&asked).cloned() {
                    wire.write(&any_answer(&message, random));
                }
            }
            9 => wire.write(&any_message(random)),
            10 => wire.events().into_iter().for_each(|event| book.note(event)),
            _ => match random.below(40) {
                0 => wire.client.receive_eof(wire.now),
                1..=5 => wire.write_text("{junk"),
                6..=9 => wire.client.receive(wire.now, &vec![b'{'; random.below(2_000)]),
                10..=15 => wire.client.receive(wire.now, b"\n"),
                _ => {
                    seconds += random.below(15) as u64;
                    wire.advance(seconds);
                }
            },
        }
    }
    wire.client.close(CloseReason::Local);
    wire.events().into_iter().for_each(|event| book.note(event));
    wire.sent();
    assert!(wire.sent().is_empty() && wire.events().is_empty());
    assert_eq!(wire.client.poll_timeout(), None);
    book.assert_settled();
    book.tally
}

/// Something happens to an exchange; not always what should.
fn answer_exchange(web: &mut Web, opened: &Opened, random: &mut Random, hostility: usize) {
    if random.below(6) >= hostility {
        return answer_properly(web, opened, random);
    }
    let statuses = [200, 200, 200, 200, 200, 202, 400, 401, 404, 404, 405, 500];
    let status = match opened.body.get("id") {
        _ if random.below(3) == 0 => *random.pick(&statuses).unwrap(),
        Some(_) => 200,
        None => 202,
    };
    let kind = *random.pick(&[JSON, JSON, SSE, "text/html"]).unwrap();
    let session = format!("s{}", random.below(100));
    let answer = any_answer(&opened.body, random);
    let body = match (kind, random.below(6)) {
        (SSE, 0) => sse(&[any_message(random)]),
        (SSE, _) => sse(&[any_message(random), answer]),
        (_, 0) => b"{junk".to_vec(),
        _ => answer.to_string().into_bytes(),
    };
    web.head(
        opened.id,
        status,
        &[("content-type", kind), ("mcp-session-id", &session)],
    );
    let cut = random.below(body.len());
    for part in [&body[..cut], &body[cut..]] {
        web.body(opened.id, part);
    }
    match random.below(5) {
        0 => {}
        1 => web.broken(opened.id),
        _ => web.end(opened.id),
    }
}

fn answer_properly(web: &mut Web, opened: &Opened, random: &mut Random) {
    let id = opened.rpc_id();
    match opened.body["method"].as_str() {
        _ if random.below(6) == 0 && opened.header("mcp-session-id").is_some() => web.status(opened.id, 404),
        Some("server/discover") if random.below(3) == 0 => web.json(opened.id, 200, &result(id, discover_result())),
        Some("server/discover") => web.json(opened.id, 400, &error(id, -32601)),
        Some("initialize") => web.initialize_answered(opened, Revision::V2025_06_18, "s"),
        Some(_) if !id.is_null() => web.json(opened.id, 200, &result(id, tools())),
        _ => web.status(opened.id, 202),
    }
}

fn run_http(seed: u64) -> Tally {
    let random = &mut Random::new(seed);
    let hostility = 1 + random.below(6);
    let mut web = Web::new(any_config(random));
    let mut book = Book::default();
    let mut open: Vec<Opened> = Vec::new();
    let mut seconds = 0;
    for _ in 0..80 {
        match random.below(12) {
            0..=3 => apply(web.client.client(), &mut book, random),
            4 | 5 => open.extend(web.opened()),
            6..=8 if !open.is_empty() => {
                let opened = open.remove(random.below(open.len()));
                answer_exchange(&mut web, &opened, random, hostility);
                if random.below(3) == 0 {
                    open.push(opened);
                }
            }
            9 => {
                if let Some(id) = random.pick(&open).map(|opened| opened.id) {
                    match random.below(4) {
                        0 => web.end(id),
                        1 => web.client.failed(web.now, id, ExchangeError::Unreachable("x".into())),
                        2 => web.body(id, &vec![b'x'; random.below(2_000)]),
                        _ => drop(web.client.wants_body(id)),
                    }
                }
            }
            10 => web.events().into_iter().for_each(|event| book.note(event)),
            _ => {
                seconds += random.below(15) as u64;
                web.advance(seconds);
            }
        }
    }
    web.client.close(CloseReason::Local);
    web.events().into_iter().for_each(|event| book.note(event));
    web.opened();
    web.advance(seconds + 100);
    web.opened();
    assert!(web.client.is_finished() && web.events().is_empty());
    assert_eq!(web.client.poll_timeout(), None);
    book.assert_settled();
    book.tally
}

#[test]
fn any_order_over_a_stream() {
    let mut tally = Tally::default();
    for seed in 0..2_000 {
        tally.add(&run_stream(seed));
    }
    tally.assert_all();
}

#[test]
fn any_order_over_http() {
    let mut tally = Tally::default();
    for seed in 0..2_000 {
        tally.add(&run_http(seed));
    }
    tally.assert_all();
    assert!(tally.lost > 100, "{tally:?}");
}
