//! What a network does to what is sent through it.

use core::ops::RangeInclusive;
use core::time::Duration;

use super::rng::Rng;

/// What a network does to what is sent through it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conditions {
    /// How long something is on its way. Over HTTP each exchange has its own times, so that one overtakes another.
    pub latency: RangeInclusive<Duration>,
    /// Into which pieces bytes are cut.
    pub cuts: Cuts,
    /// In how many of a hundred cases a piece is held up, with everything behind it.
    pub stalls: usize,
    /// For how long.
    pub stall: RangeInclusive<Duration>,
    /// How many of a hundred HTTP exchanges fail, in one of the ways of [`Fate`](crate::testing::pair::Fate).
    pub failures: usize,
    /// How many of a hundred HTTP requests reach the server twice. The answer to the second goes nowhere.
    pub duplicates: usize,
}

/// Into which pieces bytes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cuts {
    /// They arrive as they were written.
    Whole,
    /// Each arrives on its own.
    Bytes,
    /// Anywhere; pieces that have arrived are sometimes joined.
    Random,
}

impl Conditions {
    /// The same with another time on the way.
    #[must_use]
    pub fn with_latency(mut self, latency: RangeInclusive<Duration>) -> Self {
        self.latency = latency;
        self
    }

    /// The same with bytes cut otherwise.
    #[must_use]
    pub fn with_cuts(mut self, cuts: Cuts) -> Self {
        self.cuts = cuts;
        self
    }

    /// Everything arrives at once, whole and safe.
    pub const CALM: Self = Self {
        latency: Duration::ZERO..=Duration::ZERO,
        cuts: Cuts::Whole,
        stalls: 0,
        stall: Duration::ZERO..=Duration::ZERO,
        failures: 0,
        duplicates: 0,
    };

    /// Everything arrives, late and in pieces, as `rng` has it.
    pub fn rough(rng: &mut Rng) -> Self {
        let most = Duration::from_millis(*rng.pick(&[0, 1, 50, 400]));
        Self {
            latency: Duration::ZERO..=most,
            cuts: *rng.pick(&[Cuts::Whole, Cuts::Bytes, Cuts::Random, Cuts::Random]),
            stalls: *rng.pick(&[0, 0, 2]),
            stall: Duration::from_secs(1)..=Duration::from_secs(20),
            failures: 0,
            duplicates: 0,
        }
    }

    /// When something arrives that is sent now, apart from what is before it.
    pub(crate) fn delay(&self, rng: &mut Rng) -> Duration {
        let latency = rng.duration(&self.latency);
        match rng.chance(self.stalls) {
            true => latency + rng.duration(&self.stall),
            false => latency,
        }
    }
}

impl Cuts {
    /// The length of the next piece of `length` bytes.
    pub(crate) fn piece(self, length: usize, rng: &mut Rng) -> usize {
        match self {
            Self::Whole => length,
            Self::Bytes => length.min(1),
            Self::Random => length.min(1 + rng.below(length.min(64))),
        }
    }
}
