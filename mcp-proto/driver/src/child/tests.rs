//! Children that behave and misbehave, on virtual time.

use super::*;
use crate::{Failure, Step};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::{Bytes, BytesMut};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use mcp_proto::Time;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Timer;
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CloseReason};
use std::sync::{Arc, Mutex};

/// A world in which time is moved by hand. Everyone is polled each time, so that nobody keeps a waker.
#[derive(Clone, Default)]
struct World(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    /// What the timer was set to last.
    deadline: Option<Duration>,
    /// What the child has written, and whether that is all.
    output: VecDeque<Bytes>,
    output_ended: bool,
    errors: VecDeque<Bytes>,
    errors_ended: bool,
    input: Vec<u8>,
    unread: Option<usize>,
    /// The child takes no input.
    is_stuck: bool,
    input_closed: bool,
    /// When it exits.
    exit: Option<(Duration, Exit)>,
    group: bool,
    sent: Vec<(Signal, Duration)>,
    /// What it does when it is asked to terminate.
    obeys: bool,
    wakers: Vec<Waker>,
}

impl World {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    /// Moves time, and wakes everyone.
    fn advance(&self, to: Duration) {
        let wakers = self.with(|state| {
            state.now = state.now.max(to);
            core::mem::take(&mut state.wakers)
        });
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Timer for World {
    fn now(&self) -> Time {
        Time::since_origin(self.with(|state| state.now))
    }

    fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        self.with(|state| {
            state.deadline = deadline.map(Time::elapsed);
            match state.deadline.is_some_and(|deadline| deadline <= state.now) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }
}

impl Process for World {
    type Error = &'static str;

    fn poll_stream(&mut self, cx: &mut Context<'_>, step: Step<'_>) -> Poll<Result<usize, Self::Error>> {
        self.with(|state| {
            state.wakers.push(cx.waker().clone());
            match step {
                Step::Read(buffer) => next(&mut state.output, state.output_ended, buffer),
                Step::Write(_) if state.is_stuck => Poll::Pending,
                Step::Write(bytes) => {
                    state.input.extend_from_slice(bytes);
                    Poll::Ready(Ok(bytes.len()))
                }
                Step::Flush => Poll::Ready(Ok(0)),
                Step::Close => {
                    state.input_closed = true;
                    Poll::Ready(Ok(0))
                }
            }
        })
    }

    fn poll_stderr(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Result<usize, Self::Error>> {
        self.with(|state| {
            state.wakers.push(cx.waker().clone());
            next(&mut state.errors, state.errors_ended, buffer)
        })
    }

    fn unread(&mut self) -> Option<usize> {
        self.with(|state| state.unread)
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Result<Exit, Self::Error>> {
        self.with(|state| {
            state.wakers.push(cx.waker().clone());
            match state.exit {
                Some((at, exit)) if at <= state.now => Poll::Ready(Ok(exit)),
                _ => Poll::Pending,
            }
        })
    }

    fn has_group(&mut self) -> bool {
        self.with(|state| state.group)
    }

    fn send(&mut self, signal: Signal) {
        self.with(|state| {
            state.sent.push((signal, state.now));
            if signal == Signal::Kill || state.obeys {
                state.group = false;
                let number = if signal == Signal::Kill { 9 } else { 15 };
                state.exit.get_or_insert((state.now, Exit::new(None, Some(number))));
                state.output_ended = true;
                state.errors_ended = true;
            }
        });
        self.advance(Duration::ZERO);
    }
}

fn next(queue: &mut VecDeque<Bytes>, ended: bool, buffer: &mut BytesMut) -> Poll<Result<usize, &'static str>> {
    match queue.pop_front() {
        Some(bytes) => {
            buffer.clear();
            buffer.extend_from_slice(&bytes);
            // Some drivers leave the room that they have made.
            buffer.extend_from_slice(b"room");
            Poll::Ready(Ok(bytes.len()))
        }
        None if ended => Poll::Ready(Ok(0)),
        None => Poll::Pending,
    }
}

/// A client, the driver of its child, and the world around.
struct Scene {
    world: World,
    client: Option<Client>,
    lanes: ChildLanes<mcp_proto::handle::client::ClientPump, World>,
}

type Outcome = Result<Exit, Failure<&'static str>>;

impl Scene {
    fn new(command: &Command) -> Self {
        let world = World::default();
        let config = ClientConfig::named("test", "1").with_mode(mcp_proto::client::Mode::Modern);
        let (client, pump) = Client::over_stream(config);
        let lanes = ChildLanes::new(pump, world.clone(), command);
        let client = Some(client);
        Self { world, client, lanes }
    }

    fn plain() -> Self {
        Self::new(&Command::new("server"))
    }

    fn poll(&mut self) -> Poll<Outcome> {
        let now = self.world.with(|state| state.now);
        self.world.advance(now);
        let mut cx = Context::from_waker(Waker::noop());
        // A driver that wakes itself without end would never be quiet.
        for _ in 0..10 {
            if let Poll::Ready(outcome) = self.lanes.poll(&mut cx, &mut self.world.clone()) {
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    }

    /// Drives on virtual time until the end, within a minute.
    fn run(&mut self) -> (Outcome, Duration) {
        loop {
            if let Poll::Ready(outcome) = self.poll() {
                return (outcome, self.world.with(|state| state.now));
            }
            let exit = self
                .world
                .with(|state| state.exit.map(|(at, _)| at).filter(|at| *at > state.now));
            let next = self.world.with(|state| state.deadline).into_iter().chain(exit).min();
            let next = next.expect("nothing would ever happen");
            assert!(next < Duration::from_secs(60), "{next:?}");
            self.world.advance(next);
        }
    }

    /// Begins a call.
    fn call(&self) -> Pin<Box<dyn Future<Output = Result<mcp_proto::jsonrpc::RawJson, CallError>>>> {
        let client = self.client.as_ref().unwrap();
        let mut call = Box::pin(client.request_raw("test/echo", Params::default()).into_future());
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        call
    }
}

fn outcome<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Why a call has ended with its connection.
fn why<T: core::fmt::Debug, F: Future<Output = Result<T, CallError>> + ?Sized>(call: &mut Pin<Box<F>>) -> String {
    match outcome(call) {
        Poll::Ready(Err(CallError::Closed(reason))) => alloc::format!("{reason}"),
        other => panic!("{other:?}"),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fine() -> Exit {
    Exit::new(Some(0), None)
}

#[test]
fn the_last_handle_closes_the_input_and_a_good_child_exits() {
    let mut scene = Scene::plain();
    assert!(scene.poll().is_pending());
    assert!(!scene.world.with(|state| state.input_closed));
    scene.client = None;
    scene.world.with(|state| state.exit = Some((seconds(1), fine())));
    assert_eq!(scene.run(), (Ok(fine()), seconds(1)));
    assert!(scene.world.with(|state| state.input_closed && state.sent.is_empty()));
}

#[test]
fn a_child_that_ignores_the_end_of_its_input_is_asked_and_one_that_ignores_that_is_killed() {
    for obeys in [true, false] {
        let mut scene = Scene::plain();
        scene.world.with(|state| state.obeys = obeys);
        scene.client = None;
        let (exit, at) = scene.run();
        let exit = exit.unwrap();
        let terminate = (Signal::Terminate, seconds(2));
        let sent = scene.world.with(|state| state.sent.clone());
        if obeys {
            assert_eq!(
                (exit.signal, exit.sent, at),
                (Some(15), Some(Signal::Terminate), seconds(2))
            );
            assert_eq!(sent, [terminate]);
        } else {
            assert_eq!((exit.signal, exit.sent, at), (Some(9), Some(Signal::Kill), seconds(4)));
            assert_eq!(sent, [terminate, (Signal::Kill, seconds(4))]);
        }
    }
}

#[test]
fn the_times_are_those_of_the_command() {
    let command = Command::new("x").exit_after(seconds(10)).kill_after(Duration::ZERO);
    let mut scene = Scene::new(&command);
    scene.client = None;
    assert_eq!(scene.run().1, seconds(10));
}

#[test]
fn a_child_that_takes_no_input_does_not_hold_up_the_shutdown() {
    let mut scene = Scene::plain();
    let _call = scene.call();
    scene.world.with(|state| state.is_stuck = true);
    assert!(scene.poll().is_pending());
    scene.client = None;
    drop(_call);
    assert!(scene.run().1 <= seconds(8));
    assert_eq!(scene.world.with(|state| state.sent.len()), 2);
}

#[test]
fn calls_end_when_the_child_exits_though_others_hold_its_pipes() {
    let exits = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&exits);
    let mut scene = Scene::new(&Command::new("x").on_exit(move |exit| seen.lock().unwrap().push(*exit)));
    let mut call = scene.call();
    assert!(scene.poll().is_pending());
    let exit = Exit::new(Some(3), None);
    scene.world.with(|state| {
        state.exit = Some((seconds(5), exit));
        state.group = true;
        state.obeys = true;
    });
    let (exited, at) = scene.run();
    assert_eq!(exited, Ok(exit));
    assert_eq!(why(&mut call), "the server exited with status 3 before it answered");
    assert_eq!(exits.lock().unwrap().as_slice(), [exit]);
    // What it had left behind was given as much time.
    let asked = seconds(7) + Duration::from_millis(100);
    assert_eq!(
        scene.world.with(|state| state.sent.clone()),
        [(Signal::Terminate, asked)]
    );
    assert!(at - asked <= Duration::from_millis(20));
}

#[test]
fn what_a_child_said_before_it_exited_is_received() {
    let mut scene = Scene::plain();
    let mut call = scene.call();
    assert!(scene.poll().is_pending());
    scene.world.with(|state| {
        let request: serde_json::Value = serde_json::from_slice(&state.input).unwrap();
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": request["id"], "result": {"resultType": "complete"}});
        let answer = alloc::format!("{answer}\n").into_bytes();
        state.output = answer.chunks(7).map(Bytes::copy_from_slice).collect();
        state.exit = Some((Duration::ZERO, fine()));
    });
    assert_eq!(scene.run().0, Ok(fine()));
    assert!(matches!(outcome(&mut call), Poll::Ready(Ok(_))));
}

#[test]
fn a_child_that_ends_its_output_is_shut_down() {
    let mut scene = Scene::plain();
    let mut call = scene.call();
    scene
        .world
        .with(|state| (state.output_ended, state.obeys, state.is_stuck) = (true, true, true));
    // It might have exited with it.
    assert_eq!(scene.run().1, seconds(2) + Duration::from_millis(100));
    assert_eq!(
        outcome(&mut call),
        Poll::Ready(Err(CallError::Closed(CloseReason::Peer)))
    );
}

/// What the caller learns does not depend on which of the three is seen first: the end of the output, that of standard
/// error, or the exit.
#[test]
fn a_call_says_how_the_server_ended_and_what_it_said_last() {
    let exit = Exit::new(Some(1), None);
    for order in 0..6 {
        let mut scene = Scene::new(&Command::new("x").stderr(Stderr::lines(|_| {})));
        let mut call = scene.call();
        assert!(scene.poll().is_pending());
        let output = |state: &mut State| state.output_ended = true;
        let errors = |state: &mut State| {
            state.errors.push_back(Bytes::from_static(b"no such table\n"));
            state.errors_ended = true;
        };
        let exits = |state: &mut State| state.exit = Some((state.now, exit));
        let steps: [&dyn Fn(&mut State); 3] = match order {
            0 => [&output, &errors, &exits],
            1 => [&output, &exits, &errors],
            2 => [&errors, &output, &exits],
            3 => [&errors, &exits, &output],
            4 => [&exits, &output, &errors],
            _ => [&exits, &errors, &output],
        };
        for step in steps {
            assert!(outcome(&mut call).is_pending(), "{order}");
            scene.world.with(step);
            let _ = scene.poll();
        }
        assert_eq!(
            why(&mut call),
            "the server exited with status 1 before it answered; its last output was \"no such table\"",
            "{order}"
        );
    }
}

#[test]
fn what_a_child_said_on_its_output_without_an_end_of_line_is_its_last_output() {
    let mut scene = Scene::plain();
    let mut call = scene.call();
    scene.world.with(|state| {
        state.output.push_back(Bytes::from_static(b"usage: server FILE"));
        state.output_ended = true;
        state.exit = Some((Duration::ZERO, Exit::new(Some(2), None)));
    });
    let _ = scene.run();
    let said = "the server exited with status 2 before it answered; its last output was \"usage: server FILE\"";
    assert_eq!(why(&mut call), said);
}

#[test]
fn a_child_that_died_without_having_read_the_question_is_not_started_again() {
    for (unread, starts) in [(Some(0), 1), (Some(90), 0), (None, 1)] {
        let world = World::default();
        let config = ClientConfig::named("test", "1").with_mode(mcp_proto::client::Mode::Auto);
        let (client, pump) = Client::over_stream(config);
        // Each that is started again exits as well.
        static STARTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        STARTED.store(0, std::sync::atomic::Ordering::Relaxed);
        let again = |_: &Command| {
            STARTED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let world = World::default();
            world.with(|state| (state.output_ended, state.exit) = (true, Some((Duration::ZERO, fine()))));
            Ok(world)
        };
        let command = Command::new("server");
        let lanes = ChildLanes::new(pump, world.clone(), &command).with_restart(command, again);
        let client = Some(client);
        let mut scene = Scene { world, client, lanes };
        let mut call = scene.call();
        assert!(scene.poll().is_pending());
        scene.world.with(|state| {
            state.unread = unread;
            state.output_ended = true;
            state.exit = Some((Duration::ZERO, Exit::new(Some(1), None)));
        });
        let _ = scene.poll();
        let _ = scene.run();
        assert_eq!(STARTED.load(std::sync::atomic::Ordering::Relaxed), starts, "{unread:?}");
        let status = 1 - starts;
        assert_eq!(
            why(&mut call),
            alloc::format!("the server exited with status {status} before it answered")
        );
    }
}

#[test]
fn the_output_of_a_child_that_shuts_down_is_read_so_that_it_can() {
    let mut scene = Scene::plain();
    scene.client = None;
    assert!(scene.poll().is_pending());
    for _ in 0..100 {
        scene
            .world
            .with(|state| state.output.push_back(Bytes::from_static(&[b'x'; 1000])));
        let _ = scene.poll();
        assert!(scene.world.with(|state| state.output.is_empty()));
    }
}

#[test]
fn standard_error_is_captured_to_the_last_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let stderr = Stderr::lines(move |line| seen.lock().unwrap().push(String::from(line)));
    let mut scene = Scene::new(&Command::new("x").stderr(stderr));
    scene
        .world
        .with(|state| state.errors.push_back(Bytes::from_static(b"one\ntw")));
    assert!(scene.poll().is_pending());
    assert_eq!(lines.lock().unwrap().as_slice(), ["one"]);
    scene.world.with(|state| {
        state.exit = Some((seconds(1), fine()));
        state.output_ended = true;
        state.errors.push_back(Bytes::from_static(b"o\nthree"));
    });
    // Someone else holds on to the pipe, so that it never ends.
    let (exit, at) = scene.run();
    assert_eq!(exit, Ok(fine()));
    assert!(at <= seconds(1) + Duration::from_millis(100), "{at:?}");
    assert_eq!(lines.lock().unwrap().as_slice(), ["one", "two", "three"]);
}

#[test]
fn dropping_the_driver_kills_the_group_and_only_where_there_may_be_one() {
    let mut scene = Scene::plain();
    let mut call = scene.call();
    assert!(scene.poll().is_pending());
    let world = scene.world.clone();
    drop(scene.lanes);
    assert_eq!(world.with(|state| state.sent.clone()), [(Signal::Kill, Duration::ZERO)]);
    assert_eq!(
        outcome(&mut call),
        Poll::Ready(Err(CallError::Closed(CloseReason::DriverDropped)))
    );

    let mut scene = Scene::plain();
    scene.client = None;
    scene.world.with(|state| state.exit = Some((Duration::ZERO, fine())));
    assert_eq!(scene.run().0, Ok(fine()));
    let world = scene.world.clone();
    drop(scene.lanes);
    assert!(
        world.with(|state| state.sent.is_empty()),
        "the number may be another's by now"
    );
}

#[test]
fn a_server_in_the_same_process_is_no_child() {
    // The pump of a server is as good as that of a client.
    let server = Server::builder("x", "1").build();
    let world = World::default();
    world.with(|state| (state.output_ended, state.exit) = (true, Some((Duration::ZERO, fine()))));
    let mut lanes = ChildLanes::new(server.pump(), world.clone(), &Command::new("x"));
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(lanes.poll(&mut cx, &mut world.clone()), Poll::Ready(Ok(fine())));
}
