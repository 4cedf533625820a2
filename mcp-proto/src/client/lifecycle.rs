//! How a client comes to know what the server speaks, and what it does when that proves wrong.

use alloc::vec::Vec;
use core::time::Duration;

use super::config::{Mode, Prior};
use super::event::{Event, ServerFacts};
use super::held::Held;
use super::machine::{Call, CallProgress, CallPurpose, Client, Link, Stage};
use crate::jsonrpc::Params;
use crate::legacy::client::{self as legacy, Handshake};
use crate::method::{Kind, Method};
use crate::modern::client::{self as modern, Discovery};
use crate::revision::{Era, Revision};
use crate::rpc::{CallError, CallId, CallOptions, Failure, Mirrored, Phase, Purpose};

impl Client {
    /// Moves the legacy lifecycle, and does what it says.
    pub(super) fn step_legacy(&mut self, input: legacy::Input) {
        let Stage::Legacy(handshake, revision) = self.stage else {
            return;
        };
        let (next, action) = handshake.step(input);
        self.stage = Stage::Legacy(next, revision);
        match action {
            legacy::Action::None | legacy::Action::Fail => {}
            legacy::Action::SendInitialize => {
                self.epoch += 1;
                self.enqueue_initialize(revision);
            }
            legacy::Action::SendInitialized => self.enqueue_initialized(),
            legacy::Action::Release => self.release(),
        }
    }

    /// Moves the modern lifecycle, and does what it says.
    pub(super) fn step_modern(&mut self, input: modern::Input) {
        let Stage::Modern(discovery) = self.stage else { return };
        let (next, action) = discovery.step(input);
        self.stage = Stage::Modern(next);
        match action {
            modern::Action::None | modern::Action::Fail => {}
            modern::Action::SendDiscover => self.enqueue_discover(),
            modern::Action::Release => self.release(),
        }
    }

    /// Sends what was held back, in its order.
    fn release(&mut self) {
        self.announce_by = None;
        for held in self.held.drain() {
            match held {
                Held::Call(call) => self.release_call(call),
                Held::Notification(method, text) => {
                    if self.check_allowed(&method, Kind::Notification).is_ok() {
                        self.outbox
                            .push(text, (Purpose::Notification, Some(method), Mirrored::default()));
                    }
                }
            }
        }
        self.emit(Event::Ready);
    }

    fn release_call(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let method = call.method.clone();
        match self.check_allowed(&method, Kind::Request) {
            Ok(()) => self.enqueue_call(id),
            Err(error) => {
                let purpose = call.purpose;
                self.calls.remove(id);
                self.conclude(id, purpose, Err(CallError::Refused(error)));
            }
        }
    }

    /// The handshake came to nothing: everyone who waits for it learns why, and the next call tries again.
    pub(super) fn handshake_failed(&mut self, error: &CallError) {
        if self.closed.is_some() {
            return;
        }
        self.step_legacy(legacy::Input::Rejected);
        self.step_modern(modern::Input::Failed);
        self.stage = first_stage(self.config.mode, self.prior);
        self.facts = known_facts(self.stage);
        self.confirmed = false;
        self.announce_by = None;
        self.forget_tools();
        self.fail_held(error);
    }

    /// `initialize` was not answered in time on a byte stream: everyone who waits for it learns that, but its answer
    /// may still come, and is still good. It "MUST NOT be cancelled by clients" (2025-11-25, Cancellation) and cannot
    /// be sent twice: a server that was only slow to start would refuse the second. The next call waits for the answer
    /// to the first, for as long again.
    pub(super) fn handshake_late(&mut self, id: CallId, after: Duration, call: Call) {
        self.calls.park(id, self.config.timeouts.initialize, call);
        self.overdue = Some(id);
        let phase = Phase::Initialize;
        self.fail_held(&CallError::Timeout { phase, after });
    }

    fn fail_held(&mut self, error: &CallError) {
        self.emit(Event::NotReady(error.clone()));
        for held in self.held.drain() {
            if let Held::Call(call) = held
                && let Some(gone) = self.calls.remove(call)
            {
                self.conclude(call, gone.purpose, Err(error.clone()));
            }
        }
    }

    /// Follows the server into the legacy era.
    pub(super) fn fall_back(&mut self, revision: Option<Revision>) {
        let revision = revision.unwrap_or(Revision::LATEST_LEGACY);
        self.forget_tools();
        self.hold_queued();
        self.stage = Stage::Legacy(Handshake::Start, revision);
        self.facts = None;
        self.step_legacy(legacy::Input::Begin);
    }

    /// Whether the era is only believed, because of what an earlier connection found.
    pub(super) fn is_doubtful(&self) -> bool {
        self.config.mode == Mode::Auto && self.prior.is_some() && !self.confirmed
    }

    /// Takes for granted what an earlier connection found, where nothing was asked, and nothing was told before.
    #[cfg(feature = "handle")]
    pub(crate) fn presume(&mut self, prior: Prior) {
        if self.stage == Stage::Undecided && self.config.prior.is_none() && self.closed.is_none() {
            (self.config.prior, self.prior) = (Some(prior), Some(prior));
            self.stage = first_stage(self.config.mode, self.prior);
            self.facts = known_facts(self.stage);
        }
    }

