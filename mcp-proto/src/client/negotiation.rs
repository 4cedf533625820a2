//! What the server speaks: how a client comes to know it, and what it does when that proves wrong.

use alloc::boxed::Box;
use core::time::Duration;

use super::config::{Mode, Prior};
use super::era::{Channel, Evidence, Verdict, judge, names_versions, supported_by};
use super::event::ServerFacts;
use super::link::Link;
use super::stage::Stage;
use super::step::{Next, Renegotiation, Step};
use crate::jsonrpc::{ErrorCode, ErrorObject, RawJson};
use crate::legacy::client::{self as legacy, ClientHandshake};
use crate::method::{Kind, MethodName, Side};
use crate::model::{DiscoverResult, InitializeResult};
use crate::modern::client::{self as modern, Discovery};
use crate::revision::Revision;
use crate::rpc::{CallError, Failure, Phase, SendError};
use crate::time::Time;

/// What is known and believed of the server.
///
/// | stage | what is known | an answer that does not fit |
/// |---|---|---|
/// | undecided | nothing; the next call asks | – |
/// | modern, discovering | `server/discover` is out | the table of [`judge`] says what the server is |
/// | modern, settled | it speaks 2026-07-28 | of a call: it chooses a revision in common; where the era was only believed, the server is asked |
/// | legacy, before `Operating` | it is taken for legacy, and `initialize` may yet show another revision | where the era was only believed, the server is asked; an error that names modern revisions means modern after all |
/// | legacy, operating | its session, in the revision it chose | a session that is lost begins again |
///
/// An era is believed where an earlier connection found it (`prior`) and nothing has confirmed it since. Belief is
/// given up once: nothing is asked twice because of the same doubt, so that no server can make a client ask for ever.
#[derive(Debug)]
pub(super) struct Negotiation {
    link: Link,
    mode: Mode,
    stage: Stage,
    facts: Option<ServerFacts>,
    /// How often a session, or what was believed of the server, was given up for another: tells news of the
    /// present one from belated news.
    epoch: u64,
    /// Whether the application has said what an earlier connection found.
    was_told: bool,
    /// What an earlier connection found, until it proves wrong.
    prior: Option<Prior>,
    /// Whether the server has shown that what is believed of it is true.
    is_confirmed: bool,
    /// When the server must have taken `notifications/initialized`, where it has to say so.
    announce_by: Option<Time>,
    /// Whether nothing is asked of the server that it did not offer.
    is_strict: bool,
    /// Whether the stream can be opened again, at another start of the server, where this one dies of the question.
    may_reopen: bool,
    /// Whether it was asked on this stream what it speaks.
    was_asked: bool,
}

impl Negotiation {
    pub(super) fn new(link: Link, mode: Mode, prior: Option<Prior>, is_strict: bool) -> Self {
        let stage = Stage::first(mode, prior);
        Self {
            link,
            mode,
            stage,
            facts: stage.known_facts(),
            epoch: 0,
            was_told: prior.is_some(),
            prior,
            is_confirmed: false,
            announce_by: None,
            is_strict,
            may_reopen: false,
            was_asked: false,
        }
    }

    /// The stream can be opened again, once.
    pub(super) fn allow_reopening(&mut self) {
        self.may_reopen = self.mode == Mode::Auto;
    }

    /// The stream has ended before the server has shown what it speaks: some legacy servers exit because of the question,
    /// or behind an answer to it that says nothing (2026-07-28, stdio, Backward Compatibility). Where it can be opened
    /// again, the next one begins with `initialize`, and that is the last.
    pub(super) fn reopen(&mut self) -> Option<Step> {
        let may = self.may_reopen && self.was_asked && !self.is_confirmed;
        self.may_reopen = false;
        may.then(|| self.fall_back(None))
    }

    /// Whether the question what the server speaks is out.
    pub(super) fn is_asking(&self) -> bool {
        self.stage == Stage::Modern(Discovery::Discovering)
    }

    /// What is known about the server; `None` before the handshake, and after the end.
    pub(super) fn facts(&self) -> Option<&ServerFacts> {
        self.facts.as_ref().filter(|_| self.is_ready())
    }

    /// Whether requests can be sent at once.
    pub(super) fn is_ready(&self) -> bool {
        self.stage.is_ready()
    }

    pub(super) fn is_modern(&self) -> bool {
        matches!(self.stage, Stage::Modern(_))
    }

