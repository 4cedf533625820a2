//! Time, in rounds in which every subject has its turn.

use std::time::{Duration, Instant};

/// The fewest rounds that give a median.
pub(crate) const ROUNDS: usize = 7;

/// What takes part: does so many operations, and says how long each took, in seconds, and for how long a processor was
/// busy with it, where that is known.
pub(crate) type Runner<'a> = Box<dyn FnMut(u64) -> (f64, Option<f64>) + 'a>;

/// The times of one subject, one per round, in seconds per operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    pub(crate) wall: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
}

/// Runs all in turn, each for about `turn` in a round.
pub(crate) fn rounds(runners: &mut [Runner<'_>], turn: Duration) -> Vec<Times> {
    let counts: Vec<u64> = runners.iter_mut().map(|run| calibrate(run, turn)).collect();
    let mut times = vec![Times::default(); runners.len()];
    for _ in 0..ROUNDS {
        for ((run, count), times) in runners.iter_mut().zip(&counts).zip(&mut times) {
            let (wall, cpu) = run(*count);
            times.wall.push(wall);
            times.cpu.extend(cpu);
        }
    }
    times
}

/// How many operations fill a turn. Warms up on the way.
fn calibrate(run: &mut Runner<'_>, turn: Duration) -> u64 {
    let mut count = 64;
    loop {
        let (each, _) = run(count);
        let fill = (turn.as_secs_f64() / each) as u64;
        if count * 4 >= fill {
            return fill.max(1);
        }
        count *= 4;
    }
}

/// Measures work of this thread by the time that it is on a processor: others who want the processor too do not count.
pub(crate) fn busy(mut work: impl FnMut(u64)) -> impl FnMut(u64) -> (f64, Option<f64>) {
    move |count| {
        let start = thread_time();
        work(count);
        ((thread_time() - start) / count as f64, None)
    }
}

/// Measures work of this thread that waits for another process.
pub(crate) fn clocked(mut work: impl FnMut(u64)) -> impl FnMut(u64) -> (f64, Option<f64>) {
    move |count| {
        let (start, busy) = (Instant::now(), thread_time());
        work(count);
        let wall = start.elapsed().as_secs_f64() / count as f64;
        (wall, Some((thread_time() - busy) / count as f64))
    }
}

/// How long this thread has been on a processor, in seconds.
pub(crate) fn thread_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// How long the threads of a process have been on a processor.
pub(crate) fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("Linux");
    let times = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.expect("a thread").path().join("schedstat")).expect("Linux");
        let nanos = text.split(' ').next().and_then(|word| word.parse().ok());
        Duration::from_nanos(nanos.expect("a number"))
    });
    times.sum()
}

/// Median, least and greatest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Some(Self {
            median: *values.get(values.len() / 2)?,
            least: *values.first()?,
            most: *values.last()?,
        })
    }

    /// Of the quotients, round by round.
    pub(crate) fn of_ratios(values: &[f64], to: &[f64]) -> Option<Self> {
        Self::of(values.iter().zip(to).map(|(value, to)| value / to))
    }
}
