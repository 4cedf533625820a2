//! Two pumps connected in memory.

use std::time::Duration;

use bytes::Bytes;
use mcp_tokio::mcp_proto::Time;
use mcp_tokio::memory::join;

use super::{bounded, settle};
use crate::script::Script;

#[tokio::test(start_paused = true)]
async fn what_one_side_sends_the_other_receives_as_it_is() {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    right.change(|state| state.echo = true);
    let driver = tokio::spawn(join(left_pump, right_pump));
    left.change(|state| {
        state
            .output
            .extend([Bytes::from_static(b"one"), Bytes::from_static(b"two")])
    });
    settle().await;
    assert_eq!(right.state().received, b"onetwo");
    assert_eq!(left.state().received, b"onetwo");
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn a_side_without_room_holds_up_the_other_and_its_deadlines_run() {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    right.change(|state| state.wants_input = None);
    let driver = tokio::spawn(join(left_pump, right_pump));
    left.change(|state| {
        state.output.push_back(Bytes::from_static(b"later"));
        state.deadline = Some(Time::ORIGIN + Duration::from_secs(5));
    });
    settle().await;
    assert_eq!(left.state().transmitted, 0);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(left.state().timeouts.len(), 1);
    right.change(|state| state.wants_input = Some(true));
    settle().await;
    assert_eq!(right.state().received, b"later");
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_one_side_does_not_cut_off_the_other() {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    let driver = tokio::spawn(join(left_pump, right_pump));
    left.change(|state| {
        state.output.push_back(Bytes::from_static(b"last"));
        state.closing = true;
    });
    settle().await;
    assert_eq!(right.state().received, b"last");
    assert!(right.state().ended && !left.state().ended);
    right.change(|state| {
        state.output.push_back(Bytes::from_static(b"answer"));
        state.closing = true;
    });
    bounded(driver).await.expect("no panic");
    assert_eq!(left.state().received, b"answer");
    assert!(left.state().dropped && right.state().dropped);
}

#[tokio::test(start_paused = true)]
async fn output_for_a_side_that_takes_nothing_any_more_is_dropped() {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    let driver = tokio::spawn(join(left_pump, right_pump));
    right.change(|state| {
        state.wants_input = Some(false);
        state.closing = true;
    });
    left.change(|state| {
        state.output.extend((0..10).map(|_| Bytes::from_static(b"in vain")));
        state.close_on_eof = true;
    });
    bounded(driver).await.expect("no panic");
    assert!(right.state().received.is_empty());
}

#[tokio::test(start_paused = true)]
async fn other_tasks_get_their_turn_beside_an_endless_exchange() {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    for side in [&left, &right] {
        side.change(|state| state.echo = true);
    }
    let driver = tokio::spawn(join(left_pump, right_pump));
    left.change(|state| state.output.push_back(Bytes::from_static(b"x")));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(right.state().received.len() > 100 && !driver.is_finished());
    driver.abort();
}
