//! The calls whose servers ask for input before they answer (2026-07-28, Multi Round-Trip Requests).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::{Call, CallPurpose};
use crate::jsonrpc::{DecodeError, Params, RawJson};
use crate::limits::{Limits, Timeouts};
use crate::method::MethodName;
use crate::model::{InputRequest, Json, Map};
use crate::rpc::{CallError, CallId, CallOptions};
use crate::time::Time;

/// The calls that are made in several rounds. Each is known by the name that the application has for it, whatever the ids
/// of its requests: those differ from round to round (Multi Round-Trip Requests, Client Requirements, 3).
///
/// | a call is | it has | until |
/// |---|---|---|
/// | asked | what to make it again with, and a deadline for the input; its own does not run | it is resumed, given up, cancelled, or that is over |
/// | made again | the name of its latest request | that is answered: with a result, or asked again |
///
/// What one server asks for one call is kept here for that call alone, and reaches no other (Client Requirements, 4).
#[derive(Debug)]
pub(super) struct Rounds {
    most: usize,
    most_bytes: usize,
    patience: Duration,
    calls: BTreeMap<CallId, Round>,
    deadlines: BTreeSet<(Time, CallId)>,
    /// How many bytes the states of servers have.
    bytes: usize,
}

#[derive(Debug)]
struct Round {
    /// How often its server has asked.
    number: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Boxed: what is made again is a whole request.
    Asked(Box<Asked>),
    Again(CallId),
}

/// A call that waits for its input, and what it is made again with.
#[derive(Debug)]
pub(super) struct Asked {
    method: MethodName,
    params: Params,
    options: CallOptions,
    /// What the server wants back, as it came.
    state: Option<RawJson>,
    deadline: Time,
}

/// Where a call that is no more was.
#[derive(Debug, PartialEq)]
pub(super) enum Gone {
    Asked,
    /// With the server, as this request.
    Again(CallId),
}

/// What a server says in place of a result.
#[derive(Debug)]
pub(super) struct InputRequired {
    pub(super) requests: Map<InputRequest>,
    /// As it came, for it goes back so: clients "MUST NOT inspect, parse, modify" it (Client Requirements, 2).
    pub(super) state: Option<RawJson>,
}

impl InputRequired {
    /// Reads what a server says in place of a result.
    ///
    /// # Errors
    /// Where it is not what the specification says: it "MUST include at least one of `inputRequests` or `requestState`", and
    /// each of the requests "MUST be one of" three (Server Requirements, 6 and 2).
    pub(super) fn read(result: &RawJson) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        struct Members<'a> {
            #[serde(default, rename = "inputRequests")]
            requests: Option<Map<InputRequest>>,
            #[serde(default, borrow, rename = "requestState")]
            state: Option<&'a RawValue>,
        }
        let Members { requests, state } = result.decode_borrowed()?;
        if requests.is_none() && state.is_none() {
            return Err(DecodeError::new(
                &"it requires input, and says neither which nor for what",
            ));
        }
        if state.is_some_and(|state| !state.get().starts_with('"')) {
            return Err(DecodeError::new(&"requestState must be a string"));
        }
        let requests = requests.unwrap_or_default();
        let known = |request: &InputRequest| request.known_method().is_some_and(|it| it.is_input_request());
        if let Some((key, _)) = requests.iter().find(|(_, request)| !known(request)) {
            return Err(DecodeError::new(&format!("no server asks for the input {key:?}")));
        }
        let state = state.map(|state| result.slice(state.get()));
        Ok(Self { requests, state })
    }
}

