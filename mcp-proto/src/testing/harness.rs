//! A client and a server in one thread, on virtual time.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::network::Rng;
use crate::handle::{Client, ClientBuilder, Crossing, Pump, Server, Timer};
use crate::time::Time;

/// A client and what it talks to, in the thread of the test and on virtual time.
///
/// Time passes only where nothing else can happen: a tool that takes an hour takes none, and a call that times out does so
/// at once. What is waited for outside (other threads, the timers of a runtime) is not seen: time jumps past it. A server
/// that needs them is tested on its runtime.
///
/// ```
/// use std::time::Duration;
///
/// use mcp_proto::handle::{Client, Server};
/// use mcp_proto::testing::Harness;
///
/// let server = Server::builder("silent", "1").tool("wait", "Never ends", || std::future::pending::<String>()).build();
/// let mut harness = Harness::of(&server, Client::builder("test", "1"));
/// let call = harness.client().call_tool("wait", serde_json::json!({}));
/// let error = harness.run(call.timeout(Duration::from_secs(30))).unwrap_err();
/// assert!(error.to_string().contains("30"), "{error}");
/// assert_eq!(harness.passed(), Duration::from_secs(30));
/// ```
pub struct Harness {
    client: Client,
    driving: Option<Pin<Box<dyn Future<Output = ()>>>>,
    clock: Rc<Clock>,
    alarm: Arc<Alarm>,
}

/// What is run waits for what nobody is going to do, or goes round for ever without time passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// How much time had passed.
    pub after: Duration,
}

impl Harness {
    /// A client of this server.
    pub fn new(server: &Server) -> Self {
        Self::of(server, Client::builder("test", "1"))
    }

    /// This client of this server.
    pub fn of(server: &Server, client: impl Into<ClientBuilder>) -> Self {
        Self::against(server.pump(), client)
    }

    /// This client, and whatever is at the other end of its byte stream: a [`Script`](super::Script), a pump of one's own.
    pub fn against(peer: impl Pump + 'static, client: impl Into<ClientBuilder>) -> Self {
        let (client, pump) = Client::over_stream(client);
        let clock = Rc::new(Clock::default());
        let driving = Crossing::new(pump, peer).run(VirtualTimer::new(clock.clone()));
        Self {
            client,
            driving: Some(Box::pin(driving)),
            clock,
            alarm: Arc::new(Alarm(AtomicBool::new(false))),
        }
    }

    /// The client.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// How much time has passed since the beginning.
    pub fn passed(&self) -> Duration {
        self.clock.now().since(Time::ORIGIN)
    }

    /// Runs this until it is ready, with everything that it waits for.
    ///
    /// # Panics
    /// Where it would never end: with [`Stalled`].
    pub fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.try_run(future).unwrap_or_else(|stalled| panic!("{stalled}"))
    }

    /// The same.
    ///
    /// # Errors
    /// [`Stalled`].
    pub fn try_run<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Stalled> {
        let mut future = pin!(future);
        let waker = Waker::from(self.alarm.clone());
        let cx = &mut Context::from_waker(&waker);
        let mut turns = 0;
        // Who wakes itself again and again without time passing hangs as much as who is never woken.
        while turns < TURNS {
            turns += 1;
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                return Ok(value);
            }
            self.drive(cx);
            if self.alarm.was_rung() {
                continue;
            }
            // Nobody has anything to do before the next deadline.
            if !self.clock.jump() {
                break;
            }
            turns = 0;
        }
        Err(Stalled { after: self.passed() })
    }

    /// Lets so much time pass, with all that happens meanwhile.
    ///
    /// # Panics
    /// Where what happens does not come to rest.
    pub fn pass(&mut self, time: Duration) {
        let until = self.clock.now() + time;
        let waker = Waker::from(self.alarm.clone());
        let cx = &mut Context::from_waker(&waker);
        for _ in 0..TURNS {
            self.drive(cx);
            if self.alarm.was_rung() {
                continue;
            }
            if !self.clock.jump_until(until) {
                return;
            }
        }
        panic!("what happens does not come to rest");
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driving) = &mut self.driving
            && driving.as_mut().poll(cx).is_ready()
        {
            self.driving = None;
        }
    }
}

