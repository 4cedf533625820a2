//! A list of thousands of tools: read in turns.

use mcp_proto::{Revision, Time};
use serde_json::{Value, json};

use crate::support::{Wire, at};
use crate::tool_lists::{answer, ask, is_kept, listed, names};

const MODERN: Revision = Revision::LATEST;

/// 10,000 tools were one poll of 7 to 10 ms.
#[test]
fn a_long_list_is_read_in_turns_and_in_its_order() {
    let mut wire = Wire::ready(MODERN);
    let call = ask(&mut wire);
    let all: Vec<String> = (0..5_000).map(|number| format!("tool-{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (first, second) = all.split_at(3_000);
    answer(
        &mut wire,
        Value::Null,
        first,
        json!({"nextCursor": "2", "ttlMs": 5_000}),
    );
    // The next page is asked for before the first is read.
    answer(&mut wire, json!("2"), second, json!({"ttlMs": 5_000}));
    let (mut turns, mut events) = (0, wire.events());
    while listed(&events).is_empty() {
        assert_eq!(
            wire.client.poll_timeout(),
            Some(Time::ORIGIN),
            "there is something to do at once"
        );
        wire.client.handle_timeout(Time::ORIGIN);
        events = wire.events();
        turns += 1;
    }
    assert!((3..100).contains(&turns), "{turns}");
    let (listed, outcome) = listed(&events).remove(0);
    assert_eq!((listed, names(&outcome)), (call, all));
    assert!(is_kept(&mut wire));
    assert_eq!(wire.client.poll_timeout(), Some(at(5)));
}

#[test]
fn who_leaves_while_a_long_list_is_read_leaves_nothing_to_be_read() {
    let mut wire = Wire::ready(MODERN);
    let call = ask(&mut wire);
    let all: Vec<String> = (0..5_000).map(|number| format!("tool-{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    answer(&mut wire, Value::Null, &all, json!({"ttlMs": 5_000}));
    assert_eq!(wire.client.poll_timeout(), Some(Time::ORIGIN));
    wire.client.client().cancel(call);
    assert_eq!(wire.client.poll_timeout(), None);
    assert!(wire.sent().is_empty() && wire.events().is_empty());
}
