//! Servers that restart, go away, and come back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mcp_driver::child::Stderr;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{ChildTransport, SessionsConfig};
use serde_json::json;

use super::{Site, each, echo, handshakes, resolver};

const CHILD: &str = env!("CARGO_BIN_EXE_stdio-server");

#[test]
fn h1_a_server_that_was_restarted_is_introduced_to_once_more() {
    each(async |runtime, era| {
        let mut site = Site::start(runtime);
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        let session = sessions.session(site.transport());
        echo(&session).await.unwrap();
        site.restart(runtime).await;
        runtime.sleep(Duration::from_millis(20)).await;
        let outcomes = join_all((0..50).map(|_| echo(&session))).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        // The client itself renews the session of the protocol: that of the pool is the same.
        assert_eq!(site.wire.handshakes(), 2 * handshakes(era));
        assert_eq!((sessions.counters().created, sessions.counters().lost), (1, 0));
    });
}

#[test]
fn h4_h5_a_child_that_is_gone_is_started_again_for_the_next_call() {
    each(async |runtime, era| {
        let resolver = resolver(era).allow_children(|command| command.stderr(Stderr::Null));
        let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
        let session = sessions.session(ChildTransport::new(CHILD).arg("--runtime").arg("tokio"));
        for round in 1..=3 {
            let began = Instant::now();
            // Its process ends while the call is in flight: it may have been processed, and is not made again.
            let error = session.call_tool("exit", json!({"code": 3})).await.unwrap_err();
            assert!(matches!(error, CallError::Closed(_)), "{error:?}");
            assert!(began.elapsed() < Duration::from_secs(5));
            assert_eq!(sessions.counters().created, round);
        }
        echo(&session).await.unwrap();
        assert_eq!(sessions.counters().created, 4);
        sessions.close().await;
    });
}
