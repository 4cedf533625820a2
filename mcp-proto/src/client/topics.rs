//! The resources that a legacy server is asked to tell of, for listeners.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use crate::method::Method;
use crate::rpc::CallId;

/// The resources that a legacy session is subscribed to for listeners. The server knows of one subscription for each,
/// however many listen.
///
/// | a resource | what the server was told last | when the first comes | when the last leaves | when it is answered |
/// |---|---|---|---|---|
/// | idle | nothing | subscribe: asking | – | – |
/// | asking | subscribe | – | – | held, or refused; held by nobody: unsubscribe, leaving; not at all: subscribe, twice |
/// | held | subscribe, and it agreed | – | unsubscribe: leaving | – |
/// | refused | subscribe, and it did not | subscribe: asking | forgotten | – |
/// | leaving | unsubscribe | – | – | forgotten; wanted again meanwhile: subscribe, asking |
///
/// One request at a time: over HTTP two may overtake each other.
#[derive(Debug, Default)]
pub(super) struct Topics {
    topics: BTreeMap<Arc<str>, Topic>,
    asked: BTreeMap<CallId, Arc<str>>,
}

#[derive(Debug, Default)]
struct Topic {
    /// How many listen.
    wanted: usize,
    state: State,
    /// How often in a row it was asked for without an answer.
    unanswered: u32,
}

/// How often a resource is asked for again, at once, where there is no answer: over HTTP each request has its own luck.
const AGAIN: u32 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Asking,
    Held,
    Refused,
    Leaving,
}

/// What became of a request for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Agreed,
    Refused,
    /// There is no answer, and another try may have one.
    Unanswered,
}

/// A request that is to be made for a resource.
#[derive(Debug, PartialEq)]
#[must_use]
pub(super) struct Errand {
    pub(super) method: Method,
    pub(super) uri: Arc<str>,
}

impl Errand {
    fn subscribe(uri: Arc<str>) -> Self {
        let method = Method::Subscribe;
        Self { method, uri }
    }

    fn unsubscribe(uri: Arc<str>) -> Self {
        let method = Method::Unsubscribe;
        Self { method, uri }
    }
}

impl Topics {
    /// How many entries there are in all tables.
    pub(super) fn entries(&self) -> usize {
        self.topics.len() + self.asked.len()
    }

    /// One more listens.
    pub(super) fn want(&mut self, uri: &str) -> Option<Errand> {
        let uri: Arc<str> = uri.into();
        let topic = self.topics.entry(uri.clone()).or_default();
        topic.wanted += 1;
        let asks = matches!(topic.state, State::Idle | State::Refused);
        asks.then(|| {
            topic.state = State::Asking;
            Errand::subscribe(uri)
        })
    }

    /// One listens no more. Where the application has `subscribed` by hand, the subscription stays.
    pub(super) fn leave(&mut self, uri: &str, subscribed: bool) -> Option<Errand> {
        let topic = self.topics.get_mut(uri)?;
        topic.wanted = topic.wanted.saturating_sub(1);
        if topic.wanted > 0 || matches!(topic.state, State::Asking | State::Leaving) {
            return None;
        }
        let is_held = topic.state == State::Held && !subscribed;
        if is_held {
            topic.state = State::Leaving;
            return Some(Errand::unsubscribe(uri.into()));
        }
        self.topics.remove(uri);
        None
    }

    /// The application has unsubscribed by hand from what others listen to.
    pub(super) fn taken_back(&mut self, uri: &str) -> Option<Errand> {
        let topic = self.topics.get_mut(uri).filter(|topic| topic.state == State::Held)?;
        topic.state = State::Asking;
        Some(Errand::subscribe(uri.into()))
    }

    /// A request for a resource is made.
    pub(super) fn asked(&mut self, uri: Arc<str>, call: CallId) {
        self.asked.insert(call, uri);
    }

    /// A request cannot be made: the server does not offer it.
    pub(super) fn refused(&mut self, uri: &str) {
        if let Some(topic) = self.topics.get_mut(uri) {
            topic.state = State::Refused;
        }
    }

    /// A request was answered, or not. What is to be asked next, where there is something.
    pub(super) fn answered(&mut self, call: CallId, verdict: Verdict) -> Option<Errand> {
        let uri = self.asked.remove(&call)?;
        let topic = self.topics.get_mut(&uri)?;
        let is_wanted = topic.wanted > 0;
        topic.unanswered = match verdict {
            Verdict::Unanswered => topic.unanswered + 1,
            Verdict::Agreed | Verdict::Refused => 0,
        };
        topic.state = match (topic.state, verdict) {
            (State::Asking, Verdict::Agreed) => State::Held,
            (State::Asking, Verdict::Unanswered) if topic.unanswered <= AGAIN => State::Idle,
            (State::Asking, _) => State::Refused,
            (State::Leaving, _) => State::Idle,
            (other, _) => other,
        };
        match (topic.state, is_wanted) {
            (State::Held, false) => {
                topic.state = State::Leaving;
                Some(Errand::unsubscribe(uri))
            }
            (State::Idle, true) => {
                topic.state = State::Asking;
                Some(Errand::subscribe(uri))
            }
            (_, false) => {
                self.topics.remove(&uri);
                None
            }
            _ => None,
        }
    }

