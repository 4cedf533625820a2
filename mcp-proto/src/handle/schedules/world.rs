//! What the models run in: threads of the checker, futures that block them, and pipes between drivers.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use bytes::Bytes;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread::{JoinHandle, spawn};
use shuttle::{Config, MaxSteps, Runner};

use crate::client::{ClientConfig, Mode};
use crate::handle::sync::held;
use crate::handle::{Client, Pump, Server, Timer};
use crate::jsonrpc::RawJson;
use crate::model::{Json, Tool};
use crate::time::Time;

/// How many schedules of each model are tried, where `SCHEDULES` does not say it.
const SCHEDULES: usize = 60;

/// How often the highest thread changes, in half of the schedules: most of what threads can do to each other takes few.
const CHANGES: usize = 3;

/// Tries `model` in many schedules, half of them at random and half with few changes of threads. No time passes in it:
/// whoever waits for what nobody brings hangs, and the checker says so.
pub(super) fn check(model: impl Fn() + Send + Sync + 'static) {
    let asked = std::env::var("SCHEDULES").ok().and_then(|number| number.parse().ok());
    let half = asked.unwrap_or(SCHEDULES).div_ceil(2);
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    let model = Arc::new(model);
    let again = Arc::clone(&model);
    Runner::new(RandomScheduler::new(half), config.clone()).run(move || again());
    Runner::new(PctScheduler::new(CHANGES, half), config).run(move || model());
}

/// Wakes a thread, under none of our locks, and is never dropped under one.
struct Alarm {
    rings: Mutex<bool>,
    rung: Condvar,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        assert_eq!(held(), 0, "woken under a lock");
        *self.rings.lock().unwrap() = true;
        self.rung.notify_one();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // What a task holds goes with its last waker.
        assert!(std::thread::panicking() || held() == 0, "dropped under a lock");
    }
}

/// Blocks the thread until the future is ready. It is polled when it was woken and at no other time.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // A waker of its own for each poll: whoever keeps an old one wakes nobody.
        let alarm = Arc::new(Alarm {
            rings: Mutex::new(false),
            rung: Condvar::new(),
        });
        let waker = Waker::from(Arc::clone(&alarm));
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        // With what was kept of it the last one goes, wherever that is.
        drop(waker);
        let mut rings = alarm.rings.lock().unwrap();
        while !*rings {
            rings = alarm.rung.wait(rings).unwrap();
        }
    }
}

/// Polls the future once, and drops it.
pub(super) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    block_on(poll_fn(|cx| {
        let polled = future.take().map(|mut future| future.as_mut().poll(cx));
        match polled {
            Some(Poll::Ready(value)) => Poll::Ready(Some(value)),
            _ => Poll::Ready(None),
        }
    }))
}

/// A thread that runs a future.
pub(super) fn run<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    spawn(move || block_on(future))
}

/// No time passes.
pub(super) struct NoTime;

impl Timer for NoTime {
    fn now(&self) -> Time {
        Time::ORIGIN
    }

    fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> {
        Poll::Pending
    }
}

/// One direction between two drivers, with room for one piece.
#[derive(Default)]
pub(super) struct Pipe(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    pieces: VecDeque<Bytes>,
    has_ended: bool,
    is_ignored: bool,
    wakers: [Option<Waker>; 2],
}

impl Pipe {
    fn poll_read(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut inside = self.0.lock().unwrap();
        let piece = inside.pieces.pop_front();
        if piece.is_none() && !inside.has_ended {
            inside.wakers[0] = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let writer = inside.wakers[1].take();
        drop(inside);
        writer.into_iter().for_each(Waker::wake);
        Poll::Ready(piece)
    }

    fn poll_write(&self, cx: &Context<'_>, piece: &Bytes) -> Poll<()> {
        let mut inside = self.0.lock().unwrap();
        if !inside.pieces.is_empty() && !inside.is_ignored {
            inside.wakers[1] = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !inside.is_ignored {
            inside.pieces.push_back(piece.clone());
        }
        let reader = inside.wakers[0].take();
        drop(inside);
        reader.into_iter().for_each(Waker::wake);
        Poll::Ready(())
    }

    fn change(&self, change: impl FnOnce(&mut Inside)) {
        let mut inside = self.0.lock().unwrap();
        change(&mut inside);
        let wakers = core::mem::take(&mut inside.wakers);
        drop(inside);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Drives a pump over two pipes, as an adapter does.
pub(super) async fn drive(pump: impl Pump, input: Arc<Pipe>, output: Arc<Pipe>) {
    let now = Time::ORIGIN;
    let pipes = Pipes { input, output };
    let (mut reading, mut piece) = (true, None);
    poll_fn(move |cx| {
        loop {
            let mut moved = false;
            if reading {
                match pump.poll_wants_input(cx) {
                    Poll::Ready(true) => match pipes.input.poll_read(cx) {
                        Poll::Ready(Some(bytes)) => {
                            pump.receive(now, bytes);
                            moved = true;
                        }
                        Poll::Ready(None) => {
                            pump.receive_eof(now);
                            (reading, moved) = (false, true);
                        }
                        Poll::Pending => {}
                    },
                    Poll::Ready(false) => (reading, moved) = (false, true),
                    Poll::Pending => {}
                }
            }
            pump.poll_work(cx, now);
            if piece.is_none() {
                match pump.poll_transmit(cx, now) {
                    Poll::Ready(Some(bytes)) => piece = Some(bytes),
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            if let Some(bytes) = &piece
                && pipes.output.poll_write(cx, bytes).is_ready()
            {
                (piece, moved) = (None, true);
            }
            if !moved {
                return Poll::Pending;
            }
        }
    })
    .await;
}

/// The pipes of a driver, which are closed when it is done or dropped.
struct Pipes {
    input: Arc<Pipe>,
    output: Arc<Pipe>,
}

impl Drop for Pipes {
    fn drop(&mut self) {
        self.output.change(|inside| inside.has_ended = true);
        self.input.change(|inside| inside.is_ignored = true);
    }
}

/// Sets two pumps face to face, each driven by a thread of its own.
pub(super) fn connect(left: impl Pump + Send + 'static, right: impl Pump + Send + 'static) -> [JoinHandle<()>; 2] {
    let [there, back]: [Arc<Pipe>; 2] = Default::default();
    [
        run(drive(left, Arc::clone(&back), Arc::clone(&there))),
        run(drive(right, there, back)),
    ]
}

/// A client that makes the handshake of a legacy server.
pub(super) const LEGACY: Mode = Mode::Legacy(crate::Revision::V2025_11_25);

/// A client of either era.
pub(super) fn config(mode: Mode) -> ClientConfig {
    ClientConfig::named("client", "1").with_mode(mode)
}

pub(super) fn tool(name: &str) -> Tool {
    Tool::new(name, Json::parse(r#"{"type":"object"}"#).unwrap())
}

/// A server whose one tool answers at once.
pub(super) fn server() -> Server {
    let echo = |args: RawJson, _| async move { Ok(String::from(args.as_str())) };
    let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).unwrap();
    Server::builder("server", "1")
        .capabilities(capabilities)
        .raw_tool(tool("echo"), echo)
        .build()
}

/// A client and that server, and the threads that drive them.
pub(super) fn pair(config: ClientConfig, server: &Server) -> (Client, [JoinHandle<()>; 2]) {
    let (client, pump) = Client::over_stream(config);
    let drivers = connect(pump, server.pump());
    (client, drivers)
}

/// Everything has ended.
pub(super) fn join<T>(threads: impl IntoIterator<Item = JoinHandle<T>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}