impl Rounds {
    pub(super) fn new(limits: &Limits, timeouts: &Timeouts) -> Self {
        Self {
            most: limits.rounds,
            most_bytes: limits.total_bytes,
            patience: timeouts.input,
            calls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// The server asks for input for a call, which is to be made again with these options.
    pub(super) fn ask(
        &mut self,
        id: CallId,
        call: &Call,
        options: CallOptions,
        state: Option<RawJson>,
        now: Time,
    ) -> Result<(), CallError> {
        let number = self.calls.get(&id).map_or(0, |round| round.number) + 1;
        self.remove(id);
        if number > self.most {
            return Err(CallError::TooManyRounds { most: self.most });
        }
        // Copied out of the result, which would else be kept whole for it.
        let state = state.map(|state| RawJson::from_valid(bytes::Bytes::copy_from_slice(state.as_bytes())));
        let bytes = state.as_ref().map_or(0, |state| state.as_bytes().len());
        if self.bytes.saturating_add(bytes) > self.most_bytes {
            let error = DecodeError::new(&"there is no room to keep what the server wants back");
            return Err(CallError::InvalidReply(error));
        }
        self.bytes += bytes;
        let deadline = now + self.patience;
        self.deadlines.insert((deadline, id));
        let asked = Asked {
            method: call.method.clone(),
            params: call.params.clone(),
            options,
            state,
            deadline,
        };
        let stage = Stage::Asked(Box::new(asked));
        self.calls.insert(id, Round { number, stage });
        Ok(())
    }

    /// The call to make again, where its input is waited for.
    pub(super) fn resume(&mut self, id: CallId, inputs: Option<&Map<Json>>) -> Option<Call> {
        let round = self.calls.get_mut(&id)?;
        let Stage::Asked(asked) = &round.stage else { return None };
        let state = asked.state.as_ref();
        let params = asked.params.answering(inputs, state);
        let call = Call::new(
            asked.method.clone(),
            params,
            asked.options.clone(),
            CallPurpose::Round(id),
        );
        self.bytes -= state.map_or(0, |state| state.as_bytes().len());
        self.deadlines.remove(&(asked.deadline, id));
        // Until it is known: nothing else happens in between.
        round.stage = Stage::Again(id);
        Some(call)
    }

    /// The call goes out again, as this request.
    pub(super) fn again(&mut self, id: CallId, request: CallId) {
        let stage = Stage::Again(request);
        match self.calls.get_mut(&id) {
            Some(round) => round.stage = stage,
            None => {
                self.calls.insert(id, Round { number: 0, stage });
            }
        }
    }

    /// A call is no more; where it was, if it was in several rounds.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Gone> {
        Some(match self.calls.remove(&id)?.stage {
            Stage::Asked(asked) => {
                self.bytes -= asked.state.map_or(0, |state| state.as_bytes().len());
                self.deadlines.remove(&(asked.deadline, id));
                Gone::Asked
            }
            Stage::Again(request) => Gone::Again(request),
        })
    }

    /// Whether the input of a call is waited for.
    pub(super) fn is_asked(&self, id: CallId) -> bool {
        let round = self.calls.get(&id);
        round.is_some_and(|round| matches!(round.stage, Stage::Asked(_)))
    }

    /// Whether a call is in several rounds, and not over.
    pub(super) fn contains(&self, id: CallId) -> bool {
        self.calls.contains_key(&id)
    }

    /// A call whose input was not there in time, and how long that was.
    pub(super) fn expire(&mut self, now: Time) -> Option<(CallId, Duration)> {
        let (_, id) = *self.deadlines.first().filter(|(deadline, _)| *deadline <= now)?;
        self.remove(id);
        Some((id, self.patience))
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// How many calls wait for their input.
    pub(super) fn asked(&self) -> usize {
        self.deadlines.len()
    }

    pub(super) fn entries(&self) -> usize {
        self.calls.len() + self.deadlines.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The connection is closed: gives the calls that wait for their input, oldest first.
    pub(super) fn close(&mut self) -> Vec<CallId> {
        self.deadlines.clear();
        self.bytes = 0;
        let calls = core::mem::take(&mut self.calls).into_iter();
        let asked = calls.filter(|(_, round)| matches!(round.stage, Stage::Asked(_)));
        asked.map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::rpc::Calls;
    use alloc::string::String;

    const SECOND: Duration = Duration::from_secs(1);

    fn rounds() -> Rounds {
        let limits = Limits::default().with_rounds(2).with_total_bytes(100);
        Rounds::new(&limits, &Timeouts::default().with_input(10 * SECOND))
    }

    fn ids<const N: usize>() -> [CallId; N] {
        let mut calls = Calls::new(9);
        core::array::from_fn(|_| calls.begin_own(&CallOptions::default(), &Timeouts::default(), ()))
    }

    fn call(params: &str) -> Call {
        let params = Params::from_raw(json(params)).unwrap();
        Call::new(
            Method::CallTool.into(),
            params,
            CallOptions::default(),
            CallPurpose::Application,
        )
    }

    fn json(text: &str) -> RawJson {
        RawJson::parse(String::from(text)).unwrap()
    }

    fn ask(rounds: &mut Rounds, id: CallId, call: &Call, state: Option<&str>, now: Time) -> Result<(), CallError> {
        rounds.ask(id, call, CallOptions::default(), state.map(json), now)
    }

    fn text(call: &Call) -> &str {
        call.params.as_raw().map_or("", RawJson::as_str)
    }

    #[test]
    fn a_state_goes_back_byte_for_byte_and_only_where_one_came() {
        let ([a, b], mut rounds) = (ids(), rounds());
        let made = call(r#"{"name":"x","requestState":"old"}"#);
        ask(&mut rounds, a, &made, Some(r#""A\u0041/\/""#), Time::ORIGIN).unwrap();
        ask(&mut rounds, b, &made, None, Time::ORIGIN).unwrap();
        let mut inputs = Map::new();
        inputs.insert("k", Json::parse(r#"{"action": "accept"}"#).unwrap());
        let again = rounds.resume(a, Some(&inputs)).unwrap();
        assert_eq!(
            text(&again),
            r#"{"name":"x","inputResponses":{"k":{"action": "accept"}},"requestState":"A\u0041/\/"}"#
        );
        let again = rounds.resume(b, Some(&inputs)).unwrap();
        assert_eq!(
            text(&again),
            r#"{"name":"x","inputResponses":{"k":{"action": "accept"}}}"#
        );
        assert_eq!((rounds.bytes(), rounds.poll_timeout()), (0, None));
    }

    #[test]
    fn a_call_is_resumed_once() {
        let ([a, again], mut rounds) = (ids(), rounds());
        ask(&mut rounds, a, &call("{}"), None, Time::ORIGIN).unwrap();
        assert!(rounds.resume(a, None).is_some() && rounds.resume(a, None).is_none());
        rounds.again(a, again);
        assert_eq!(rounds.remove(a), Some(Gone::Again(again)));
        assert_eq!(rounds.remove(a), None);
    }

    #[test]
    fn the_rounds_of_a_call_are_bounded() {
        let ([a, again], mut rounds) = (ids(), rounds());
        for _ in 0..2 {
            ask(&mut rounds, a, &call("{}"), None, Time::ORIGIN).unwrap();
            rounds.resume(a, None).unwrap();
            rounds.again(a, again);
        }
        let third = ask(&mut rounds, a, &call("{}"), None, Time::ORIGIN);
        assert_eq!(third, Err(CallError::TooManyRounds { most: 2 }));
        assert_eq!(rounds.entries(), 0);
    }

    #[test]
    fn each_wait_for_input_has_a_deadline_of_its_own() {
        let ([a, b], mut rounds) = (ids(), rounds());
        ask(&mut rounds, a, &call("{}"), None, Time::ORIGIN).unwrap();
        ask(&mut rounds, b, &call("{}"), None, Time::ORIGIN + SECOND).unwrap();
        assert_eq!(rounds.poll_timeout(), Some(Time::ORIGIN + 10 * SECOND));
        assert_eq!(rounds.expire(Time::ORIGIN + 9 * SECOND), None);
        assert_eq!(rounds.expire(Time::ORIGIN + 10 * SECOND), Some((a, 10 * SECOND)));
        assert_eq!(rounds.close(), [b]);
        assert_eq!((rounds.entries(), rounds.poll_timeout()), (0, None));
    }

    #[test]
    fn what_servers_want_back_is_bounded() {
        let ([a], mut rounds) = (ids(), rounds());
        let large = alloc::format!("{:?}", "x".repeat(200));
        let asked = ask(&mut rounds, a, &call("{}"), Some(&large), Time::ORIGIN);
        assert!(matches!(asked, Err(CallError::InvalidReply(_))));
        assert_eq!((rounds.entries(), rounds.bytes()), (0, 0));
    }

    #[test]
    fn what_requires_input_says_which_or_for_what() {
        let read = |text: &str| InputRequired::read(&json(text));
        assert!(read(r#"{"resultType":"input_required"}"#).is_err());
        assert!(read(r#"{"requestState":{"a":1}}"#).is_err());
        assert!(read(r#"{"inputRequests":{"a":{"method":"tools/call"}}}"#).is_err());
        assert!(read(r#"{"requestState":"x"}"#).unwrap().requests.is_empty());
        let both = read(r#"{"inputRequests":{"a":{"method":"roots/list"}},"requestState":"\u0041"}"#).unwrap();
        assert_eq!(both.state.unwrap().as_str(), r#""\u0041""#);
    }
}
