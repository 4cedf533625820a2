//! The clock, and timers that follow it.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use mcp_smol::mcp_proto::Time;
use mcp_smol::mcp_proto::handle::Timer as _;
use mcp_smol::{Clock, Timer};

fn at(milliseconds: u64) -> Time {
    Time::ORIGIN + Duration::from_millis(milliseconds)
}

#[test]
fn the_clock_follows_the_system() {
    let clock = Clock::start();
    async_io::block_on(clock.sleep_until(at(30)));
    assert!(clock.now() >= at(30));
}

#[test]
fn an_endless_deadline_is_no_overflow() {
    let clock = Clock::start();
    let mut timer = Timer::new(clock);
    let endless = Some(Time::since_origin(Duration::MAX));
    for deadline in [endless, Some(at(3_600_000)), endless] {
        let ready = async_io::block_on(poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())));
        assert!(!ready, "{deadline:?}");
    }
}

#[test]
fn the_timer_follows_a_deadline_both_ways() {
    let clock = Clock::start();
    let mut timer = Timer::new(clock);
    for deadline in [Some(at(600_000)), None, Some(at(1_200_000)), Some(at(300_000))] {
        let ready = async_io::block_on(poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())));
        assert!(!ready, "{deadline:?}");
    }
    for deadline in [20, 20, 40] {
        async_io::block_on(poll_fn(|cx| timer.poll(cx, Some(at(deadline)))));
        assert!(clock.now() >= at(deadline));
    }
}
