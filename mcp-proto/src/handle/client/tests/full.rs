//! Two sides that have much to say to each other at once, and little room.

use super::*;
use crate::client::ClientConfig;
use crate::handle::Crossing;
use crate::handle::Server;
use crate::model::{Json, Tool};

/// A server that answers each call with 2,000 bytes.
fn talkative(limits: Limits) -> Server {
    Server::builder("talkative", "1")
        .limits(limits)
        .raw_tool(Tool::new("talk", Json::empty_object()), |_, _| async {
            Ok("x".repeat(2_000))
        })
        .build()
}

/// How many of `calls` calls with 1,000 bytes each are answered where nothing of them takes time.
fn answered(limits: &Limits, mode: Mode, calls: usize) -> usize {
    let server = Limits {
        outbox_bytes: limits.outbox_bytes,
        ..Limits::default()
    };
    let config = ClientConfig::named("test", "1")
        .with_mode(mode)
        .with_limits(limits.clone());
    let (client, pump) = Client::over_stream(config);
    let mut crossing = Crossing::new(pump, talkative(server).pump());
    let mut calls: Vec<_> = (0..calls)
        .map(|_| Box::pin(client.call_tool("talk", json!({"text": "y".repeat(1_000)}))))
        .collect();
    let (all, mut done) = (calls.len(), 0);
    let cx = &mut Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        calls.retain_mut(|call| match poll(call.as_mut()) {
            Poll::Ready(result) => {
                result.unwrap();
                done += 1;
                false
            }
            Poll::Pending => true,
        });
        if done == all {
            break;
        }
        let _ = crossing.poll(cx, Time::ORIGIN, |_, _| Poll::Pending);
    }
    done
}

#[test]
fn full_outboxes_on_both_sides_do_not_wait_for_each_other() {
    let limits = Limits {
        outbox_bytes: 4_000,
        ..Limits::default()
    };
    for mode in [Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY), Mode::Auto] {
        assert_eq!(answered(&limits, mode, 50), 50, "{mode:?}");
    }
}

#[test]
fn calls_that_wait_for_the_handshake_do_not_keep_its_answer_out() {
    let limits = Limits {
        total_bytes: 3_000,
        ..Limits::default()
    };
    for mode in [Mode::Legacy(Revision::LATEST_LEGACY), Mode::Auto] {
        assert_eq!(answered(&limits, mode, 5), 5, "{mode:?}");
    }
}
