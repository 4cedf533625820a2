//! Random schedules: whatever happens, and whenever, every call is settled once, by its own answer, and everything
//! comes to rest.
//!
//! What happens: calls, cancellations and closing at any moment; bytes that are late, cut up and held up; streams that
//! are cut; exchanges that overtake one another, break, end too soon, or reach the server twice; sessions that are
//! forgotten; and either side killed at any step.

use std::time::Duration;

use bytes::Bytes;
use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallId, CallOptions, Phase, SendError};
use mcp_proto::{Limits, Revision, Time};
use mcp_tests::network::{Conditions, Rng};
use mcp_tests::pair::{HttpLink, Pair, PairLink, Setup, StreamLink};
use mcp_tests::seeds::each_seed;
use serde_json::json;

/// How many schedules there are for each link.
const SEEDS: u64 = 1000;
/// How many things happen in each.
const ACTIONS: usize = 14;
/// The outbox of both sides, where it is small.
const SMALL: usize = 700;
/// How many steps everything takes to come to rest, at most.
const STEPS: usize = 50_000;

/// A call that was made, and what is expected of it.
struct Made {
    call: CallId,
    deadline: Time,
    /// The text of its result; `None` where it gets none.
    text: Option<String>,
    /// Whether its answer has enough time where nothing is held up.
    has_time: bool,
}

/// What a network does to those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    /// Everything arrives, and soon.
    Prompt,
    /// Everything arrives in the end.
    Safe,
    /// Things get lost.
    Bad,
}

/// Which side is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Client,
    Server,
}

/// What a schedule has in store.
struct Script {
    luck: Luck,
    /// The luck of calls that are made after the last trouble: with exchanges nothing is lost for good.
    calm: Luck,
    /// Who is killed, before which action, and how many steps later.
    kill: Option<(Victim, usize, usize)>,
}

/// How long a handshake and a call take at most, where nothing is held up.
const PROMPT: Duration = Duration::from_secs(4);

#[test]
fn schedules_on_streams() {
    each_seed(SEEDS, |seed| {
        let mut rng = Rng::new(seed);
        let (setup, mut script) = setup(&mut rng, &Revision::ALL);
        let mut pair = setup.stream();
        if rng.chance(30) {
            let bytes = rng.below(4000);
            match rng.chance(50) {
                true => pair.link.up().cut_after(bytes),
                false => pair.link.down().cut_after(bytes),
            }
            script.luck = Luck::Bad;
        }
        script.calm = script.luck;
        play(&mut pair, &mut rng, &script, ask);
        assert!(pair.link.is_finished());
        assert_eq!(pair.link.desk().in_progress(), 0, "requests that nobody waits for");
        if script.kill.is_none() {
            for (call, outcomes) in pair.link.asked() {
                assert_eq!(outcomes.len(), 1, "answers to {call:?} of the server");
            }
        }
    });
}