    /// Whether the server tells of a resource; `None` where it has not said yet.
    pub(super) fn is_held(&self, uri: &str) -> Option<bool> {
        match self.topics.get(uri)?.state {
            State::Held => Some(true),
            State::Refused => Some(false),
            State::Idle | State::Asking | State::Leaving => None,
        }
    }

    /// The session is over, and with it whatever it was subscribed to.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};

    fn ids() -> impl FnMut() -> CallId {
        let mut calls = Calls::new(1);
        move || calls.begin_own(&CallOptions::default(), &Timeouts::default(), ())
    }

    fn subscribe() -> Option<Errand> {
        Some(Errand::subscribe("a".into()))
    }

    fn unsubscribe() -> Option<Errand> {
        Some(Errand::unsubscribe("a".into()))
    }

    fn asked(topics: &mut Topics, call: CallId, errand: Option<Errand>) {
        topics.asked(errand.expect("a request").uri, call);
    }

    #[test]
    fn the_first_subscribes_and_the_last_unsubscribes() {
        let (mut topics, mut id) = (Topics::default(), ids());
        let (first, second) = (id(), id());
        let errand = topics.want("a");
        assert_eq!(errand, subscribe());
        asked(&mut topics, first, errand);
        assert_eq!((topics.want("a"), topics.is_held("a")), (None, None));
        assert_eq!(topics.answered(first, Verdict::Agreed), None);
        assert_eq!((topics.want("a"), topics.is_held("a")), (None, Some(true)));
        assert_eq!((topics.leave("a", false), topics.leave("a", false)), (None, None));
        let errand = topics.leave("a", false);
        assert_eq!(errand, unsubscribe());
        asked(&mut topics, second, errand);
        assert_eq!(topics.answered(second, Verdict::Agreed), None);
        assert_eq!(topics.entries(), 0);
    }

    #[test]
    fn who_comes_and_goes_while_it_is_asked_is_served_by_the_next_request() {
        let (mut topics, mut id) = (Topics::default(), ids());
        let calls = [id(), id(), id()];
        let errand = topics.want("a");
        asked(&mut topics, calls[0], errand);
        assert_eq!(topics.leave("a", false), None, "its answer is not known");
        let errand = topics.answered(calls[0], Verdict::Agreed);
        assert_eq!(errand, unsubscribe());
        asked(&mut topics, calls[1], errand);
        assert_eq!(topics.want("a"), None, "the server may still hear the other");
        let errand = topics.answered(calls[1], Verdict::Agreed);
        assert_eq!(errand, subscribe());
        asked(&mut topics, calls[2], errand);
        assert_eq!(topics.answered(calls[2], Verdict::Refused), None);
        assert_eq!(topics.is_held("a"), Some(false));
        assert_eq!(topics.want("a"), subscribe(), "another may have more luck");
    }

    #[test]
    fn what_the_application_does_by_hand_takes_nothing_from_listeners_and_they_take_nothing_from_it() {
        let (mut topics, mut id) = (Topics::default(), ids());
        let calls = [id(), id()];
        let errand = topics.want("a");
        asked(&mut topics, calls[0], errand);
        assert_eq!(topics.taken_back("a"), None, "it is asked for already");
        topics.answered(calls[0], Verdict::Agreed);
        let errand = topics.taken_back("a");
        assert_eq!(errand, subscribe());
        asked(&mut topics, calls[1], errand);
        topics.answered(calls[1], Verdict::Agreed);
        assert_eq!(topics.leave("a", true), None);
        assert_eq!(topics.entries(), 0);
    }

    #[test]
    fn what_was_asked_in_a_session_that_is_over_says_nothing() {
        let (mut topics, mut id) = (Topics::default(), ids());
        let call = id();
        let errand = topics.want("a");
        asked(&mut topics, call, errand);
        topics.clear();
        assert_eq!(topics.want("a"), subscribe());
        assert_eq!(topics.answered(call, Verdict::Agreed), None);
        assert_eq!(topics.is_held("a"), None);
    }

    #[test]
    fn what_is_not_answered_is_asked_again_a_bounded_number_of_times() {
        let (mut topics, mut id) = (Topics::default(), ids());
        let mut errand = topics.want("a");
        for _ in 0..=AGAIN {
            let call = id();
            asked(&mut topics, call, errand);
            assert_eq!(topics.is_held("a"), None);
            errand = topics.answered(call, Verdict::Unanswered);
        }
        assert_eq!((errand, topics.is_held("a")), (None, Some(false)));
    }
}
