//! Rounds of input: any client, with any state, any answers, at any time.
//!
//! No run goes on for ever, and no chain of rounds is longer than is allowed; state is good for the request and the
//! principal it was made for, in its time, as it was made, and once where that is asked for; a handler gets the answers
//! that this very client gave to what it was asked, and nothing else; what a client carries is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use mcp_proto::jsonrpc::{self, ErrorObject, Incoming, Message};
use mcp_proto::model::request::Elicit;
use mcp_proto::model::{ElicitParams, ElicitSchema, Implementation, InputRequiredResult, StringSchema};
use mcp_proto::server::rounds::{AskReply, HandlerRun, InputAsk, Once, Sealer, Settled};
use mcp_proto::server::{Admitted, ClientRequest, Redemption, ServerConfig, StateKey, StateRefusal, UsedStates, admit};
use mcp_proto::{Limits, Timeouts, UnixTime};

const ROUNDS: usize = 4;
const REQUESTS: usize = 3;
const STATE: usize = 2048;
const TIME: Duration = Duration::from_secs(100);

#[derive(Arbitrary, Debug)]
enum Op {
    Call {
        who: u8,
        what: u8,
        carried: Carried,
        answers: Vec<(u8, u8)>,
    },
    Wait(u8),
}

/// What a client sends as state.
#[derive(Arbitrary, Debug)]
enum Carried {
    Nothing,
    Issued(u8),
    Tampered { which: u8, at: u8, by: u8 },
    Junk(u8),
}

/// A state that was made, and all that is known of it.
struct Issued {
    text: String,
    owner: (u8, u8),
    until: UnixTime,
    depth: usize,
    open: BTreeSet<String>,
    answers: BTreeMap<String, String>,
    used: bool,
}

/// The input is operations, after one byte that says how often state is good.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut world = World::new(u.arbitrary().unwrap_or_default());
    while !u.is_empty() {
        match Op::arbitrary(&mut u) {
            Ok(Op::Wait(seconds)) => world.now = world.now + Duration::from_secs(seconds.into()),
            Ok(Op::Call {
                who,
                what,
                carried,
                mut answers,
            }) => {
                answers.truncate(8);
                world.call((who % 3, what % 10), &carried, &answers);
            }
            Err(_) => break,
        }
    }
}

struct World {
    config: ServerConfig,
    sealer: Sealer,
    single_use: bool,
    used: UsedStates,
    now: UnixTime,
    issued: Vec<Issued>,
    /// So that no two answers are the same.
    said: usize,
}

impl World {
    fn new(single_use: bool) -> Self {
        let limits = Limits::default()
            .with_input_rounds(ROUNDS)
            .with_input_requests(REQUESTS);
        let config = ServerConfig::new(Implementation::new("f", "1"))
            .with_limits(limits.with_state_bytes(STATE))
            .with_timeouts(Timeouts::default().with_state(TIME));
        Self {
            config: if single_use {
                config.with_single_use_state()
            } else {
                config
            },
            sealer: Sealer::new(&[StateKey::new([1; 32])], [2; 32]),
            single_use,
            used: UsedStates::new(8),
            now: UnixTime::since_epoch(Duration::from_secs(1_000)),
            issued: Vec::new(),
            said: 0,
        }
    }

    fn call(&mut self, owner: (u8, u8), carried: &Carried, answers: &[(u8, u8)]) {
        let (text, from) = self.carried(carried);
        let fresh = self.answers(answers);
        let request = self.request(owner, text.as_deref(), &fresh);
        // Nobody, somebody without a name, somebody.
        let principal = [None, Some(&b""[..]), Some(b"x")][usize::from(owner.0)];
        let mut run = HandlerRun::new(&request.context, &self.config, principal);
        let mut handler = Handler::new(owner.1);
        for _ in 0..3 {
            if handler.poll(&mut run) {
                return self.returned(owner, from, text.is_some(), &fresh, &handler);
            }
            let mut settled = run.settle(self.now, Some(&mut self.sealer));
            if let Settled::Redeem(redeem) = settled {
                assert!(self.single_use, "nobody has asked for single use");
                let redemption = self.used.redeem(&redeem, self.now);
                if redemption == Redemption::Redeemed {
                    let state = &mut self.issued[from.expect("it was opened")];
                    assert!(!state.used, "a state is redeemed twice");
                    state.used = true;
                }
                settled = run.redeemed(redemption);
            }
            match settled {
                Settled::Again => {}
                Settled::Over(Ok(body)) => {
                    self.check(owner, from, text.is_some(), &fresh, &handler);
                    let result: InputRequiredResult = body.as_raw().decode().expect("what asks for input");
                    return self.issue(owner, from, result, handler.seen);
                }
                Settled::Over(Err(error)) => return self.refused(owner, from, text.is_some(), &error),
                other => panic!("a run that asks does not end: {other:?}"),
            }
        }
        panic!("a run goes on for ever");
    }

