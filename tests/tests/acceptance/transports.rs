//! K: transports without a network.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mcp_driver::child::Stderr;
use mcp_proto::Era;
use mcp_proto::handle::{Session, Sessions};
use mcp_proto::sessions::{ChildTransport, SessionKey, SessionsConfig};
use mcp_tests::runtime::Runtime;
use mcp_tests::world::Transport;
use serde_json::json;

use super::executor::Heartbeat;
use super::figures::quantile;
use super::pool::{Host, echo, resolver, session};
use super::{each, each_over};

#[test]
fn k3_both_ends_of_a_pipe_on_one_thread() {
    each_over("K3", &[Transport::Pipe], async |world, figures| {
        let thread = std::thread::current().id();
        let began = Instant::now();
        let nest = world.client.call_tool("nest", json!({"number": 200})).await.unwrap();
        assert_eq!(nest.content[0].as_text(), Some("200"));
        figures.within("depth 200", began.elapsed(), 250.0);
        let began = Instant::now();
        let calls = (0..100).map(|n| world.client.call_tool("relay", json!({"text": n.to_string()})));
        for (n, result) in join_all(calls).await.into_iter().enumerate() {
            assert_eq!(result.unwrap().content[0].as_text(), Some(n.to_string().as_str()));
        }
        figures.within("fan 100", began.elapsed(), 250.0);
        let threads = world.probe.threads();
        figures.print("threads of the handlers", threads.len());
        assert_eq!(threads, [thread]);
    });
}

const CHILD: &str = env!("CARGO_BIN_EXE_stdio-server");

/// A session with a child process on this runtime, and the pool that it is in.
fn child(runtime: &dyn Runtime, era: Era, variables: &[(&str, &str)]) -> (Sessions<SessionKey>, Session<SessionKey>) {
    let resolver = resolver(era).allow_children(|command| command.stderr(Stderr::Null));
    let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
    let name = if runtime.flavour().is_tokio() { "tokio" } else { "smol" };
    let mut transport = ChildTransport::new(CHILD).arg("--runtime").arg(name);
    for (name, value) in variables {
        transport = transport.env(*name, *value).unwrap();
    }
    let session = session(&sessions, transport);
    (sessions, session)
}

#[test]
fn k1_a_child_process_as_a_server() {
    each("K1", async |runtime, era, figures| {
        let heartbeat = Heartbeat::start(runtime, runtime.flavour());
        runtime.sleep(Duration::from_millis(100)).await;
        let idle = heartbeat.take();
        let (sessions, session) = child(runtime, era, &[]);
        let began = Instant::now();
        echo(&session).await.unwrap();
        figures.within("the first call, with a new process", began.elapsed(), 500.0);
        let gap = heartbeat.take().saturating_sub(idle);
        figures.time("heartbeat: longest gap over the idle one", gap);
        let mut times = Vec::new();
        for _ in 0..300 {
            let began = Instant::now();
            echo(&session).await.unwrap();
            times.push(began.elapsed());
        }
        figures.within("p50 of 300", quantile(&mut times, 0.5), 2.0);
        figures.time("p99 of 300", quantile(&mut times, 0.99));
        sessions.close().await;
    });
}

#[test]
fn k2_a_child_that_calls_its_parent_before_it_serves() {
    each("K2", async |runtime, era, figures| {
        let host = Host::start(runtime);
        let (sessions, session) = child(runtime, era, &[("CALL_FIRST", &host.url)]);
        let began = Instant::now();
        echo(&session).await.unwrap();
        figures.within("the first call, with a new process", began.elapsed(), 500.0);
        figures.print("calls from the child", host.wire.count("tools/call"));
        assert_eq!(host.wire.count("tools/call"), 1);
        sessions.close().await;
    });
}
