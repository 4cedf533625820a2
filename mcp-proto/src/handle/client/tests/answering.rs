//! A client that answers, against a scripted server of either era.

use alloc::string::ToString;
use core::future::pending;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use super::*;
use crate::client::Incident;
use crate::handle::client::{AnswerContext, ClientBuilder, ClientHandler, Round};
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::method::MethodName;
use crate::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ElicitationCapability,
    Json, Map, Role, Root, SamplingContent, TextContent,
};

fn builder() -> ClientBuilder {
    Client::builder("test", "1").mode(Mode::Legacy(Revision::V2025_11_25))
}

/// A client that speaks the legacy era with its server already, and what it has declared.
fn legacy(client: ClientBuilder) -> (Client, ClientPump, Value) {
    let (client, pump) = Client::over_stream(client);
    let mut ping = Box::pin(client.request_raw("ping", Params::NONE));
    assert!(poll(ping.as_mut()).is_pending());
    let initialize = written(&pump).remove(0);
    let result = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}});
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": initialize["id"], "result": result}),
    );
    let sent = written(&pump);
    drop(ping);
    written(&pump);
    assert_eq!(sent[0]["method"], "notifications/initialized");
    (client, pump, initialize["params"]["capabilities"].clone())
}

fn modern_with(client: ClientBuilder) -> (Client, ClientPump) {
    Client::over_stream(client.mode(Mode::Modern))
}

fn work(pump: &ClientPump) {
    pump.poll_work(&mut Context::from_waker(Waker::noop()), Time::ORIGIN);
}

fn ask(pump: &ClientPump, id: u32, method: &str, params: Value) {
    answer(
        pump,
        &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
    );
    work(pump);
}

/// What the server is answered.
fn asked(pump: &ClientPump, method: &str, params: Value) -> Value {
    ask(pump, 7, method, params);
    let sent = written(pump);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["id"], 7);
    sent[0].clone()
}

fn form(schema: Value) -> Value {
    json!({"message": "Who?", "requestedSchema": schema})
}

fn name_form() -> Value {
    form(
        json!({"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer", "default": 3}}, "required": ["name"]}),
    )
}

fn accept(content: &str) -> ElicitResult {
    ElicitResult::accept(Json::parse(content).unwrap())
}

fn sampled() -> CreateMessageResult {
    let content = SamplingContent::from(TextContent::new("Paris"));
    CreateMessageResult::new(Role::Assistant, content, "model")
}

fn question() -> Value {
    json!({"messages": [], "maxTokens": 9})
}

#[test]
fn what_is_declared_follows_from_what_is_given() {
    let nothing = builder().capabilities(
        ClientCapabilities::default()
            .with_elicitation(ElicitationCapability::default())
            .with_roots(crate::model::RootsCapability::default()),
    );
    let form = |it: ClientBuilder| it.on_elicit(|_, _| async { Ok(ElicitResult::decline()) });
    let url = |it: ClientBuilder| it.on_elicit_url(|_, _| async { Ok(ElicitResult::decline()) });
    for (client, declared) in [
        (nothing, json!({})),
        (form(builder()), json!({"elicitation": {"form": {}}})),
        (url(builder()), json!({"elicitation": {"url": {}}})),
        (url(form(builder())), json!({"elicitation": {"form": {}, "url": {}}})),
        (
            builder().on_sample(|_, _| async { Ok(sampled()) }),
            json!({"sampling": {}}),
        ),
        (
            builder().on_sample_with_tools(|_, _| async { Ok(sampled()) }),
            json!({"sampling": {"tools": {}}}),
        ),
        (builder().roots([]), json!({"roots": {"listChanged": true}})),
    ] {
        assert_eq!(legacy(client).2, declared);
    }
}

