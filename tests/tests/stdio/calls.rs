//! What goes back and forth between a client and its child.

use std::sync::{Arc, Mutex};

use futures_util::future::{join, join_all};
use mcp_driver::child::{Environment, Stderr};
use mcp_proto::Revision;
use mcp_proto::client::Mode;
use serde_json::json;

use crate::world::{RUNTIMES, call, child_in, echo, is_zombie, process, run, server, with_child};

#[test]
fn calls_in_every_mode_between_all_runtimes() {
    for (near, far) in RUNTIMES.iter().flat_map(|near| RUNTIMES.map(|far| (*near, far))) {
        for mode in [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)] {
            run(near, async {
                let (client, driver) = child_in(near, &server(far), mode).expect("a child");
                let calls = async move {
                    assert_eq!(echo(&client, "hello").await.as_deref(), Ok("hello"));
                    let number = process(&client).await;
                    assert_eq!(is_zombie(number), Some(false));
                    client.close().await;
                    number
                };
                let (exit, number) = join(driver, calls).await;
                let exit = exit.expect("an exit");
                assert!(exit.is_success() && exit.sent.is_none(), "{exit:?}");
                assert_eq!(is_zombie(number), None, "it is reaped when the driver is done");
            });
        }
    }
}

#[test]
fn sixty_four_calls_in_flight_while_the_server_prints() {
    for runtime in RUNTIMES {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let command = server(runtime).stderr(Stderr::lines(move |line| {
            let number = line.trim_start_matches("without an end ").parse::<u32>();
            sink.lock().unwrap().extend(number);
        }));
        let (exit, counters) = with_child(runtime, &command, async |client| {
            let all = (0..64).map(|number| {
                let client = client.clone();
                async move {
                    let text = number.to_string();
                    let printed = call(&client, "print", json!({"text": text}));
                    let (printed, echoed) = join(printed, echo(&client, &text)).await;
                    assert_eq!((printed.as_deref(), echoed), (Ok("printed"), Ok(text.clone())));
                }
            });
            join_all(all).await;
            client.counters()
        });
        assert!(exit.is_success());
        assert_eq!(counters, Default::default(), "nothing of it reached the client");
        let mut seen = std::mem::take(&mut *seen.lock().unwrap());
        seen.sort_unstable();
        assert!(
            seen.iter().copied().eq(0..64),
            "what was printed is on standard error: {seen:?}"
        );
    }
}

#[test]
fn standard_error_is_captured_line_by_line_and_to_the_end() {
    for runtime in RUNTIMES {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let stderr = Stderr::lines(move |line| sink.lock().unwrap().push(line.to_owned()));
        let (_, outcome) = with_child(runtime, &server(runtime).stderr(stderr), async |client| {
            call(&client, "log", json!({"text": "one\ntwo"})).await.expect("logged");
            call(&client, "log", json!({"text": "last words"}))
                .await
                .expect("logged");
            call(&client, "exit", json!({"code": 3})).await
        });
        assert!(outcome.is_err());
        assert_eq!(lines.lock().unwrap().as_slice(), ["one", "two", "last words"]);
    }
}

#[test]
fn a_message_of_sixteen_mebibytes_goes_both_ways() {
    for runtime in RUNTIMES {
        let (exit, ()) = with_child(runtime, &server(runtime), async |client| {
            let text = "x".repeat((16 << 20) - 1024);
            assert!(echo(&client, &text).await.as_ref() == Ok(&text));
        });
        assert!(exit.is_success(), "{exit}");
    }
}

#[test]
fn the_environment_of_the_host_stays_with_the_host() {
    for runtime in RUNTIMES {
        // Cargo has set it for this process.
        let name = "CARGO_MANIFEST_DIR";
        assert!(std::env::var_os(name).is_some() && std::env::var_os("PATH").is_some());
        let basic = server(runtime).env("OWN", "mine");
        let all = server(runtime).environment(Environment::All);
        let nothing = server(runtime).environment(Environment::Nothing);
        for (command, has_path, has_all, own) in [
            (basic, true, false, "mine"),
            (all, true, true, ""),
            (nothing, false, false, ""),
        ] {
            with_child(runtime, &command, async |client| {
                let variable = async |name| call(&client, "variable", json!({"text": name})).await.expect("a text");
                assert_eq!(!variable("PATH").await.is_empty(), has_path);
                assert_eq!(!variable(name).await.is_empty(), has_all);
                assert_eq!(variable("OWN").await, own);
            });
        }
    }
}

#[test]
fn a_child_starts_where_it_is_told_to() {
    for runtime in RUNTIMES {
        let command = server(runtime).current_dir("/proc");
        with_child(runtime, &command, async |client| {
            let inside = call(&client, "shell", json!({"text": "test -d self"})).await;
            assert_eq!(inside.as_deref(), Ok("Some(0)"));
        });
    }
}

#[test]
fn what_a_handler_starts_neither_reads_the_input_nor_writes_to_the_output() {
    for runtime in RUNTIMES {
        let command = server(runtime).stderr(Stderr::Null);
        with_child(runtime, &command, async |client| {
            let shell = async |text| call(&client, "shell", json!({"text": text})).await;
            // `read` fails at the end of its input.
            assert_eq!(shell("read line").await.as_deref(), Ok("Some(1)"));
            assert_eq!(shell("echo junk").await.as_deref(), Ok("Some(0)"));
            assert_eq!(echo(&client, "x").await.as_deref(), Ok("x"));
            assert_eq!(client.counters(), Default::default());
        });
    }
}

#[test]
fn the_standard_streams_serve_one_connection() {
    for runtime in RUNTIMES {
        with_child(runtime, &server(runtime), async |client| {
            assert_eq!(call(&client, "again", json!({})).await.as_deref(), Ok("resource busy"));
            assert_eq!(echo(&client, "x").await.as_deref(), Ok("x"));
        });
    }
}
