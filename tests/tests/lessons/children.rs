//! Children that stay: codex#12491 counted 1,300 of them, 37 GB in all.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use mcp_driver::Step;
use mcp_driver::child::{ChildLanes, Command, Exit, Process, Signal};
use mcp_proto::Time;
use mcp_proto::client::Mode;
use mcp_proto::handle::Client;
use mcp_proto::handle::Timer;

use crate::config;

/// A child that says nothing, does nothing, and exits for no signal but the last. With it lives a grandchild.
#[derive(Clone, Default)]
struct Stubborn(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    now: Duration,
    waker: Option<Waker>,
    input_closed: Option<Duration>,
    sent: Vec<(Signal, Duration)>,
    is_killed: bool,
}

impl Process for Stubborn {
    type Error = &'static str;

    fn poll_stream(&mut self, _: &mut Context<'_>, step: Step<'_>) -> Poll<Result<usize, &'static str>> {
        let mut seen = self.0.lock().unwrap();
        match step {
            Step::Close => {
                seen.input_closed = Some(seen.now);
                Poll::Ready(Ok(0))
            }
            Step::Write(bytes) => Poll::Ready(Ok(bytes.len())),
            Step::Flush => Poll::Ready(Ok(0)),
            Step::Read(_) => Poll::Pending,
        }
    }

    fn poll_stderr(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<Result<usize, &'static str>> {
        Poll::Pending
    }

    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Result<Exit, &'static str>> {
        let mut seen = self.0.lock().unwrap();
        seen.waker = Some(cx.waker().clone());
        match seen.is_killed {
            true => Poll::Ready(Ok(Exit::new(None, Some(9)))),
            false => Poll::Pending,
        }
    }

    fn has_group(&mut self) -> bool {
        !self.0.lock().unwrap().is_killed
    }

    fn send(&mut self, signal: Signal) {
        let waker = {
            let mut seen = self.0.lock().unwrap();
            let now = seen.now;
            seen.sent.push((signal, now));
            seen.is_killed |= signal == Signal::Kill;
            seen.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Timer for Stubborn {
    fn now(&self) -> Time {
        Time::since_origin(self.0.lock().unwrap().now)
    }

    fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        match deadline.is_some_and(|deadline| deadline <= self.now()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// codex#12491, rust-sdk#1379: nobody asks them to go, or nobody makes them.
#[test]
fn a_child_that_does_not_go_is_made_to() {
    let child = Stubborn::default();
    let (client, pump) = Client::over_stream(config(Mode::Modern));
    let mut lanes = ChildLanes::new(pump, child.clone(), &Command::new("server"));
    drop(client);
    let cx = &mut Context::from_waker(Waker::noop());
    let mut timer = child.clone();
    let exit = (0..100).find_map(|_| {
        let polled = lanes.poll(cx, &mut timer);
        child.0.lock().unwrap().now += Duration::from_millis(100);
        match polled {
            Poll::Ready(exit) => Some(exit.expect("an exit")),
            Poll::Pending => None,
        }
    });
    let exit = exit.expect("an exit, in ten seconds");
    assert_eq!((exit.signal, exit.sent), (Some(9), Some(Signal::Kill)));
    let seen = child.0.lock().unwrap();
    assert!(seen.input_closed.is_some(), "its input has ended first");
    let signals: Vec<_> = seen.sent.iter().map(|(signal, at)| (*signal, at.as_secs())).collect();
    assert_eq!(signals, [(Signal::Terminate, 2), (Signal::Kill, 4)]);
}
