//! One run of a handler that asks.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::error::AskError;
use super::fit::fits;
use super::redeem::{Redeem, Redemption};
use super::refusal::StateRefusal;
use super::request::{InputAsk, InputRequired, Parts};
use super::seal::Sealer;
use super::state::{Answer, State};
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::limits::Limits;
use crate::model::{InputRequiredResult, Map};
use crate::server::{RequestContext, ResultBody, ServerConfig};
use crate::time::UnixTime;

/// One run of a handler: what was answered before it, what it asks, and what becomes of its request.
///
/// | the handler | legacy | modern, known | modern, not known |
/// |---|---|---|---|
/// | asks | makes a request now | goes on with the answer | waits, for the end of the run |
/// | does something once | does it | goes on with what it gave | does it |
///
/// After each poll of the handler [`settle`](Self::settle) says whether the run goes on. It ends where a poll has left
/// something unanswered and nothing is being done that happens once. Any method in any state does no harm: what comes at
/// a wrong time is waited for, or is not heard.
#[derive(Debug)]
pub struct HandlerRun {
    context: RequestContext,
    bounds: Bounds,
    /// Who asks, where a store is to be told.
    principal: Option<Arc<[u8]>>,
    /// What the state is bound to; empty where there can be none.
    binding: Vec<u8>,
    opening: Opening,
    state: State,
    /// Whether the client has sent state.
    is_retry: bool,
    /// What the client has answered to the round before.
    fresh: BTreeMap<String, RawJson>,
    /// What is not answered in this run.
    open: Vec<(Box<str>, InputAsk)>,
    /// How many asks had no key of their own.
    places: usize,
    /// What is being done that happens once.
    doing: BTreeSet<Box<str>>,
    /// The author wants the run to end, whether something is asked or not.
    stepped: bool,
}

#[derive(Debug)]
struct Bounds {
    requests: usize,
    rounds: usize,
    bytes: usize,
    expiry: Duration,
    single_use: bool,
}

/// How far what the client has sent back is looked at.
///
/// Not before the handler wants it: one that never asks may have a state of its own, and so may one that passes requests
/// on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Unseen,
    Wanted,
    /// It is good for one use, and a store is asked whether this is the one.
    Redeeming,
    Seen,
}

/// What becomes of an ask.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskReply {
    /// A request is made of the client, now.
    Call,
    /// This is the answer.
    Answered(RawJson),
    /// It is not known in this run, or not yet.
    Wait,
    /// It cannot be asked.
    Refused(AskError),
}

/// What becomes of something that happens once.
#[derive(Debug)]
#[non_exhaustive]
pub enum Once {
    /// It has happened, and gave this.
    Done(RawJson),
    /// It happens now: [`HandlerRun::keep`] or [`HandlerRun::give_up`] is told how it ends.
    Now,
    /// It is not known yet.
    Wait,
    /// It cannot.
    Refused(AskError),
}

/// What becomes of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Settled {
    /// It goes on when something wakes it.
    Wait,
    /// It goes on at once.
    Again,
    /// It goes on, or not, when [`HandlerRun::redeemed`] is told what a store says to this.
    Redeem(Redeem),
    /// It is over, and the request is answered with this.
    Over(Result<ResultBody, ErrorObject>),
}

impl HandlerRun {
    /// A run that serves the request of `context`, made by `principal`.
    pub fn new(context: &RequestContext, config: &ServerConfig, principal: Option<&[u8]>) -> Self {
        let limits: &Limits = config.limits();
        let asked = context.asked.as_ref();
        Self {
            bounds: Bounds {
                requests: limits.input_requests,
                rounds: limits.input_rounds,
                bytes: limits.state_bytes,
                expiry: config.timeouts().state,
                single_use: config.is_single_use(),
            },
            principal: principal.filter(|_| config.is_single_use()).map(Into::into),
            binding: asked.map(|asked| asked.binding(principal)).unwrap_or_default(),
            // Nothing comes back with a request that cannot be answered so.
            opening: asked.map_or(Opening::Seen, |_| Opening::Unseen),
            context: context.clone(),
            state: State::default(),
            is_retry: false,
            fresh: BTreeMap::new(),
            open: Vec::new(),
            places: 0,
            doing: BTreeSet::new(),
            stepped: false,
        }
    }

