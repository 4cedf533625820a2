//! Who polls the upkeep of an endpoint.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker, ready};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use mcp_proto::Time;
use mcp_proto::handle::server::http::Upkeep;
use mcp_proto::handle::{Place, Places, Timer};

/// Runs `upkeep` until the endpoint and its exchanges are gone: for a runtime that spawns it.
///
/// # Cancel safety
/// Dropping the future drops the upkeep; see [`Upkeep`].
pub async fn keep<T: Timer>(mut upkeep: Upkeep, mut timer: T) {
    poll_fn(|cx| {
        loop {
            if upkeep.poll(cx, timer.now()).is_ready() {
                return Poll::Ready(());
            }
            // Over by then: the upkeep looks once more before it is waited for.
            ready!(timer.poll(cx, upkeep.poll_timeout()));
        }
    })
    .await;
}

/// Holds the upkeep of an endpoint for those who poll it: for a runtime that spawns nothing. Clones are one keeper.
#[derive(Clone, Default)]
pub struct Keeper(Arc<Shared>);

#[derive(Default)]
struct Shared {
    upkeep: Mutex<Option<Upkeep>>,
    /// Who polls. The upkeep and what it polls keep wakers of this, and not of what holds the upkeep: nothing would
    /// ever be freed.
    tasks: Arc<Places>,
}

/// The place of one of those who poll.
struct Turn(Place);

/// Somebody else is to take over.
impl Drop for Turn {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Keeper {
    /// Takes the upkeep, and has it polled.
    pub fn set(&self, upkeep: Upkeep) {
        // The lock is gone before anybody is woken, who may poll at once.
        *lock(&self.0.upkeep) = Some(upkeep);
        self.0.tasks.wake_by_ref();
    }

