//! How long a peer is waited for that takes nothing: on virtual time where the lanes alone are asked.

use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use mcp_driver::{Failure, Lanes, Step};
use mcp_proto::Time;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::Stream;

use crate::script::{Script, ScriptedPump};
use crate::{Driver, everywhere_at_once};

fn at(seconds: u64) -> Time {
    Time::ORIGIN + Duration::from_secs(seconds)
}

/// Lanes over a stream on a clock of the test's own.
struct Held {
    lanes: Lanes<ScriptedPump, &'static str>,
    /// How many bytes the peer still takes.
    room: usize,
    /// Whether the peer has ended its side.
    is_ended: bool,
    /// How many bytes can be read, one at a time.
    arrived: usize,
}

impl Held {
    fn new(room: usize) -> (Script, Self) {
        let (script, pump) = Script::new();
        let lanes = Lanes::new(pump);
        let (is_ended, arrived) = (false, 0);
        let held = Self {
            lanes,
            room,
            is_ended,
            arrived,
        };
        (script, held)
    }

    fn poll(&mut self, now: Time) -> Poll<Result<(), Failure<&'static str>>> {
        let Self {
            lanes,
            room,
            is_ended,
            arrived,
        } = self;
        let stream = |_: &mut Context<'_>, step: Step<'_>| match step {
            Step::Read(buffer) if *arrived > 0 => {
                *arrived -= 1;
                buffer.extend_from_slice(b"x");
                Poll::Ready(Ok(1))
            }
            Step::Read(_) if *is_ended => Poll::Ready(Ok(0)),
            Step::Write(bytes) if *room > 0 => {
                let written = bytes.len().min(*room);
                *room -= written;
                Poll::Ready(Ok(written))
            }
            Step::Read(_) | Step::Write(_) => Poll::Pending,
            Step::Flush | Step::Close => Poll::Ready(Ok(0)),
        };
        let timer = |_: &mut Context<'_>, deadline: Option<Time>| match deadline {
            Some(deadline) if deadline <= now => Poll::Ready(now),
            _ => Poll::Pending,
        };
        lanes.poll(&mut Context::from_waker(Waker::noop()), now, stream, timer)
    }
}

#[test]
fn a_peer_that_never_takes_the_last_output_is_given_up() {
    let (script, mut held) = Held::new(4);
    script.change(|state| state.output.push_back(Bytes::from_static(&[7; 100])));
    assert!(held.poll(at(0)).is_pending());
    assert!(held.poll(at(600)).is_pending(), "a slow peer is no dead one");
    script.change(|state| {
        state.wants_input = Some(false);
        state.closing = true;
    });
    assert!(held.poll(at(600)).is_pending());
    assert!(held.poll(at(601)).is_pending());
    assert_eq!(held.poll(at(602)), Poll::Ready(Err(Failure::TimedOut)));
    drop(held);
    assert!(script.state().dropped);
}

#[test]
fn a_peer_that_has_ended_its_side_gets_more_time_for_its_answers() {
    let (script, mut held) = Held::new(4);
    script.change(|state| {
        state.close_on_eof = true;
        state.output.push_back(Bytes::from_static(&[7; 100]));
    });
    held.is_ended = true;
    assert!(held.poll(at(0)).is_pending());
    assert!(script.state().ended);
    assert!(held.poll(at(50)).is_pending());
    held.room = 50;
    assert!(held.poll(at(50)).is_pending());
    assert!(held.poll(at(109)).is_pending(), "it has taken something since");
    assert_eq!(held.poll(at(110)), Poll::Ready(Err(Failure::TimedOut)));
}

/// Two seconds of real time.
#[test]
fn a_peer_that_takes_nothing_does_not_hold_up_the_close() {
    everywhere_at_once(async |runtime| {
        let (near, _far) = Stream::pipe(8);
        let config = ClientConfig::named("test", "1").with_mode(Mode::Modern);
        let (client, driver) = runtime.client_over_stream(near, config);
        let mut driver = Driver(driver);
        let own = client.clone();
        let calling = runtime.run(async move { own.list_tools().await });
        assert!(driver.settle().is_none());
        driver.beside(runtime.sleep(Duration::from_millis(20))).await;
        let closing = runtime.run(async move { client.close().await });
        let ended = runtime.within(Duration::from_secs(10), driver.end()).await;
        assert_eq!(
            ended.expect("in time").expect_err("held up").kind(),
            io::ErrorKind::TimedOut
        );
        let outcome = calling.await.expect("no panic");
        assert!(matches!(outcome, Err(CallError::Closed(_))), "{outcome:?}");
        closing.await.expect("no panic");
    });
}

#[test]
fn what_has_arrived_is_read_before_a_deadline_counts_and_a_flood_is_not() {
    let (script, mut held) = Held::new(9);
    script.state().deadline = Some(at(1));
    // The clock has jumped, and what came meanwhile is there at once.
    held.arrived = 40;
    let mut polls = 0;
    while script.state().timeouts.is_empty() {
        let received = script.state().received.len();
        assert!(
            held.poll(at(3600) + Duration::from_millis(received as u64))
                .is_pending()
        );
        polls += 1;
        assert!(polls < 100, "it never counts");
    }
    assert_eq!(script.state().received.len(), 40, "all of it first");
    script.state().timeouts.clear();
    script.state().deadline = Some(at(7200));
    held.arrived = usize::MAX;
    for _ in 0..100 {
        assert!(held.poll(at(7201)).is_pending());
    }
    assert!(
        !script.state().timeouts.is_empty(),
        "a peer that sends without end stops no clock"
    );
}

#[test]
fn a_deadline_that_is_noticed_late_waits_until_the_runtime_has_looked_at_its_sockets() {
    let (script, mut held) = Held::new(9);
    script.state().deadline = Some(at(1));
    assert!(held.poll(at(2)).is_pending());
    assert!(script.state().timeouts.is_empty());
    held.arrived = 1;
    assert!(held.poll(at(2)).is_pending());
    assert_eq!(script.state().received.len(), 1);
    assert!(held.poll(at(2) + Duration::from_millis(2)).is_pending());
    assert_eq!(script.state().timeouts.len(), 1);
    // One that is noticed in time counts at once.
    script.state().deadline = Some(at(5));
    script.state().timeouts.clear();
    assert!(held.poll(at(5)).is_pending());
    assert_eq!(script.state().timeouts.len(), 1);
}
