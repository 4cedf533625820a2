//! Each transport, and what is refused.

use std::future::pending;
use std::sync::Arc;

use futures_util::future::join_all;
use http::StatusCode;
use mcp_driver::child::Stderr;
use mcp_proto::handle::server::{NoArgs, ToolError};
use mcp_proto::handle::{Server, Session};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{
    Authorization, ChildTransport, HttpTransport, InProcessTransport, Secret, SessionKey, SessionsConfig,
    StreamTransport, Transport,
};
use mcp_tests::runtime::{Site as Service, listen, listen_unix, text};
use mcp_tests::world::{Number, Probe, server};
use serde_json::json;

use super::{Site, each, echo, handshakes, resolver};

const CHILD: &str = env!("CARGO_BIN_EXE_stdio-server");

#[test]
fn a_hundred_first_calls_over_each_transport_make_one_session() {
    each(async |runtime, era| {
        let http = Site::start(runtime);
        let own = server(&Arc::new(Probe::default()), runtime.flavour());
        let (listener, path) = listen_unix();
        let _unix = runtime.serve_unix(listener, &own).unwrap();
        let resolver = resolver(era)
            .server("own", own)
            .allow_children(|command| command.stderr(Stderr::Null));
        let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
        let child = ChildTransport::new(CHILD).arg("--runtime").arg("smol");
        let transports: [Transport; 4] = [
            http.transport(),
            StreamTransport::unix(path.to_str().unwrap()).into(),
            child.into(),
            InProcessTransport::new("own").into(),
        ];
        for (made, transport) in transports.into_iter().enumerate() {
            let calls = (0..100).map(|_| {
                // Made anew each time: it is the same key.
                let session = sessions.session(transport.clone());
                async move { echo(&session).await }
            });
            let outcomes = join_all(calls).await;
            assert!(outcomes.iter().all(Result::is_ok), "{transport:?}: {outcomes:?}");
            assert_eq!(sessions.counters().created, made as u64 + 1, "{transport:?}");
        }
        assert_eq!(
            (http.wire.handshakes(), http.wire.count("tools/list")),
            (handshakes(era), 0)
        );
        sessions.close().await;
        assert!(sessions.is_empty());
        let _ = std::fs::remove_file(path);
    });
}

#[test]
fn a_session_for_each_conversation() {
    each(async |runtime, era| {
        let http = Site::start(runtime);
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        for conversation in ["a", "b", "a"] {
            let key = SessionKey::new(http.transport()).of_conversation(conversation);
            echo(&sessions.session(key)).await.unwrap();
        }
        assert_eq!((sessions.len(), http.wire.handshakes()), (2, 2 * handshakes(era)));
    });
}

#[test]
fn a_stored_transport_says_what_its_client_speaks_and_how_long_it_waits() {
    each(async |runtime, era| {
        let http = Site::start(runtime);
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        let stored = |mode: &str, timeouts: serde_json::Value| {
            let Transport::Http(transport) = http.transport() else {
                panic!("not over HTTP")
            };
            let url = transport.url();
            let stored =
                json!({"type": "http", "url": url, "authorization": "none", "mode": mode, "timeouts": timeouts});
            serde_json::from_value::<Transport>(stored).unwrap()
        };
        for (mode, introductions, questions) in
            [("modern", 0, 0), ("2025-06-18", 1, 0), ("legacy", 1, 0), ("auto", 0, 1)]
        {
            let before = (http.wire.count("initialize"), http.wire.count("server/discover"));
            let session = sessions.session(stored(mode, json!({})));
            echo(&session).await.unwrap();
            let revision = session.ready().await.unwrap().revision;
            assert!(mode != "2025-06-18" || revision.as_str() == mode, "{revision:?}");
            let after = (before.0 + introductions, before.1 + questions);
            assert_eq!(
                (http.wire.count("initialize"), http.wire.count("server/discover")),
                after,
                "{mode}"
            );
        }
        let hasty = sessions.session(stored("modern", json!({"request": 50})));
        let error = hasty
            .call_tool("slow", json!({"text": "x", "ms": 5_000}))
            .await
            .unwrap_err();
        assert!(
            matches!(error, CallError::Timeout { after, .. } if (50..4_000).contains(&after.as_millis())),
            "{error:?}"
        );
        sessions.close().await;
    });
}

