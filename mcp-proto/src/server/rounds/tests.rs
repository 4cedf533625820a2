//! Runs of handlers, one after the other, as a client would have them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::seal::Sealer;
use super::*;
use crate::jsonrpc::{ErrorCode, ErrorObject, Incoming, Message, RawJson, parse};
use crate::limits::{Limits, Timeouts};
use crate::model::request::{CreateMessage, Elicit, ListRoots};
use crate::model::{CreateMessageParams, ElicitParams, ElicitSchema, Implementation, RequestParams, StringSchema};
use crate::server::{Admitted, ClientRequest, ServerConfig, admit};
use crate::time::UnixTime;

const ALL: &str = r#"{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}"#;

/// A server, and what it is asked again and again.
struct World {
    config: ServerConfig,
    sealer: Sealer,
    /// What the store says, where state is good for one use.
    redemption: Redemption,
    /// What it was asked.
    redeemed: Vec<Redeem>,
    now: UnixTime,
    capabilities: &'static str,
    method: &'static str,
    principal: Option<&'static [u8]>,
    params: Value,
}

impl World {
    fn new() -> Self {
        Self {
            config: ServerConfig::new(Implementation::new("test", "1")),
            sealer: Sealer::new(&[], [5; 32]),
            redemption: Redemption::Redeemed,
            redeemed: Vec::new(),
            now: UnixTime::since_epoch(Duration::from_secs(1_000_000)),
            capabilities: ALL,
            method: "tools/call",
            principal: None,
            params: json!({"name": "go", "arguments": {"a": 1}}),
        }
    }

    fn with_limits(limits: Limits) -> Self {
        let mut world = Self::new();
        world.config = world.config.with_limits(limits);
        world
    }

    fn request(&self, more: &Value) -> ClientRequest {
        let mut params = self.params.clone();
        let object = params.as_object_mut().unwrap();
        object.extend(more.as_object().unwrap().clone());
        let capabilities: Value = serde_json::from_str(self.capabilities).unwrap();
        object.insert(
            "_meta".into(),
            json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": capabilities}),
        );
        let text = json!({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params}).to_string();
        let Ok(Incoming::Single(Message::Request(request))) = parse(text.into_bytes().into(), &Limits::default())
        else {
            panic!()
        };
        match admit(&self.config, request).unwrap() {
            Admitted::Request(request) => request,
            other => panic!("{other:?}"),
        }
    }