    /// The handler asks something, under the author's key or by its place in the order of asks, which `place` keeps.
    /// `reads` says whether an answer has the shape that the handler wants.
    pub fn ask(
        &mut self,
        place: &mut Option<Box<str>>,
        key: Option<&str>,
        ask: &InputAsk,
        reads: impl FnOnce(&RawJson) -> bool,
    ) -> AskReply {
        if let Err(error) = self.check(ask) {
            return AskReply::Refused(error);
        }
        if self.context.revision().has_server_requests() {
            return AskReply::Call;
        }
        if !self.is_seen() {
            return AskReply::Wait;
        }
        let place = place.get_or_insert_with(|| match key {
            Some(key) => key.into(),
            None => {
                self.places += 1;
                alloc::format!("ask-{}", self.places).into()
            }
        });
        self.look_up(place, key.is_some(), ask, reads)
            .unwrap_or_else(AskReply::Refused)
    }

    /// Nothing where it may be asked.
    fn check(&self, ask: &InputAsk) -> Result<(), AskError> {
        if let Some(missing) = ask.missing(&self.context.client_capabilities()) {
            return Err(AskError::NotSupported(self.context.lacking(missing)));
        }
        match self.context.revision().has_server_requests() || self.context.asked.is_some() {
            true => Ok(()),
            false => Err(AskError::NotHere),
        }
    }

    fn look_up(
        &mut self,
        key: &str,
        is_named: bool,
        ask: &InputAsk,
        reads: impl FnOnce(&RawJson) -> bool,
    ) -> Result<AskReply, AskError> {
        let digest = ask.digest();
        // Who names an ask says by that which it is; by its place alone it has to be the same as before.
        let is_same = |before: u64| match is_named || before == digest {
            true => Ok(()),
            false => Err(AskError::Changed { key: key.into() }),
        };
        if let Some(answer) = self.state.answers.get(key) {
            is_same(answer.digest)?;
            return Ok(AskReply::Answered(answer.json.clone()));
        }
        if let Some(open) = self.open.iter().find(|(open, _)| **open == *key) {
            return match open.1.digest() == digest {
                true => Ok(AskReply::Wait),
                false => Err(AskError::Duplicate { key: key.into() }),
            };
        }
        let asked_before = self.state.open.get(key).copied();
        if let Some(before) = asked_before {
            is_same(before)?;
        }
        // What was not asked for is ignored (2026-07-28, Multi Round-Trip Requests, Error Handling: SHOULD). Without state
        // nobody knows what was, and a name is all there is.
        let may_answer = asked_before.is_some() || (is_named && !self.is_retry);
        let fresh = self.fresh.remove(key).filter(|_| may_answer);
        // What does not fit is asked for again, as what is missing is (the same: SHOULD).
        if let Some(json) = fresh.filter(|json| reads(json) && fits(ask.method, &ask.params, json)) {
            let answer = Answer {
                digest,
                json: json.clone(),
            };
            self.state.answers.insert(key.into(), answer);
            return Ok(AskReply::Answered(json));
        }
        if self.open.len() >= self.bounds.requests {
            return Err(AskError::TooMany);
        }
        self.open.push((key.into(), ask.clone()));
        Ok(AskReply::Wait)
    }

    /// The handler comes to something that happens once.
    pub fn once(&mut self, key: &str) -> Once {
        if !self.is_seen() {
            return Once::Wait;
        }
        if let Some(value) = self.state.once.get(key) {
            return Once::Done(value.clone());
        }
        match self.doing.insert(key.into()) {
            true => Once::Now,
            // Twice at the same time: one of the two would be lost.
            false => Once::Refused(AskError::Duplicate { key: key.into() }),
        }
    }

