use super::*;
use crate::http::{Capacity, HttpSender, Origin, Unanswered};
use alloc::sync::Arc;
use alloc::vec;
use core::future::{pending, poll_fn};
use core::task::Waker;
use http::{Response, Uri, Version};
use http_body::Body as _;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::http::client::HttpClientConfig;
use mcp_proto::jsonrpc::Params;
use mcp_proto::model::Implementation;
use mcp_proto::rpc::{CallError, SendError};
use serde_json::{Value, json};
use std::sync::Mutex;

const IDLE: Duration = Duration::from_secs(10);

/// Servers as a test wants them, and what came of it.
#[derive(Default)]
struct World {
    now: Time,
    expected: usize,
    capacity: usize,
    /// Nobody is answered before so many requests are there.
    gate: usize,
    /// Why no connection is made.
    refusal: Option<&'static str>,
    /// Connections take no time, or do not come to an end.
    never_connects: bool,
    /// The connection with this number gives every request after its first back.
    closes: Option<usize>,
    /// So many requests are refused before one is answered.
    refusals: usize,
    attempts: usize,
    /// How many connections there are, each with how many requests it bore.
    borne: Vec<usize>,
    open: usize,
    requests: usize,
}

type Shared = Arc<Mutex<World>>;

struct Connector(Shared);

struct Sender {
    number: usize,
    world: Shared,
}

impl HttpConnector for Connector {
    type Sender = Sender;

    fn connect(&self, _: &Origin) -> BoxFuture<Result<Connected<Sender>, Box<str>>> {
        let world = self.0.clone();
        let mut state = self.0.lock().unwrap();
        state.attempts += 1;
        if let Some(why) = state.refusal {
            return Box::pin(async move { Err(why.into()) });
        }
        if state.never_connects {
            return Box::pin(pending());
        }
        Box::pin(async move {
            let mut state = world.lock().unwrap();
            let (number, capacity) = (state.borne.len(), Capacity::unknown());
            state.borne.push(0);
            state.open += 1;
            capacity.set(state.capacity);
            drop(state);
            Ok(Connected {
                sender: Sender { number, world },
                connection: Box::pin(pending()),
                version: Version::HTTP_2,
                capacity,
            })
        })
    }

    fn expected_capacity(&self, _: &Origin) -> usize {
        self.0.lock().unwrap().expected
    }
}

impl HttpSender for Sender {
    type Body = Payload;

    fn is_ready(&self) -> bool {
        true
    }

    fn send(&mut self, mut request: Request<Payload>) -> BoxFuture<Result<Response<Payload>, Unanswered>> {
        let (world, number) = (self.world.clone(), self.number);
        let mut state = world.lock().unwrap();
        if state.closes == Some(number) && state.borne[number] > 0 {
            return Box::pin(async { Err(Unanswered::Unsent(Box::new(request), "closed".into())) });
        }
        state.borne[number] += 1;
        state.requests += 1;
        if state.refusals > 0 {
            state.refusals -= 1;
            return Box::pin(async { Err(Unanswered::Refused(Box::new(request), "refused".into())) });
        }
        drop(state);
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(Ok(frame))) = Pin::new(request.body_mut()).poll_frame(&mut cx) else {
            panic!("a body");
        };
        let body: Value = serde_json::from_slice(&frame.into_data().unwrap()).unwrap();
        let result = json!({"resultType": "complete", "n": body["params"]["n"]});
        let answer = json!({"jsonrpc": "2.0", "id": body["id"], "result": result}).to_string();
        Box::pin(poll_fn(move |cx| {
            let state = world.lock().unwrap();
            if state.requests < state.gate {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let response = Response::builder().header("content-type", "application/json");
            Poll::Ready(Ok(response.body(Payload::new(answer.clone().into())).unwrap()))
        }))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.world.lock().unwrap().open -= 1;
    }
}

struct Clock(Shared);

impl Timer for Clock {
    fn now(&self) -> Time {
        self.0.lock().unwrap().now
    }

    fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        match deadline.is_some_and(|at| at <= self.now()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// A client, its driver, and the world around them.
struct Play {
    world: Shared,
    client: Client,
    driver: HttpDriver<Connector, Clock>,
}

type Calling = Pin<Box<dyn Future<Output = Result<u64, CallError>>>>;

impl Play {
    fn new(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let mut config = ClientConfig::new(Implementation::new("test", "1"));
        config.mode = Mode::Modern;
        let endpoint = HttpClientConfig::new(Uri::from_static("https://here:44/mcp"));
        let (client, pump) = Client::over_http(config, &endpoint);
        let driver = HttpDriver::new(pump, Connector(world.clone()), Clock(world.clone()), IDLE);
        Self { world, client, driver }
    }

    fn call(&self, n: u64) -> Calling {
        let client = self.client.clone();
        Box::pin(async move {
            let params = Params::from_serialize(&json!({"n": n})).unwrap();
            let result: Value = client.request_raw("test/echo", params).await?.decode().unwrap();
            Ok(result["n"].as_u64().unwrap())
        })
    }

    /// Goes round a few times. What the calls give.
    fn run<const N: usize>(&mut self, calls: &mut [Calling; N]) -> [Option<Result<u64, CallError>>; N] {
        let mut outcomes = [const { None }; N];
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..4 {
            for (call, outcome) in calls.iter_mut().zip(&mut outcomes) {
                if outcome.is_none() {
                    *outcome = match call.as_mut().poll(&mut cx) {
                        Poll::Ready(value) => Some(value),
                        Poll::Pending => None,
                    };
                }
            }
            assert!(Pin::new(&mut self.driver).poll(&mut cx).is_pending());
        }
        outcomes
    }

    fn outcomes<const N: usize>(&mut self) -> [Option<Result<u64, CallError>>; N] {
        let mut calls = core::array::from_fn(|n| self.call(n as u64));
        self.run(&mut calls)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

#[test]
fn no_request_waits_for_the_end_of_another() {
    for (expected, capacity, connections) in [(1, 1, vec![1; 6]), (100, 4, vec![4, 2]), (4, 100, vec![6, 0])] {
        let mut play = Play::new(World {
            expected,
            capacity,
            gate: 6,
            ..World::default()
        });
        let outcomes = play.outcomes::<6>();
        assert_eq!(outcomes, core::array::from_fn(|n| Some(Ok(n as u64))));
        let mut borne = play.state().borne.clone();
        borne.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(borne, connections, "{expected} {capacity}");
        // They are there for the next.
        assert_eq!(play.outcomes::<6>(), outcomes);
        assert_eq!(play.state().borne.len(), connections.len());
    }
}

#[test]
fn a_call_beyond_the_limit_ends_at_once_and_the_others_do_not_notice() {
    let mut play = Play::new(World {
        expected: 1,
        capacity: 1,
        gate: 3,
        ..World::default()
    });
    play.driver.pool.limit(Some(2));
    let mut calls = core::array::from_fn::<_, 2, _>(|n| play.call(n as u64));
    assert_eq!(play.run(&mut calls), [None, None]);
    let refused = || Some(Err(CallError::Refused(SendError::TooManyConnections)));
    assert_eq!(play.outcomes::<3>(), [refused(), refused(), refused()]);
    assert!(play.driver.exchanges.len() == 2 && play.state().attempts == 2);
    play.state().gate = 0;
    assert_eq!(play.run(&mut calls), [Some(Ok(0)), Some(Ok(1))]);
    assert_eq!(play.outcomes::<2>(), [Some(Ok(0)), Some(Ok(1))]);
    assert_eq!(play.state().attempts, 2);
}

#[test]
fn a_failed_attempt_is_told_to_all_who_relied_on_it() {
    let mut play = Play::new(World {
        expected: 100,
        refusal: Some("refused"),
        ..World::default()
    });
    let told = || Some(Err(CallError::Unreachable("here:44: refused".into())));
    assert_eq!(play.outcomes::<3>(), [told(), told(), told()]);
    assert_eq!(play.state().attempts, 1);
}

#[test]
fn a_request_that_comes_back_goes_out_once_more_on_another_connection() {
    let mut play = Play::new(World {
        expected: 1,
        capacity: 1,
        closes: Some(0),
        ..World::default()
    });
    assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
    // The sender claims to be ready as ever: that the server has closed is seen too late.
    assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
    assert_eq!(play.state().borne, [1, 1]);
    assert_eq!(play.state().open, 1);
}

#[test]
fn a_request_that_is_refused_goes_out_once_more_and_not_twice() {
    for (refusals, outcome) in [(1, Ok(0)), (2, Err(CallError::Unreachable("refused".into())))] {
        // The first connection is made for it, or was there before.
        for is_fresh in [true, false] {
            let mut play = Play::new(World {
                expected: 1,
                capacity: 1,
                ..World::default()
            });
            if !is_fresh {
                assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
            }
            play.state().refusals = refusals;
            assert_eq!(play.outcomes::<1>(), [Some(outcome.clone())]);
            let state = play.state();
            let before = usize::from(!is_fresh);
            assert_eq!((state.requests, state.attempts), (before + 2, 2));
            assert_eq!(state.open, 2 - refusals, "what refuses is left");
        }
    }
}

#[test]
fn a_dropped_call_that_waits_leaves_its_connection_to_others() {
    let mut play = Play::new(World {
        expected: 1,
        capacity: 1,
        never_connects: true,
        ..World::default()
    });
    let mut calls = [play.call(0)];
    assert_eq!(play.run(&mut calls), [None]);
    drop(calls);
    assert_eq!(play.outcomes::<0>(), []);
    // The attempt that is under way bears the next.
    assert_eq!(play.outcomes::<1>(), [None]);
    let state = play.state();
    assert_eq!((state.attempts, state.requests), (1, 0));
}

#[test]
fn connections_without_a_request_are_dropped_in_time() {
    let mut play = Play::new(World {
        expected: 1,
        capacity: 2,
        ..World::default()
    });
    assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
    assert_eq!(play.state().open, 1);
    play.state().now = Time::ORIGIN + IDLE;
    play.outcomes::<0>();
    assert_eq!(play.state().open, 0);
    assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
    assert_eq!(play.state().borne, [1, 1]);
}

#[test]
fn dropping_the_driver_drops_its_connections() {
    let mut play = Play::new(World {
        expected: 1,
        capacity: 1,
        ..World::default()
    });
    assert_eq!(play.outcomes::<1>(), [Some(Ok(0))]);
    let Play { world, driver, .. } = play;
    drop(driver);
    assert_eq!(world.lock().unwrap().open, 0);
}
