//! A task that wants to run every millisecond, on the same thread as everything else.
//!
//! Whatever holds the thread holds the heartbeat, and shows as a gap between two beats.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time between two beats.
const BEAT: Duration = Duration::from_millis(1);

/// The longest gap between two beats, seen from every side of the program.
#[derive(Clone)]
pub(crate) struct Heartbeat {
    beats: Arc<Beats>,
}

/// Times are in microseconds since the start.
struct Beats {
    start: Instant,
    last: AtomicU64,
    longest: AtomicU64,
}

impl Heartbeat {
    /// A heart that was started now. It has to be told to [`beat`](Self::beat).
    pub(crate) fn start() -> Self {
        let (start, last, longest) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        Self {
            beats: Arc::new(Beats { start, last, longest }),
        }
    }

    /// Beats for ever, with the sleep of whatever runtime this runs on.
    pub(crate) async fn beat<S: Future>(self, sleep: impl Fn(Duration) -> S) {
        loop {
            sleep(BEAT).await;
            self.record();
        }
    }

    /// The longest gap since this was asked last, the one that has just begun included.
    pub(crate) fn take_longest_gap(&self) -> Duration {
        self.record();
        Duration::from_micros(self.beats.longest.swap(0, Ordering::Relaxed))
    }

    fn record(&self) {
        let now = self.beats.start.elapsed().as_micros() as u64;
        let gap = now - self.beats.last.swap(now, Ordering::Relaxed);
        self.beats.longest.fetch_max(gap, Ordering::Relaxed);
    }
}