    /// What the server has proved to speak, also after the end of the connection; `None` where that is not certain.
    #[cfg(feature = "handle")]
    pub(crate) fn proved(&self) -> Option<Prior> {
        let facts = self.facts.as_ref().filter(|_| self.confirmed);
        facts.map(|facts| Prior::new(facts.revision))
    }

    /// What an earlier connection found is not true any more: the server is asked
    /// (2026-07-28, Versioning: "re-probing if the cached assumption later fails").
    pub(super) fn refute_prior(&mut self) {
        self.prior = None;
        self.epoch += 1;
        self.forget_tools();
        self.hold_queued();
        self.stage = Stage::Undecided;
        self.facts = None;
        self.connect();
    }

    /// The server does not know the session any more. Nothing of it is of use in the next one.
    pub(super) fn lose_session(&mut self) {
        self.step_legacy(legacy::Input::Lost);
        self.forget_tools();
        self.hold_queued();
        for key in self.requests.drain() {
            self.emit(Event::Cancelled(key));
        }
        self.emit(Event::SessionLost);
    }

    /// The server does not know the present session any more: the next begins at once.
    pub fn session_forgotten(&mut self) {
        if matches!(self.stage, Stage::Legacy(..)) && self.is_ready() {
            self.lose_session();
            self.connect();
        }
    }

    /// Asks whether the server knows the session. A server without a GET stream should answer 405 to one
    /// (2025-11-25, Transports, Listening for Messages from the Server, 2), but many say 404: giving up a session
    /// for that would lose what it holds, again and again.
    pub fn ask_for_session(&mut self) {
        if matches!(self.stage, Stage::Legacy(..)) && self.is_ready() {
            self.enqueue_own(Method::Ping, Params::NONE, CallOptions::default(), CallPurpose::Ping);
        }
    }

    /// The question whether the server knows the session failed.
    pub(super) fn ping_failed(&mut self, call: &Call, failure: &Failure) {
        let is_present = call.progress == CallProgress::Sent(self.epoch) && self.is_ready();
        if is_present && *failure == Failure::SessionLost {
            self.lose_session();
            self.connect();
        }
    }

    /// Takes back what waits in the outbox: it was written for a session, or an era, that is over.
    fn hold_queued(&mut self) {
        self.owed = 0;
        for (text, (purpose, method, _)) in self.outbox.drain().collect::<Vec<_>>() {
            match (purpose, method) {
                (Purpose::Call(call), _) => {
                    self.restart_listing(call);
                    self.hold(call);
                }
                (Purpose::Notification, Some(method)) if method != Method::CancelledNotification.into() => {
                    let bytes = text.len();
                    self.held.push(Held::Notification(method, text), bytes);
                }
                // The connection is the same, and so is the request that it answers.
                (Purpose::Response, method) if self.link == Link::Stream => {
                    self.owed += text.len();
                    self.outbox.push(text, (purpose, method, Mirrored::default()));
                }
                _ => {}
            }
        }
    }

    /// Holds a call until the handshake is done.
    pub(super) fn hold(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        match call.purpose {
            CallPurpose::Application | CallPurpose::Tools => {
                let key = self.held.push(Held::Call(id), call.params.size());
                call.progress = CallProgress::Held(key);
            }
            CallPurpose::Ping => {
                self.calls.remove(id);
            }
            CallPurpose::Discover | CallPurpose::Initialize | CallPurpose::ToolList => {}
        }
    }

    /// Sends a call again that the server did not process, after a new handshake if there is none.
    pub(super) fn repeat(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.repeated = true;
        self.restart_listing(id);
        self.settled(id);
        if self.is_ready() {
            self.enqueue_call(id);
        } else {
            self.hold(id);
            self.connect();
        }
    }
}

/// Where a client starts.
pub(super) fn first_stage(mode: Mode, prior: Option<Prior>) -> Stage {
    match (mode, prior) {
        (Mode::Modern, _) => Stage::Modern(Discovery::Settled),
        (Mode::Legacy(revision), _) => Stage::Legacy(Handshake::Start, with_handshake(revision)),
        (Mode::Auto, None) => Stage::Undecided,
        (Mode::Auto, Some(prior)) => match prior.era() {
            Era::Modern => Stage::Modern(Discovery::Settled),
            Era::Legacy => Stage::Legacy(Handshake::Start, prior.revision()),
        },
    }
}

/// A revision that can be proposed in `initialize`.
fn with_handshake(revision: Revision) -> Revision {
    if revision.has_initialize() {
        revision
    } else {
        Revision::LATEST_LEGACY
    }
}

/// What is known in a stage before anything was asked.
pub(super) fn known_facts(stage: Stage) -> Option<ServerFacts> {
    (stage == Stage::Modern(Discovery::Settled)).then_some(ServerFacts {
        revision: Revision::LATEST,
        info: None,
        capabilities: None,
        instructions: None,
    })
}