    /// Polls the upkeep, once there is one. Never ready; any number of these futures may be polled, and one has to be.
    ///
    /// # Cancel safety
    /// Dropping the future stops the upkeep, until another one is polled.
    pub fn run<T: Timer>(&self, mut timer: T) -> impl Future<Output = ()> + use<T> {
        let shared = Arc::clone(&self.0);
        let turn = Turn(shared.tasks.place());
        poll_fn(move |cx| {
            loop {
                let deadline = shared.poll(&turn.0, cx, timer.now());
                ready!(timer.poll(cx, deadline));
            }
        })
    }
}

impl Shared {
    /// Does what is to be done. When to come back even if nobody wakes the task.
    fn poll(&self, place: &Place, cx: &mut Context<'_>, now: Time) -> Option<Time> {
        place.wait(cx);
        // Of all who poll, and not of this one alone, which may be dropped: one of the others goes on.
        let waker = Waker::from(Arc::clone(&self.tasks));
        let mut upkeep = match self.upkeep.try_lock() {
            Ok(upkeep) => upkeep,
            Err(TryLockError::Poisoned(upkeep)) => upkeep.into_inner(),
            // It is polled elsewhere, or around this: whoever polls it looks after it, and says so when it is gone.
            Err(TryLockError::WouldBlock) => return None,
        };
        let upkeep = upkeep.as_mut()?;
        let is_over = upkeep.poll(&mut Context::from_waker(&waker), now).is_ready();
        upkeep.poll_timeout().filter(|_| !is_over)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use core::pin::{Pin, pin};
    use core::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::count::Count;
    use mcp_proto::Limits;
    use mcp_proto::handle::Server;
    use mcp_proto::handle::server::http::{Endpoint, Exchange};
    use mcp_proto::http::server::HttpConfig;
    use mcp_proto::model::{Json, Tool};

    /// Time that passes when it is said to.
    #[derive(Clone, Default)]
    struct Hand(Arc<Mutex<Time>>);

    impl Timer for Hand {
        fn now(&self) -> Time {
            *lock(&self.0)
        }

        fn poll(&mut self, _: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
            match deadline.is_some_and(|at| at <= self.now()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }
    }

    fn poll(future: Pin<&mut impl Future<Output = ()>>) {
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    /// What comes of a POST with this body.
    fn post(endpoint: &Endpoint, session: &str, body: &'static str) -> Exchange {
        let request = http::Request::post("/mcp")
            .header("host", "localhost")
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        let request = match session {
            "" => request,
            session => request.header("mcp-session-id", session),
        };
        let head = request.body(()).unwrap().into_parts().0;
        let admission = endpoint.admit(&head).unwrap();
        endpoint.open(
            Time::ORIGIN,
            &admission,
            head,
            Bytes::from_static(body.as_bytes()),
            || [7; 32],
        )
    }

    /// An endpoint of a server with the tool `go`, whose client has begun a session, called it and hung up.
    fn abandoned<F, Fut>(go: F) -> Endpoint
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let server = Server::builder("test", "1")
            .raw_tool(Tool::new("go", Json::empty_object()), move |_, _| {
                let going = go();
                async {
                    going.await;
                    Ok("gone")
                }
            })
            .build();
        let endpoint = Endpoint::new(&server, HttpConfig::default());
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
        let mut begun = post(&endpoint, "", hello);
        let Poll::Ready(head) = begun.poll_head(&mut Context::from_waker(Waker::noop()), Time::ORIGIN) else {
            panic!("no answer");
        };
        let session = head.headers["mcp-session-id"].to_str().unwrap();
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go"}}"#;
        drop(post(&endpoint, session, call));
        endpoint
    }

    #[test]
    fn those_who_polled_once_leave_nothing_behind() {
        let keeper = Keeper::default();
        let wakers = core::iter::repeat_with(|| Arc::new(Count::default()));
        let wakers: alloc::vec::Vec<_> = wakers.take(100).collect();
        for count in &wakers {
            let waker = Waker::from(count.clone());
            let mut running = pin!(keeper.run(Hand::default()));
            assert!(running.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert!(wakers.iter().all(|count| Arc::strong_count(count) == 1));
    }

    #[test]
    fn whoever_is_left_is_woken_to_take_over() {
        let keeper = Keeper::default();
        let count = Arc::new(Count::default());
        let (mut one, mut other) = (Box::pin(keeper.run(Hand::default())), pin!(keeper.run(Hand::default())));
        poll(one.as_mut());
        let waker = Waker::from(count.clone());
        assert!(other.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(one);
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn a_handler_may_poll_the_upkeep_that_polls_it() {
        let keeper = Keeper::default();
        let ran = Arc::new(Count::default());
        let (inner, counted) = (keeper.clone(), ran.clone());
        let endpoint = abandoned(move || {
            let (inner, counted) = (inner.clone(), counted.clone());
            async move {
                let mut running = pin!(inner.run(Hand::default()));
                poll(running.as_mut());
                counted.wake();
            }
        });
        keeper.set(endpoint.take_upkeep().unwrap());
        poll(pin!(keeper.run(Hand::default())));
        assert_eq!(ran.get(), 1);
    }

    #[test]
    fn a_handler_that_panics_in_the_upkeep_ends_alone() {
        let time = Hand::default();
        let kept = abandoned(|| async { panic!("a handler panics, as it should here") });
        let keeper = Keeper::default();
        keeper.set(kept.take_upkeep().unwrap());
        let spawned = abandoned(|| async { panic!("a handler panics, as it should here") });
        let upkeep = spawned.take_upkeep().unwrap();
        let (mut running, mut keeping) = (pin!(keeper.run(time.clone())), pin!(keep(upkeep, time.clone())));
        for _ in 0..2 {
            poll(running.as_mut());
            poll(keeping.as_mut());
        }
        assert_eq!((kept.sessions(), spawned.sessions()), (1, 1));
        *lock(&time.0) = Time::ORIGIN + Limits::default().session_idle + Duration::from_secs(1);
        poll(running);
        poll(keeping);
        assert_eq!(
            (kept.sessions(), spawned.sessions()),
            (0, 0),
            "sessions expire as before"
        );
    }
}
