//! Crowds at a handle and in a pool: whether each costs the same however many there are.

use std::future::poll_fn;
use std::hint::black_box;

use mcp_proto::handle::sessions::Connected;
use mcp_proto::handle::{Client, Sessions};
use mcp_proto::sessions::SessionsConfig;
use mcp_tokio::Timer;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::handles::echo_server;
use super::machines::client_config;
use crate::messages::Era;
use crate::subject::current_thread;

/// What the processor time is told by: nothing may ask for that under valgrind.
pub(crate) type Clock = fn() -> f64;

/// What there may be many of. Each gives how long `number` of them took together, by this clock.
pub(crate) fn grow(what: &str, number: u64, clock: Clock) -> f64 {
    match what {
        "ready" => ready(number, clock),
        "callers" => callers(number, clock),
        "followers" => followers(number, clock),
        "evictions" => evictions(number, clock),
        "close" => close(number, clock),
        _ => panic!("nothing grows: {what}"),
    }
}

/// Tasks that wait for the handshake of one client.
fn ready(number: u64, clock: Clock) -> f64 {
    let runtime = current_thread();
    let (client, near) = Client::over_stream(client_config(Era::Legacy));
    let far = echo_server().pump();
    by(clock, || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..number {
                let client = client.clone();
                tasks.spawn(async move { drop(black_box(client.ready().await.expect("a server"))) });
            }
            // After those who wait, so that all do.
            tokio::spawn(mcp_tokio::memory::join(near, far));
            tasks.join_all().await;
        });
    })
}

/// Tasks that wait for one session of a pool.
fn callers(number: u64, clock: Clock) -> f64 {
    let (runtime, pool) = pool(1);
    by(clock, || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..number {
                let session = pool.session(0_u64);
                tasks.spawn(async move { drop(session.client().await.expect("a session")) });
            }
            tasks.join_all().await;
        });
    })
}

/// Sessions that are made while each has somebody who waits for what its server says.
fn followers(number: u64, clock: Clock) -> f64 {
    let (runtime, pool) = pool(number as usize);
    runtime.block_on(async {
        for key in 0..number {
            let mut notifications = pool.session(key).notifications();
            tokio::spawn(async move { poll_fn(|cx| notifications.poll_next(cx)).await });
        }
        tokio::task::yield_now().await;
    });
    by(clock, || runtime.block_on(fill(&pool, 0..number)))
}

/// Sessions for each of which another has to go.
fn evictions(number: u64, clock: Clock) -> f64 {
    let (runtime, pool) = pool(number as usize);
    runtime.block_on(fill(&pool, 0..number));
    let time = by(clock, || runtime.block_on(fill(&pool, number..2 * number)));
    assert_eq!(pool.counters().created, 2 * number);
    assert!(pool.len() <= number as usize);
    time
}

/// Sessions of a pool that is closed.
fn close(number: u64, clock: Clock) -> f64 {
    let (runtime, pool) = pool(number as usize);
    runtime.block_on(fill(&pool, 0..number));
    by(clock, || runtime.block_on(pool.close()))
}

/// A pool with room for so many sessions, each with a server of this process.
fn pool(sessions: usize) -> (Runtime, Sessions<u64>) {
    let runtime = current_thread();
    let server = echo_server();
    let config = SessionsConfig::default()
        .with_sessions(sessions)
        .with_waiters(1 << 24)
        .with_idle(None);
    let (pool, driver) = Sessions::new(config, move |_: &u64| {
        let (client, driver) = mcp_tokio::memory::duplex(&server, client_config(Era::Legacy));
        async { Ok(Connected::in_process(client, driver)) }
    });
    runtime.spawn(async move { driver.run(Timer::new(mcp_tokio::Clock::start())).await });
    (runtime, pool)
}

async fn fill(pool: &Sessions<u64>, keys: std::ops::Range<u64>) {
    for key in keys {
        drop(pool.session(key).client().await.expect("a session"));
    }
}

fn by(clock: Clock, work: impl FnOnce()) -> f64 {
    let start = clock();
    work();
    clock() - start
}