#[test]
fn a_form_is_filled_in_with_its_defaults_and_checked_before_it_leaves() {
    let contents = [r#"{"name":"Ada"}"#, r#"{"name":1}"#, "{}"];
    let next = AtomicUsize::new(0);
    let client = builder().on_elicit(move |request, context| {
        assert_eq!(request.message, "Who?");
        assert_eq!(context.revision(), Revision::V2025_11_25);
        let content = contents[next.fetch_add(1, Ordering::Relaxed)];
        async move { Ok(accept(content)) }
    });
    let (client, pump, _) = legacy(client);
    let mut incidents = client.incidents();
    let good = asked(&pump, "elicitation/create", name_form());
    assert_eq!(
        good["result"],
        json!({"action": "accept", "content": {"name": "Ada", "n": 3}})
    );
    for _ in 0..2 {
        let bad = asked(&pump, "elicitation/create", name_form());
        assert_eq!(bad["error"]["code"], -32603);
        assert!(
            !bad.to_string().contains("name"),
            "what it was is not the server's to know"
        );
        let incident = incidents.poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(
            matches!(incident, Poll::Ready(Some(Incident::UnfitAnswer { .. }))),
            "{incident:?}"
        );
    }
    let broken = asked(&pump, "elicitation/create", json!({"message": 1}));
    assert_eq!(broken["error"]["code"], -32602);
}

#[test]
fn a_url_that_is_not_safe_is_refused_before_anybody_sees_it() {
    let client = builder().on_elicit_url(|request, _| async move {
        assert_eq!(request.url, "https://example.org/");
        Ok(accept(r#"{"secret":1}"#))
    });
    let (_client, pump, _) = legacy(client);
    let visit = |url: &str| json!({"mode": "url", "message": "Go", "url": url, "elicitationId": "e"});
    let good = asked(&pump, "elicitation/create", visit("https://example.org/"));
    assert_eq!(good["result"], json!({"action": "accept"}));
    for url in ["http://example.org/", "javascript:alert(1)", "file:///etc/passwd"] {
        assert_eq!(
            asked(&pump, "elicitation/create", visit(url))["error"]["code"],
            -32602,
            "{url}"
        );
    }
    // 2025-11-25, Elicitation, Error Handling: a mode that was not declared.
    assert_eq!(asked(&pump, "elicitation/create", name_form())["error"]["code"], -32602);
}

#[test]
fn the_end_of_a_visit_is_heard() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = heard.clone();
    let client = builder().on_elicitation_complete(move |id| hearing.lock().unwrap().push(id.to_string()));
    let (_client, pump, declared) = legacy(client);
    assert_eq!(declared, json!({}));
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "method": "notifications/elicitation/complete", "params": {"elicitationId": "e1"}}),
    );
    work(&pump);
    assert_eq!(*heard.lock().unwrap(), ["e1"]);
}

#[test]
fn sampling_with_tools_wants_its_own_capability() {
    let tools = json!({"messages": [], "maxTokens": 9, "tools": [], "toolChoice": {"mode": "auto"}});
    let (_client, pump, _) = legacy(builder().on_sample(|_, _| async { Ok(sampled()) }));
    let plain = asked(&pump, "sampling/createMessage", question());
    assert_eq!(plain["result"]["content"]["text"], "Paris");
    let refused = asked(&pump, "sampling/createMessage", tools.clone());
    assert_eq!(refused["error"]["code"], -32602);
    let (_client, pump, _) = legacy(builder().on_sample_with_tools(|_, _| async { Ok(sampled()) }));
    let taken = asked(&pump, "sampling/createMessage", tools);
    assert_eq!(taken["result"]["model"], "model");
}

#[test]
fn roots_are_listed_and_their_change_is_told() {
    let (client, pump, _) = legacy(builder().roots([Root::new("file:///a")]));
    let uris = |pump: &ClientPump| asked(pump, "roots/list", json!({}))["result"]["roots"][0]["uri"].clone();
    assert_eq!(uris(&pump), "file:///a");
    client.set_roots([Root::new("file:///b")]);
    let told = written(&pump);
    assert_eq!(told[0]["method"], "notifications/roots/list_changed");
    assert_eq!(uris(&pump), "file:///b");
    let (client, pump, _) = legacy(builder());
    client.set_roots([Root::new("file:///b")]);
    assert!(written(&pump).is_empty(), "it was not declared");
    assert_eq!(asked(&pump, "roots/list", json!({}))["error"]["code"], -32601);
}

