//! Where the clock of a driver stands in the calendar.

use std::sync::OnceLock;

use crate::handle::Timer;
use crate::time::{Time, UnixTime};

/// Where the clock of a driver stands in the calendar, once it has said so: each driver has a clock of its own.
#[derive(Debug, Default)]
pub(super) struct Origin(OnceLock<(Time, UnixTime)>);

impl Origin {
    /// Takes note of the driver's clocks, the first time.
    pub(super) fn set(&self, timer: &dyn Timer) {
        if let Some(unix) = timer.unix() {
            self.0.get_or_init(|| (timer.now(), unix));
        }
    }

    /// The time of the calendar. Without a driver that knows it, the calendar begins with its clock.
    pub(super) fn unix(&self, now: Time) -> UnixTime {
        let (then, unix) = self.0.get().copied().unwrap_or_default();
        unix + now.since(then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::{Context, Poll};
    use core::time::Duration;

    struct Clocks(u64, Option<u64>);

    impl Timer for Clocks {
        fn now(&self) -> Time {
            Time::since_origin(Duration::from_secs(self.0))
        }

        fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> {
            Poll::Pending
        }

        fn unix(&self) -> Option<UnixTime> {
            self.1
                .map(|seconds| UnixTime::since_epoch(Duration::from_secs(seconds)))
        }
    }

    #[test]
    fn the_first_word_counts_and_time_goes_on_from_there() {
        let origin = Origin::default();
        let at = |seconds| {
            origin
                .unix(Time::since_origin(Duration::from_secs(seconds)))
                .elapsed()
                .as_secs()
        };
        origin.set(&Clocks(5, None));
        assert_eq!(at(7), 7);
        origin.set(&Clocks(5, Some(1_000)));
        origin.set(&Clocks(6, Some(9_000)));
        assert_eq!((at(5), at(7), at(1)), (1_000, 1_002, 1_000));
    }
}
