//! Handlers that ask, behind a byte stream that a client writes by hand, on virtual time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{self, Poll, Waker};
use core::time::Duration;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::handle::count::Count;
use crate::handle::server::{Handler, ServerBuilder, ServerPump, ToolError};
use crate::handle::{Pump, Server, Timer};
use crate::jsonrpc::ErrorObject;
use crate::limits::{Limits, Timeouts};
use crate::model::{
    CacheScope, GetPromptParams, GetPromptResult, Json, PromptsCapability, ReadResourceParams, ReadResourceResult,
    ResourcesCapability, ServerCapabilities, StringSchema, Tool,
};
use crate::server::{CacheHints, Redeem, Redemption, StateRefusal};
use crate::time::{Time, UnixTime};

struct Clock(Time);

impl Timer for Clock {
    fn now(&self) -> Time {
        self.0
    }

    fn poll(&mut self, _: &mut task::Context<'_>, _: Option<Time>) -> Poll<()> {
        Poll::Pending
    }

    fn unix(&self) -> Option<UnixTime> {
        Some(UnixTime::since_epoch(Duration::from_secs(1_800_000_000)))
    }

    fn random(&self) -> Option<[u8; 32]> {
        Some([9; 32])
    }
}

/// A client that knows both eras, and one connection.
struct World {
    pump: ServerPump,
    now: Time,
    woken: Arc<Count>,
    is_modern: bool,
    ids: u64,
}

impl World {
    fn modern(server: &Server) -> Self {
        let pump = server.pump();
        pump.begin(&Clock(Time::ORIGIN));
        Self {
            pump,
            now: Time::ORIGIN,
            woken: Arc::default(),
            is_modern: true,
            ids: 0,
        }
    }

    fn legacy(server: &Server) -> Self {
        let mut world = Self::modern(server);
        world.is_modern = false;
        let capabilities = capabilities();
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": {"name": "c", "version": "1"}});
        world.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
        world.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        world
    }

    /// What comes back at once.
    fn send(&mut self, message: &Value) -> Vec<Value> {
        self.pump.receive(self.now, format!("{message}\n").into_bytes().into());
        self.drain()
    }