/// The server asks as well, where the era has that.
fn ask(pair: &mut Pair<StreamLink>, _: &mut Rng) -> bool {
    match pair.link.ask(Method::Ping, Params::NONE) {
        Ok(_) | Err(SendError::Blocked(_) | SendError::Closed(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn schedules_over_http() {
    each_seed(SEEDS, |seed| {
        let mut rng = Rng::new(seed);
        let (mut setup, mut script) = setup(&mut rng, &Revision::ALL[1..]);
        setup.conditions.failures = *rng.pick(&[0, 0, 5, 40]);
        setup.conditions.duplicates = *rng.pick(&[0, 0, 0, 10, 60]);
        let is_troubled = rng.chance(40);
        if setup.conditions.failures > 0 {
            script.calm = Luck::Bad;
        }
        if script.calm == Luck::Bad || setup.conditions.duplicates > 0 || is_troubled {
            script.luck = Luck::Bad;
        }
        let has_guest = rng.chance(30);
        if has_guest {
            let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).expect("capabilities");
            setup.server = setup.server.with_capabilities(capabilities);
        }
        let (mut pair, mut guest) = (setup.http(), Guest::default());
        if rng.chance(20) {
            pair.link.drop_streams();
        }
        play(&mut pair, &mut rng, &script, |pair, rng| {
            if has_guest {
                guest.act(pair, rng);
            }
            if is_troubled {
                trouble(pair, rng);
            }
            is_troubled
        });
        guest.leave(&mut pair);
        let (opened, duplicates) = pair.link.opened();
        let calls = pair.record.calls().count();
        assert!(opened <= 20 + 10 * calls, "{opened} exchanges for {calls} calls");
        let called = pair
            .link
            .desk()
            .served()
            .iter()
            .filter(|method| *method == "tools/call");
        let called = called.count();
        assert!(called <= calls + duplicates, "{calls} calls, of which {called} arrived");
        // A session whose DELETE was lost is still there, with what is in progress in it.
        pair.link.server().machine.end_sessions();
        pair.settle();
        assert_eq!(pair.link.server().machine.open_exchanges(), 0);
        assert_eq!(pair.link.desk().in_progress(), 0, "requests that nobody waits for");
    });
}

/// Somebody beside the client, who subscribes and sends batches.
#[derive(Default)]
struct Guest {
    hello: Option<u64>,
    batches: Vec<u64>,
    subscriptions: Vec<u64>,
}

impl Guest {
    fn act(&mut self, pair: &mut Pair<HttpLink>, rng: &mut Rng) {
        match rng.below(4) {
            0 => self.subscribe(pair),
            1 if !self.subscriptions.is_empty() => {
                let (now, subscription) = (pair.now(), *rng.pick(&self.subscriptions));
                pair.link.hang_up(now, subscription);
            }
            2 => {
                let method = Method::ToolListChangedNotification.into();
                let reached = pair.link.server().notify(&method, &Params::NONE);
                reached.expect("it may be announced");
            }
            _ => self.send_batch(pair),
        }
    }

    fn subscribe(&mut self, pair: &mut Pair<HttpLink>) {
        let body = r#"{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
        let headers = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "subscriptions/listen"),
        ];
        self.subscriptions.push(Self::send(pair, &headers, body));
    }

    /// A batch, in a session that was begun before.
    fn send_batch(&mut self, pair: &mut Pair<HttpLink>) {
        let Some(hello) = self.hello else {
            let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"guest","version":"1"}}}"#;
            self.hello = Some(Self::send(pair, &[], body));
            return;
        };
        let head = pair.link.heard(hello).head.as_ref();
        let session = head.and_then(|head| head.headers.get("mcp-session-id"));
        if let Some(session) = session.map(|session| session.to_str().expect("text").to_owned()) {
            let body = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":2,"method":"tools/list"}]"#;
            self.batches
                .push(Self::send(pair, &[("mcp-session-id", &session)], body));
        }
    }

    fn send(pair: &mut Pair<HttpLink>, headers: &[(&str, &str)], body: &'static str) -> u64 {
        let mut request = http::Request::post("http://localhost:8000/mcp")
            .header("host", "localhost:8000")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        pair.link.send(pair.now(), request)
    }

    /// Hangs up, and looks at what has come: an acknowledgement before everything else, and whole batches.
    fn leave(self, pair: &mut Pair<HttpLink>) {
        let now = pair.now();
        for subscription in self.subscriptions {
            let heard = pair.link.heard(subscription);
            let text = String::from_utf8_lossy(&heard.body).into_owned();
            if heard.status() == 200 && text.contains("\n\n") {
                let first = text.split("\n\n").next().unwrap_or_default();
                assert!(first.contains("notifications/subscriptions/acknowledged"), "{text}");
            }
            pair.link.hang_up(now, subscription);
        }
        pair.drive_bounded(STEPS).expect("it comes to rest");
        for heard in self.batches.iter().map(|batch| pair.link.heard(*batch)) {
            if heard.status() == 200 && heard.is_complete && !heard.body.is_empty() {
                let answers: Vec<serde_json::Value> = serde_json::from_str(heard.text()).expect("an array");
                assert_eq!(answers.len(), 2, "{}", heard.text());
            }
        }
    }
}

fn trouble(pair: &mut Pair<HttpLink>, rng: &mut Rng) {
    match rng.below(2) {
        0 => pair.link.server().machine.end_sessions(),
        _ => {
            let now = pair.now();
            pair.link.break_all(now);
        }
    }
}