    /// Runs `handler` for a request with `more`, as the async layer does: once more after what came with it was looked at.
    fn run<T>(&mut self, more: &Value, handler: impl FnMut(&mut Run<'_>) -> Option<T>) -> Ended<T> {
        self.run_with(Some(()), more, handler)
    }

    fn run_with<T>(
        &mut self,
        sealed: Option<()>,
        more: &Value,
        mut handler: impl FnMut(&mut Run<'_>) -> Option<T>,
    ) -> Ended<T> {
        let request = self.request(more);
        let mut round = HandlerRun::new(&request.context, &self.config, self.principal);
        let mut places = Vec::new();
        for _ in 0..3 {
            let mut run = Run {
                round: &mut round,
                places: &mut places,
                next: 0,
            };
            if let Some(value) = handler(&mut run) {
                return Ended::Returned(value);
            }
            let sealer = sealed.map(|()| &mut self.sealer);
            let mut settled = round.settle(self.now, sealer);
            if let Settled::Redeem(redeem) = settled {
                assert!(
                    matches!(round.settle(self.now, None), Settled::Wait),
                    "it waits for the store"
                );
                self.redeemed.push(redeem);
                settled = round.redeemed(self.redemption);
            }
            match settled {
                Settled::Again => {}
                Settled::Redeem(_) => panic!("it asks twice"),
                Settled::Wait => return Ended::Waits,
                Settled::Over(Ok(body)) => return Ended::Asked(body.as_raw().decode().unwrap()),
                Settled::Over(Err(error)) => return Ended::Failed(error),
            }
        }
        panic!("it goes on for ever")
    }
}

#[derive(Debug)]
enum Ended<T> {
    Returned(T),
    Asked(Value),
    Failed(ErrorObject),
    Waits,
}

impl<T: core::fmt::Debug> Ended<T> {
    #[track_caller]
    fn asked(self) -> Value {
        match self {
            Self::Asked(result) => result,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn state(self) -> String {
        self.asked()["requestState"].as_str().unwrap().into()
    }

    #[track_caller]
    fn failed(self) -> ErrorObject {
        match self {
            Self::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn returned(self) -> T {
        match self {
            Self::Returned(value) => value,
            other => panic!("{other:?}"),
        }
    }
}

/// One poll of a handler.
struct Run<'a> {
    round: &'a mut HandlerRun,
    places: &'a mut Vec<Option<Box<str>>>,
    next: usize,
}

impl Run<'_> {
    fn ask(&mut self, key: Option<&str>, ask: &InputAsk) -> AskReply {
        if self.places.len() == self.next {
            self.places.push(None);
        }
        let place = &mut self.places[self.next];
        self.next += 1;
        self.round
            .ask(place, key, ask, |json| json.as_bytes().starts_with(b"{"))
    }

    /// The text of an answer, where there is one.
    fn name(&mut self, key: Option<&str>, message: &str) -> Option<String> {
        match self.ask(key, &form(message)) {
            AskReply::Answered(json) => {
                let answer: Value = json.decode().unwrap();
                Some(answer["content"]["name"].as_str().unwrap_or("none").into())
            }
            AskReply::Wait => None,
            other => panic!("{other:?}"),
        }
    }
}

fn form(message: &str) -> InputAsk {
    let schema = ElicitSchema::default().required("name", StringSchema::default());
    InputAsk::of::<Elicit>(&ElicitParams::form(message, schema)).unwrap()
}

fn accept(name: &str) -> Value {
    json!({"action": "accept", "content": {"name": name}})
}

fn retry(state: &str, responses: Value) -> Value {
    json!({"requestState": state, "inputResponses": responses})
}

#[test]
fn a_handler_goes_on_with_the_answers_so_far() {
    let mut world = World::new();
    let mut handler = |run: &mut Run<'_>| {
        let first = run.name(Some("user_name"), "What is your name?")?;
        let second = run.name(None, &format!("And then, {first}?"))?;
        Some(format!("{first} {second}"))
    };
    let asked = world.run(&json!({}), &mut handler).asked();
    assert_eq!(asked["resultType"], "input_required");
    assert_eq!(
        asked["inputRequests"],
        json!({"user_name": {"method": "elicitation/create", "params": {"message": "What is your name?",
            "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}}})
    );
    let first = String::from(asked["requestState"].as_str().unwrap());
    let asked = world
        .run(&retry(&first, json!({"user_name": accept("Alice")})), &mut handler)
        .asked();
    assert_eq!(asked["inputRequests"]["ask-1"]["params"]["message"], "And then, Alice?");
    let second = String::from(asked["requestState"].as_str().unwrap());
    assert_ne!(first, second);
    for _ in 0..2 {
        // As often as it is made again: an answer may be lost on its way.
        let again = retry(&second, json!({"ask-1": accept("Bob")}));
        assert_eq!(world.run(&again, &mut handler).returned(), "Alice Bob");
    }
}

#[test]
fn all_asks_of_one_poll_are_one_round() {
    let mut world = World::new();
    let mut handler = |run: &mut Run<'_>| {
        let asks = [
            form("one"),
            InputAsk::of::<CreateMessage>(&CreateMessageParams::new(Vec::new(), 100u32)).unwrap(),
            InputAsk::of::<ListRoots>(&RequestParams::default()).unwrap(),
        ];
        let replies = asks.map(|ask| run.ask(None, &ask));
        replies
            .iter()
            .all(|reply| matches!(reply, AskReply::Answered(_)))
            .then_some(())
    };
    let asked = world.run(&json!({}), &mut handler).asked();
    let methods: Vec<_> = (1..=3)
        .map(|at| asked["inputRequests"][format!("ask-{at}")]["method"].clone())
        .collect();
    assert_eq!(methods, ["elicitation/create", "sampling/createMessage", "roots/list"]);
    let state = asked["requestState"].as_str().unwrap();
    let some = retry(state, json!({"ask-1": accept("x"), "ask-3": {"roots": []}}));
    let asked = world.run(&some, &mut handler).asked();
    let open = asked["inputRequests"].as_object().unwrap();
    assert_eq!(
        open.keys().collect::<Vec<_>>(),
        ["ask-2"],
        "what is missing is asked for again, and nothing else"
    );
    let rest = retry(asked["requestState"].as_str().unwrap(), json!({"ask-2": {}}));
    world.run(&rest, &mut handler).returned();
}

#[test]
fn what_does_not_fit_is_asked_for_again_and_what_nobody_asked_is_ignored() {
    let mut world = World::new();
    let mut handler = |run: &mut Run<'_>| run.name(Some("user_name"), "Name?");
    let state = world.run(&json!({}), &mut handler).state();
    for (responses, answered) in [
        (json!({"user_name": accept("A")}), true),
        (json!({"user_name": accept("A"), "more": 1, "wrong_key": {}}), true),
        (json!({"user_name": {"action": "decline"}}), true),
        (json!({"wrong_key": accept("A")}), false),
        (json!({"user_name": 12345}), false),
        (json!({"user_name": {"action": "accept"}}), false),
        (
            json!({"user_name": {"action": "accept", "content": {"name": 5}}}),
            false,
        ),
        (json!({}), false),
        (json!(null), false),
    ] {
        // A name is enough to know an answer by, also where the client has lost its state.
        for more in [retry(&state, responses.clone()), json!({"inputResponses": responses})] {
            match world.run(&more, &mut handler) {
                Ended::Returned(_) => assert!(answered, "{more}"),
                Ended::Asked(asked) => {
                    assert!(!answered, "{more}");
                    assert!(asked["inputRequests"]["user_name"].is_object());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    for wrong in [
        json!({"inputResponses": 5}),
        json!({"requestState": 5}),
        json!({"inputResponses": []}),
    ] {
        assert_eq!(
            world.run(&wrong, &mut handler).failed().code,
            ErrorCode::INVALID_PARAMS,
            "{wrong}"
        );
    }
    let places = |run: &mut Run<'_>| run.name(None, "Name?");
    let unknown = json!({"inputResponses": {"ask-1": accept("A")}});
    assert!(
        world.run(&unknown, places).asked()["inputRequests"]["ask-1"].is_object(),
        "not by its place alone"
    );
}

#[test]
fn state_is_good_for_its_own_request_and_its_time() {
    let mut world = World::new();
    world.principal = Some(b"alice");
    world.config = world
        .config
        .with_timeouts(Timeouts::default().with_state(Duration::from_secs(60)));
    let handler = |run: &mut Run<'_>| run.name(None, "Name?");
    let state = world.run(&json!({}), handler).state();
    let again = retry(&state, json!({"ask-1": accept("A")}));
    assert_eq!(world.run(&again, handler).returned(), "A");

    // The same parameters in another order are the same.
    world.params = serde_json::from_str(r#"{"arguments":{"a":1},"name":"go"}"#).unwrap();
    assert_eq!(world.run(&again, handler).returned(), "A");

    let invalid = |world: &mut World, why: &str| {
        let error = world.run(&again, handler).failed();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert!(error.data.unwrap().as_str().contains(why));
    };
    let changes: [fn(&mut World); 7] = [
        |world| world.principal = Some(b"bob"),
        |world| world.principal = Some(b""),
        |world| world.principal = None,
        |world| world.params = json!({"name": "go", "arguments": {"a": 2}}),
        |world| world.params = json!({"name": "gone", "arguments": {"a": 1}}),
        |world| world.method = "prompts/get",
        |world| world.sealer = Sealer::new(&[], [6; 32]),
    ];
    for change in changes {
        let mut other = World::new();
        other.principal = Some(b"alice");
        change(&mut other);
        invalid(&mut other, "invalid");
    }
    world.now = world.now + Duration::from_secs(59);
    assert_eq!(world.run(&again, handler).returned(), "A");
    world.now = world.now + Duration::from_secs(1);
    invalid(&mut world, "expired");
}

#[test]
fn tampered_state_is_an_error_byte_by_byte() {
    let mut world = World::new();
    let handler = |run: &mut Run<'_>| run.name(None, "Name?");
    let state = world.run(&json!({}), handler).state();
    let mut tampered: Vec<String> = (0..state.len())
        .map(|at| {
            let other = if &state[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &state[..at], &state[at + 1..])
        })
        .collect();
    tampered.extend((0..state.len()).map(|at| state[..at].into()));
    tampered.push(state.clone() + "-TAMPERED");
    tampered.push("x".repeat(1 << 20));
    for text in tampered {
        let error = world
            .run(&retry(&text, json!({"ask-1": accept("A")})), handler)
            .failed();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert!(error.message.contains("without it"), "{}", error.message);
    }
}

#[test]
fn an_ask_that_has_changed_is_a_typed_error_unless_it_is_named() {
    let mut world = World::new();
    let state = world.run(&json!({}), |run| run.name(None, "Name?")).state();
    let again = retry(&state, json!({"ask-1": accept("A")}));
    let changed = world.run(&again, |run| match run.ask(None, &form("Other?")) {
        AskReply::Wait => None,
        other => Some(other),
    });
    assert!(
        matches!(changed.returned(), AskReply::Refused(AskError::Changed { key }) if &*key == "ask-1"),
        "by its place it has to be the same"
    );
    let state = world.run(&json!({}), |run| run.name(Some("n"), "Name?")).state();
    let again = retry(&state, json!({"n": accept("A")}));
    assert_eq!(world.run(&again, |run| run.name(Some("n"), "Other?")).returned(), "A");
    let twice = world.run(&json!({}), |run| {
        run.ask(Some("n"), &form("one"));
        match run.ask(Some("n"), &form("two")) {
            AskReply::Wait => None,
            other => Some(other),
        }
    });
    assert!(matches!(
        twice.returned(),
        AskReply::Refused(AskError::Duplicate { .. })
    ));
}

#[test]
fn only_what_the_client_has_declared_is_asked_for() {
    let url = InputAsk::of::<Elicit>(&ElicitParams::url("m", "https://x")).unwrap();
    let sample = InputAsk::of::<CreateMessage>(&CreateMessageParams::new(Vec::new(), 1u32)).unwrap();
    let with_tools = CreateMessageParams::new(Vec::new(), 1u32).with_tools(Vec::new());
    let with_tools = InputAsk::of::<CreateMessage>(&with_tools).unwrap();
    let roots = InputAsk::of::<ListRoots>(&RequestParams::default()).unwrap();
    for (capabilities, ask, missing) in [
        ("{}", &form("x"), r#"{"elicitation":{}}"#),
        (r#"{"elicitation":{}}"#, &form("x"), ""),
        (
            r#"{"elicitation":{"url":{}}}"#,
            &form("x"),
            r#"{"elicitation":{"form":{}}}"#,
        ),
        (r#"{"elicitation":{"url":{}}}"#, &url, ""),
        (r#"{"elicitation":{}}"#, &url, r#"{"elicitation":{"url":{}}}"#),
        ("{}", &url, r#"{"elicitation":{"url":{}}}"#),
        ("{}", &sample, r#"{"sampling":{}}"#),
        (r#"{"sampling":{}}"#, &sample, ""),
        (r#"{"sampling":{}}"#, &with_tools, r#"{"sampling":{"tools":{}}}"#),
        (ALL, &with_tools, ""),
        (r#"{"sampling":{}}"#, &roots, r#"{"roots":{}}"#),
        (ALL, &roots, ""),
    ] {
        let mut world = World::new();
        world.capabilities = capabilities;
        let ended = world.run(&json!({}), |run| match run.ask(None, ask) {
            AskReply::Wait => None,
            other => Some(other),
        });
        match ended {
            Ended::Asked(_) => assert_eq!(missing, "", "{capabilities} {ask:?}"),
            Ended::Returned(AskReply::Refused(AskError::NotSupported(error))) => {
                assert_eq!(error.code, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
                let data = error.data.unwrap();
                assert_eq!(data.as_str(), format!(r#"{{"requiredCapabilities":{missing}}}"#));
            }
            other => panic!("{capabilities} {other:?}"),
        }
    }
}

#[test]
fn other_methods_ask_for_nothing() {
    for method in [
        "tools/list",
        "prompts/list",
        "resources/list",
        "completion/complete",
        "x/y",
    ] {
        let mut world = World::new();
        world.method = method;
        let ended = world.run(&json!({}), |run| match run.ask(None, &form("x")) {
            AskReply::Wait => None,
            other => Some(other),
        });
        assert!(
            matches!(ended.returned(), AskReply::Refused(AskError::NotHere)),
            "{method}"
        );
    }
}

#[test]
fn what_happens_once_is_kept_and_holds_up_the_end_of_its_run() {
    let mut world = World::new();
    let value = || RawJson::parse("7").unwrap();
    let mut happened = 0;
    let mut handler = |run: &mut Run<'_>| {
        match run.round.once("pay") {
            Once::Now => {
                happened += 1;
                run.round.keep("pay", value()).unwrap();
            }
            Once::Done(json) => assert_eq!(json, value()),
            Once::Wait => return None,
            other => panic!("{other:?}"),
        }
        run.name(None, "Sure?")
    };
    let state = world.run(&json!({}), &mut handler).state();
    let again = retry(&state, json!({"ask-1": accept("yes")}));
    for _ in 0..2 {
        assert_eq!(world.run(&again, &mut handler).returned(), "yes");
    }
    assert_eq!(happened, 1);

    let request = world.request(&json!({}));
    let mut round = HandlerRun::new(&request.context, &world.config, None);
    assert!(matches!(round.once("slow"), Once::Wait));
    assert!(matches!(
        round.settle(world.now, Some(&mut world.sealer)),
        Settled::Again
    ));
    assert!(matches!(round.once("slow"), Once::Now));
    assert!(matches!(round.once("slow"), Once::Refused(AskError::Duplicate { .. })));
    assert!(matches!(
        round.ask(&mut None, None, &form("x"), |_| true),
        AskReply::Wait
    ));
    assert!(
        matches!(round.settle(world.now, Some(&mut world.sealer)), Settled::Wait),
        "not in the middle of it"
    );
    round.keep("slow", value()).unwrap();
    assert!(matches!(
        round.settle(world.now, Some(&mut world.sealer)),
        Settled::Over(Ok(_))
    ));
}

#[test]
fn everything_is_bounded() {
    let limits = Limits::default()
        .with_state_bytes(1_000)
        .with_input_requests(10)
        .with_input_rounds(3);
    let mut world = World::with_limits(limits);
    let crowd = world.run(&json!({}), |run| {
        if let AskReply::Wait = run.ask(None, &form("0"))
            && run.round.given().is_none()
        {
            return None;
        }
        let replies: Vec<_> = (1..1_000).map(|at| run.ask(None, &form(&at.to_string()))).collect();
        let refused = replies
            .iter()
            .filter(|reply| matches!(reply, AskReply::Refused(AskError::TooMany)));
        Some(refused.count())
    });
    assert_eq!(crowd.returned(), 990);

    let large = RawJson::from_serialize(&"x".repeat(1_000)).unwrap();
    let kept = world.run(&json!({}), |run| match run.round.once("k") {
        Once::Now => Some(run.round.keep("k", large.clone())),
        _ => None,
    });
    assert!(matches!(kept.returned(), Err(AskError::TooLarge { .. })));

    let mut both = |run: &mut Run<'_>| {
        let (one, two) = (run.name(Some("a"), "a"), run.name(Some("b"), "b"));
        one.zip(two)
    };
    let state = world.run(&json!({}), &mut both).state();
    let much = retry(&state, json!({"a": accept(&"x".repeat(2_000))}));
    let error = world.run(&much, &mut both).failed();
    assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
    assert!(error.message.contains("answer with less"), "{}", error.message);

    let mut state = json!({});
    for _ in 0..3 {
        state = json!({"requestState": world.run(&state, &mut both).state()});
    }
    assert_eq!(world.run(&state, &mut both).failed().code, ErrorCode::INTERNAL_ERROR);
}

#[test]
fn without_a_key_nothing_is_asked_and_nothing_else_is_lost() {
    let mut world = World::new();
    let handler = |run: &mut Run<'_>| run.name(None, "Name?");
    let error = world.run_with(None, &json!({}), handler).failed();
    assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
    assert!(matches!(world.run_with(None, &json!({}), |_| None::<()>), Ended::Waits));
}

#[test]
fn steps_have_their_inputs_and_their_state() {
    let mut world = World::new();
    let mut handler = |run: &mut Run<'_>| {
        let (inputs, state) = run.round.given()?;
        let state = state.map(|state| String::from(state.as_str()));
        let name = inputs.get("name").map(|json| String::from(json.as_str()));
        match state.as_deref() {
            None => {
                let required = InputRequired::new()
                    .elicit("name", "Name?", ElicitSchema::default())
                    .state(&"asked");
                run.round.step(required.into_parts().unwrap()).unwrap();
                None
            }
            Some(r#""asked""#) => {
                run.round
                    .step(InputRequired::new().state(&name).into_parts().unwrap())
                    .unwrap();
                None
            }
            Some(_) => state,
        }
    };
    let asked = world.run(&json!({}), &mut handler).asked();
    assert!(asked["inputRequests"]["name"].is_object());
    let more = retry(
        asked["requestState"].as_str().unwrap(),
        json!({"name": {"action": "decline"}}),
    );
    let asked = world.run(&more, &mut handler).asked();
    assert!(asked.get("inputRequests").is_none(), "state alone is enough");
    let more = json!({"requestState": asked["requestState"]});
    assert!(world.run(&more, &mut handler).returned().contains("decline"));
}

proptest! {
    /// Whatever a client sends back, sealed or not, ends in a result or in an error.
    #[test]
    fn no_state_and_no_response_makes_it_panic(plain in ".{0,60}", state in ".{0,60}", responses in ".{0,60}", pick in 0..6u8) {
        let mut world = World::new();
        let binding = world.request(&json!({})).context.asked.unwrap().binding(None);
        let state = match pick {
            0 => json!(state),
            1 => json!(world.sealer.seal(&binding, plain.as_bytes()).unwrap()),
            2 => {
                let forged = json!({"e": u64::MAX, "r": usize::MAX, "q": {plain.clone(): 1}, "a": {plain: {"d": 1, "j": state}}});
                json!(world.sealer.seal(&binding, forged.to_string().as_bytes()).unwrap())
            }
            3 => json!(null),
            4 => json!([state]),
            _ => json!({"state": state}),
        };
        let responses = serde_json::from_str::<Value>(&responses).unwrap_or_else(|_| json!({"ask-1": responses}));
        let more = retry("", responses).as_object().unwrap().clone();
        let mut more = Value::Object(more);
        more["requestState"] = state;
        let _ = world.run(&more, |run| match (run.ask(None, &form("x")), run.round.once("k")) {
            (AskReply::Answered(_) | AskReply::Refused(_), Once::Done(_)) => Some(()),
            (_, Once::Now) => {
                run.round.give_up("k");
                None
            }
            _ => None,
        });
    }
}

#[test]
fn state_that_is_good_for_one_use_is_redeemed_before_it_is_used() {
    let mut world = World::new();
    world.principal = Some(b"alice");
    let handler = |run: &mut Run<'_>| run.name(None, "Name?");
    let state = world.run(&json!({}), handler).state();
    let again = retry(&state, json!({"ask-1": accept("A")}));
    assert_eq!(world.run(&again, handler).returned(), "A");
    assert!(world.redeemed.is_empty(), "nobody has asked for it");
    world.config = world.config.clone().with_single_use_state();
    assert!(world.run(&json!({}), handler).state() != state && world.redeemed.is_empty());
    for (redemption, refusal) in [
        (Redemption::Redeemed, None),
        (Redemption::UsedBefore, Some(StateRefusal::Used)),
        (Redemption::Unavailable, Some(StateRefusal::Unavailable)),
    ] {
        world.redemption = redemption;
        match refusal {
            None => assert_eq!(world.run(&again, handler).returned(), "A"),
            Some(_) => {
                let error = world.run(&again, handler).failed();
                assert_eq!(StateRefusal::of(&error), refusal, "{error:?}");
            }
        }
    }
    let (first, rest) = world.redeemed.split_first().unwrap();
    assert!(
        rest.iter().all(|redeem| redeem == first),
        "it is the same state each time"
    );
    let until = world.now + world.config.timeouts().state;
    assert_eq!(first.until, until);
    assert_eq!(first.principal.as_deref(), Some(&b"alice"[..]));

    world.run(&retry("no state", json!({})), handler).failed();
    world.now = until;
    let error = world.run(&again, handler).failed();
    assert_eq!(StateRefusal::of(&error), Some(StateRefusal::Expired));
    assert_eq!(world.redeemed.len(), 3, "what is refused anyway is not redeemed");
}

#[test]
fn a_store_that_nobody_has_asked_is_not_heard() {
    let mut world = World::new();
    world.config = world.config.clone().with_single_use_state();
    let request = world.request(&json!({}));
    let mut round = HandlerRun::new(&request.context, &world.config, None);
    for _ in 0..2 {
        assert!(matches!(round.redeemed(Redemption::UsedBefore), Settled::Wait));
        round.settle(world.now, None);
    }
}