    /// The state that is sent, and which it is where it is one as it was made.
    fn carried(&self, carried: &Carried) -> (Option<String>, Option<usize>) {
        let index = |which: u8| (!self.issued.is_empty()).then(|| usize::from(which) % self.issued.len());
        match carried {
            Carried::Nothing => (None, None),
            Carried::Junk(junk) => (Some("A".repeat(usize::from(*junk) * 16)), None),
            Carried::Issued(which) => match index(*which) {
                Some(index) => (Some(self.issued[index].text.clone()), Some(index)),
                None => (None, None),
            },
            Carried::Tampered { which, at, by } => {
                let Some(index) = index(*which) else {
                    return (None, None);
                };
                let mut bytes = self.issued[index].text.clone().into_bytes();
                let at = usize::from(*at) % bytes.len();
                let to = b'A' + by % 26;
                let is_same = bytes[at] == to;
                bytes[at] = to;
                let text = String::from_utf8(bytes).expect("ASCII");
                (Some(text), is_same.then_some(index))
            }
        }
    }

    fn answers(&mut self, answers: &[(u8, u8)]) -> BTreeMap<String, String> {
        let mut fresh = BTreeMap::new();
        for (key, kind) in answers {
            let key = match key % 12 {
                place @ 0..4 => format!("ask-{place}"),
                name => format!("k{}", name - 4),
            };
            self.said += 1;
            let tag = format!("a{}", self.said);
            let answer = match kind % 4 {
                0 | 1 => format!(r#"{{"action":"accept","content":{{"tag":"{tag}"}}}}"#),
                2 => format!(r#"{{"action":"decline","tag":"{tag}"}}"#),
                _ => format!(r#"{{"action":"accept","content":{{"tag":5}},"x":"{tag}"}}"#),
            };
            fresh.insert(key, answer);
        }
        fresh
    }

    fn request(&self, owner: (u8, u8), state: Option<&str>, fresh: &BTreeMap<String, String>) -> ClientRequest {
        let state = state
            .map(|state| format!(r#""requestState":"{state}","#))
            .unwrap_or_default();
        let fresh: Vec<_> = fresh
            .iter()
            .map(|(key, answer)| format!(r#""{key}":{answer}"#))
            .collect();
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"go","arguments":{{"what":{}}},{state}
            "inputResponses":{{{}}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28",
            "io.modelcontextprotocol/clientCapabilities":{{"elicitation":{{}}}}}}}}}}"#,
            owner.1,
            fresh.join(",")
        );
        let Ok(Incoming::Single(Message::Request(request))) =
            jsonrpc::parse(text.into_bytes().into(), &Limits::default())
        else {
            panic!("a request")
        };
        match admit(&self.config, request) {
            Ok(Admitted::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn returned(
        &self,
        owner: (u8, u8),
        from: Option<usize>,
        has_state: bool,
        fresh: &BTreeMap<String, String>,
        handler: &Handler,
    ) {
        // One that asks nothing has looked at nothing.
        if handler.asks() {
            self.check(owner, from, has_state, fresh, handler);
        }
    }

    /// Whatever the handler has seen, its own client gave to what it was asked.
    fn check(
        &self,
        owner: (u8, u8),
        from: Option<usize>,
        has_state: bool,
        fresh: &BTreeMap<String, String>,
        handler: &Handler,
    ) {
        assert_eq!(has_state, from.is_some(), "state that was not made here is used");
        let from = from.map(|from| &self.issued[from]);
        if let Some(state) = from {
            assert_eq!(state.owner, owner, "state of another request or principal is used");
            assert!(self.now < state.until, "state is used after its time");
            assert_eq!(state.used, self.single_use, "state is used without being redeemed");
        }
        for (key, answer) in &handler.seen {
            let before = from.and_then(|state| state.answers.get(key));
            let is_asked = match from {
                Some(state) => state.open.contains(key),
                None => !key.starts_with("ask-"),
            };
            let is_fresh = is_asked && fresh.get(key) == Some(answer);
            assert!(
                before == Some(answer) || (before.is_none() && is_fresh),
                "{key}: {answer} is not its answer"
            );
        }
    }

    fn issue(
        &mut self,
        owner: (u8, u8),
        from: Option<usize>,
        result: InputRequiredResult,
        answers: BTreeMap<String, String>,
    ) {
        let text = result.request_state.expect("state");
        assert!(text.len() <= STATE, "a client carries {} bytes", text.len());
        let depth = 1 + from.map_or(0, |from| self.issued[from].depth);
        assert!(depth <= ROUNDS, "a request takes {depth} rounds");
        let open: BTreeSet<String> = result
            .input_requests
            .iter()
            .flat_map(|requests| requests.iter())
            .map(|(key, _)| key.to_string())
            .collect();
        assert!(
            !open.is_empty() && open.len() <= REQUESTS,
            "{} things are asked",
            open.len()
        );
        assert!(
            open.iter().all(|key| !answers.contains_key(key)),
            "what was answered is asked again"
        );
        // What an earlier run has seen stays known, whether this one came so far or not.
        let mut known = from.map(|from| self.issued[from].answers.clone()).unwrap_or_default();
        known.extend(answers);
        assert!(
            self.issued.iter().all(|other| other.text != text),
            "no state is made twice"
        );
        self.issued.push(Issued {
            text,
            owner,
            until: self.now + TIME,
            depth,
            open,
            answers: known,
            used: false,
        });
    }

    fn refused(&self, owner: (u8, u8), from: Option<usize>, has_state: bool, error: &ErrorObject) {
        let state = from.map(|from| &self.issued[from]);
        match (StateRefusal::of(error), state) {
            (Some(StateRefusal::Invalid), Some(state)) => {
                assert_ne!(state.owner, owner, "state that is as it was made is refused");
            }
            (Some(StateRefusal::Invalid), None) => assert!(has_state, "there was no state to be refused"),
            (Some(StateRefusal::Expired), Some(state)) => assert!(self.now >= state.until && state.owner == owner),
            (Some(StateRefusal::Used), Some(state)) => assert!(state.used && self.single_use),
            (Some(StateRefusal::Unavailable), Some(_)) => assert!(self.single_use),
            (None, _) => {
                let depth = state.map_or(0, |state| state.depth);
                assert!(depth >= ROUNDS || has_state, "a request is refused: {error:?}");
            }
            (refusal, _) => panic!("{refusal:?} where there is no state"),
        }
    }
}

/// A handler: `what` says which.
struct Handler {
    what: u8,
    /// How often it was polled.
    polls: usize,
    /// What it was answered.
    seen: BTreeMap<String, String>,
    places: BTreeMap<usize, Option<Box<str>>>,
}

impl Handler {
    fn new(what: u8) -> Self {
        let (polls, seen, places) = (0, BTreeMap::new(), BTreeMap::new());
        Self {
            what,
            polls,
            seen,
            places,
        }
    }

    fn asks(&self) -> bool {
        self.what % 5 != 4
    }

    /// Whether it returns.
    fn poll(&mut self, run: &mut HandlerRun) -> bool {
        self.polls += 1;
        match self.what % 5 {
            0 => self.ask(run, 0, Some("k0")) && self.ask(run, 1, Some("k1")),
            1 => (0..3).all(|at| self.ask(run, at, None)),
            // Again and again, as long as it is answered.
            2 => (0..64).all(|at| self.ask(run, at, Some(&format!("k{at}")))),
            3 => {
                let together = [self.ask(run, 0, Some("k2")), self.ask(run, 1, None)];
                if let Once::Now = run.once("paid") {
                    let value = jsonrpc::RawJson::from_serialize(&self.polls).expect("a number");
                    run.keep("paid", value).expect("it is small");
                }
                together == [true, true]
            }
            _ => true,
        }
    }

    fn ask(&mut self, run: &mut HandlerRun, at: usize, key: Option<&str>) -> bool {
        let schema = ElicitSchema::default().required("tag", StringSchema::default());
        let ask = InputAsk::of::<Elicit>(&ElicitParams::form("?", schema)).expect("a form");
        let place = self.places.entry(at).or_default();
        match run.ask(place, key, &ask, |_| true) {
            AskReply::Answered(answer) => {
                let key = place.as_deref().expect("it has a place").to_owned();
                self.seen.insert(key, answer.as_str().to_owned());
                true
            }
            AskReply::Wait => false,
            other => panic!("{other:?}"),
        }
    }
}