fn setup(rng: &mut Rng, revisions: &[Revision]) -> (Setup, Script) {
    let revision = *rng.pick(revisions);
    let mode = match revision.has_initialize() {
        true => *rng.pick(&[Mode::Auto, Mode::Legacy(revision)]),
        false => *rng.pick(&[Mode::Auto, Mode::Modern]),
    };
    let mut setup = Setup::new(mode).conditions(Conditions::rough(rng)).seed(rng.bits());
    if rng.chance(30) {
        setup = setup.limits(&Limits::default().with_outbox_bytes(SMALL));
        setup.client.limits.streams_per_session = 2;
    }
    if rng.chance(50) {
        setup = setup.serving(&[revision]);
    }
    let kill = rng.chance(30).then(|| {
        let victim = *rng.pick(&[Victim::Client, Victim::Server]);
        (victim, rng.below(ACTIONS), rng.below(12))
    });
    let calm = match setup.conditions.stalls {
        0 => Luck::Prompt,
        _ => Luck::Safe,
    };
    let luck = if kill.is_some() { Luck::Bad } else { calm };
    (setup, Script { luck, calm, kill })
}

/// Does things in no particular order, and looks whether everything is as it should be afterwards. `mischief` says whether
/// it was trouble.
fn play<L: PairLink>(
    pair: &mut Pair<L>,
    rng: &mut Rng,
    script: &Script,
    mut mischief: impl FnMut(&mut Pair<L>, &mut Rng) -> bool,
) {
    let mut made: Vec<Made> = Vec::new();
    // How many calls were made before the end of the last trouble: when nothing waits any more for what it has met.
    let (mut is_troubled, mut troubled) = (false, 0);
    for n in 0..ACTIONS {
        if let Some((victim, _, steps)) = script.kill.filter(|(_, at, _)| *at == n) {
            let _ = (0..steps).take_while(|_| pair.step()).count();
            match victim {
                Victim::Server => {
                    pair.kill_server();
                    (is_troubled, troubled) = (true, made.len());
                }
                Victim::Client => {
                    pair.kill_client();
                    pair.drive_bounded(STEPS).expect("the server comes to rest");
                    pair.record.check_no_double();
                    return;
                }
            }
        }
        if is_troubled {
            pair.settle();
            let client = pair.link.as_client();
            is_troubled = client.pending_calls() > 0 || !client.is_ready();
        }
        is_troubled |= act(pair, rng, n, &mut made, &mut mischief);
        if is_troubled {
            troubled = made.len();
        }
        let pending = pair.link.as_client().pending_calls();
        assert!(
            pending <= made.len() + 1,
            "{pending} of {} calls, and a handshake",
            made.len()
        );
    }
    pair.drive_bounded(STEPS).expect("it comes to rest");
    pair.record.check();
    check_room(pair);
    for (n, made) in made.iter().enumerate() {
        let luck = if n < troubled { script.luck } else { script.calm };
        if pair.record.is_settled(made.call) {
            check(pair, made, luck);
        }
    }
    pair.close();
    pair.drive_bounded(STEPS).expect("it comes to rest");
    check_rest(pair, script.luck);
}

/// One thing. Whether it was trouble.
fn act<L: PairLink>(
    pair: &mut Pair<L>,
    rng: &mut Rng,
    n: usize,
    made: &mut Vec<Made>,
    mischief: &mut impl FnMut(&mut Pair<L>, &mut Rng) -> bool,
) -> bool {
    match rng.below(10) {
        0..4 => {
            let call = call(pair, rng, n);
            // The deadline counts from the next drain, which is now.
            pair.settle();
            made.extend(call);
        }
        4 if !made.is_empty() => pair.cancel(rng.pick(made).call),
        5 => pair.settle(),
        6 => return mischief(pair, rng),
        7 => drop((0..rng.below(20)).take_while(|_| pair.step()).count()),
        8 if rng.chance(30) => burst(pair, rng, n, made),
        _ => pair.drive_for(rng.duration(&(Duration::ZERO..=Duration::from_secs(3)))),
    }
    false
}