    fn drain(&mut self) -> Vec<Value> {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut cx = task::Context::from_waker(&waker);
        let mut messages = Vec::new();
        loop {
            self.pump.poll_work(&mut cx, self.now);
            let Poll::Ready(Some(bytes)) = self.pump.poll_transmit(&mut cx, self.now) else {
                return messages;
            };
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            messages.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> Vec<Value> {
        self.ids += 1;
        let mut params = params.clone();
        if self.is_modern {
            params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": capabilities()});
        }
        self.send(&json!({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}))
    }

    /// Makes a request to its end, with whatever it takes on the way: the answer, and what was asked in each round.
    fn fulfil(&mut self, method: &str, params: &Value) -> (Value, Vec<Vec<String>>) {
        let mut rounds = Vec::new();
        let mut messages = self.request(method, params);
        for _ in 0..10 {
            let last = messages.last().cloned().unwrap();
            if last["result"]["resultType"] == "input_required" {
                let mut retry = params.clone();
                let asked = last["result"]["inputRequests"].as_object().cloned().unwrap_or_default();
                rounds.push(asked.keys().cloned().collect());
                let answers = asked.into_iter().map(|(key, request)| (key, answer(&request)));
                retry["inputResponses"] = answers.collect::<serde_json::Map<_, _>>().into();
                retry["requestState"] = last["result"]["requestState"].clone();
                messages = self.request(method, &retry);
            } else if last.get("method").is_some() {
                // All of a round come together.
                rounds.push(messages.iter().map(|request| request["method"].to_string()).collect());
                let asked = core::mem::take(&mut messages);
                for request in asked {
                    messages
                        .extend(self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": answer(&request)})));
                }
            } else {
                return (last, rounds);
            }
        }
        panic!("it goes on for ever")
    }
}

fn capabilities() -> Value {
    json!({"elicitation": {}, "roots": {}, "sampling": {}})
}

fn answer(request: &Value) -> Value {
    match request["method"].as_str().unwrap() {
        "elicitation/create" => {
            let name = request["params"]["message"].as_str().unwrap().to_uppercase();
            json!({"action": "accept", "content": {"name": name}})
        }
        "roots/list" => json!({"roots": [{"uri": "file:///x"}]}),
        other => panic!("{other}"),
    }
}

fn form() -> ElicitSchema {
    ElicitSchema::default().required("name", StringSchema::default())
}

fn name(answer: &ElicitResult) -> String {
    let content: Value = answer.content.as_ref().unwrap().decode().unwrap();
    content["name"].as_str().unwrap().into()
}

/// Both, at the same time.
async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b, mut left, mut right) = (pin!(a), pin!(b), None, None);
    poll_fn(|cx| {
        if left.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(cx)
        {
            left = Some(value);
        }
        if right.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(cx)
        {
            right = Some(value);
        }
        match (left.is_some(), right.is_some()) {
            (true, true) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
    (left.unwrap(), right.unwrap())
}

fn tool<F, Fut>(builder: ServerBuilder, function: F) -> ServerBuilder
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, ToolError>> + Send + 'static,
{
    builder.raw_tool(Tool::new("go", Json::empty_object()), move |_, context| {
        function(context)
    })
}

fn builder() -> ServerBuilder {
    Server::builder("test", "1")
}

fn go() -> Value {
    json!({"name": "go", "arguments": {"x": [1, {"y": "z"}]}})
}

fn text(answer: &Value) -> &str {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{answer}"))
}

/// Counts itself while it lives.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn one_handler_asks_in_both_eras() {
    let (paid, alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counts, lives) = (paid.clone(), alive.clone());
    let server = tool(builder(), move |context| {
        let (paid, alive) = (counts.clone(), Alive::new(&lives));
        async move {
            let _alive = alive;
            let (user, roots) = both(context.elicit("a", form()).key("user_name"), context.list_roots()).await;
            let (user, roots) = (name(&user?), roots?.roots.len());
            let receipt: usize = context
                .once("pay", async { paid.fetch_add(1, Ordering::SeqCst) + 1 })
                .await?;
            let sure = name(&context.elicit(format!("b {user}"), form()).await?);
            Ok(format!("{user}, {roots}, {sure}, {receipt}"))
        }
    })
    .build();
    let mut modern = World::modern(&server);
    let (answer, rounds) = modern.fulfil("tools/call", &go());
    assert_eq!(text(&answer), "A, 1, B A, 1");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(rounds, [alloc::vec!["ask-1", "user_name"], alloc::vec!["ask-2"]]);
    assert_eq!(paid.load(Ordering::SeqCst), 1);
    let mut legacy = World::legacy(&server);
    let (answer, rounds) = legacy.fulfil("tools/call", &go());
    assert_eq!(text(&answer), "A, 1, B A, 2");
    assert_eq!(rounds.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((paid.load(Ordering::SeqCst), alive.load(Ordering::SeqCst)), (2, 0));
}

#[test]
fn a_handler_is_dropped_at_the_end_of_its_round() {
    let alive = Arc::new(AtomicUsize::new(0));
    let lives = alive.clone();
    let server = tool(builder(), move |context| {
        let alive = Alive::new(&lives);
        async move {
            let _alive = alive;
            Ok(name(&context.elicit("a", form()).await?))
        }
    })
    .build();
    let mut world = World::modern(&server);
    let asked = world.request("tools/call", &go());
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["result"]["resultType"], "input_required");
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn an_answer_that_is_lost_is_given_again_until_the_state_expires() {
    let timeouts = Timeouts::default().with_state(Duration::from_secs(60));
    let server = tool(builder().timeouts(timeouts), async |context: Context| {
        Ok(name(&context.elicit("a", form()).await?))
    });
    let server = server.build();
    let mut world = World::modern(&server);
    let state = world.request("tools/call", &go())[0]["result"]["requestState"].clone();
    let mut retry = go();
    retry["requestState"] = state;
    retry["inputResponses"] = json!({"ask-1": {"action": "accept", "content": {"name": "x"}}});
    for _ in 0..2 {
        assert_eq!(text(&world.request("tools/call", &retry)[0]), "x");
    }
    // Another connection of the same server, whose clock began later, takes it as well.
    let mut other = World::modern(&server);
    other.now = Time::ORIGIN + Duration::from_secs(59);
    assert_eq!(text(&other.request("tools/call", &retry)[0]), "x");
    other.now = Time::ORIGIN + Duration::from_secs(60);
    let expired = other.request("tools/call", &retry);
    assert_eq!(expired[0]["error"]["code"], -32602, "{expired:?}");
    assert_eq!(expired[0]["error"]["data"]["requestState"], "expired");
    retry["arguments"] = json!({"x": 2});
    let stolen = world.request("tools/call", &retry);
    assert_eq!(stolen[0]["error"]["data"]["requestState"], "invalid", "{stolen:?}");
}

/// Prompts and resources that ask.
struct Asking;

impl Handler for Asking {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default()
            .with_prompts(PromptsCapability::default())
            .with_resources(ResourcesCapability::default())
    }

    async fn get_prompt(&self, _: GetPromptParams, context: Context) -> Result<GetPromptResult, ErrorObject> {
        let answer = context.elicit("a", form()).key("user_context").await?;
        Ok(GetPromptResult::new(Vec::new()).with_description(name(&answer)))
    }

    async fn read_resource(&self, _: ReadResourceParams, context: Context) -> Result<ReadResourceResult, ErrorObject> {
        let roots = context.list_roots().await?;
        assert_eq!(roots.roots.len(), 1);
        Ok(ReadResourceResult::new(Vec::new()))
    }
}

#[test]
fn prompts_and_resources_ask_as_tools_do() {
    let mut cache = CacheHints::default();
    (cache.ttl_ms, cache.scope) = (5_000, CacheScope::Public);
    let server = builder().cache(cache).handler(Asking).build();
    for mut world in [World::modern(&server), World::legacy(&server)] {
        let (answer, rounds) = world.fulfil("prompts/get", &json!({"name": "p"}));
        assert_eq!(
            (&answer["result"]["description"], rounds.len()),
            (&json!("A"), 1),
            "{answer}"
        );
        let (answer, rounds) = world.fulfil("resources/read", &json!({"uri": "x:y"}));
        assert_eq!(
            (&answer["result"]["contents"], rounds.len()),
            (&json!([]), 1),
            "{answer}"
        );
        // 2026-07-28, Caching, Cache Key: MUST NOT be cached.
        let hints = (
            answer["result"]["ttlMs"].as_u64(),
            answer["result"]["cacheScope"].as_str(),
        );
        let expected = if world.is_modern {
            (Some(0), Some("private"))
        } else {
            (None, None)
        };
        assert_eq!(hints, expected);
    }
}

#[test]
fn a_client_that_lacks_a_capability_gets_the_error_of_its_era() {
    let server = tool(builder(), async |context: Context| {
        context.elicit_url("a", "https://example.com", "visit").await?;
        Ok(String::from("not reached"))
    })
    .build();
    let answer = World::modern(&server).request("tools/call", &go());
    assert_eq!(answer[0]["error"]["code"], -32021, "{answer:?}");
    assert_eq!(
        answer[0]["error"]["data"],
        json!({"requiredCapabilities": {"elicitation": {"url": {}}}})
    );
    let answer = World::legacy(&server).request("tools/call", &go());
    assert_eq!(answer[0]["error"]["code"], -32600, "{answer:?}");
}

#[test]
fn a_handler_in_steps_serves_both_eras() {
    let server = tool(builder(), async |context: Context| {
        loop {
            let inputs = context.inputs().await;
            match context.state::<String>().await? {
                None => {
                    let required = InputRequired::new()
                        .elicit("one", "a", form())
                        .list_roots("where")
                        .state("first");
                    context.require_input(required).await?;
                }
                Some(step) if step == "first" => {
                    let first: ElicitResult = inputs.get("one").unwrap();
                    let message = format!("b {}", name(&first));
                    let required = InputRequired::new().elicit("two", message, form()).state("second");
                    context.require_input(required).await?;
                }
                Some(_) => return Ok(name(&inputs.get::<ElicitResult>("two").unwrap())),
            }
        }
    })
    .build();
    for mut world in [World::modern(&server), World::legacy(&server)] {
        let (answer, _) = world.fulfil("tools/call", &go());
        assert_eq!(text(&answer), "B A");
    }
}

#[test]
fn an_ask_that_another_task_polls_ends_the_round_as_well() {
    let handed = Arc::new(Mutex::new(None));
    let slot = handed.clone();
    let server = tool(builder(), move |context| {
        *slot.lock().unwrap() = Some(context);
        pending()
    })
    .build();
    let mut world = World::modern(&server);
    assert!(world.request("tools/call", &go()).is_empty());
    let context = handed.lock().unwrap().take().unwrap();
    let mut ask = pin!(context.elicit("a", form()));
    let before = world.woken.get();
    assert!(
        ask.as_mut()
            .poll(&mut task::Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert!(world.woken.get() > before, "its driver is woken");
    // What came with the request is looked at first.
    assert!(world.drain().is_empty());
    assert!(
        ask.as_mut()
            .poll(&mut task::Context::from_waker(Waker::noop()))
            .is_pending()
    );
    let asked = world.drain();
    assert_eq!(asked[0]["result"]["resultType"], "input_required", "{asked:?}");
}

#[test]
fn what_happens_once_is_not_dropped_in_the_middle_of_it() {
    let gate = Arc::new(Mutex::new((false, None::<Waker>)));
    let inner = gate.clone();
    let server = tool(builder(), move |context| {
        let gate = inner.clone();
        async move {
            let slow = async {
                poll_fn(|cx| {
                    let mut gate = gate.lock().unwrap();
                    gate.1 = Some(cx.waker().clone());
                    if gate.0 { Poll::Ready(7) } else { Poll::Pending }
                })
                .await
            };
            let (once, answer) = both(context.once("slow", slow), context.elicit("a", form())).await;
            Ok(format!("{} {}", once?, name(&answer?)))
        }
    })
    .build();
    let mut world = World::modern(&server);
    assert!(world.request("tools/call", &go()).is_empty());
    gate.lock().unwrap().0 = true;
    let waker = gate.lock().unwrap().1.take();
    waker.unwrap().wake();
    let asked = world.drain();
    assert_eq!(asked[0]["result"]["resultType"], "input_required", "{asked:?}");
    gate.lock().unwrap().0 = false;
    let mut retry = go();
    retry["requestState"] = asked[0]["result"]["requestState"].clone();
    retry["inputResponses"] = json!({"ask-1": {"action": "accept", "content": {"name": "x"}}});
    assert_eq!(
        text(&world.request("tools/call", &retry)[0]),
        "7 x",
        "it does not happen again"
    );
}

#[test]
fn a_thousand_asks_in_one_poll_are_refused_and_a_value_too_large_is_told() {
    let limits = Limits::default().with_state_bytes(4_000);
    let server = tool(builder().limits(limits), async |context: Context| {
        let large = context.once("large", async { "x".repeat(10_000) }).await;
        assert!(matches!(large, Err(AskError::TooLarge { .. })), "{large:?}");
        let mut asks: Vec<_> = (0..1_000).map(|at| context.elicit(format!("{at}"), form())).collect();
        poll_fn(|cx| {
            for ask in &mut asks {
                if let Poll::Ready(answer) = core::pin::Pin::new(ask).poll(cx) {
                    return Poll::Ready(answer);
                }
            }
            Poll::Pending
        })
        .await?;
        Ok(String::from("not reached"))
    })
    .build();
    let answer = World::modern(&server).request("tools/call", &go());
    assert!(text(&answer[0]).contains("too many asks"), "{answer:?}");
}

#[test]
fn a_driver_without_random_bytes_asks_nothing_and_serves_the_rest() {
    let server = || {
        let ask = async |context: Context| Ok(name(&context.elicit("a", form()).await?));
        tool(builder(), ask).build()
    };
    let (with, without) = (server(), server());
    let mut world = World::modern(&with);
    world.pump = without.pump();
    let answer = world.request("tools/call", &go());
    assert_eq!(answer[0]["error"]["code"], -32603, "{answer:?}");
    let listed = world.request("tools/list", &json!({}));
    assert_eq!(listed[0]["result"]["tools"].as_array().map(Vec::len), Some(1));
}

/// Asks once, and once more.
async fn ask_twice(context: Context) -> Result<String, ToolError> {
    let first = name(&context.elicit("a", form()).await?);
    let second = name(&context.elicit("b", form()).await?);
    Ok(format!("{first} {second}"))
}

/// The request that comes back with the answer to `asked`.
fn retry(asked: &Value) -> Value {
    let mut retry = go();
    let requests = asked["result"]["inputRequests"].as_object().unwrap().clone();
    let answers = requests.iter().map(|(key, request)| (key.clone(), answer(request)));
    retry["inputResponses"] = answers.collect::<serde_json::Map<_, _>>().into();
    retry["requestState"] = asked["result"]["requestState"].clone();
    retry
}

fn refusal(answer: &Value) -> Option<StateRefusal> {
    StateRefusal::of(&serde_json::from_value(answer["error"].clone()).ok()?)
}

#[test]
fn state_that_is_good_for_one_use_is_refused_the_second_time() {
    let server = tool(builder(), ask_twice).single_use_state().build();
    let mut world = World::modern(&server);
    let (end, rounds) = world.fulfil("tools/call", &go());
    assert_eq!(
        (text(&end), rounds.len()),
        ("A B", 2),
        "the rounds of a request go on as ever"
    );

    let asked = world.request("tools/call", &go());
    let first = retry(&asked[0]);
    let second = retry(&world.request("tools/call", &first)[0]);
    // Also on another connection of the same server.
    for world in [&mut world, &mut World::modern(&server)] {
        let again = world.request("tools/call", &first);
        assert_eq!(refusal(&again[0]), Some(StateRefusal::Used), "{again:?}");
    }
    assert_eq!(text(&world.request("tools/call", &second)[0]), "A B");
    assert_eq!(
        refusal(&world.request("tools/call", &second)[0]),
        Some(StateRefusal::Used)
    );
    assert_eq!(text(&World::legacy(&server).fulfil("tools/call", &go()).0), "A B");
}

#[test]
fn as_ever_state_is_good_for_any_number_of_uses() {
    let server = tool(builder(), ask_twice).build();
    let mut world = World::modern(&server);
    let first = retry(&world.request("tools/call", &go())[0]);
    for _ in 0..3 {
        assert_eq!(refusal(&world.request("tools/call", &first)[0]), None);
    }
}

#[test]
fn where_the_memory_of_used_states_is_full_a_request_is_refused_and_none_forgotten() {
    let limits = Limits::default().with_used_states(1);
    let server = tool(builder(), ask_twice).limits(limits).single_use_state().build();
    let mut world = World::modern(&server);
    let [first, other] = [(); 2].map(|()| retry(&world.request("tools/call", &go())[0]));
    assert_eq!(refusal(&world.request("tools/call", &first)[0]), None);
    let full = world.request("tools/call", &other);
    assert_eq!(refusal(&full[0]), Some(StateRefusal::Unavailable), "{full:?}");
    assert_eq!(
        refusal(&world.request("tools/call", &first)[0]),
        Some(StateRefusal::Used)
    );
}

/// A store that answers when it is told to.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Told>>);

/// What it was asked, what it is to say, and who waits.
type Told = (Vec<Redeem>, Option<Redemption>, Option<Waker>);

impl Slow {
    fn store(&self) -> impl crate::handle::server::StateStore + use<> {
        let this = self.clone();
        move |redeem: Redeem| {
            let this = this.clone();
            this.0.lock().unwrap().0.push(redeem);
            poll_fn(move |cx| {
                let mut state = this.0.lock().unwrap();
                state.2 = Some(cx.waker().clone());
                state.1.map_or(Poll::Pending, Poll::Ready)
            })
        }
    }

    fn say(&self, redemption: Redemption) {
        let mut state = self.0.lock().unwrap();
        state.1 = Some(redemption);
        state.2.take().unwrap().wake();
    }
}

#[test]
fn a_handler_waits_for_the_store_of_its_application() {
    for (redemption, refused) in [
        (Redemption::Redeemed, None),
        (Redemption::UsedBefore, Some(StateRefusal::Used)),
        (Redemption::Unavailable, Some(StateRefusal::Unavailable)),
    ] {
        let slow = Slow::default();
        let server = tool(builder(), ask_twice).single_use_state_in(slow.store()).build();
        let mut world = World::modern(&server);
        let first = retry(&world.request("tools/call", &go())[0]);
        assert!(world.request("tools/call", &first).is_empty(), "it waits");
        assert!(world.request("ping", &json!({})).len() == 1, "and nobody else does");
        slow.say(redemption);
        let end = world.drain();
        assert_eq!(end.len(), 1, "{end:?}");
        assert_eq!(refusal(&end[0]), refused, "{end:?}");
        assert_eq!(end[0]["result"]["resultType"] == "input_required", refused.is_none());
        assert_eq!(slow.0.lock().unwrap().0.len(), 1, "it is asked once");
    }
}

#[test]
fn a_request_that_is_cancelled_while_a_store_is_asked_drops_its_handler() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (slow, lives) = (Slow::default(), alive.clone());
    let builder = tool(builder(), move |context| {
        let alive = Alive::new(&lives);
        async move {
            let _alive = alive;
            ask_twice(context).await
        }
    });
    let server = builder.single_use_state_in(slow.store()).build();
    let mut world = World::modern(&server);
    let first = retry(&world.request("tools/call", &go())[0]);
    world.request("tools/call", &first);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    let params = json!({"requestId": world.ids});
    world.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}));
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_store_that_panics_has_said_nothing() {
    let store = |_: Redeem| async { panic!("no store") };
    let server = tool(builder(), ask_twice).single_use_state_in(store).build();
    let mut world = World::modern(&server);
    let first = retry(&world.request("tools/call", &go())[0]);
    assert_eq!(
        refusal(&world.request("tools/call", &first)[0]),
        Some(StateRefusal::Unavailable)
    );
}
