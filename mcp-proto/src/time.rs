//! Time as an input: [`Time`] for deadlines, [`UnixTime`] for facts of the calendar.

use core::ops::Add;
use core::time::Duration;

/// A point on the driver's monotonic clock: the time passed since an origin that the driver picks.
///
/// No machine reads a clock. Whoever drives one passes the present as a `Time`, and the machine answers
/// `poll_timeout` with the `Time` at which it wants to be told again. Arithmetic saturates, so a hostile
/// or absurd duration never panics.
///
/// ```
/// use core::time::Duration;
/// use mcp_proto::Time;
///
/// let start = Time::ORIGIN;
/// let later = start + Duration::from_secs(5);
/// assert_eq!(later.since(start), Duration::from_secs(5));
/// assert_eq!(start.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Duration);

impl Time {
    /// The origin: where the driver's clock started.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The point that lies `elapsed` after the origin.
    pub const fn since_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after the origin this point lies.
    pub const fn elapsed(self) -> Duration {
        self.0
    }

    /// How long after `earlier` this point lies; zero where it does not.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// A wall-clock instant, as the time since the Unix epoch. Only ever an argument, never read.
///
/// Token expiry, cache lifetimes and task timestamps are facts of the calendar; mixing them with
/// [`Time`] does not compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// The instant that lies `elapsed` after the Unix epoch.
    pub const fn since_epoch(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after the Unix epoch this instant lies.
    pub const fn elapsed(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}
