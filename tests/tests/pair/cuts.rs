//! Byte streams that end in the middle.

use mcp_proto::jsonrpc::ErrorCode;
use mcp_proto::rpc::{CallError, CallOptions, CloseReason};
use mcp_proto::{Revision, Time};
use mcp_tests::network::{Conditions, Cuts};
use mcp_tests::pair::{Pair, PairLink, Setup, StreamLink};
use serde_json::json;

fn conversation(pair: &mut Pair<StreamLink>) {
    pair.call("tools/list", json!({}));
    pair.call_tool_with("steps", json!({ "steps": 2 }), CallOptions::new().with_progress());
    pair.call_tool("fail", json!({}));
    pair.drive();
    // After a cut this is refused.
    let _ = pair
        .try_call("tools/call", json!({ "name": "echo" }), CallOptions::default())
        .map_err(drop);
    pair.drive();
}

fn setup(revision: Revision, cuts: Cuts) -> Setup {
    Setup::speaking(revision).conditions(Conditions::CALM.with_cuts(cuts))
}

/// The lengths of both directions where nothing is cut.
fn lengths(revision: Revision) -> (usize, usize) {
    let mut pair = setup(revision, Cuts::Whole).stream();
    conversation(&mut pair);
    pair.check_quiet();
    (pair.link.up().delivered(), pair.link.down().delivered())
}

#[test]
fn a_cut_at_any_byte_resolves_every_call_once() {
    for revision in [Revision::V2025_11_25, Revision::V2025_03_26, Revision::V2026_07_28] {
        let (up, down) = lengths(revision);
        assert!(up > 500 && down > 500, "{up} {down}");
        for bytes in 0..up {
            let mut pair = setup(revision, cuts_for(bytes)).stream();
            pair.link.up().cut_after(bytes);
            check(pair, &format!("{revision} up {bytes}"));
        }
        for bytes in 0..down {
            let mut pair = setup(revision, cuts_for(bytes)).stream();
            pair.link.down().cut_after(bytes);
            check(pair, &format!("{revision} down {bytes}"));
        }
    }
}

/// Whole and in pieces in turn: where the pieces end makes no difference to what has arrived.
fn cuts_for(bytes: usize) -> Cuts {
    if bytes.is_multiple_of(2) {
        Cuts::Whole
    } else {
        Cuts::Random
    }
}

fn check(mut pair: Pair<StreamLink>, case: &str) {
    conversation(&mut pair);
    assert_eq!(pair.record.closed, Some(CloseReason::Peer), "{case}");
    pair.record.check();
    for call in pair.record.calls() {
        let is_expected = match pair.outcome(call) {
            Ok(_) => true,
            // What is cut behind its id counts under it, on either side: it cannot be read.
            Err(CallError::InvalidReply(_)) => true,
            Err(CallError::Rpc(error)) => error.message.contains("broken") || error.code == ErrorCode::PARSE_ERROR,
            Err(error) => *error == CallError::Closed(CloseReason::Peer),
        };
        assert!(is_expected, "{case}: {:?}", pair.outcome(call));
    }
    assert_eq!(pair.link.as_client().pending_calls(), 0, "{case}");
    // The beginning of a line, where the stream was cut, is answered as what it is: no message.
    assert!(pair.link.as_client().counters().unknown_replies <= 1, "{case}");
    assert_eq!(pair.link.desk().in_progress(), 0, "{case}");
    assert!(pair.link.is_finished(), "{case}");
}

#[test]
fn a_cut_settles_every_call_in_the_same_moment() {
    for revision in Revision::ALL {
        let mut pair = Setup::speaking(revision).stream();
        let calls: Vec<_> = (0..50).map(|_| pair.call_tool("mute", json!({}))).collect();
        pair.settle();
        assert_eq!(pair.link.desk().in_progress(), 50);
        pair.cut();
        pair.settle();
        assert_eq!(pair.now(), Time::ORIGIN);
        for call in calls {
            assert_eq!(*pair.outcome(call), Err(CallError::Closed(CloseReason::Peer)));
        }
        assert!(pair.try_call("tools/list", json!({}), CallOptions::default()).is_err());
        pair.drive();
        assert_eq!(pair.link.desk().in_progress(), 0);
        assert!(pair.link.is_finished());
    }
}

/// The client closes its end while the server still works: what is in progress is still written.
#[test]
fn the_end_of_input_does_not_cut_off_what_is_queued() {
    for revision in Revision::ALL {
        let mut pair = Setup::speaking(revision).stream();
        let call = pair.call_tool("slow", json!({ "ms": 500, "text": "late" }));
        pair.settle();
        let now = pair.now();
        pair.link.up().close(now);
        pair.drive();
        assert_eq!(pair.text(call), "late");
        assert!(pair.link.is_finished());
    }
}
