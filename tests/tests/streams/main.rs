//! The drivers of byte streams of both adapters, on every runtime, over streams in memory: each is polled by hand, so
//! that nothing depends on who comes first.

mod clients;
mod faults;
mod lanes;
mod memory;
mod patience;
mod proxied;
mod proxy;
mod script;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use futures_util::future::{Either, select};
use mcp_tests::caller::everywhere;
use mcp_tests::runtime::{AnyPump, Flavour, Runtime, Sending, Stream};
use script::Script;
use tokio::io::DuplexStream;

/// Runs a scenario on every runtime, all at once, for what takes its time.
fn everywhere_at_once(scenario: impl AsyncFn(&dyn Runtime) + Sync) {
    thread::scope(|scope| {
        for flavour in Flavour::ALL {
            let scenario = &scenario;
            scope.spawn(move || flavour.run(async |runtime| scenario(runtime).await));
        }
    });
}

/// A driver that runs when the test says so.
struct Driver<T>(Sending<T>);

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<T> Driver<T> {
    /// Runs until nothing moves any more. What it gives, where it is over.
    fn settle(&mut self) -> Option<T> {
        for _ in 0..100_000 {
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(woken.clone());
            if let Poll::Ready(value) = self.0.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(value);
            }
            if !woken.0.load(Ordering::SeqCst) {
                return None;
            }
        }
        panic!("it never rests");
    }

    /// Runs while `future` does.
    async fn beside<R>(&mut self, future: impl Future<Output = R>) -> R {
        match select(pin!(future), &mut self.0).await {
            Either::Left((value, _)) => value,
            Either::Right(_) => panic!("the driver is done"),
        }
    }

    /// Runs to its end.
    async fn end(self) -> T {
        self.0.await
    }

    /// Runs to its end, while `future` does.
    async fn end_beside<R>(mut self, future: impl Future<Output = R>) -> (T, R) {
        let mut future = pin!(future);
        let (mut ended, mut done) = (None, None);
        poll_fn(|cx| {
            poll_once(&mut ended, self.0.as_mut(), cx);
            poll_once(&mut done, future.as_mut(), cx);
            match (ended.take(), done.take()) {
                (Some(ended), Some(done)) => Poll::Ready((ended, done)),
                halves => {
                    (ended, done) = halves;
                    Poll::Pending
                }
            }
        })
        .await
    }
}

fn poll_once<F: Future + ?Sized>(value: &mut Option<F::Output>, future: Pin<&mut F>, cx: &mut Context<'_>) {
    if value.is_none()
        && let Poll::Ready(ready) = future.poll(cx)
    {
        *value = Some(ready);
    }
}

/// The driver of a scripted pump, over a pipe that holds `room` bytes each way.
fn start(runtime: &dyn Runtime, room: usize) -> (Script, DuplexStream, Driver<io::Result<()>>) {
    let (script, pump) = Script::new();
    let (near, far) = Stream::pipe(room);
    (script, far, Driver(runtime.drive_over(AnyPump::new(pump), near)))
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}