#[test]
fn a_modern_server_is_not_told_that_roots_have_changed() {
    let (client, pump) = modern_with(builder().roots([]));
    client.set_roots([Root::new("file:///b")]);
    assert!(written(&pump).is_empty());
}

struct Object;

impl ClientHandler for Object {
    fn capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::default().with_elicitation(ElicitationCapability::default())
    }

    async fn elicit(&self, params: ElicitParams, _: AnswerContext) -> Result<ElicitResult, ErrorObject> {
        let ElicitParams::Form(_) = params else {
            panic!("it was not declared")
        };
        Ok(accept(r#"{"name":"x"}"#))
    }

    async fn create_message(
        &self,
        _: CreateMessageParams,
        _: AnswerContext,
    ) -> Result<CreateMessageResult, ErrorObject> {
        panic!("it was not declared")
    }

    async fn request(&self, method: MethodName, _: Option<RawJson>, _: AnswerContext) -> Result<RawJson, ErrorObject> {
        Ok(RawJson::from_serialize(&json!({"method": method.as_str()}))?)
    }
}

#[test]
fn an_object_answers_what_it_declares_and_what_nobody_knows() {
    let (_client, pump, declared) = legacy(builder().handler(Object));
    assert_eq!(declared, json!({"elicitation": {}}));
    assert_eq!(
        asked(&pump, "elicitation/create", name_form())["result"]["action"],
        "accept"
    );
    assert_eq!(asked(&pump, "x/y", json!({}))["result"]["method"], "x/y");
    assert_eq!(
        asked(&pump, "sampling/createMessage", question())["error"]["code"],
        -32601
    );
    assert_eq!(asked(&pump, "roots/list", json!({}))["error"]["code"], -32601);
}

/// Counts how many futures are alive.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client whose user never answers, and how many are asked at present.
fn endless(client: ClientBuilder) -> (ClientBuilder, Arc<AtomicUsize>, Arc<Mutex<Vec<AnswerContext>>>) {
    let (count, contexts) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counting, keeping) = (count.clone(), contexts.clone());
    let client = client.on_elicit(move |_, context| {
        counting.fetch_add(1, Ordering::Relaxed);
        keeping.lock().unwrap().push(context);
        let alive = Alive(counting.clone());
        async move {
            let _alive = alive;
            pending().await
        }
    });
    (client, count, contexts)
}

#[test]
fn a_request_that_is_taken_back_drops_its_future_and_gets_no_answer() {
    let (client, count, contexts) = endless(builder());
    let (_client, pump, _) = legacy(client);
    ask(&pump, 7, "elicitation/create", name_form());
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let context = contexts.lock().unwrap().remove(0);
    let mut cancelled = pin!(context.cancelled());
    assert!(poll(cancelled.as_mut()).is_pending() && !context.is_cancelled());
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}),
    );
    work(&pump);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(poll(cancelled.as_mut()).is_ready());
    assert!(written(&pump).is_empty());
}

#[test]
fn the_last_handle_of_an_application_closes_although_a_user_is_asked() {
    let (client, count, contexts) = endless(builder());
    let (client, pump, _) = legacy(client);
    ask(&pump, 7, "elicitation/create", name_form());
    drop(client);
    work(&pump);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    let late = contexts.lock().unwrap().remove(0).client();
    let mut call = pin!(late.call_tool("x", ()));
    assert!(matches!(
        poll(call.as_mut()),
        Poll::Ready(Err(CallError::Closed(CloseReason::Local)))
    ));
}

#[test]
fn a_panic_answers_for_itself_alone() {
    let client = builder()
        .on_elicit(|_, _| async { panic!("on purpose") })
        .on_sample(|_, _| async { Ok(sampled()) });
    let (_client, pump, _) = legacy(client);
    assert_eq!(asked(&pump, "elicitation/create", name_form())["error"]["code"], -32603);
    assert!(asked(&pump, "sampling/createMessage", question())["error"].is_null());
}