/// Many calls at once: there is room for so many bytes, and for no more.
fn burst<L: PairLink>(pair: &mut Pair<L>, rng: &mut Rng, n: usize, made: &mut Vec<Made>) {
    let before = made.len();
    for _ in 0..20 {
        match call(pair, rng, n) {
            Some(call) => made.push(call),
            None => break,
        }
    }
    // There is room for a message as long as those before it have not filled the queue.
    let queued = made[before..].split_last().map_or(&[][..], |(_, queued)| queued);
    let bytes: usize = queued
        .iter()
        .filter_map(|made| made.text.as_ref())
        .map(String::len)
        .sum();
    assert!(
        bytes < pair.link.as_client().config().limits.outbox_bytes,
        "{bytes} bytes wait"
    );
    pair.settle();
}

fn call<L: PairLink>(pair: &mut Pair<L>, rng: &mut Rng, n: usize) -> Option<Made> {
    let timeout = rng.duration(&(Duration::from_secs(1)..=Duration::from_secs(40)));
    let mut options = CallOptions::new().with_timeout(timeout).with_max_timeout(timeout);
    options.progress = rng.chance(50);
    let text = format!("{n} {} {}", rng.bits(), "x".repeat(rng.below(400)));
    let ms = rng.below(5000) as u64;
    let (name, arguments, text) = match rng.below(6) {
        0 => ("fail", json!({}), None),
        1 => ("mute", json!({}), None),
        2 => ("steps", json!({ "steps": rng.below(6) }), Some("done".into())),
        3 => ("slow", json!({ "text": text, "ms": ms }), Some(text)),
        _ => ("echo", json!({ "text": text }), Some(text)),
    };
    let params = json!({ "name": name, "arguments": arguments });
    match pair.try_call("tools/call", params, options) {
        Ok(call) => {
            let deadline = pair.now() + timeout;
            let has_time = text.is_some() && timeout > PROMPT + Duration::from_millis(ms);
            Some(Made {
                call,
                deadline,
                text,
                has_time,
            })
        }
        Err(SendError::Blocked(_) | SendError::Closed(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A call has its own answer, by its own deadline, or an error that says what happened.
fn check<L: PairLink>(pair: &Pair<L>, made: &Made, luck: Luck) {
    let settled = pair.record.settled_at(made.call);
    assert!(
        settled <= made.deadline,
        "{:?} was settled after its deadline",
        made.call
    );
    match (pair.outcome(made.call), &made.text) {
        (Ok(_), Some(text)) => assert_eq!(pair.text(made.call), *text, "the answer to another call"),
        (Ok(result), None) => panic!("{result:?}, where an error was due"),
        (Err(CallError::Rpc(error)), None) if luck != Luck::Bad => {
            assert!(error.message.contains("broken"), "{error}");
        }
        (Err(CallError::Timeout { phase, .. }), _) => {
            assert!(
                *phase != Phase::Request || settled == made.deadline,
                "{phase}, before its time"
            );
            assert!(
                !(luck == Luck::Prompt && made.has_time),
                "{:?} had the time for its answer",
                made.call
            );
        }
        (Err(error), _) => assert!(
            luck == Luck::Bad,
            "nothing was wrong, but {:?} failed: {error}",
            made.call
        ),
    }
}

/// Where nothing waits any more, there is room for everything again.
fn check_room<L: PairLink>(pair: &mut Pair<L>) {
    let large = json!({ "name": "echo", "arguments": { "text": "x".repeat(SMALL) } });
    for _ in 0..2 {
        match pair.try_call("tools/call", large.clone(), CallOptions::default()) {
            Ok(call) => pair.cancel(call),
            Err(SendError::Closed(_)) => {}
            Err(error) => panic!("room that never comes back: {error}"),
        }
    }
}

fn check_rest<L: PairLink>(pair: &Pair<L>, luck: Luck) {
    pair.record.check();
    let client = pair.link.as_client();
    assert_eq!(client.pending_calls(), 0);
    assert!(client.closed().is_some() && pair.record.closed.is_some());
    // The beginning of a line, where the stream was cut, is answered as what it is: no message.
    assert!(client.counters().unknown_replies <= 1);
    assert!(luck == Luck::Bad || client.counters().junk == 0);
    assert_eq!(client.counters().stray_cancellations, 0);
}
