//! A pump that does what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use mcp_proto::Time;
use mcp_proto::handle::Pump;

/// The test's side.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<State>>);

/// The driver's side.
pub(crate) struct ScriptedPump(Script);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) received: Vec<u8>,
    pub(crate) largest: usize,
    pub(crate) ended: bool,
    /// `None`: wait; `Some(false)`: never again.
    pub(crate) wants_input: Option<bool>,
    /// Whether there is room for input once something was sent; nobody is woken for it.
    pub(crate) room_when_sent: bool,
    pub(crate) output: VecDeque<Bytes>,
    /// Whether the pump is done once the output is written.
    pub(crate) closing: bool,
    /// Whether it closes when the input ends.
    pub(crate) close_on_eof: bool,
    /// Whether it sends back what it receives.
    pub(crate) echo: bool,
    pub(crate) deadline: Option<Time>,
    pub(crate) timeouts: Vec<Time>,
    pub(crate) transmitted: usize,
    pub(crate) dropped: bool,
    waker: Option<Waker>,
}

impl Script {
    pub(crate) fn new() -> (Self, ScriptedPump) {
        let script = Self::default();
        script.state().wants_input = Some(true);
        (script.clone(), ScriptedPump(script))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic elsewhere")
    }

    /// Changes something, and wakes the driver.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.state();
            change(&mut state);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    fn keep(&mut self, cx: &Context<'_>) {
        self.waker = Some(cx.waker().clone());
    }
}

impl Pump for ScriptedPump {
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.0.state();
        state.keep(cx);
        state.wants_input.map_or(Poll::Pending, Poll::Ready)
    }

    fn receive(&self, _now: Time, bytes: Bytes) {
        let mut state = self.0.state();
        state.received.extend_from_slice(&bytes);
        state.largest = state.largest.max(bytes.len());
        if state.echo {
            state.output.push_back(bytes);
        }
    }

    fn receive_eof(&self, _now: Time) {
        let mut state = self.0.state();
        assert!(!state.ended, "one end");
        state.ended = true;
        state.closing |= state.close_on_eof;
    }

    fn poll_work(&self, cx: &mut Context<'_>, _now: Time) {
        self.0.state().keep(cx);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, _now: Time) -> Poll<Option<Bytes>> {
        let mut state = self.0.state();
        state.keep(cx);
        match state.output.pop_front() {
            Some(bytes) => {
                state.transmitted += 1;
                if state.room_when_sent {
                    state.wants_input = Some(true);
                }
                Poll::Ready(Some(bytes))
            }
            None if state.closing => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.0.state().deadline
    }

    fn handle_timeout(&self, now: Time) {
        let mut state = self.0.state();
        if state.deadline.is_some_and(|deadline| deadline <= now) {
            state.deadline = None;
            state.timeouts.push(now);
        }
    }
}

impl Drop for ScriptedPump {
    fn drop(&mut self) {
        self.0.state().dropped = true;
    }
}
