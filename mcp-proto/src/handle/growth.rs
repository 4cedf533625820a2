//! What one of very many costs: counted in wakes, in wakers that are kept, and in comparisons of keys.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::cmp::Ordering;
use core::future::{Future, pending};
use core::task::{Context, Poll, Waker};

use super::count::Count;
use super::sessions::{Connected, Sessions};
use super::{Client, Crossing, Server, Timer};
use crate::client::ClientConfig;
use crate::rpc::{CallError, CloseReason};
use crate::sessions::{AcquireOptions, PoolAction, PoolEvent, SessionPool, SessionsConfig};
use crate::time::Time;

const MANY: usize = 100_000;

fn counts(number: usize) -> Vec<Arc<Count>> {
    (0..number).map(|_| Arc::default()).collect()
}

#[test]
fn each_of_many_who_wait_for_the_handshake_is_woken_once_and_keeps_nothing_when_it_is_dropped() {
    let (client, pump) = Client::over_stream(ClientConfig::named("c", "1"));
    let counts = counts(MANY);
    let mut waiting: Vec<_> = (0..MANY).map(|_| Box::pin(client.ready())).collect();
    for _ in 0..2 {
        for (ready, count) in waiting.iter_mut().zip(&counts) {
            let waker = Waker::from(count.clone());
            assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    assert!(counts.iter().all(|count| Arc::strong_count(count) == 2));
    waiting.truncate(MANY / 2);
    let kept = counts.iter().filter(|count| Arc::strong_count(count) > 1).count();
    assert_eq!(kept, MANY / 2, "a waiter that is dropped takes its waker with it");
    drop(pump);
    let woken = counts.iter().map(|count| count.get()).sum::<usize>();
    assert_eq!(woken, MANY / 2);
}

/// No time passes.
struct NoTime;

impl Timer for NoTime {
    fn now(&self) -> Time {
        Time::ORIGIN
    }

    fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> {
        Poll::Pending
    }
}

#[test]
fn of_many_who_follow_the_sessions_of_a_pool_those_of_one_key_are_woken_for_it() {
    let server = Server::builder("s", "1").build();
    let (sessions, mut driver) = Sessions::<String>::new(SessionsConfig::default(), move |_: &String| {
        let (client, pump) = Client::over_stream(ClientConfig::named("c", "1"));
        let crossing = Crossing::new(pump, server.pump());
        async move { Ok(Connected::new(client, crossing.run(NoTime))) }
    });
    let counts = counts(MANY);
    let key = |number: usize| sessions.session(number.to_string());
    let mut following: Vec<_> = (0..MANY).map(|number| key(number).notifications()).collect();
    for (follower, count) in following.iter_mut().zip(&counts) {
        let waker = Waker::from(count.clone());
        assert!(follower.poll_next(&mut Context::from_waker(&waker)).is_pending());
    }
    let cx = &mut Context::from_waker(Waker::noop());
    for number in [7, 70_000] {
        let session = key(number);
        let mut ready = Box::pin(session.ready());
        while ready.as_mut().poll(cx).is_pending() {
            assert!(driver.poll(cx, &mut NoTime).is_pending());
        }
    }
    let woken = || counts.iter().map(|count| count.get()).sum::<usize>();
    assert_eq!((woken(), counts[7].get(), counts[70_000].get()), (2, 1, 1));
    drop(following.drain(..MANY / 2));
    let kept = counts.iter().filter(|count| Arc::strong_count(count) > 1).count();
    assert_eq!(kept, MANY / 2 - 1, "a reader that is dropped takes its waker with it");
    drop(driver);
    assert_eq!(woken(), MANY / 2 + 1);
}

std::thread_local! {
    static COMPARISONS: Cell<u64> = const { Cell::new(0) };
}

/// A key that counts how often it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(u64);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Creates the session of a key, and gives it back.
fn create(pool: &mut SessionPool<Key>, key: u64) {
    pool.acquire(&Key(key), &AcquireOptions::default()).unwrap();
    while let Some(action) = pool.poll_action(Time::ORIGIN) {
        match action {
            PoolAction::Connect { attempt, .. } => drop(pool.connected(Time::ORIGIN, attempt)),
            PoolAction::Close { session } => pool.closed(session),
            _ => {}
        }
    }
    while let Some(event) = pool.poll_event() {
        if let PoolEvent::Ready { lease, .. } = event {
            pool.release(lease);
        }
    }
}

/// How many comparisons an eviction at the cap and the end of one session take, in a pool of so many.
fn comparisons(sessions: u64) -> [u64; 2] {
    let most = usize::try_from(sessions).unwrap();
    let mut pool = SessionPool::new(SessionsConfig::default().with_sessions(most));
    (0..sessions).for_each(|key| create(&mut pool, key));
    COMPARISONS.set(0);
    (0..1_000).for_each(|key| create(&mut pool, sessions + key));
    assert_eq!((pool.counters().evicted, pool.len()), (1_000, most));
    let evicting = COMPARISONS.replace(0) / 1_000;
    pool.close(CloseReason::Local);
    while let Some(action) = pool.poll_action(Time::ORIGIN) {
        if let PoolAction::Close { session } = action {
            pool.closed(session);
        }
    }
    assert!(pool.is_finished());
    [evicting, COMPARISONS.get() / sessions]
}

#[test]
fn an_eviction_at_the_cap_and_the_close_of_a_pool_take_a_few_steps_for_each_session() {
    let (few, many) = (comparisons(1_000), comparisons(100_000));
    // The depth of a tree: 17 steps of halving instead of 10.
    for (few, many) in few.into_iter().zip(many) {
        assert!(few > 0 && many < few * 3 && many < 2_000, "{few} and {many}");
    }
}

#[test]
fn with_its_last_waker_a_task_goes_under_none_of_our_locks() {
    // Each poll is of another task, which nothing but its waker keeps; `Count` sees where it goes.
    fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
        let waker = Waker::from(Arc::<Count>::default());
        core::pin::Pin::new(future).poll(&mut Context::from_waker(&waker))
    }
    let (client, pump) = Client::over_stream(ClientConfig::named("c", "1"));
    let (mut notifications, mut incidents) = (client.notifications(), client.incidents());
    let mut waits = (Box::pin(client.ready()), client.call_tool("x", ()), client.list_tools());
    let mut closing = Box::pin(async {
        pending::<()>().await;
        client.close().await;
    });
    for _ in 0..3 {
        assert!(poll(&mut waits.0).is_pending() && poll(&mut waits.1).is_pending() && poll(&mut waits.2).is_pending());
        assert!(poll(&mut Box::pin(notifications.next())).is_pending());
        assert!(poll(&mut Box::pin(incidents.next())).is_pending());
        assert!(poll(&mut closing).is_pending());
    }
    drop((waits, notifications, incidents, closing, pump));

    let (sessions, _driver) = Sessions::<String>::new(SessionsConfig::default(), |_: &String| {
        pending::<Result<Connected, CallError>>()
    });
    let session = sessions.session("a");
    let (mut ready, mut following) = (Box::pin(session.ready()), session.notifications());
    let mut closing = Box::pin(sessions.close());
    for _ in 0..3 {
        assert!(poll(&mut ready).is_pending());
        assert!(poll(&mut core::future::poll_fn(|cx| following.poll_next(cx))).is_pending());
    }
    drop((ready, following));
    assert!((0..3).all(|_| poll(&mut closing).is_pending()));
    drop(closing);
}