#[test]
fn secrets_reach_the_server_and_nobody_else() {
    each(async |runtime, era| {
        let (listener, url) = listen();
        let site = Service::new(|request| {
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            let authorized = header("authorization") == Some("Bearer s3cret") && header("x-key") == Some("k3y");
            let status = if authorized {
                StatusCode::IM_A_TEAPOT
            } else {
                StatusCode::UNAUTHORIZED
            };
            Box::pin(async move { text(status, "no") })
        });
        let _serving = runtime.serve_site(listener, site, None).unwrap();
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        let with = |token| {
            let transport = HttpTransport::new(&url, Authorization::Bearer(token)).unwrap();
            Transport::from(transport.secret_header("X-Key", Secret::new("k3y")).unwrap())
        };
        let session = sessions.session(with(Secret::new("s3cret")));
        let error = echo(&session).await.unwrap_err();
        assert_eq!(error.http_status(), Some(418), "{error:?}");
        let client = session.client().await;
        let shown = format!(
            "{error:?} {error} {session:?} {sessions:?} {client:?} {:?}",
            session.key()
        );
        assert!(!shown.contains("s3cret") && !shown.contains("k3y"), "{shown}");
        let wrong = sessions.session(with(Secret::new("wrong")));
        assert!(matches!(echo(&wrong).await, Err(CallError::Unauthorized(_))));
        let absent = sessions.session(with(Secret::ABSENT));
        let error = echo(&absent).await.unwrap_err();
        assert_eq!(
            error,
            CallError::Unreachable("the secret \"authorization\" is absent".into())
        );
    });
}

#[test]
fn what_cannot_be_reached_is_said_at_once() {
    each(async |runtime, era| {
        let sessions = runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap();
        let (gone, url) = listen();
        drop(gone);
        let transports: [Transport; 5] = [
            HttpTransport::new(url, Authorization::None).unwrap().into(),
            StreamTransport::unix("/no/such/socket").into(),
            StreamTransport::tcp("127.0.0.1:1").into(),
            ChildTransport::new(CHILD).into(),
            InProcessTransport::new("nobody").into(),
        ];
        for transport in transports {
            let outcomes = join_all((0..10).map(|_| {
                let session = sessions.session(transport.clone());
                async move { echo(&session).await }
            }));
            for outcome in outcomes.await {
                assert!(
                    matches!(outcome, Err(CallError::Unreachable(_))),
                    "{transport:?}: {outcome:?}"
                );
            }
        }
    });
}

/// A server whose tool calls itself through a pool.
fn nesting() -> (Server, Arc<std::sync::OnceLock<Session<SessionKey>>>) {
    let own: Arc<std::sync::OnceLock<Session<SessionKey>>> = Arc::default();
    let session = own.clone();
    let server = Server::builder("nesting", "1").tool("nest", "Calls itself", move |args: Number| {
        let session = session.get().cloned();
        async move {
            let Some(session) = session.filter(|_| args.number > 0) else {
                return Ok(());
            };
            let call = session.call_tool("nest", json!({"number": args.number - 1}));
            call.await.map(drop).map_err(|error| ToolError::text(error.to_string()))
        }
    });
    (
        server
            .tool("never", "Never answers", |_: NoArgs| pending::<Result<(), ToolError>>())
            .build(),
        own,
    )
}

#[test]
fn d1_d2_a_thousand_deep_and_five_hundred_wide_in_process() {
    each(async |runtime, era| {
        let (server, own) = nesting();
        let sessions = runtime
            .sessions(SessionsConfig::default(), resolver(era).server("own", server))
            .unwrap();
        let session = sessions.session(InProcessTransport::new("own"));
        own.set(session.clone()).unwrap();
        let result = session.call_tool("nest", json!({"number": 1_000})).await.unwrap();
        assert_ne!(result.is_error, Some(true), "{result:?}");
        let calls = (0..500).map(|_| session.call_tool("nest", json!({"number": 1})));
        for outcome in join_all(calls).await {
            assert_ne!(outcome.unwrap().is_error, Some(true));
        }
        assert_eq!(sessions.counters().created, 1);
        // Calls that never end hold nothing up: neither others, nor the close.
        let _never = runtime.start(async move { drop(session.call_tool("never", ()).await) });
        let session = sessions.session(InProcessTransport::new("own"));
        session.call_tool("nest", json!({"number": 3})).await.unwrap();
        sessions.close().await;
    });
}