    /// What happens once has happened, and gave `value`.
    ///
    /// # Errors
    /// [`AskError::TooLarge`] where it cannot be carried by the client.
    pub fn keep(&mut self, key: &str, value: RawJson) -> Result<(), AskError> {
        self.doing.remove(key);
        let too_large = self.kept() + key.len() + value.as_bytes().len() > self.bounds.plain();
        // A request that is never run again carries nothing.
        if too_large && self.context.asked.is_some() {
            return Err(AskError::TooLarge { key: key.into() });
        }
        self.state.once.insert(key.into(), value);
        Ok(())
    }

    /// What was to happen once was dropped before it did.
    pub fn give_up(&mut self, key: &str) {
        self.doing.remove(key);
    }

    /// How many bytes are kept for the next run.
    fn kept(&self) -> usize {
        let once = self
            .state
            .once
            .iter()
            .map(|(key, value)| key.len() + value.as_bytes().len());
        let answers = self.state.answers.iter();
        let answers = answers.map(|(key, answer)| key.len() + answer.json.as_bytes().len());
        once.chain(answers).sum()
    }

    /// What the client has answered to the round before, and the state that was given then; `None` while that is not
    /// looked at.
    pub fn given(&mut self) -> Option<(&BTreeMap<String, RawJson>, Option<&RawJson>)> {
        self.is_seen().then_some((&self.fresh, self.state.step.as_ref()))
    }

    /// The handler ends its run with what it needs first. A legacy client is asked by requests of the author's.
    ///
    /// # Errors
    /// [`AskError`] where one of it cannot be asked.
    pub fn require(&mut self, required: InputRequired) -> Result<(), AskError> {
        self.step(required.into_parts()?)
    }

    /// The same, in parts.
    ///
    /// # Errors
    /// [`AskError`] where one of it cannot be asked.
    pub(crate) fn step(&mut self, (asks, state): Parts) -> Result<(), AskError> {
        for (_, ask) in &asks {
            self.check(ask)?;
        }
        if asks.len() > self.bounds.requests {
            return Err(AskError::TooMany);
        }
        let keys: BTreeSet<&str> = asks.iter().map(|(key, _)| &**key).collect();
        if keys.len() < asks.len() {
            let key = asks.first().map(|(key, _)| key.clone()).unwrap_or_default();
            return Err(AskError::Duplicate { key });
        }
        if state
            .as_ref()
            .is_some_and(|state| state.as_bytes().len() > self.bounds.plain())
        {
            return Err(AskError::TooLarge { key: "state".into() });
        }
        self.open = asks;
        self.state.step = state;
        self.stepped = true;
        Ok(())
    }

    /// All of a step is answered by requests of their own (legacy era).
    pub fn stepped(&mut self, answers: BTreeMap<String, RawJson>) {
        self.open.clear();
        self.stepped = false;
        self.fresh = answers;
    }

    fn is_seen(&mut self) -> bool {
        if self.opening == Opening::Unseen {
            self.opening = Opening::Wanted;
        }
        self.opening == Opening::Seen
    }

    /// The handler was polled, and has not returned. What becomes of the run.
    pub fn settle(&mut self, unix: UnixTime, sealer: Option<&mut Sealer>) -> Settled {
        if self.context.revision().has_server_requests() {
            return Settled::Wait;
        }
        if self.opening == Opening::Wanted {
            self.opening = Opening::Seen;
            return match self.look(unix, sealer.as_deref()) {
                Ok(None) => Settled::Again,
                Ok(Some(redeem)) => {
                    self.opening = Opening::Redeeming;
                    Settled::Redeem(redeem)
                }
                Err(error) => Settled::Over(Err(error)),
            };
        }
        if self.opening == Opening::Redeeming {
            return Settled::Wait;
        }
        // What happens once is not dropped in the middle of it.
        if !self.doing.is_empty() || (self.open.is_empty() && !self.stepped) {
            return Settled::Wait;
        }
        Settled::Over(self.end(unix, sealer))
    }

