//! One listener: what it wants, how its subscription stands, and when it is asked for again.

use alloc::string::String;
use core::time::Duration;

use super::backlog::Backlog;
use super::change::Change;
use crate::model::SubscriptionFilter;
use crate::rpc::{CallError, CallId};
use crate::time::Time;

/// How often a subscription that was lost is asked for again without having brought anything.
const ATTEMPTS: u32 = 5;
/// How long to wait before (doubled with every attempt).
const DELAY: Duration = Duration::from_secs(1);
/// How long the wait may become. A subscription that has lasted as long has brought something.
const LONGEST: Duration = Duration::from_secs(60);

/// One listener.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) filter: SubscriptionFilter,
    pub(super) stand: Stand,
    pub(super) backlog: Backlog,
    /// What the server has agreed to, as long as it stands.
    granted: Option<SubscriptionFilter>,
    /// Whether the server has ever agreed: only what was there can be lost.
    was_granted: bool,
    attempts: u32,
    /// When it was granted, where nothing was lost since.
    since: Option<Time>,
}

/// How the subscription of a listener stands.
///
/// | stand | era | what comes next |
/// |---|---|---|
/// | wanted | any | the end of the handshake, and then it is asked for |
/// | asked | modern | its acknowledgement, within the time of a request |
/// | open | modern | its end: by the server in good order, or with its stream, and then it is lost |
/// | in session | legacy | the end of the session, and then it is wanted in the next |
/// | lost | any | it is wanted again, after a wait that grows, for a bounded number of times |
/// | ended | any | nothing |
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stand {
    Wanted,
    Asked(CallId),
    Open(CallId),
    InSession,
    /// Why, and when it is asked for again, once a drain has seen it.
    Lost(CallError, Option<Time>),
    Ended(Result<(), CallError>),
}

impl Listener {
    pub(super) fn new(filter: SubscriptionFilter) -> Self {
        Self {
            filter,
            stand: Stand::Wanted,
            backlog: Backlog::default(),
            granted: None,
            was_granted: false,
            attempts: 0,
            since: None,
        }
    }

    pub(super) fn granted(&self) -> Option<&SubscriptionFilter> {
        self.granted.as_ref()
    }

    /// The URIs that it names.
    pub(super) fn uris(&self) -> &[String] {
        self.filter.resource_subscriptions.as_deref().unwrap_or_default()
    }

    /// The request that stands for it.
    pub(super) fn call(&self) -> Option<CallId> {
        match self.stand {
            Stand::Asked(call) | Stand::Open(call) => Some(call),
            _ => None,
        }
    }

    /// The server agrees. Whether it had done so before, and it was lost since.
    pub(super) fn grant(&mut self, now: Time, granted: SubscriptionFilter) -> bool {
        let is_again = self.was_granted && self.granted.is_none();
        self.granted = Some(granted);
        self.was_granted = true;
        self.since.get_or_insert(now);
        is_again
    }

    /// The session is over, or what was believed of the server: it is wanted from the next.
    pub(super) fn void(&mut self) {
        self.granted = None;
        if !matches!(self.stand, Stand::Ended(_)) {
            self.stand = Stand::Wanted;
        }
    }

    /// It came to nothing, for this reason.
    pub(super) fn lose(&mut self, error: CallError) {
        let may_return = self.was_granted && error.is_of_the_moment();
        self.granted = None;
        self.stand = match may_return {
            true => Stand::Lost(error, None),
            // Who asks for the first time is there to decide.
            false => Stand::Ended(Err(error)),
        };
    }

    /// One that is lost gets the time when it is asked for again, or has been asked for too often.
    pub(super) fn arm(&mut self, now: Time) {
        let Stand::Lost(error, None) = &self.stand else { return };
        // One that is quiet brings nothing, and is none the worse for that.
        if self.since.take().is_some_and(|since| now.since(since) >= LONGEST) {
            self.attempts = 0;
        }
        if self.attempts >= ATTEMPTS {
            self.stand = Stand::Ended(Err(error.clone()));
            return;
        }
        let delay = DELAY.saturating_mul(1 << self.attempts).min(LONGEST);
        self.attempts += 1;
        self.stand = Stand::Lost(error.clone(), Some(now + delay));
    }

