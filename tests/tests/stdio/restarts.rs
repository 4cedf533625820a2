//! Children that end, and are started again.

use std::sync::{Arc, Mutex};

use futures_util::future::join;
use mcp_driver::child::Command;
use mcp_proto::Limits;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::rpc::{CallError, CloseReason};
use serde_json::json;

use crate::world::{Driver, RUNTIMES, Runtime, call, echo, eventually, is_zombie, process, run, server, with_child};

/// A child whose client has it started so often again.
fn child(runtime: Runtime, command: &Command, restarts: usize) -> (Client, Driver) {
    let limits = Limits::default().with_restarts(restarts);
    let config = ClientConfig::named("test", "1")
        .with_mode(Mode::Modern)
        .with_limits(limits);
    match runtime {
        Runtime::Tokio => {
            let (client, driver) = mcp_tokio::child::child_over(command, config).expect("a child");
            (client, Box::pin(driver))
        }
        Runtime::Smol => {
            let (client, driver) = mcp_smol::child::child_over(command, config).expect("a child");
            (client, Box::pin(driver))
        }
    }
}

async fn exit(client: &Client) -> Result<String, CallError> {
    call(client, "exit", json!({"code": 3})).await
}

#[test]
fn the_next_call_has_another_server_and_the_last_says_how_its_own_ended() {
    for runtime in RUNTIMES {
        let (end, ()) = with_child(runtime, &server(runtime), async |client| {
            let first = process(&client).await;
            let mut incidents = client.incidents();
            for _ in 0..3 {
                let outcome = exit(&client).await.expect_err("it has exited");
                assert!(outcome.to_string().contains("exited with status 3"), "{outcome}");
                assert_eq!(echo(&client, "x").await.as_deref(), Ok("x"));
            }
            assert_ne!(process(&client).await, first);
            let incident = incidents.next().await.expect("it is told");
            assert!(format!("{incident:?}").contains("exited with status 3"), "{incident:?}");
        });
        assert!(end.is_success(), "{end:?}");
    }
}

#[test]
fn what_does_no_harm_is_made_again_without_a_word() {
    for runtime in RUNTIMES {
        with_child(runtime, &server(runtime), async |client| {
            echo(&client, "x").await.expect("an answer");
            client.forget_tools();
            let (gone, tools) = join(exit(&client), client.list_tools()).await;
            assert!(gone.is_err());
            assert!(tools.expect("tools").len() > 3);
        });
    }
}

#[test]
fn one_that_exits_again_and_again_is_given_up() {
    for runtime in RUNTIMES {
        let starts = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&starts);
        let command = server(runtime).on_exit(move |_| *seen.lock().unwrap() += 1);
        run(runtime, async {
            let (client, driver) = child(runtime, &command, 2);
            let calls = async {
                echo(&client, "x").await.expect("an answer");
                for _ in 0..3 {
                    exit(&client).await.expect_err("it has exited");
                }
                let over = echo(&client, "x").await.expect_err("it is given up");
                assert!(over.to_string().contains("exited with status 3"), "{over}");
            };
            let (end, ()) = join(driver, calls).await;
            assert_eq!(end.expect("an exit").code, Some(3));
        });
        assert_eq!(*starts.lock().unwrap(), 3);
    }
}

#[test]
fn it_can_be_switched_off() {
    for runtime in RUNTIMES {
        run(runtime, async {
            let (client, driver) = child(runtime, &server(runtime), 0);
            let calls = async {
                echo(&client, "x").await.expect("an answer");
                let over = exit(&client).await.expect_err("it has exited");
                assert!(matches!(over, CallError::Closed(CloseReason::Exited(_))), "{over:?}");
            };
            let (end, ()) = join(driver, calls).await;
            assert_eq!(end.expect("an exit").code, Some(3));
        });
    }
}

#[test]
fn a_driver_that_is_dropped_takes_the_second_child_along() {
    for runtime in RUNTIMES {
        let number = run(runtime, async {
            let (client, mut driver) = child(runtime, &server(runtime), 5);
            let calls = async {
                echo(&client, "x").await.expect("an answer");
                exit(&client).await.expect_err("it has exited");
                process(&client).await
            };
            crate::world::beside(&mut driver, calls).await
        });
        run(runtime, eventually(|| is_zombie(number).is_none()));
    }
}
