//! How what runs is told to end.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tells the connections of a server to end. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Closing(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_closing: AtomicBool,
    watches: Mutex<Watches>,
}

#[derive(Debug, Default)]
struct Watches {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Closing {
    /// Nothing has to end yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every [`Watch`] ready, from now on.
    pub fn close(&self) {
        let wakers = {
            // Under the lock: a watch that is being registered sees it, or is woken.
            let mut watches = self.0.lock();
            self.0.is_closing.store(true, Ordering::Release);
            core::mem::take(&mut watches.wakers)
        };
        // Outside of the lock: a task that runs at once takes it.
        wakers.into_values().for_each(Waker::wake);
    }

    /// A future that is ready when it is time to end.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let mut watches = self.0.lock();
        watches.next += 1;
        Watch {
            key: watches.next,
            state: self.0.clone(),
            waker: None,
        }
    }
}

/// Ready when it is time to end, from then on. Polled often by one task it costs a look at a flag.
///
/// Cancel safety: dropping it has no effect.
#[derive(Debug)]
pub struct Watch {
    key: u64,
    state: Arc<State>,
    /// The one that is registered.
    waker: Option<Waker>,
}

impl Future for Watch {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.is_closing.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        // The same task again: a connection asks with every read, and takes no lock for it.
        if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        let mut watches = self.state.lock();
        // It is set under the lock.
        if self.state.is_closing.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        watches.wakers.insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Connections come and go while the server stays: their wakers must not stay with it.
        self.state.lock().wakers.remove(&self.key);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `future` to its end, and has `end` tell it once `signal` is ready that it is to end.
///
/// # Cancel safety
/// Dropping it drops both.
pub async fn end_upon<F: Future>(
    future: F,
    end: impl FnOnce(Pin<&mut F>),
    signal: impl Future<Output = ()>,
) -> F::Output {
    let mut future = pin!(future);
    if let Some(output) = unless(future.as_mut(), signal).await {
        return output;
    }
    end(future.as_mut());
    future.await
}

/// What `future` gives, or `None` where `signal` is ready first.
///
/// # Cancel safety
/// Dropping it drops both.
pub async fn unless<T>(future: impl Future<Output = T>, signal: impl Future<Output = ()>) -> Option<T> {
    let mut future = pin!(future);
    let mut signal = pin!(signal);
    // What is done counts even where the signal is ready as well.
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => signal.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Ready when one of both signals is.
///
/// # Cancel safety
/// Dropping it drops both.
pub async fn either(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    let _ = unless(first, second).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Count;
    use core::future::{pending, ready};

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn all_watches_hear_of_the_end_before_and_after() {
        let closing = Closing::new();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        let (mut first, mut second) = (closing.watch(), closing.watch());
        for _ in 0..3 {
            assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
        }
        assert!(Pin::new(&mut second).poll(&mut cx).is_pending());
        closing.clone().close();
        assert_eq!(count.get(), 2);
        assert!(poll(Pin::new(&mut first)).is_ready() && poll(Pin::new(&mut first)).is_ready());
        assert!(poll(pin!(closing.watch())).is_ready());
    }

    #[test]
    fn the_task_that_polled_last_is_woken_and_a_dropped_watch_wakes_none() {
        let closing = Closing::new();
        let (former, latter) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut watch = closing.watch();
        for count in [&former, &latter] {
            let waker = Waker::from(count.clone());
            assert!(Pin::new(&mut watch).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let mut dropped = closing.watch();
        let waker = Waker::from(former.clone());
        assert!(
            Pin::new(&mut dropped)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        drop(dropped);
        closing.close();
        assert_eq!((former.get(), latter.get()), (0, 1));
    }

    #[test]
    fn what_runs_is_told_once_and_goes_on() {
        let closing = Closing::new();
        let mut told = 0;
        {
            let mut running = pin!(end_upon(pending::<()>(), |_| told += 1, closing.watch()));
            assert!(poll(running.as_mut()).is_pending());
            closing.close();
            assert!(poll(running.as_mut()).is_pending() && poll(running).is_pending());
        }
        assert_eq!(told, 1);
        assert_eq!(poll(pin!(end_upon(ready(7), |_| {}, pending()))), Poll::Ready(7));
    }

    #[test]
    fn a_signal_cuts_short_what_is_not_ready() {
        assert_eq!(poll(pin!(unless(ready(7), ready(())))), Poll::Ready(Some(7)));
        assert_eq!(poll(pin!(unless(pending::<u8>(), ready(())))), Poll::Ready(None));
        assert!(poll(pin!(unless(pending::<u8>(), pending()))).is_pending());
        assert!(
            poll(pin!(either(pending(), ready(())))).is_ready() && poll(pin!(either(ready(()), pending()))).is_ready()
        );
    }
}
