//! Attempts that were given up, over HTTP: whatever session the server has begun for one is ended.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::handle::Timer;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::handle::sessions::{Connected, Sessions};
use mcp_proto::http::client::{ExchangeId, HttpAction, HttpClientConfig};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{Life, SessionsConfig};
use serde_json::{Value, json};

use super::executor::{Clock, Executor};
use super::world::ms;

/// What a server does with an introduction.
#[derive(Clone, Copy)]
struct Manners {
    /// How long until it answers, and names a session.
    initialize: Duration,
    /// How long until it takes `notifications/initialized`.
    initialized: Duration,
    /// What it answers to that.
    status: u16,
}

#[derive(Default)]
struct Seen {
    introductions: usize,
    deleted: Vec<(Duration, String)>,
    /// How many exchanges were ended by the client.
    aborted: usize,
}

struct Site {
    executor: Executor,
    sessions: Sessions<String>,
    seen: Arc<Mutex<Seen>>,
}

impl Site {
    fn new(manners: Manners, config: SessionsConfig) -> Self {
        let mut executor = Executor::default();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (clock, kept) = (executor.clock.clone(), seen.clone());
        let connect = move |_: &String| {
            let config = ClientConfig::named("host", "1").with_mode(Mode::Legacy(Revision::LATEST_LEGACY));
            let http = HttpClientConfig::new("http://localhost/mcp".parse().unwrap());
            let (client, pump) = Client::over_http(config, &http);
            let connected = Connected::new(client, drive(pump, clock.clone(), manners, kept.clone()));
            async move { Ok(connected) }
        };
        let (sessions, driver) = Sessions::new(config, connect);
        let timer = executor.clock.clone();
        executor.spawn(driver.run(timer));
        Self {
            executor,
            sessions,
            seen,
        }
    }

    /// The sessions that were ended, and when.
    fn deleted(&self) -> Vec<(Duration, String)> {
        self.seen.lock().unwrap().deleted.clone()
    }
}

/// Something that a server says later.
type Later = (Duration, ExchangeId, Response<String>);

/// The driver of a client, and the server behind it.
async fn drive(mut pump: HttpPump, clock: Clock, manners: Manners, seen: Arc<Mutex<Seen>>) {
    let mut later: VecDeque<Later> = VecDeque::new();
    let mut timer = clock.clone();
    poll_fn(|cx| {
        loop {
            let now = Timer::now(&clock);
            while let Poll::Ready(action) = pump.poll_action(cx, now) {
                match action {
                    None => return Poll::Ready(()),
                    Some(HttpAction::Abort(id)) => {
                        seen.lock().unwrap().aborted += 1;
                        later.retain(|(_, other, _)| *other != id);
                    }
                    Some(HttpAction::Open { id, request }) => {
                        let (after, response) = answer(&request, manners, clock.now(), &mut seen.lock().unwrap());
                        later.push_back((clock.now() + after, id, response));
                    }
                }
            }
            if let Some(at) = later.iter().position(|(at, ..)| *at <= clock.now()) {
                let (_, id, response) = later.remove(at).unwrap();
                let (head, body) = response.into_parts();
                pump.head(now, id, &head);
                pump.body(now, id, &Bytes::from(body));
                pump.end(now, id);
                continue;
            }
            if timer.poll(cx, pump.deadline()).is_ready() {
                pump.handle_timeout(Timer::now(&clock));
                continue;
            }
            let next = later.iter().map(|(at, ..)| *at).min();
            match next {
                Some(next) if pin!(clock.sleep(next - clock.now())).poll(cx).is_ready() => {}
                _ => return Poll::Pending,
            }
        }
    })
    .await;
}

/// What comes of a request, and after which time.
fn answer(request: &Request<Bytes>, manners: Manners, now: Duration, seen: &mut Seen) -> (Duration, Response<String>) {
    let status = |status: u16| Response::builder().status(status);
    if request.method() == Method::DELETE {
        let session = request.headers()["mcp-session-id"].to_str().unwrap();
        seen.deleted.push((now, session.to_owned()));
        return (ms(1), status(204).body(String::new()).unwrap());
    }
    if request.method() == Method::GET {
        return (ms(1), status(405).body(String::new()).unwrap());
    }
    let message: Value = serde_json::from_slice(request.body()).unwrap();
    match message["method"].as_str().unwrap() {
        "initialize" => {
            seen.introductions += 1;
            let result = json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "server", "version": "1"},
            });
            let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            let head = status(200)
                .header("content-type", "application/json")
                .header("mcp-session-id", format!("s{}", seen.introductions));
            (manners.initialize, head.body(body.to_string()).unwrap())
        }
        "notifications/initialized" => {
            let head = status(manners.status);
            (manners.initialized, head.body(String::new()).unwrap())
        }
        _ => (ms(1), status(500).body(String::new()).unwrap()),
    }
}

