//! A: the application that calls itself.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mcp_proto::rpc::CallError;
use mcp_tests::app::{Application, Ran};
use mcp_tests::raw::{Connection, Poller};
use mcp_tests::runtime::{Address, Flavour, listen};
use mcp_tests::world::{ERAS, Probe, Transport, client_config, server};
use serde_json::json;

use super::each;
use super::figures::{Figures, quantile};

const PROGRAM: &str = env!("CARGO_BIN_EXE_self-calling-app");

fn run(connection: &mut Connection) -> io::Result<Ran> {
    let (status, body) = connection.request("POST", "/run")?;
    assert_eq!(status, 200, "{body}");
    Ok(serde_json::from_str(&body)?)
}

/// Does this with an application in a process of its own.
fn with_application(id: &'static str, scenario: impl Fn(&Application, Figures)) {
    for flavour in Flavour::ONE_THREAD {
        for era in ERAS {
            let application = Application::start(PROGRAM, flavour, era).unwrap();
            scenario(&application, Figures::of(id, flavour, era));
        }
    }
}

#[test]
fn a1_an_application_calls_itself_on_one_thread() {
    with_application("A1", |application, figures| {
        let mut connection = Connection::open(application.address).unwrap();
        for (what, limit) in [("call 1", 50.0), ("call 2", 50.0), ("call 3", 50.0)] {
            let ran = run(&mut connection).unwrap();
            figures.within(what, ran.took, limit);
        }
        let rest: Vec<Ran> = (0..300).map(|_| run(&mut connection).unwrap()).collect();
        let mut times: Vec<Duration> = rest.iter().map(|ran| ran.took).collect();
        figures.within("p50 of 300", quantile(&mut times, 0.5), 2.0);
        figures.time("p99 of 300", quantile(&mut times, 0.99));
        let threads = rest.iter().map(|ran| ran.threads).max().unwrap();
        figures.print("threads", threads);
        assert!(threads <= 1, "{threads} threads");
    });
}

#[test]
fn a2_the_application_answers_others_during_its_first_call() {
    with_application("A2", |application, figures| {
        let health = Poller::start(application.address, "/health").unwrap();
        thread::sleep(Duration::from_millis(20));
        let mut connection = Connection::open(application.address).unwrap();
        run(&mut connection).unwrap();
        thread::sleep(Duration::from_millis(20));
        figures.within("worst /health", health.worst().unwrap(), 50.0);
    });
}

#[test]
fn a3_a_client_that_comes_before_its_server_is_told_and_goes_on() {
    each("A3", async |runtime, era, figures| {
        let (listener, url) = listen();
        drop(listener.try_clone().unwrap());
        let port = listener.local_addr().unwrap();
        drop(listener);
        // Nothing is sent yet, so there is nothing to fail.
        let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
        let began = Instant::now();
        let error = client.call_tool("echo", json!({"text": "x"})).await.unwrap_err();
        figures.within("the error before the listener is there", began.elapsed(), 50.0);
        assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");

        let listener = std::net::TcpListener::bind(port).unwrap();
        listener.set_nonblocking(true).unwrap();
        // It listens, but does not accept: the call waits, and is answered once it does.
        let early = {
            let client = client.clone();
            runtime.run(async move { client.call_tool("echo", json!({"text": "early"})).await })
        };
        runtime.sleep(Duration::from_millis(20)).await;
        let server = server(&Arc::new(Probe::default()), runtime.flavour());
        let _serving = runtime
            .serve_http(listener, &server, Box::pin(std::future::pending()))
            .unwrap();
        let early = early.await.unwrap().unwrap();
        assert_eq!(early.content[0].as_text(), Some("early"));
        let began = Instant::now();
        client.call_tool("echo", json!({"text": "x"})).await.unwrap();
        figures.within("the next call", began.elapsed(), 50.0);
    });
}

#[test]
fn a5_calls_in_one_process_without_sockets() {
    super::each_over("A5", &[Transport::Memory], async |world, figures| {
        let mut times = Vec::new();
        for _ in 0..1_000 {
            let began = Instant::now();
            world.client.call_tool("echo", json!({"text": "x"})).await.unwrap();
            times.push(began.elapsed());
        }
        figures.within("p50 of 1,000", quantile(&mut times, 0.5), 0.2);
        figures.time("p99 of 1,000", quantile(&mut times, 0.99));
    });
}
