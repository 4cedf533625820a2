//! The process of a child, as the system has it.

use std::io;
use std::process::Stdio;

use super::{Command, Signal, Stderr};

impl Command {
    /// What the standard library starts it by: in a process group of its own (Unix), with the environment that it is to
    /// have. Its standard streams are not set: input and output are pipes, and its standard error is
    /// [`stderr_to`](Self::stderr_to).
    #[must_use]
    pub fn to_std(&self) -> std::process::Command {
        let mut start = std::process::Command::new(self.program());
        // Empty at first: what is inherited is chosen.
        start.args(self.arguments()).env_clear();
        start.envs(self.variables(std::env::vars_os()));
        if let Some(directory) = self.directory() {
            start.current_dir(directory);
        }
        #[cfg(unix)]
        // What it starts can be ended with it, and Ctrl-C in a terminal is for the host alone.
        std::os::unix::process::CommandExt::process_group(&mut start, 0);
        start
    }

    /// Where its standard error goes.
    #[must_use]
    pub fn stderr_to(&self) -> Stdio {
        match self.standard_error() {
            Stderr::Null => Stdio::null(),
            Stderr::Lines(_) => Stdio::piped(),
            Stderr::Inherit => Stdio::inherit(),
        }
    }
}

/// The process group of a child, which has the number of the child. On other systems than Unix there is none.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    /// The group of the child with this number.
    #[must_use]
    pub fn of(child: Option<u32>) -> Self {
        #[cfg(not(unix))]
        let _ = child;
        Self {
            #[cfg(unix)]
            // 0 is none: it would mean the group of this process.
            leader: child.and_then(|child| rustix::process::Pid::from_raw(child.cast_signed())),
        }
    }

    /// Whether anything of it is left.
    #[must_use]
    pub fn exists(self) -> bool {
        #[cfg(unix)]
        let exists = self
            .leader
            .is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok());
        #[cfg(not(unix))]
        let exists = false;
        exists
    }

    /// Sends it a signal; where there are no groups, `kill` ends the child alone. Whoever is gone needs none.
    pub fn send(self, signal: Signal, kill: impl FnOnce() -> io::Result<()>) {
        #[cfg(unix)]
        if let Some(group) = self.leader {
            let signal = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            // It fails where nobody is left, which is what it is for.
            let _ = rustix::process::kill_process_group(group, signal);
        }
        #[cfg(unix)]
        drop(kill);
        #[cfg(not(unix))]
        let _ = (signal, kill());
    }
}