const SLOW: Manners = Manners {
    initialize: ms(500),
    initialized: ms(500),
    status: 202,
};

fn ended(at: u64, session: &str) -> Vec<(Duration, String)> {
    vec![(ms(at), session.to_owned())]
}

#[test]
fn g2_what_the_server_begins_for_callers_that_are_gone_is_ended() {
    // Before the answer, and between the two parts of the handshake.
    for (gone_at, deleted_at) in [(200, 500), (700, 700)] {
        let mut site = Site::new(SLOW, SessionsConfig::default());
        let call = site
            .executor
            .spawn(site.sessions.session("server").call_tool("echo", ()));
        site.executor.run_for(ms(gone_at));
        site.executor.cancel(&call);
        site.executor.run_for(ms(0));
        assert!(site.sessions.is_empty(), "nobody waits for it");
        site.executor.run_for(ms(1_000));
        assert_eq!(site.deleted(), ended(deleted_at, "s1"));
        assert_eq!(site.sessions.life("server"), Life::Absent);
        let counters = site.sessions.counters();
        assert_eq!((counters.abandoned, counters.discarded), (1, 0));
        drop(site.sessions);
        site.executor.run_for(ms(1));
        assert_eq!(site.executor.running(), 0, "nothing is left");
    }
}

#[test]
fn f1_what_the_server_begins_after_the_deadline_is_ended() {
    let mut site = Site::new(SLOW, SessionsConfig::default());
    let session = site.sessions.session("server");
    let call = site.executor.spawn(session.call_tool("echo", ()).timeout(ms(300)));
    site.executor.run_for(ms(1_000));
    let (at, outcome) = call.expect();
    assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
    assert_eq!(
        (at, site.deleted()),
        (ms(300), ended(500, "s1")),
        "the caller does not wait for it"
    );
    // Who comes next has a session of its own meanwhile.
    let next = site.executor.spawn(async move { session.ready().await });
    site.executor.run_for(ms(2_000));
    assert!(next.expect().1.is_ok());
    assert_eq!((site.sessions.len(), site.deleted().len()), (1, 1));
}

#[test]
fn a_session_whose_handshake_fails_is_ended() {
    let manners = Manners {
        initialized: ms(10),
        status: 500,
        ..SLOW
    };
    let mut site = Site::new(manners, SessionsConfig::default());
    let call = site
        .executor
        .spawn(site.sessions.session("server").call_tool("echo", ()));
    site.executor.run_for(ms(1_000));
    let (at, outcome) = call.expect();
    assert_eq!(outcome.unwrap_err().http_status(), Some(500));
    assert_eq!((at, site.deleted()), (ms(510), ended(510, "s1")));
    assert_eq!(site.sessions.life("server"), Life::Absent);
}

#[test]
fn a_server_that_never_answers_is_waited_for_as_long_as_closing_may_take() {
    let manners = Manners {
        initialize: Duration::from_secs(3_600),
        ..SLOW
    };
    let config = SessionsConfig::default().with_close(ms(800));
    let mut site = Site::new(manners, config);
    let call = site
        .executor
        .spawn(site.sessions.session("server").call_tool("echo", ()));
    site.executor.run_for(ms(100));
    site.executor.cancel(&call);
    site.executor.run_for(ms(799));
    assert_eq!(
        (site.sessions.life("server"), site.sessions.counters().discarded),
        (Life::Closing, 0)
    );
    site.executor.run_for(ms(1));
    assert_eq!(
        (site.sessions.life("server"), site.sessions.counters().discarded),
        (Life::Absent, 1)
    );
    drop(site.sessions);
    site.executor.run_for(ms(1));
    assert_eq!(site.executor.running(), 0);
}

#[test]
fn i3_closing_the_pool_ends_what_is_being_begun() {
    let mut site = Site::new(SLOW, SessionsConfig::default());
    let call = site
        .executor
        .spawn(site.sessions.session("server").call_tool("echo", ()));
    site.executor.run_for(ms(200));
    let sessions = site.sessions.clone();
    let close = site.executor.spawn(async move { sessions.close().await });
    site.executor.run_for(ms(1_000));
    assert_eq!(call.expect().0, ms(200));
    assert_eq!((close.expect().0, site.deleted()), (ms(501), ended(500, "s1")));
    assert_eq!(site.seen.lock().unwrap().aborted, 0);
}
