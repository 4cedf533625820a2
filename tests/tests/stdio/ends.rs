//! How children end.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join;
use mcp_driver::child::{Command, Exit, Signal, SpawnError, Stderr};
use mcp_proto::Revision;
use mcp_proto::client::{Incident, Mode};
use mcp_proto::rpc::{CallError, CloseReason};
use serde_json::json;

use crate::world::{
    RUNTIMES, Runtime, beside, call, child, child_in, echo, eventually, is_zombie, process, run, script, server,
    with_child,
};

const SHORT: Duration = Duration::from_millis(150);

/// A child that gives the numbers of what it starts, one a line on standard error.
fn numbers(command: Command) -> (Command, Arc<Mutex<Vec<u32>>>) {
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&numbers);
    let stderr = Stderr::lines(move |line| sink.lock().unwrap().extend(line.parse::<u32>()));
    (command.stderr(stderr), numbers)
}

/// Why a call has ended with its connection.
fn why<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> String {
    match outcome {
        Err(CallError::Closed(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

fn is_gone(process: u32) -> bool {
    // An orphan is reaped by the first process of the system, where that cares.
    is_zombie(process).unwrap_or(true)
}

/// Runs a script until it is gone, without a call. How it exited, and how long the shutdown took.
fn shut_down(runtime: Runtime, command: &Command, begun: impl Fn() -> bool) -> (Exit, Duration) {
    run(runtime, async {
        let (client, mut driver) = child(runtime, command).expect("a child");
        beside(&mut driver, eventually(begun)).await;
        let start = Instant::now();
        drop(client);
        let exit = driver.await.expect("an exit");
        (exit, start.elapsed())
    })
}

#[test]
fn a_child_that_ignores_the_end_of_its_input_is_asked_to_terminate() {
    for runtime in RUNTIMES {
        let (command, numbers) = numbers(script(runtime, "echo $$ >&2; exec sleep 600"));
        let (exit, took) = shut_down(runtime, &command.exit_after(SHORT), || {
            !numbers.lock().unwrap().is_empty()
        });
        assert_eq!((exit.signal, exit.sent), (Some(15), Some(Signal::Terminate)));
        assert!(took >= SHORT, "{took:?}");
        assert_eq!(is_zombie(numbers.lock().unwrap()[0]), None);
    }
}

#[test]
fn a_child_that_ignores_that_as_well_is_killed() {
    for runtime in RUNTIMES {
        let text = "trap '' TERM; echo $$ >&2; exec sleep 600";
        let (command, numbers) = numbers(script(runtime, text));
        let command = command.exit_after(SHORT).kill_after(SHORT);
        let (exit, took) = shut_down(runtime, &command, || !numbers.lock().unwrap().is_empty());
        assert_eq!((exit.signal, exit.sent), (Some(9), Some(Signal::Kill)));
        assert!(took >= 2 * SHORT, "{took:?}");
        assert_eq!(is_zombie(numbers.lock().unwrap()[0]), None);
    }
}

#[test]
fn what_a_child_has_started_goes_with_it_and_does_not_hold_up_the_end() {
    for runtime in RUNTIMES {
        // It has both ends of all pipes.
        let (command, numbers) = numbers(script(runtime, "sleep 600 & echo $! >&2; exec \"$0\" \"$@\""));
        let command = command.exit_after(SHORT).kill_after(SHORT);
        let start = Instant::now();
        let (exit, ()) = with_child(runtime, &command, async |client| {
            assert_eq!(echo(&client, "x").await.as_deref(), Ok("x"));
        });
        assert!(exit.is_success(), "{exit:?}");
        assert!(start.elapsed() < Duration::from_secs(30));
        let number = numbers.lock().unwrap()[0];
        run(runtime, eventually(|| is_gone(number)));
    }
}

#[test]
fn calls_end_at_once_when_the_child_exits_though_its_pipes_are_held() {
    for runtime in RUNTIMES {
        let exits = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&exits);
        let command = script(runtime, "sleep 600 & exec \"$0\" \"$@\"").exit_after(SHORT);
        let command = command.on_exit(move |exit| sink.lock().unwrap().push(*exit));
        let (exit, ()) = with_child(runtime, &command, async |client| {
            echo(&client, "x").await.expect("an answer");
            let start = Instant::now();
            let outcome = call(&client, "exit", json!({"code": 3})).await;
            assert_eq!(why(outcome), "the server exited with status 3");
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        });
        // It was started again, and ends with its client.
        assert!(exit.is_success(), "{exit:?}");
        let exits: Vec<_> = exits.lock().unwrap().iter().map(|exit| exit.code).collect();
        assert_eq!(exits, [Some(3), Some(0)]);
    }
}

#[test]
fn a_child_that_is_killed_from_outside_ends_the_calls() {
    for runtime in RUNTIMES {
        let exits = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&exits);
        let command = server(runtime).on_exit(move |exit| sink.lock().unwrap().push((exit.signal, exit.sent)));
        let (exit, ()) = with_child(runtime, &command, async |client| {
            let number = process(&client).await.to_string();
            let kill = std::process::Command::new("kill").args(["-KILL", &number]).status();
            assert!(kill.expect("kill").success());
            let outcome = call(&client, "sleep", json!({"milliseconds": 600_000})).await;
            assert_eq!(why(outcome), "the server ended by signal 9");
        });
        assert!(exit.is_success(), "{exit:?}");
        assert_eq!(exits.lock().unwrap()[0], (Some(9), None));
    }
}

#[test]
fn a_child_that_never_speaks_ends_the_calls() {
    for runtime in RUNTIMES {
        let starts = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&starts);
        let command = Command::new("sh").args(["-c", "exit 7"]);
        let command = command.on_exit(move |_| *seen.lock().unwrap() += 1);
        let (exit, outcome) = with_child(runtime, &command, async |client| echo(&client, "x").await);
        assert_eq!(exit.code, Some(7));
        assert_eq!(why(outcome), "the server exited with status 7 before it answered");
        // It has not read the question what it speaks, and so did not die of it.
        #[cfg(target_os = "linux")]
        assert_eq!(*starts.lock().unwrap(), 1);
    }
}

#[test]
fn dropping_the_driver_kills_the_group_and_the_child_is_reaped() {
    for runtime in RUNTIMES {
        let (command, numbers) = numbers(script(runtime, "sleep 600 & echo $! >&2; exec \"$0\" \"$@\""));
        run(runtime, async {
            let (client, mut driver) = child(runtime, &command).expect("a child");
            let number = beside(&mut driver, process(&client)).await;
            let start = Instant::now();
            drop(driver);
            assert!(start.elapsed() < Duration::from_secs(10));
            assert_eq!(
                echo(&client, "x").await,
                Err(CallError::Closed(CloseReason::DriverDropped))
            );
            eventually(|| is_zombie(number).is_none()).await;
            let number = numbers.lock().unwrap()[0];
            eventually(|| is_gone(number)).await;
        });
    }
}

#[test]
fn a_server_may_end_it() {
    for runtime in RUNTIMES {
        let (exit, ()) = with_child(runtime, &server(runtime), async |client| {
            assert_eq!(call(&client, "stop", json!({})).await.as_deref(), Ok("stopped"));
            let outcome = call(&client, "sleep", json!({"milliseconds": 600_000})).await;
            assert!(why(outcome).starts_with("the server exited with status 0"));
        });
        assert!(exit.is_success(), "{exit:?}");
    }
}

#[test]
fn what_cannot_be_started_is_named_at_once() {
    for runtime in RUNTIMES {
        run(runtime, async {
            let missing = Command::new("/nowhere/at-all");
            let plain = Command::new(format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR")));
            let nowhere = server(runtime).current_dir("/nowhere");
            for (command, kind) in [
                (missing, io::ErrorKind::NotFound),
                (plain, io::ErrorKind::PermissionDenied),
                (nowhere, io::ErrorKind::NotFound),
            ] {
                let error = child(runtime, &command).err().expect("an error");
                assert_eq!(error.kind(), kind);
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<SpawnError>());
                assert_eq!(inner.expect("its reason").program(), command.program());
                let program = command.program().to_str().expect("text");
                assert!(error.to_string().contains(program), "{error}");
            }
        });
    }
}

#[test]
fn tokio_children_need_a_runtime_and_there_is_no_panic_without_one() {
    assert!(child(Runtime::Tokio, &server(Runtime::Tokio)).is_err());
}

/// A legacy server that exits because of `server/discover` is started again, and sent `initialize`.
#[test]
fn a_server_that_dies_of_the_probe_is_started_again() {
    // It lets through what does not begin with the probe.
    let text = r#"read -r line
case $line in *server/discover*) echo dying >&2; exit 3;; esac
{ printf '%s\n' "$line"; exec cat; } | exec "$0" "$1" "$2""#;
    for runtime in RUNTIMES {
        let exits = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&exits);
        let command = script(runtime, text).on_exit(move |exit| seen.lock().expect("a lock").push(exit.code));
        let (_, answer) = with_child(runtime, &command, async |client| {
            let start = Instant::now();
            let answer = echo(&client, "alive").await;
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
            let prior = client.prior().expect("it is known");
            assert_eq!(prior.revision(), Revision::V2025_11_25);
            answer
        });
        assert_eq!(answer.expect("an answer"), "alive");
        assert!(exits.lock().expect("a lock").len() <= 2);
    }
}

/// What an operator wants to know of a server that does not start.
#[test]
fn a_client_is_told_how_its_child_ended_and_what_it_said_last() {
    let text = "echo starting; read -r line; echo no such table >&2; exit 4";
    for runtime in RUNTIMES {
        let command = script(runtime, text).stderr(Stderr::lines(|_| {}));
        let (exit, told) = run(runtime, async {
            let (client, driver) = child_in(runtime, &command, Mode::Modern).expect("a child");
            let told = async {
                let mut incidents = client.incidents();
                let said = "the server exited with status 4 before it answered; its last output was \"no such table\"";
                assert_eq!(why(echo(&client, "x").await), said);
                let mut told = Vec::new();
                while let Some(incident) = incidents.next().await {
                    told.push(incident);
                }
                told
            };
            join(driver, told).await
        });
        assert_eq!(exit.expect("an exit").code, Some(4));
        let [Incident::Junk(junk), Incident::Exited(farewell)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(junk.as_str(), "starting");
        let said = "the server exited with status 4 before it answered; its last output was \"no such table\"";
        assert_eq!(farewell.to_string(), said);
    }
}