    /// Whether the server has agreed to it before.
    pub(super) fn was_granted(&self) -> bool {
        self.was_granted
    }

    /// It brings something.
    pub(super) fn hear(&mut self, change: Change, most: usize) -> bool {
        self.attempts = 0;
        self.backlog.push(change, most)
    }

    /// Whether a change of this kind was asked for.
    pub(super) fn wants(&self, change: &Change) -> bool {
        let filter = &self.filter;
        match change {
            Change::Tools => filter.tools_list_changed == Some(true),
            Change::Prompts => filter.prompts_list_changed == Some(true),
            Change::Resources => filter.resources_list_changed == Some(true),
            Change::Resource { .. } => !self.uris().is_empty(),
            Change::Task { .. } => filter.task_ids.as_ref().is_some_and(|ids| !ids.is_empty()),
            Change::Lagged | Change::Restored => true,
        }
    }

    /// Whether it asked for this resource, or for one that it is a part of (2025-11-25, schema,
    /// ResourceUpdatedNotification: "might be a sub-resource of the one that the client actually subscribed to").
    pub(super) fn names(&self, updated: &str) -> bool {
        self.uris().iter().any(|uri| updated.starts_with(uri.as_str()))
    }

    /// How many bytes it keeps.
    pub(super) fn bytes(&self) -> usize {
        let of = |filter: &SubscriptionFilter| {
            let uris = filter.resource_subscriptions.iter().chain(&filter.task_ids).flatten();
            uris.map(|uri| uri.len() + size_of::<String>()).sum::<usize>()
        };
        of(&self.filter) + self.granted.as_ref().map_or(0, of) + self.backlog.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::since_origin(Duration::from_secs(seconds))
    }

    fn granted() -> Listener {
        let mut listener = Listener::new(SubscriptionFilter::default());
        assert!(
            !listener.grant(at(0), SubscriptionFilter::default()),
            "for the first time"
        );
        listener
    }

    /// Loses it at `now`; how long it waits then.
    fn lost(listener: &mut Listener, now: Time) -> Option<Duration> {
        listener.lose(CallError::Disconnected);
        listener.arm(now);
        match &listener.stand {
            Stand::Lost(_, Some(until)) => Some(until.since(now)),
            _ => None,
        }
    }

    #[test]
    fn what_was_never_granted_is_not_asked_for_again() {
        let mut listener = Listener::new(SubscriptionFilter::default());
        listener.lose(CallError::Disconnected);
        assert_eq!(listener.stand, Stand::Ended(Err(CallError::Disconnected)));
    }

    #[test]
    fn what_is_refused_for_good_is_not_asked_for_again() {
        let mut listener = granted();
        listener.lose(CallError::Unauthorized(None));
        assert_eq!(listener.stand, Stand::Ended(Err(CallError::Unauthorized(None))));
    }

    #[test]
    fn one_that_is_granted_and_lost_at_once_is_asked_for_again_a_bounded_number_of_times() {
        let mut listener = granted();
        for seconds in [1, 2, 4, 8, 16] {
            assert_eq!(lost(&mut listener, at(0)), Some(Duration::from_secs(seconds)));
            assert!(listener.grant(at(0), SubscriptionFilter::default()), "again");
        }
        assert_eq!(lost(&mut listener, at(0)), None);
        assert_eq!(listener.stand, Stand::Ended(Err(CallError::Disconnected)));
    }

    #[test]
    fn one_that_lasts_or_brings_something_is_asked_for_again_without_end() {
        let mut listener = granted();
        for round in 1..100 {
            assert_eq!(
                lost(&mut listener, at(round * 100)),
                Some(DELAY),
                "it was quiet for long"
            );
            listener.grant(at(round * 100), SubscriptionFilter::default());
        }
        for _ in 1..100 {
            listener.hear(Change::Tools, 1_000);
            assert_eq!(lost(&mut listener, at(0)), Some(DELAY));
            listener.grant(at(0), SubscriptionFilter::default());
        }
    }
}
