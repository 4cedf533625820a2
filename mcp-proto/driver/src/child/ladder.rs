//! How a child is brought to an end.

use core::time::Duration;

use mcp_proto::Time;

/// How often it is looked whether anything of a group is left.
const PROBE: Duration = Duration::from_millis(20);

/// How long a child that was killed is waited for. It only lasts where the system holds on to it.
const BURIAL: Duration = Duration::from_secs(2);

/// The shutdown of a child and its process group, step by step:
///
/// 1. its input is closed, and it has time to exit;
/// 2. the group is asked to terminate, and it has time again;
/// 3. the group is killed.
///
/// (2025-11-25, Lifecycle, Shutdown; 2026-07-28, stdio, Shutdown.) It is over when the child has exited and nothing of
/// its group is left, or when all was done. What the child has started and left behind has the same time as the child;
/// of that, a process that has ended and is not reaped by the first process of the system counts as left.
///
/// The world tells it: [`input_closed`](Self::input_closed), [`exited`](Self::exited), [`group_gone`](Self::group_gone).
/// It tells the world: [`poll_action`](Self::poll_action), [`poll_timeout`](Self::poll_timeout).
#[derive(Clone, Debug)]
pub struct Ladder {
    exit_after: Duration,
    kill_after: Duration,
    rung: Rung,
    has_exited: bool,
    probe_at: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    Running,
    /// The input was closed; ask to terminate at this time.
    Closed(Time),
    /// Asked to terminate; kill at this time.
    Asked(Time),
    /// Killed; give up at this time.
    Killed(Time),
    Over,
}

/// What a ladder wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Look whether anything of the group is left; if not, say [`Ladder::group_gone`].
    Probe,
    /// Send this to the group.
    Send(Signal),
}

/// What is sent to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGTERM`, or what comes next to it.
    Terminate,
    /// `SIGKILL`.
    Kill,
}

impl Ladder {
    /// A child that runs, and the time that it has on the first two steps.
    #[must_use]
    pub fn new(exit_after: Duration, kill_after: Duration) -> Self {
        Self {
            exit_after,
            kill_after,
            rung: Rung::Running,
            has_exited: false,
            probe_at: Time::ORIGIN,
        }
    }

    /// The input of the child was closed: the shutdown has begun.
    pub fn input_closed(&mut self, now: Time) {
        // Said again, it gives no more time.
        if self.rung == Rung::Running {
            self.rung = Rung::Closed(now + self.exit_after);
        }
    }

    /// The child has exited; the rest of its group may not have.
    pub fn exited(&mut self, now: Time) {
        // What it has left behind has the time of the first step, as the child would have.
        self.input_closed(now);
        self.has_exited = true;
        self.probe_at = now;
    }

    /// Nothing of the group is left.
    pub fn group_gone(&mut self) {
        // Before that it is not: the child itself is one of them until it is reaped.
        if self.has_exited {
            self.rung = Rung::Over;
        }
    }

    /// What is to be done now.
    #[must_use]
    pub fn poll_action(&mut self, now: Time) -> Option<Action> {
        let has_stirred = !matches!(self.rung, Rung::Running | Rung::Over);
        if has_stirred && self.has_exited && self.probe_at <= now {
            // The system tells of the end of a child, but not of what that has started.
            self.probe_at = now + PROBE;
            return Some(Action::Probe);
        }
        match self.rung {
            Rung::Closed(at) if at <= now => {
                self.rung = Rung::Asked(now + self.kill_after);
                Some(Action::Send(Signal::Terminate))
            }
            Rung::Asked(at) if at <= now => {
                // A child that was reaped is not waited for, only what it has left behind, which nobody can reap.
                self.rung = match self.has_exited {
                    true => Rung::Over,
                    false => Rung::Killed(now + BURIAL),
                };
                Some(Action::Send(Signal::Kill))
            }
            // There is nothing stronger: what stays is held by the system.
            Rung::Killed(at) if at <= now || self.has_exited => {
                self.rung = Rung::Over;
                None
            }
            _ => None,
        }
    }