    /// A store has said whether what the client has sent back may be used. What becomes of the run; it waits as before where
    /// no store was asked.
    pub fn redeemed(&mut self, redemption: Redemption) -> Settled {
        if self.opening != Opening::Redeeming {
            return Settled::Wait;
        }
        self.opening = Opening::Seen;
        let refusal = match redemption {
            Redemption::Redeemed => return Settled::Again,
            Redemption::UsedBefore => StateRefusal::Used,
            Redemption::Unavailable => StateRefusal::Unavailable,
        };
        Settled::Over(Err(refusal.into()))
    }

    /// Looks at what the client has sent back; what has to be redeemed before it may be used.
    fn look(&mut self, unix: UnixTime, sealer: Option<&Sealer>) -> Result<Option<Redeem>, ErrorObject> {
        let Some(asked) = &self.context.asked else {
            return Ok(None);
        };
        let retry = asked.retry()?;
        self.fresh = retry.responses;
        let Some(text) = &retry.state else {
            return Ok(None);
        };
        // 2026-07-28, Multi Round-Trip Requests, Server Requirements: MUST be rejected where it fails verification.
        let plain = sealer
            .filter(|_| text.len() <= self.bounds.bytes)
            .and_then(|sealer| sealer.open(&self.binding, text));
        let state = plain.and_then(|plain| serde_json::from_slice::<State>(&plain).ok());
        self.state = state.ok_or(StateRefusal::Invalid)?;
        if unix.elapsed().as_secs() >= self.state.expires {
            return Err(StateRefusal::Expired.into());
        }
        self.is_retry = true;
        // The same, 5: what may be used once is consumed here, before anything follows from it.
        let id = Sealer::id(text).filter(|_| self.bounds.single_use);
        Ok(id.map(|id| Redeem {
            id,
            until: UnixTime::since_epoch(Duration::from_secs(self.state.expires)),
            principal: self.principal.clone(),
        }))
    }

    /// The result that asks for what is not answered (2026-07-28, Multi Round-Trip Requests, `InputRequiredResult`).
    fn end(&mut self, unix: UnixTime, sealer: Option<&mut Sealer>) -> Result<ResultBody, ErrorObject> {
        let sealer = sealer.ok_or_else(|| ErrorObject::internal("this server has no key to seal state with"))?;
        let rounds = self.state.rounds.saturating_add(1);
        if rounds > self.bounds.rounds {
            return Err(ErrorObject::internal(
                "the request needs more rounds of input than are allowed",
            ));
        }
        let state = State {
            expires: (unix + self.bounds.expiry).elapsed().as_secs(),
            rounds,
            open: (self.open.iter())
                .map(|(key, ask)| (String::from(&**key), ask.digest()))
                .collect(),
            ..core::mem::take(&mut self.state)
        };
        let plain = RawJson::from_serialize(&state)?;
        if plain.as_bytes().len() > self.bounds.plain() {
            return Err(ErrorObject::invalid_params(
                "what was answered so far is more than the server can keep: answer with less",
            ));
        }
        let sealed = sealer.seal(&self.binding, plain.as_bytes());
        let sealed = sealed.ok_or_else(|| ErrorObject::internal("the state cannot be sealed"))?;
        let requests = self.open.drain(..).map(|(key, ask)| (key, ask.to_input_request()));
        let requests: Map<_> = requests.collect();
        let mut result = InputRequiredResult::default().with_request_state(sealed);
        if !requests.is_empty() {
            result = result.with_input_requests(requests);
        }
        Ok(ResultBody::from_serialize(&result)?)
    }
}

impl Bounds {
    /// How many bytes of plain state fit into as many of text: four characters say three bytes, and the seal takes some.
    fn plain(&self) -> usize {
        (self.bytes / 4 * 3).saturating_sub(64)
    }
}
