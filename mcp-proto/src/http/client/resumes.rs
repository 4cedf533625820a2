//! The calls whose streams have broken off and are to be opened again.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::cursor::Cursor;
use crate::rpc::CallId;
use crate::time::Time;

/// The calls whose streams have broken off, each until its stream is opened again (2025-11-25, Transports, Resumability
/// and Redelivery). No more than there are calls.
#[derive(Debug, Default)]
pub(super) struct Resumes {
    by_call: BTreeMap<u64, (Time, Broken)>,
}

/// A call whose stream has broken off.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) call: CallId,
    pub(super) cursor: Box<Cursor>,
    /// The session that it was made in.
    pub(super) in_session: Option<u64>,
}

impl Resumes {
    pub(super) fn len(&self) -> usize {
        self.by_call.len()
    }

    /// Opens the stream again, then.
    pub(super) fn wait(&mut self, until: Time, broken: Broken) {
        self.by_call.insert(broken.call.number(), (until, broken));
    }

    /// Nobody waits for this call any more.
    pub(super) fn forget(&mut self, call: CallId) -> bool {
        // Asked for every call that ends, and hardly ever is there one.
        !self.by_call.is_empty() && self.by_call.remove(&call.number()).is_some()
    }

    /// The next one whose time has come.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Broken> {
        let due = self.by_call.iter().find(|(_, (until, _))| *until <= now);
        let number = due.map(|(number, _)| *number)?;
        self.by_call.remove(&number).map(|(_, broken)| broken)
    }

    /// All of them: their session is over.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = CallId> {
        let all = core::mem::take(&mut self.by_call);
        all.into_values().map(|(_, broken)| broken.call)
    }

    /// When the next one is to be opened.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.by_call.values().map(|(until, _)| *until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};
    use core::time::Duration;

    #[test]
    fn each_call_is_taken_when_its_time_has_come() {
        let mut calls = Calls::new(9);
        let [a, b, c] = [(); 3].map(|()| calls.begin_own(&CallOptions::default(), &Timeouts::default(), ()));
        let at = |seconds| Time::ORIGIN + Duration::from_secs(seconds);
        let mut resumes = Resumes::default();
        for (until, call) in [(3, a), (2, b), (1, c)] {
            let (cursor, in_session) = (Box::default(), Some(1));
            resumes.wait(
                at(until),
                Broken {
                    call,
                    cursor,
                    in_session,
                },
            );
        }
        assert!(resumes.forget(c) && !resumes.forget(c));
        assert_eq!((resumes.poll_timeout(), resumes.len()), (Some(at(2)), 2));
        assert!(resumes.take_due(at(1)).is_none());
        assert_eq!(resumes.take_due(at(2)).map(|broken| broken.call), Some(b));
        assert_eq!(resumes.take_all().collect::<alloc::vec::Vec<_>>(), [a]);
        assert_eq!((resumes.poll_timeout(), resumes.len()), (None, 0));
    }
}
