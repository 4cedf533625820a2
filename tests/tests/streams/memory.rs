//! Two pumps connected in memory.

use std::time::Duration;

use bytes::Bytes;
use mcp_proto::Time;
use mcp_tests::runtime::{AnyPump, Runtime};

use crate::script::Script;
use crate::{Driver, everywhere};

fn join(runtime: &dyn Runtime) -> (Script, Script, Driver<()>) {
    let ((left, left_pump), (right, right_pump)) = (Script::new(), Script::new());
    let driver = runtime.join(AnyPump::new(left_pump), AnyPump::new(right_pump));
    (left, right, Driver(driver))
}

#[test]
fn what_one_side_sends_the_other_receives_as_it_is() {
    everywhere(async |runtime| {
        let (left, right, mut driver) = join(runtime);
        right.change(|state| state.echo = true);
        left.change(|state| {
            let pieces = [Bytes::from_static(b"one"), Bytes::from_static(b"two")];
            state.output.extend(pieces);
        });
        assert!(driver.settle().is_none());
        assert_eq!(right.state().received, b"onetwo");
        assert_eq!(left.state().received, b"onetwo");
    });
}

#[test]
fn a_side_without_room_holds_up_the_other_and_its_deadlines_run() {
    everywhere(async |runtime| {
        let (left, right, mut driver) = join(runtime);
        right.change(|state| state.wants_input = None);
        left.change(|state| {
            state.output.push_back(Bytes::from_static(b"later"));
            state.deadline = Some(Time::ORIGIN + Duration::from_millis(20));
        });
        assert!(driver.settle().is_none());
        while left.state().timeouts.is_empty() {
            driver.beside(runtime.sleep(Duration::from_millis(1))).await;
        }
        assert_eq!(left.state().transmitted, 0);
        right.change(|state| state.wants_input = Some(true));
        assert!(driver.settle().is_none());
        assert_eq!(right.state().received, b"later");
    });
}

#[test]
fn the_end_of_one_side_does_not_cut_off_the_other() {
    everywhere(async |runtime| {
        let (left, right, mut driver) = join(runtime);
        left.change(|state| {
            state.output.push_back(Bytes::from_static(b"last"));
            state.closing = true;
        });
        assert!(driver.settle().is_none());
        assert_eq!(right.state().received, b"last");
        assert!(right.state().ended && !left.state().ended);
        right.change(|state| {
            state.output.push_back(Bytes::from_static(b"answer"));
            state.closing = true;
        });
        driver.end().await;
        assert_eq!(left.state().received, b"answer");
        assert!(left.state().dropped && right.state().dropped);
    });
}

#[test]
fn output_for_a_side_that_takes_nothing_any_more_is_dropped() {
    everywhere(async |runtime| {
        let (left, right, driver) = join(runtime);
        right.change(|state| {
            state.wants_input = Some(false);
            state.closing = true;
        });
        left.change(|state| {
            state.output.extend((0..10).map(|_| Bytes::from_static(b"in vain")));
            state.close_on_eof = true;
        });
        driver.end().await;
        assert!(right.state().received.is_empty());
    });
}

#[test]
fn other_tasks_get_their_turn_beside_an_endless_exchange() {
    everywhere(async |runtime| {
        let (left, right, mut driver) = join(runtime);
        for side in [&left, &right] {
            side.change(|state| state.echo = true);
        }
        left.change(|state| state.output.push_back(Bytes::from_static(b"x")));
        for _ in 0..100 {
            // Each poll comes to its end.
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(driver.0.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
        }
        assert!(right.state().received.len() > 100);
    });
}
