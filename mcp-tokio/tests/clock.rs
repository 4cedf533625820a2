//! The clock, and timers that follow it.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use mcp_tokio::mcp_proto::Time;
use mcp_tokio::mcp_proto::handle::Timer as _;
use mcp_tokio::{Clock, Timer};

#[tokio::test(start_paused = true)]
async fn the_clock_follows_tokio() {
    let clock = Clock::start();
    assert_eq!(clock.now(), Time::ORIGIN);
    clock.sleep_until(Time::ORIGIN + Duration::from_secs(3600)).await;
    assert_eq!(clock.now().elapsed().as_secs(), 3600);
}

#[tokio::test(start_paused = true)]
async fn an_endless_deadline_is_no_overflow() {
    let clock = Clock::start();
    let mut sleep = std::pin::pin!(clock.sleep_until(Time::since_origin(Duration::MAX)));
    let fired = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_ready())).await;
    assert!(!fired);
}

#[tokio::test(start_paused = true)]
async fn the_timer_follows_a_deadline_both_ways() {
    let clock = Clock::start();
    let mut timer = Timer::new(clock);
    let at = |seconds| Some(Time::ORIGIN + Duration::from_secs(seconds));
    for deadline in [at(10), None, at(20), at(5)] {
        let ready = poll_fn(|cx| Poll::Ready(timer.poll(cx, deadline).is_ready())).await;
        assert!(!ready, "{deadline:?}");
    }
    poll_fn(|cx| timer.poll(cx, at(7))).await;
    assert_eq!(clock.now().elapsed().as_secs(), 7);
    poll_fn(|cx| timer.poll(cx, at(7))).await;
    poll_fn(|cx| timer.poll(cx, at(9))).await;
    assert_eq!(clock.now().elapsed().as_secs(), 9);
}
