//! An executor of one thread on a virtual clock: polls what is woken, and where nothing is, time jumps to the next
//! deadline. Nothing sleeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mcp_proto::Time;
use mcp_proto::handle::Timer;

/// The virtual clock. Clones show the same time.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    timers: Vec<(Duration, Waker)>,
}

impl Clock {
    pub(crate) fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn wait(&self, at: Duration, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap();
        if state.now >= at {
            return Poll::Ready(());
        }
        state.timers.push((at, cx.waker().clone()));
        Poll::Pending
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        let at = self.now() + time;
        std::future::poll_fn(|cx| self.wait(at, cx)).await;
    }

    /// Jumps to the next deadline before `limit`, and wakes who waits for it.
    fn jump(&self, limit: Duration) -> bool {
        let mut state = self.0.lock().unwrap();
        let Some(next) = state.timers.iter().map(|(at, _)| *at).min().filter(|at| *at <= limit) else {
            return false;
        };
        state.now = state.now.max(next);
        let (due, later) = std::mem::take(&mut state.timers)
            .into_iter()
            .partition(|(at, _)| *at <= next);
        state.timers = later;
        drop(state);
        let due: Vec<(Duration, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
        true
    }
}

impl Timer for Clock {
    fn now(&self) -> Time {
        Time::since_origin(Clock::now(self))
    }

    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        match deadline {
            Some(deadline) => self.wait(deadline.elapsed(), cx),
            None => Poll::Pending,
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What runs.
#[derive(Default)]
pub(crate) struct Executor {
    pub(crate) clock: Clock,
    tasks: Vec<Option<(Task, Arc<Flag>)>>,
}

/// A task, and what it has come to.
pub(crate) struct Handle<T> {
    index: usize,
    outcome: Arc<Mutex<Option<(Duration, T)>>>,
}

impl<T> Handle<T> {
    /// What it has come to, and when.
    pub(crate) fn take(&self) -> Option<(Duration, T)> {
        self.outcome.lock().unwrap().take()
    }

    pub(crate) fn expect(&self) -> (Duration, T) {
        self.take().expect("the task is over")
    }
}

impl Executor {
    pub(crate) fn spawn<T: 'static>(&mut self, future: impl Future<Output = T> + 'static) -> Handle<T> {
        let outcome = Arc::new(Mutex::new(None));
        let (sink, clock) = (outcome.clone(), self.clock.clone());
        let task = async move {
            let value = future.await;
            *sink.lock().unwrap() = Some((clock.now(), value));
        };
        self.tasks
            .push(Some((Box::pin(task), Arc::new(Flag(AtomicBool::new(true))))));
        let index = self.tasks.len() - 1;
        Handle { index, outcome }
    }

    /// How many tasks are not over.
    pub(crate) fn running(&self) -> usize {
        self.tasks.iter().flatten().count()
    }

    /// Drops a task.
    pub(crate) fn cancel<T>(&mut self, handle: &Handle<T>) {
        self.tasks[handle.index] = None;
    }

    /// Runs for this long.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let limit = self.clock.now() + time;
        loop {
            while self.poll_woken() {}
            if !self.clock.jump(limit) {
                break;
            }
        }
        self.clock.0.lock().unwrap().now = limit;
    }

    fn poll_woken(&mut self) -> bool {
        let mut any = false;
        for slot in &mut self.tasks {
            let Some((task, flag)) = slot else { continue };
            if !flag.0.swap(false, Ordering::SeqCst) {
                continue;
            }
            any = true;
            let waker = Waker::from(flag.clone());
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *slot = None;
            }
        }
        any
    }
}