#[test]
fn what_is_asked_at_a_time_is_bounded() {
    let (client, count, _) = endless(builder().limits(Limits::default().with_requests_in_progress(2)));
    let (_client, pump, _) = legacy(client);
    for id in 0..3 {
        ask(&pump, id, "elicitation/create", name_form());
    }
    let refused = written(&pump);
    assert_eq!((refused.len(), &refused[0]["error"]["code"]), (1, &json!(-32603)));
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[test]
fn a_handler_calls_tools_of_the_server_that_asks() {
    let client = builder().on_sample(|_, context| async move {
        let result = context.client().call_tool("inner", ()).await;
        assert!(result.is_ok());
        Ok(sampled())
    });
    let (_client, pump, _) = legacy(client);
    ask(&pump, 7, "sampling/createMessage", question());
    let inner = written(&pump).remove(0);
    assert_eq!(inner["params"]["name"], "inner");
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": inner["id"], "result": {"content": []}}),
    );
    work(&pump);
    assert_eq!(written(&pump)[0]["result"]["model"], "model");
}

/// What a modern server says in place of a result.
fn require(pump: &ClientPump, id: &Value, requests: Value) {
    let result = json!({"resultType": "input_required", "requestState": "s", "inputRequests": requests});
    answer(pump, &json!({"jsonrpc": "2.0", "id": id, "result": result}));
    work(pump);
}

fn elicit() -> Value {
    json!({"method": "elicitation/create", "params": name_form()})
}

