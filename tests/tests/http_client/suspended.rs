//! Answers that arrive while the loop of the client is blocked, past the deadlines of their calls.

use std::time::Duration;

use mcp_proto::rpc::{CallError, CallOptions};
use mcp_tests::runtime::Flavour;
use serde_json::{Value, json};

use crate::site::{Request, Site, Step};
use crate::{Params, client};

const TIMEOUT: Duration = Duration::from_millis(200);

#[test]
fn what_arrived_while_the_loop_was_blocked_is_read_before_calls_expire() {
    for flavour in Flavour::ONE_THREAD {
        flavour.run(async |runtime| {
            let site = Site::start(|request: &Request| match request.body["params"]["n"].as_u64() {
                Some(99) => vec![Step::Hang],
                _ => {
                    let mut steps = request.plain();
                    steps.insert(0, Step::Wait(TIMEOUT / 4));
                    steps
                }
            });
            let client = client(runtime, &site.url);
            let calls: Vec<_> = (0..100)
                .map(|n| {
                    let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
                    let options = CallOptions::new().with_timeout(TIMEOUT);
                    runtime.run(client.request_raw("test/echo", params).options(options).into_future())
                })
                .collect();
            site.requests_are(runtime, 100).await;
            // What wakes the driver besides, before the reactor has looked.
            let late = runtime.run(client.request_raw("test/echo", Params::NONE).into_future());
            std::thread::sleep(TIMEOUT * 4);
            for (n, call) in calls.into_iter().enumerate() {
                let outcome = call.await.expect("it is not stopped");
                if n == 99 {
                    assert!(matches!(outcome, Err(CallError::Timeout { .. })), "{outcome:?}");
                } else {
                    let result = outcome.unwrap_or_else(|error| panic!("{n} on {flavour}: {error}"));
                    assert_eq!(result.decode::<Value>().expect("JSON")["n"], n);
                }
            }
            assert!(late.await.expect("it is not stopped").is_ok());
        });
    }
}
