//! I: the ends of clients, servers and runtimes. (I1 and I2, keys and caps, belong to the pool.)

use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mcp_proto::rpc::{CallError, CloseReason};
use mcp_tests::app::{Application, Ran};
use mcp_tests::raw::Connection;
use mcp_tests::runtime::{Address, Flavour, listen};
use mcp_tests::world::{ERAS, Probe, client_config, server};
use serde_json::json;

use super::figures::Figures;

const PROGRAM: &str = env!("CARGO_BIN_EXE_self-calling-app");

#[test]
fn i3_an_application_closes_its_client_and_ends() {
    for flavour in Flavour::ONE_THREAD {
        for era in ERAS {
            let figures = Figures::of("I3", flavour, era);
            let application = Application::start(PROGRAM, flavour, era).unwrap();
            let mut connection = Connection::open(application.address).unwrap();
            assert_eq!(connection.request("POST", "/run").unwrap().0, 200);
            let (status, body) = connection.request("POST", "/close").unwrap();
            assert_eq!(status, 200);
            let closed: Ran = serde_json::from_str(&body).unwrap();
            figures.within("close", closed.took, 100.0);
            let (_, took) = application.terminate().unwrap();
            figures.within("the end after SIGTERM", took, 1_000.0);

            // The same with a session that nobody has closed.
            let application = Application::start(PROGRAM, flavour, era).unwrap();
            let mut connection = Connection::open(application.address).unwrap();
            assert_eq!(connection.request("POST", "/run").unwrap().0, 200);
            let (_, took) = application.terminate().unwrap();
            figures.within("the end with a session open", took, 1_000.0);
        }
    }
}

#[test]
fn i4_a_runtime_that_is_dropped_takes_everything_with_it() {
    for flavour in Flavour::ALL {
        for era in ERAS {
            let figures = Figures::of("I4", flavour, era);
            let probe = Arc::new(Probe::default());
            let own = Arc::clone(&probe);
            let began = Instant::now();
            let client = thread::spawn(move || {
                flavour.run(async |runtime| {
                    let (listener, url) = listen();
                    let server = server(&own, flavour);
                    let serving = runtime.serve_http(listener, &server, Box::pin(std::future::pending()));
                    let serving = serving.unwrap();
                    let client = runtime.connect(&Address::Http(url), client_config(era)).await.unwrap();
                    let call = client.call_tool("wait", json!({}));
                    runtime.spawn(Box::pin(async { drop(call.await) }));
                    own.started.notified().await;
                    (client, serving)
                })
            });
            // Neither hangs nor panics.
            let (client, serving) = client.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
            let call = client.call_tool("echo", json!({"text": "x"}));
            let error = smol::block_on(call).unwrap_err();
            assert_eq!(error, CallError::Closed(CloseReason::DriverDropped));
            drop((client, serving));
            // Threads that were polling drop what they had at their next chance.
            let patience = Instant::now() + Duration::from_secs(10);
            while probe.running() > 0 && Instant::now() < patience {
                thread::sleep(Duration::from_millis(1));
            }
            figures.print("handlers left", probe.running());
            assert_eq!(probe.running(), 0);
            figures.time("from the start to the end", began.elapsed());
        }
    }
}