/// How often there may be something to do without time passing before it counts as for ever: as for a [pair](super::pair).
const TURNS: usize = 100_000;

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Harness");
        debug.field("passed", &self.passed()).finish_non_exhaustive()
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after;
        write!(
            f,
            "after {after:?} everybody waits, and nothing is going to happen any more"
        )
    }
}

impl core::error::Error for Stalled {}

/// Whether anybody was woken since it was looked at.
struct Alarm(AtomicBool);

impl Alarm {
    fn was_rung(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// The time, and what it is waited for.
#[derive(Default)]
struct Clock {
    now: Cell<Time>,
    deadline: Cell<Option<Time>>,
}

impl Clock {
    fn now(&self) -> Time {
        self.now.get()
    }

    /// Goes on to the next deadline; `false` where there is none.
    fn jump(&self) -> bool {
        let deadline = self.deadline.take();
        deadline.is_some_and(|deadline| self.go_on(deadline))
    }

    /// Goes on to the next deadline that is not later, and otherwise to the end; `false` where that is reached.
    fn jump_until(&self, end: Time) -> bool {
        match self.deadline.get().filter(|deadline| *deadline <= end) {
            Some(_) => self.jump(),
            None => self.now() < end && self.go_on(end),
        }
    }

    fn go_on(&self, to: Time) -> bool {
        self.now.set(self.now().max(to));
        true
    }
}

/// The timer of whatever drives both.
struct VirtualTimer {
    clock: Rc<Clock>,
    random: RefCell<Rng>,
}

impl VirtualTimer {
    fn new(clock: Rc<Clock>) -> Self {
        let random = RefCell::new(Rng::new(0));
        Self { clock, random }
    }
}

impl Timer for VirtualTimer {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        if deadline.is_some_and(|deadline| deadline <= self.clock.now()) {
            return Poll::Ready(());
        }
        // Whoever moves the time polls it again.
        self.clock.deadline.set(deadline);
        Poll::Pending
    }

    fn random(&self) -> Option<[u8; 32]> {
        let mut random = self.random.borrow_mut();
        Some(core::array::from_fn(|_| random.below(256) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::server::Context as Asking;
    use crate::model::{ElicitResult, ElicitSchema, Json};
    use serde_json::json;

    #[test]
    fn a_deadline_is_reached_at_once() {
        let pending = || core::future::pending::<alloc::string::String>();
        let server = Server::builder("s", "1").tool("wait", "Never ends", pending).build();
        let mut harness = Harness::new(&server);
        let call = harness.client().call_tool("wait", json!({}));
        assert!(harness.run(call).is_err());
        assert_eq!(harness.passed(), Duration::from_secs(60));
    }

    #[test]
    fn what_waits_for_nobody_is_told() {
        let mut harness = Harness::new(&Server::builder("s", "1").build());
        let stalled = harness.try_run(core::future::pending::<()>()).unwrap_err();
        assert!(stalled.to_string().contains("everybody waits"), "{stalled}");
    }

    #[test]
    fn what_goes_round_for_ever_is_told() {
        let mut harness = Harness::new(&Server::builder("s", "1").build());
        let round = core::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(harness.try_run(round).is_err());
    }

    #[test]
    fn rounds_of_input_are_played_through() {
        let ask = async |context: Asking| {
            let answer = context.elicit("Who?", ElicitSchema::default()).await?;
            Ok::<_, crate::handle::server::ToolError>(alloc::format!("{:?}", answer.action))
        };
        let server = Server::builder("s", "1").tool("ask", "Asks", ask).build();
        let client = Client::builder("c", "1");
        let client = client.on_elicit(|_, _| async { Ok(ElicitResult::accept(Json::empty_object())) });
        let mut harness = Harness::of(&server, client);
        let call = harness.client().call_tool("ask", json!({}));
        assert_eq!(harness.run(call).unwrap().to_text(), "Accept");
    }

    #[test]
    fn time_passes_when_it_is_told_to() {
        let mut harness = Harness::new(&Server::builder("s", "1").build());
        harness.pass(Duration::from_secs(3600));
        assert_eq!(harness.passed(), Duration::from_secs(3600));
    }
}
