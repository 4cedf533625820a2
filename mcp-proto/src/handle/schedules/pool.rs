//! A pool: sessions that are created, fail, are lost and closed.

use alloc::string::String;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::world::{LEGACY, NoTime, block_on, check, config, join, poll_once, run, server};
use crate::handle::sessions::{Connected, SessionsDriver};
use crate::handle::{Client, Crossing, Sessions};
use crate::rpc::CallError;
use crate::sessions::SessionsConfig;

/// A pool whose connections are in memory; the first so many fail.
fn pool(sessions: usize, failures: usize) -> (Sessions<String>, SessionsDriver<String>) {
    let failed = AtomicUsize::new(0);
    let server = server();
    let config_of_pool = SessionsConfig::default().with_sessions(sessions);
    Sessions::new(config_of_pool, move |_: &String| {
        let fails = failed.fetch_add(1, Ordering::Relaxed) < failures;
        let server = server.clone();
        async move {
            if fails {
                return Err(CallError::Disconnected);
            }
            let (client, pump) = Client::over_stream(config(LEGACY));
            let crossing = Crossing::new(pump, server.pump());
            Ok(Connected::in_process(client, crossing.run(NoTime)))
        }
    })
}

#[test]
fn callers_share_a_session_that_is_created_and_closed() {
    check(|| {
        let (sessions, driver) = pool(2, 0);
        let driver = run(driver.run(NoTime));
        let callers = [1, 2].map(|_| {
            let session = sessions.session("a");
            run(async move { assert!(session.call_tool("echo", ()).await.is_ok()) })
        });
        let dropped = sessions.session("a");
        let dropping = shuttle::thread::spawn(move || drop(poll_once(dropped.ready())));
        join(callers);
        join([dropping]);
        block_on(sessions.close());
        join([driver]);
    });
}

#[test]
fn a_creation_that_fails_is_told_to_all_who_wait_and_the_next_begins_anew() {
    check(|| {
        let (sessions, driver) = pool(2, 1);
        let driver = run(driver.run(NoTime));
        let callers = [1, 2].map(|_| {
            let session = sessions.session("a");
            run(async move {
                let mut outcome = session.ready().await;
                if matches!(outcome, Err(CallError::Disconnected)) {
                    outcome = session.ready().await;
                }
                assert!(outcome.is_ok(), "{outcome:?}");
            })
        });
        join(callers);
        drop(sessions);
        join([driver]);
    });
}

#[test]
fn sessions_are_lost_evicted_and_followed_until_the_pool_is_closed() {
    check(|| {
        let (sessions, driver) = pool(1, 0);
        let driver = run(driver.run(NoTime));
        let mut followers = [
            sessions.session("a").notifications(),
            sessions.session("b").notifications(),
        ];
        let mut leaving = sessions.session("a").notifications();
        let following = run(async move {
            let [first, second] = &mut followers;
            while core::future::poll_fn(|cx| first.poll_next(cx)).await.is_some() {}
            while core::future::poll_fn(|cx| second.poll_next(cx)).await.is_some() {}
        });
        let gone = shuttle::thread::spawn(move || {
            drop(poll_once(core::future::poll_fn(|cx| leaving.poll_next(cx))));
        });
        let caller = sessions.session("a");
        let calling = run(async move {
            let outcome = caller.call_tool("echo", ()).idempotent().await;
            let is_told = |error: &CallError| {
                matches!(
                    error,
                    CallError::Closed(_) | CallError::SessionLost | CallError::Refused(_)
                )
            };
            assert!(outcome.as_ref().err().is_none_or(is_told), "{outcome:?}");
        });
        let pool = sessions.clone();
        let evicting = shuttle::thread::spawn(move || pool.evict("a"));
        join([calling, evicting, gone]);
        let last = sessions.clone();
        let closing = run(async move { last.close().await });
        block_on(sessions.close());
        join([closing, following]);
        join([driver]);
    });
}

#[test]
fn the_driver_of_a_pool_is_dropped_while_others_wait() {
    check(|| {
        let (sessions, driver) = pool(2, 0);
        let callers = [1, 2].map(|_| {
            let session = sessions.session("a");
            run(async move {
                let outcome = session.call_tool("echo", ()).await;
                assert!(outcome.is_err() || outcome.is_ok_and(|result| result.is_error != Some(true)));
            })
        });
        let _ = poll_once(driver.run(NoTime));
        join(callers);
        block_on(sessions.close());
    });
}