#[test]
fn the_same_closures_give_the_input_of_modern_calls() {
    let client = builder()
        .on_elicit(|_, context| async move {
            assert!(context.related().is_some());
            Ok(accept(r#"{"name":"Ada"}"#))
        })
        .on_sample(|_, _| async { Ok(sampled()) })
        .roots([Root::new("file:///a")]);
    let (client, pump) = modern_with(client);
    let mut call = pin!(client.call_tool("x", json!({"a": 1})));
    assert!(poll(call.as_mut()).is_pending());
    let first = written(&pump).remove(0);
    let declared = &first["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(declared["elicitation"], json!({"form": {}}));
    let sample = json!({"method": "sampling/createMessage", "params": question()});
    require(
        &pump,
        &first["id"],
        json!({"who": elicit(), "what": sample, "where": {"method": "roots/list"}}),
    );
    let second = written(&pump).remove(0);
    let inputs = &second["params"]["inputResponses"];
    assert_eq!(inputs["who"]["content"]["name"], "Ada");
    assert_eq!(inputs["what"]["model"], "model");
    assert_eq!(inputs["where"]["roots"][0]["uri"], "file:///a");
    assert_eq!(second["params"]["requestState"], "s");
    assert_eq!(second["params"]["arguments"], json!({"a": 1}));
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": second["id"], "result": {"resultType": "complete", "content": []}}),
    );
    assert!(matches!(poll(call.as_mut()), Poll::Ready(Ok(_))));
}

#[test]
fn an_input_that_nobody_gives_fails_the_call_and_names_it() {
    let (with, without) = (builder().roots([]), builder());
    for client in [with, without] {
        let (client, pump) = modern_with(client);
        let mut call = pin!(client.call_tool("x", ()));
        assert!(poll(call.as_mut()).is_pending());
        let first = written(&pump).remove(0);
        require(&pump, &first["id"], json!({"who": elicit()}));
        let Poll::Ready(Err(CallError::Input(failure))) = poll(call.as_mut()) else {
            panic!("it cannot be given")
        };
        assert_eq!((&*failure.key, &*failure.method), ("who", "elicitation/create"));
        assert_eq!(failure.error.code.0, -32601);
        assert!(written(&pump).is_empty());
    }
}

#[test]
fn one_input_that_fails_drops_the_others() {
    let (client, count, _) = endless(builder());
    let client = client.on_sample(|_, _| async { Err(ErrorObject::new(crate::jsonrpc::ErrorCode(-1), "no")) });
    let (client, pump) = modern_with(client);
    let mut call = pin!(client.call_tool("x", ()));
    assert!(poll(call.as_mut()).is_pending());
    let first = written(&pump).remove(0);
    let sample = json!({"method": "sampling/createMessage", "params": question()});
    require(&pump, &first["id"], json!({"who": elicit(), "what": sample}));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    let polled = poll(call.as_mut());
    assert!(matches!(polled, Poll::Ready(Err(CallError::Input(it))) if &*it.key == "what"));
}

#[test]
fn a_call_that_is_dropped_or_late_drops_those_who_gather_its_input() {
    for is_late in [false, true] {
        let (client, count, _) = endless(builder());
        let (client, pump) = modern_with(client);
        let mut call = Box::pin(client.call_tool("x", ()));
        let mut other = pin!(client.call_tool("y", ()));
        assert!(poll(call.as_mut()).is_pending() && poll(other.as_mut()).is_pending());
        for sent in written(&pump) {
            require(&pump, &sent["id"], json!({"who": elicit()}));
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
        if is_late {
            pump.handle_timeout(at(601));
            let late = poll(call.as_mut());
            assert!(matches!(
                late,
                Poll::Ready(Err(CallError::Timeout {
                    phase: Phase::Input,
                    ..
                }))
            ));
        }
        drop(call);
        work(&pump);
        assert_eq!(
            count.load(Ordering::Relaxed),
            usize::from(!is_late),
            "the other one's goes on"
        );
        assert!(written(&pump).is_empty(), "the server waits for nothing");
    }
}

#[test]
fn each_round_by_hand() {
    let (client, pump) = modern_with(builder());
    let mut call = Box::pin(client.call_tool("x", json!({"a": 1})).by_round());
    assert!(poll(call.as_mut()).is_pending());
    let first = written(&pump).remove(0);
    require(&pump, &first["id"], json!({"who": elicit()}));
    let Poll::Ready(Ok(Round::InputRequired(required))) = poll(call.as_mut()) else {
        panic!("it needs input")
    };
    let inputs: Map<Json> = [("who", Json::parse(r#"{"action":"decline"}"#).unwrap())]
        .into_iter()
        .collect();
    let next = client.call_tool("x", json!({"a": 1})).answering(&inputs, &required);
    let mut call = Box::pin(next.by_round());
    assert!(poll(call.as_mut()).is_pending());
    let second = written(&pump).remove(0);
    assert_eq!(second["params"]["requestState"], "s");
    assert_eq!(
        second["params"]["inputResponses"],
        json!({"who": {"action": "decline"}})
    );
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": second["id"], "result": {"content": []}}),
    );
    assert!(matches!(poll(call.as_mut()), Poll::Ready(Ok(Round::Complete(_)))));
}

#[test]
fn a_future_that_is_woken_wakes_the_driver() {
    let gate: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let gating = gate.clone();
    let client = builder().on_sample(move |_, _| {
        let gate = gating.clone();
        core::future::poll_fn(move |cx| {
            let mut gate = gate.lock().unwrap();
            gate.1 = Some(cx.waker().clone());
            match gate.0 {
                true => Poll::Ready(Ok(sampled())),
                false => Poll::Pending,
            }
        })
    });
    let (_client, pump, _) = legacy(client);
    let driver = Arc::new(Count::default());
    let waker = Waker::from(driver.clone());
    let cx = &mut Context::from_waker(&waker);
    answer(
        &pump,
        &json!({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": question()}),
    );
    pump.poll_work(cx, Time::ORIGIN);
    let before = driver.get();
    let waiting = {
        let mut gate = gate.lock().unwrap();
        gate.0 = true;
        gate.1.take().unwrap()
    };
    waiting.wake();
    assert_eq!(driver.get(), before + 1);
    pump.poll_work(cx, Time::ORIGIN);
    assert_eq!(written(&pump)[0]["result"]["model"], "model");
}
