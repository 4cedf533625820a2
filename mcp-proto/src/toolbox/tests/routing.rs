//! J: whatever a server says of a call reaches that call.

use alloc::vec::Vec;
use core::pin::Pin;

use super::*;
use crate::toolbox::{RemoteTool, ToolCallEvent, Toolbox};

type Streamed = Pin<alloc::boxed::Box<dyn Future<Output = (u32, Vec<f64>, String)>>>;

/// What the events of one call say: the number it was made with, its progress, its result.
fn streamed(tool: &RemoteTool, from: u32, steps: u32) -> Streamed {
    let mut events = tool.call(count(from, steps)).events(None);
    alloc::boxed::Box::pin(async move {
        let mut progress = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                ToolCallEvent::Progress(report) => progress.push(report.progress),
                ToolCallEvent::Done(outcome) => {
                    assert!(events.next().await.is_none(), "the outcome comes last");
                    return (from, progress, outcome.unwrap().to_text());
                }
                ToolCallEvent::Log(_) => panic!("nothing was logged"),
            }
        }
        panic!("no outcome");
    })
}

async fn all(mut calls: Vec<Streamed>) -> Vec<(u32, Vec<f64>, String)> {
    let mut done = Vec::new();
    poll_fn(|cx| {
        calls.retain_mut(|call| match call.as_mut().poll(cx) {
            Poll::Ready(output) => {
                done.push(output);
                false
            }
            Poll::Pending => true,
        });
        if calls.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done
}

#[test]
fn j1_two_and_fifty_concurrent_calls_each_get_their_own_progress_in_order() {
    for mode in ERAS {
        for calls in [2, 50] {
            let (client, mut world) = World::new(mode, counting());
            let tool = RemoteTool::new(client, "count");
            let calls: Vec<_> = (0..calls).map(|n| streamed(&tool, n * 100, 3 + n % 7)).collect();
            let expected = calls.len();
            let done = run(&mut [&mut world], all(calls));
            assert_eq!(done.len(), expected);
            for (from, progress, text) in done {
                let own: Vec<f64> = (from..from + 3 + from / 100 % 7).map(f64::from).collect();
                assert_eq!((progress, text), (own, from.to_string()), "{mode:?}");
            }
            assert_eq!(world.count("tools/list"), 0);
        }
    }
}

#[test]
fn j2_a_listener_that_comes_after_the_session_hears_everything() {
    for mode in ERAS {
        let (client, mut world) = World::new(mode, counting());
        let tool = RemoteTool::new(client.clone(), "count");
        run(&mut [&mut world], client.ready()).unwrap();
        run(&mut [&mut world], tool.call(count(0, 5))).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = heard.clone();
        let call = tool
            .call(count(7, 10))
            .on_progress(move |report| sink.lock().unwrap().push(report.progress));
        run(&mut [&mut world], call).unwrap();
        let expected: Vec<f64> = (7..17).map(f64::from).collect();
        assert_eq!(*heard.lock().unwrap(), expected, "{mode:?}");
    }
}

#[test]
fn progress_of_a_call_through_a_box_is_its_own_too() {
    let (one, mut first) = World::new(Mode::Modern, counting());
    let (two, mut second) = World::new(Mode::Modern, counting());
    let toolbox = Toolbox::builder()
        .server("one", crate::toolbox::ServerTools::new(one).prefix("a_"))
        .server("two", crate::toolbox::ServerTools::new(two).prefix("b_"))
        .build();
    let calls = [("a_count", 0), ("b_count", 100), ("a_count", 200)];
    let calls = calls.map(|(name, from)| streamed(&toolbox.tool(name), from, 4));
    let done = run(&mut [&mut first, &mut second], all(calls.into()));
    for (from, progress, _) in done {
        assert_eq!(progress, (from..from + 4).map(f64::from).collect::<Vec<_>>());
    }
}

#[test]
fn log_messages_over_a_byte_stream_are_notifications_and_never_attributed() {
    use crate::model::{LoggingLevel, ServerCapabilities};
    for mode in ERAS {
        let capabilities = ServerCapabilities {
            logging: Some(Json::empty_object()),
            ..ServerCapabilities::default()
        };
        let server = Server::builder("logging", "1").capabilities(capabilities).raw_tool(
            any_object("log"),
            |_, context: server::Context| async move {
                context.log(LoggingLevel::Error, None, "said").await;
                Ok("done")
            },
        );
        let (client, mut world) = World::new(mode, server);
        let mut notes = client.notifications();
        let call = RemoteTool::new(client, "log")
            .call(())
            .on_log(LoggingLevel::Info, |_| panic!("nobody knows whose it is"));
        run(&mut [&mut world], call).unwrap();
        let note = run(&mut [&mut world], notes.next()).unwrap();
        assert_eq!(note.notification.method.as_str(), "notifications/message");
    }
}