    pub(super) fn is_legacy(&self) -> bool {
        matches!(self.stage, Stage::Legacy(..))
    }

    /// Whether the handshake of the legacy era is under way, or done.
    #[cfg(feature = "http")]
    pub(super) fn has_handshake(&self) -> bool {
        !matches!(
            self.stage,
            Stage::Legacy(ClientHandshake::Start | ClientHandshake::Closed, _) | Stage::Modern(_) | Stage::Undecided
        )
    }

    /// The revision spoken with the server; before the handshake is done, the one it is made in.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.stage.revision()
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The revision in which a request of the server is served. Requests of the server are a part of the legacy era
    /// alone; but while the era is asked, the server may well be a legacy one, which may ping (`is_ping`) at any time.
    pub(super) fn serves(&self, is_ping: bool) -> Option<Revision> {
        match self.stage {
            Stage::Legacy(_, revision) => Some(revision),
            Stage::Undecided | Stage::Modern(Discovery::Start | Discovery::Discovering) if is_ping => {
                Some(Revision::LATEST_LEGACY)
            }
            Stage::Modern(_) | Stage::Undecided => None,
        }
    }

    /// Whether `method` may be sent, as far as it is known what the server speaks and offers.
    pub(super) fn check(&self, method: &MethodName, kind: Kind) -> Result<(), SendError> {
        // What is asked for before the handshake is held, and looked at again when it is released.
        let Some(facts) = self.facts() else { return Ok(()) };
        // It may belong to an extension.
        let Some(known) = method.known() else { return Ok(()) };
        if known.kind() != kind || !known.is_sent_by(Side::Client, facts.revision) {
            return Err(SendError::OutOfEra {
                method: method.clone(),
                revision: facts.revision,
            });
        }
        let offered = match (&facts.capabilities, known.required_server_capability()) {
            (Some(capabilities), Some(needed)) => capabilities.has(needed),
            // A server that was never asked (pinned, or known before) has not said what it offers.
            _ => true,
        };
        if self.is_strict && !offered {
            return Err(SendError::NotSupported { method: method.clone() });
        }
        Ok(())
    }

    /// Takes for granted what an earlier connection found, where nothing was asked, and nothing was told before.
    #[cfg(feature = "handle")]
    pub(super) fn presume(&mut self, prior: Prior) {
        if self.stage == Stage::Undecided && !self.was_told {
            self.was_told = true;
            self.prior = Some(prior);
            self.stage = Stage::first(self.mode, self.prior);
            self.facts = self.stage.known_facts();
        }
    }

    /// What the server has proved to speak, also after the end of the connection; `None` where that is not certain.
    #[cfg(feature = "handle")]
    pub(super) fn proved(&self) -> Option<Prior> {
        let facts = self.facts.as_ref().filter(|_| self.is_confirmed);
        facts.map(|facts| Prior::new(facts.revision))
    }

    /// Whether the server has shown what it speaks.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// A call was answered with a result: what is believed of the server is true.
    pub(super) fn confirm(&mut self) {
        self.is_confirmed = true;
    }

    /// Someone needs the connection.
    pub(super) fn begin(&mut self) -> Step {
        match self.stage {
            Stage::Undecided => {
                self.stage = Stage::Modern(Discovery::Start);
                self.step_modern(modern::DiscoveryInput::Begin)
            }
            Stage::Modern(_) => self.step_modern(modern::DiscoveryInput::Begin),
            Stage::Legacy(..) => self.step_legacy(legacy::ClientInput::Begin),
        }
    }

    /// This side closes.
    pub(super) fn close(&mut self) {
        let _ = self.step_modern(modern::DiscoveryInput::Close);
        let _ = self.step_legacy(legacy::ClientInput::Close);
        self.announce_by = None;
    }

    /// `notifications/initialized` is on its way. A byte stream has it; an HTTP server has to say so until then.
    pub(super) fn announcing(&mut self, until: Time) -> Step {
        match self.link {
            Link::Stream => self.step_legacy(legacy::ClientInput::Announced),
            Link::Http => {
                self.announce_by = Some(until);
                Step::NOTHING
            }
        }
    }

    /// The server has `notifications/initialized`, or refused it.
    pub(super) fn announced(&mut self, outcome: Result<(), Failure>) -> Step {
        match outcome {
            Ok(()) => self.step_legacy(legacy::ClientInput::Announced),
            Err(failure) => self.fail(failure.into()),
        }
    }