    /// When [`poll_action`](Self::poll_action) wants to be called again.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let step = match self.rung {
            Rung::Closed(at) | Rung::Asked(at) | Rung::Killed(at) => at,
            Rung::Running | Rung::Over => return None,
        };
        Some(if self.has_exited { step.min(self.probe_at) } else { step })
    }

    /// Whether there is nothing more to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.rung == Rung::Over
    }

    /// The strongest signal sent so far.
    #[must_use]
    pub fn sent(&self) -> Option<Signal> {
        match self.rung {
            Rung::Running | Rung::Closed(_) | Rung::Over => None,
            Rung::Asked(_) => Some(Signal::Terminate),
            Rung::Killed(_) => Some(Signal::Kill),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const TERMINATE: Action = Action::Send(Signal::Terminate);
    const KILL: Action = Action::Send(Signal::Kill);

    fn at(milliseconds: u64) -> Time {
        Time::ORIGIN + Duration::from_millis(milliseconds)
    }

    fn ladder() -> Ladder {
        Ladder::new(Duration::from_secs(2), Duration::from_secs(3))
    }

    /// Climbs on virtual time until nothing is left to wait for, at most. What was done, and when, without probes that
    /// find something; the group is gone from `gone` on.
    fn climb(ladder: &mut Ladder, gone: u64) -> Vec<(Action, Time)> {
        let mut done = Vec::new();
        while let Some(now) = ladder.poll_timeout() {
            while let Some(action) = ladder.poll_action(now) {
                match action {
                    Action::Probe if now < at(gone) => {}
                    Action::Probe => ladder.group_gone(),
                    Action::Send(_) => done.push((action, now)),
                }
            }
        }
        assert!(ladder.is_over());
        done
    }

    #[test]
    fn a_child_that_runs_is_left_alone() {
        let mut ladder = ladder();
        assert_eq!(ladder.poll_timeout(), None);
        assert_eq!(ladder.poll_action(at(1_000_000)), None);
        ladder.group_gone();
        assert!(!ladder.is_over());
    }

    #[test]
    fn a_child_that_ignores_everything_meets_each_rung_in_its_time_and_is_given_up() {
        let mut ladder = ladder();
        ladder.input_closed(at(1000));
        ladder.input_closed(at(9000));
        assert_eq!(ladder.poll_action(at(2999)), None);
        assert_eq!(climb(&mut ladder, 0), [(TERMINATE, at(3000)), (KILL, at(6000))]);
    }

    #[test]
    fn a_child_that_exits_is_sent_nothing() {
        let mut ladder = ladder();
        ladder.input_closed(at(1000));
        ladder.exited(at(1500));
        assert_eq!(climb(&mut ladder, 0), []);
        ladder.exited(at(1600));
        assert_eq!(ladder.poll_action(at(90_000)), None);
    }

    #[test]
    fn what_a_child_leaves_behind_has_the_time_of_the_child_and_no_more() {
        let mut ladder = ladder();
        ladder.exited(at(0));
        assert_eq!(climb(&mut ladder.clone(), 1000), []);
        assert_eq!(climb(&mut ladder.clone(), 2500), [(TERMINATE, at(2000))]);
        let all = [(TERMINATE, at(2000)), (KILL, at(5000))];
        assert_eq!(climb(&mut ladder, u64::MAX), all);
    }

    #[test]
    fn a_child_that_was_killed_is_over_when_it_has_exited() {
        let mut ladder = ladder();
        ladder.input_closed(at(0));
        assert_eq!(ladder.poll_action(at(2000)), Some(TERMINATE));
        assert_eq!(ladder.sent(), Some(Signal::Terminate));
        assert_eq!(ladder.poll_action(at(5000)), Some(KILL));
        assert_eq!(ladder.sent(), Some(Signal::Kill));
        ladder.exited(at(5001));
        assert_eq!(ladder.poll_action(at(5001)), Some(Action::Probe));
        assert!(!ladder.is_over());
        assert_eq!(ladder.poll_action(at(5001)), None);
        assert!(ladder.is_over());
    }

    #[test]
    fn no_time_at_all_is_no_trap() {
        let mut ladder = Ladder::new(Duration::ZERO, Duration::ZERO);
        ladder.input_closed(at(0));
        assert_eq!(ladder.poll_action(at(0)), Some(TERMINATE));
        assert_eq!(ladder.poll_action(at(0)), Some(KILL));
        let mut endless = Ladder::new(Duration::MAX, Duration::MAX);
        endless.input_closed(at(1));
        assert_eq!(endless.poll_action(at(90_000)), None);
    }
}
