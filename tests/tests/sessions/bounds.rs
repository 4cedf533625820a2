//! How many sessions there are, and what is left of them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use mcp_proto::rpc::{CallError, SendError};
use mcp_proto::sessions::{SessionKey, SessionsConfig};
use serde_json::json;

use super::{Site, each, echo, handshakes, resolver};

#[test]
fn i1_sessions_beyond_the_bound_are_ended() {
    each(async |runtime, era| {
        let site = Site::start(runtime);
        let config = SessionsConfig::default().with_sessions(10);
        let sessions = runtime.sessions(config, resolver(era)).unwrap();
        for n in 0..100 {
            let key = SessionKey::new(site.transport()).of_conversation(n.to_string());
            echo(&sessions.session(key)).await.unwrap();
            assert!(sessions.len() <= 10);
        }
        assert_eq!(sessions.counters().evicted, 90);
        sessions.close().await;
        assert_eq!(site.wire.handshakes(), 100 * handshakes(era));
        assert_eq!(site.wire.requests(&Method::DELETE), 100 * handshakes(era));
    });
}

#[test]
fn d3_where_all_are_in_use_another_is_an_error_at_once() {
    each(async |runtime, era| {
        let site = Site::start(runtime);
        let config = SessionsConfig::default().with_sessions(8);
        let sessions = runtime.sessions(config, resolver(era)).unwrap();
        let session = |n: usize| sessions.session(SessionKey::new(site.transport()).of_conversation(n.to_string()));
        let calls = join_all((0..20).map(|n| {
            let session = session(n);
            async move { session.call_tool("slow", json!({"text": "x", "ms": 200})).await }
        }));
        let began = Instant::now();
        let outcomes = calls.await;
        let refused = CallError::Refused(SendError::TooManySessions);
        assert!(outcomes.iter().take(8).all(Result::is_ok));
        assert!(
            outcomes
                .iter()
                .skip(8)
                .all(|outcome| outcome.as_ref().err() == Some(&refused))
        );
        assert!(began.elapsed() < Duration::from_secs(10));
        // Nothing is wrong with the pool: there is room again.
        for n in 8..20 {
            echo(&session(n)).await.unwrap();
        }
    });
}

#[test]
fn i2_with_the_last_handle_every_session_is_ended() {
    each(async |runtime, era| {
        let site = Site::start(runtime);
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        for n in 0..5 {
            let key = SessionKey::new(site.transport()).of_conversation(n.to_string());
            echo(&sessions.session(key)).await.unwrap();
        }
        drop(sessions);
        for _ in 0..5_000 {
            if site.wire.requests(&Method::DELETE) == 5 * handshakes(era) {
                return;
            }
            runtime.sleep(Duration::from_millis(1)).await;
        }
        panic!("sessions are left");
    });
}