    /// When [`is_unannounced`](Self::is_unannounced) is to be asked.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.announce_by
    }

    /// Whether the server has not said in time that it has `notifications/initialized`.
    pub(super) fn is_unannounced(&self, now: Time) -> bool {
        self.announce_by.is_some_and(|until| until <= now)
    }

    /// The handshake came to nothing; the next call tries again.
    pub(super) fn fail(&mut self, error: CallError) -> Step {
        let _ = self.step_legacy(legacy::ClientInput::Rejected);
        let _ = self.step_modern(modern::DiscoveryInput::Failed);
        // A failure is no evidence of an era: what is believed stays, and the next call begins there.
        self.stage = Stage::first(self.mode, self.prior);
        self.facts = self.stage.known_facts();
        self.is_confirmed = false;
        self.announce_by = None;
        Step::to(Next::Fail(error))
    }

    /// The server does not know the session any more. Nothing of it is of use in the next one.
    pub(super) fn lose(&mut self) -> Step {
        let _ = self.step_legacy(legacy::ClientInput::Lost);
        Step::to(Next::Lose).void()
    }

    /// The server has ended, and another start of it takes its place. It is what the last one was.
    pub(super) fn restart(&mut self) -> Step {
        let Stage::Legacy(_, revision) = self.stage else {
            return Step::NOTHING.void();
        };
        let had_session = self.is_ready();
        self.stage = Stage::Legacy(ClientHandshake::Start, revision);
        self.announce_by = None;
        match had_session {
            true => Step::to(Next::Lose).void(),
            false => Step::NOTHING.void(),
        }
    }

    /// `server/discover` was answered.
    pub(super) fn discovered(&mut self, outcome: &Result<RawJson, CallError>, channel: Channel) -> Step {
        let verdict = match outcome {
            Ok(result) => judge(channel, Evidence::Result(result)),
            Err(CallError::Rpc(error)) => judge(channel, Evidence::Error(error)),
            Err(_) => judge(channel, Evidence::Other),
        };
        match verdict {
            Verdict::Modern(_) => match outcome {
                Ok(result) => self.read_discovered(result),
                // The server is modern but did not answer the question; it is not needed to go on.
                Err(_) => self.settle(None),
            },
            Verdict::Legacy(revision) => self.fall_back(revision),
            Verdict::NoCommonRevision(supported) => self.fail(CallError::NoCommonRevision { supported }),
            Verdict::Auth | Verdict::Retry | Verdict::Fatal => {
                self.fail(outcome.as_ref().err().cloned().unwrap_or(CallError::Disconnected))
            }
        }
    }

    fn read_discovered(&mut self, result: &RawJson) -> Step {
        match result.decode::<DiscoverResult>() {
            Ok(result) => self.settle(Some(result)),
            // It names versions, so it is modern, and only its answer is broken: `initialize` would not help.
            Err(error) if names_versions(result) => self.fail(CallError::InvalidReply(error)),
            // Some legacy servers answer what they do not know with an empty result.
            Err(_) => self.fall_back(None),
        }
    }

    /// The server is modern, and says this of itself.
    fn settle(&mut self, result: Option<DiscoverResult>) -> Step {
        let meta = result.as_ref().and_then(|result| result.meta.as_ref());
        let info = meta.and_then(|meta| meta.server_info().ok().flatten());
        let (capabilities, instructions) = match result {
            Some(result) => (Some(result.capabilities), result.instructions),
            None => (None, None),
        };
        self.facts = Some(ServerFacts {
            revision: Revision::LATEST,
            info,
            capabilities,
            instructions,
        });
        self.is_confirmed = true;
        self.step_modern(modern::DiscoveryInput::Settled)
    }

    /// `server/discover` was not answered in time.
    pub(super) fn undiscovered(&mut self, after: Duration) -> Step {
        let channel = match self.link {
            Link::Stream => Channel::Stream,
            // No status came: this one says nothing by itself.
            Link::Http => Channel::Http(200),
        };
        match judge(channel, Evidence::Silence) {
            Verdict::Legacy(revision) => self.fall_back(revision),
            _ => self.fail(CallError::Timeout {
                phase: Phase::Probe,
                after,
            }),
        }
    }

    /// The exchange of `server/discover` brought no answer.
    pub(super) fn discover_failed(&mut self, failure: Failure) -> Step {
        let verdict = match &failure {
            Failure::Status { status, .. } => judge(Channel::Http(*status), Evidence::Other),
            Failure::SessionLost => judge(Channel::Http(404), Evidence::Other),
            Failure::Unreachable(_) | Failure::Disconnected | Failure::Interrupted | Failure::Stale => {
                judge(Channel::Http(0), Evidence::Broken)
            }
            // It answered, or was not even reached: neither says what it speaks.
            Failure::Unreadable(_) | Failure::TooManyConnections | Failure::ForeignEndpoint(_) => Verdict::Fatal,
        };
        match verdict {
            Verdict::Legacy(revision) => self.fall_back(revision),
            _ => self.fail(failure.into()),
        }
    }

    /// `initialize` was answered.
    pub(super) fn initialized(&mut self, outcome: Result<RawJson, CallError>, channel: Channel) -> Step {
        if let Err(CallError::Rpc(error)) = &outcome
            && self.is_modern_after_all(error, channel)
        {
            self.stage = Stage::Modern(Discovery::Start);
            return self.settle(None);
        }
        let result = outcome.and_then(|raw| {
            raw.decode_leniently::<InitializeResult>()
                .map_err(CallError::InvalidReply)
        });
        match result {
            // What has been left out of it is not needed to go on.
            Ok((result, _)) => self.accept(result),
            // Only an answer refutes: a broken connection or a time-out says nothing of the era.
            Err(CallError::Rpc(_)) if self.is_doubtful() => self.refute_prior(),
            Err(error) => self.fail(error),
        }
    }

    /// The exchange of `initialize` brought no answer.
    pub(super) fn initialize_failed(&mut self, failure: Failure) -> Step {
        if is_failure_unlike_modern(&failure) && self.is_doubtful() {
            self.refute_prior()
        } else {
            self.fail(failure.into())
        }
    }

    /// Whether the error that `initialize` was answered with names modern revisions: the server was only slow to
    /// answer the question before (2026-07-28, Versioning, Backward Compatibility: such an error identifies a
    /// modern server).
    fn is_modern_after_all(&self, error: &ErrorObject, channel: Channel) -> bool {
        let names_revisions = error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION && error.data.is_some();
        self.mode == Mode::Auto
            && names_revisions
            && matches!(judge(channel, Evidence::Error(error)), Verdict::Modern(_))
    }

    fn accept(&mut self, result: InitializeResult) -> Step {
        // No handshake can lead to a revision that has none.
        let revision = Revision::parse(&result.protocol_version).filter(|revision| revision.has_initialize());
        let (Some(revision), Stage::Legacy(handshake, _)) = (revision, self.stage) else {
            // 2025-11-25, Lifecycle, Version Negotiation: the client "SHOULD disconnect".
            let supported = Box::from([result.protocol_version.into()]);
            return self.fail(CallError::NoCommonRevision { supported });
        };
        self.stage = Stage::Legacy(handshake, revision);
        self.facts = Some(ServerFacts {
            revision,
            info: Some(result.server_info),
            capabilities: Some(result.capabilities),
            instructions: result.instructions,
        });
        self.is_confirmed = true;
        self.step_legacy(legacy::ClientInput::Accepted)
    }

    /// What an error means that a call was answered with which was sent in `epoch`, for the first time: whether it was
    /// refused because of the era or the revision it was made in.
    pub(super) fn doubt(&mut self, epoch: u64, error: &ErrorObject, channel: Channel) -> Renegotiation {
        // It was sent as a modern request: in this stage, or in one that is over.
        if !self.is_modern() && epoch == self.epoch {
            return Renegotiation::None;
        }
        if error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION {
            return self.choose(judge(channel, Evidence::Error(error)), error);
        }
        let unlike_modern = match channel {
            // An error may be just the answer; but not before a method has done anything.
            Channel::Stream => error.code.is_refusal(),
            Channel::Http(_) => is_unlike_modern(channel, Evidence::Error(error)),
        };
        match unlike_modern {
            true => self.doubt_prior(epoch),
            false => Renegotiation::None,
        }
    }

    /// What a failure means that the exchange of a call ended with which was sent in `epoch`, for the first time.
    pub(super) fn doubt_failure(&mut self, epoch: u64, failure: &Failure) -> Renegotiation {
        match is_failure_unlike_modern(failure) {
            true => self.doubt_prior(epoch),
            false => Renegotiation::None,
        }
    }

    /// 2026-07-28, Versioning, Protocol Version Negotiation: the client chooses from what the server supports.
    fn choose(&mut self, verdict: Verdict, error: &ErrorObject) -> Renegotiation {
        match verdict {
            Verdict::Modern(_) => Renegotiation::Again(Step::NOTHING),
            Verdict::Legacy(revision) if self.mode == Mode::Auto => {
                // Another call has led there already: this one follows it.
                if !self.is_modern() {
                    return Renegotiation::Again(Step::NOTHING);
                }
                // Else a handshake that fails would lead back to what was just refuted.
                self.prior = None;
                Renegotiation::Again(self.fall_back(revision))
            }
            // All that it named, not the one that would have been chosen.
            Verdict::Legacy(Some(_)) => Renegotiation::Never(supported_by(error)),
            Verdict::NoCommonRevision(supported) => Renegotiation::Never(supported),
            _ => Renegotiation::None,
        }
    }

    /// A call was answered as no modern server would: where it was sent on the strength of an earlier verdict alone,
    /// that is in doubt.
    fn doubt_prior(&mut self, epoch: u64) -> Renegotiation {
        // In a later epoch the belief was given up already: never twice because of the same doubt.
        if self.mode != Mode::Auto || !self.was_told || epoch != 0 {
            Renegotiation::None
        } else if self.is_doubtful() {
            Renegotiation::Again(self.refute_prior())
        } else if self.prior.is_some() {
            Renegotiation::None
        } else {
            // Another call has refuted it meanwhile: this one was sent on the same belief.
            Renegotiation::Again(Step::NOTHING)
        }
    }

    /// Whether the era is only believed, because of what an earlier connection found.
    fn is_doubtful(&self) -> bool {
        self.mode == Mode::Auto && self.prior.is_some() && !self.is_confirmed
    }

    /// What an earlier connection found is not true any more: the server is asked
    /// (2026-07-28, Versioning: "re-probing if the cached assumption later fails").
    fn refute_prior(&mut self) -> Step {
        self.prior = None;
        self.epoch += 1;
        self.stage = Stage::Undecided;
        self.facts = None;
        self.begin().void()
    }

    /// Follows the server into the legacy era.
    fn fall_back(&mut self, revision: Option<Revision>) -> Step {
        self.stage = Stage::Legacy(ClientHandshake::Start, revision.unwrap_or(Revision::LATEST_LEGACY));
        self.facts = None;
        self.step_legacy(legacy::ClientInput::Begin).void()
    }

    fn step_legacy(&mut self, input: legacy::ClientInput) -> Step {
        let Some((action, revision)) = self.stage.step_legacy(input) else {
            return Step::NOTHING;
        };
        Step::to(match action {
            // Who failed says so, with its reason: `fail` in `Next::Fail`, and `close` to every call itself.
            legacy::ClientAction::None | legacy::ClientAction::Fail => Next::Nothing,
            legacy::ClientAction::SendInitialize => {
                // A session begins: what is still to come of the last one must not touch it.
                self.epoch += 1;
                Next::Initialize(revision)
            }
            legacy::ClientAction::SendInitialized => Next::Announce,
            legacy::ClientAction::Release => {
                self.announce_by = None;
                Next::Release
            }
        })
    }

    fn step_modern(&mut self, input: modern::DiscoveryInput) -> Step {
        Step::to(match self.stage.step_modern(input) {
            None | Some(modern::DiscoveryAction::None | modern::DiscoveryAction::Fail) => Next::Nothing,
            Some(modern::DiscoveryAction::SendDiscover) => {
                self.was_asked = true;
                Next::Discover
            }
            Some(modern::DiscoveryAction::Release) => Next::Release,
        })
    }
}

/// Whether an HTTP answer is one that a modern server would not give.
fn is_unlike_modern(channel: Channel, evidence: Evidence<'_>) -> bool {
    // Within a 2xx an error is just how a method fails: only a request that is refused as such is in doubt.
    matches!(channel, Channel::Http(400..=499)) && judge(channel, evidence) == Verdict::Legacy(None)
}

fn is_failure_unlike_modern(failure: &Failure) -> bool {
    matches!(failure, Failure::Status { status, .. } if is_unlike_modern(Channel::Http(*status), Evidence::Other))
}

#[cfg(test)]
mod tests;
