//! What a client does for calls that need input (2026-07-28, Multi Round-Trip Requests).

use super::call::{Call, CallPurpose};
use super::event::ClientEvent;
use super::link::Link;
use super::machine::Client;
use super::rounds::InputRequired;
use crate::jsonrpc::{DecodeError, RawJson};
use crate::method::Method;
use crate::model::{Json, Map};
use crate::rpc::{CallError, CallId, Failure};

impl Client {
    /// A call was answered by asking for input.
    pub(super) fn input_required(&mut self, id: CallId, call: &Call, result: RawJson) {
        let name = call.named(id);
        if let Err(error) = self.ask_for_input(name, call, result) {
            self.rounds.remove(name);
            self.reply(name, Err(error));
        }
    }

    fn ask_for_input(&mut self, name: CallId, call: &Call, result: RawJson) -> Result<(), CallError> {
        if !call.method.known().is_some_and(Method::may_require_input) {
            return Err(CallError::InvalidReply(no_input()));
        }
        let InputRequired { requests, state } = InputRequired::read(&result).map_err(CallError::InvalidReply)?;
        if call.options.by_round {
            self.rounds.remove(name);
            self.reply(name, Ok(result));
            return Ok(());
        }
        let options = call.left(&self.config.timeouts, self.now);
        self.rounds.ask(name, call, options, state.clone(), self.now)?;
        if requests.is_empty() {
            // There is nothing to wait for: "the client MAY retry the original request immediately" (Client Requirements, 1).
            self.resume_with(name, None);
        } else {
            let call = name;
            self.events.push(ClientEvent::InputRequired { call, requests, state });
        }
        Ok(())
    }

    /// Whether a call whose event stream broke off is made again, once, as another request.
    ///
    /// In the modern era a request has nothing but its response (2026-07-28, Streamable HTTP: no stream is resumed). Who
    /// cannot know whether the server has acted on it makes it again only where that does no harm.
    pub(super) fn is_reissued(&mut self, id: CallId, failure: &Failure) -> bool {
        let is_broken = *failure == Failure::Interrupted && self.link == Link::Http && self.negotiation.is_modern();
        if !is_broken || !self.is_repeatable(id) {
            return false;
        }
        let Some(gone) = self.calls.get(id).filter(|it| it.purpose != CallPurpose::Tools) else {
            return false;
        };
        let name = gone.named(id);
        let Some(gone) = self.calls.remove(id) else {
            return false;
        };
        let options = gone.left(&self.config.timeouts, self.now);
        let mut again = Call::new(gone.method, gone.params, options, CallPurpose::Round(name));
        again.repeated = true;
        let request = self.calls.begin_own(again);
        self.rounds.again(name, request);
        self.send_or_hold(request);
        true
    }

    /// Makes a call again whose input is waited for.
    pub(super) fn resume_with(&mut self, name: CallId, inputs: Option<&Map<Json>>) {
        let Some(call) = self.rounds.resume(name, inputs) else {
            return;
        };
        // What the server wants back means nothing to the one that has taken its place.
        if !self.negotiation.is_modern() {
            return self.conclude(name, CallPurpose::Round(name), Err(CallError::Disconnected));
        }
        // Not counted against the bound: it was when it was made first.
        let request = self.calls.begin_own(call);
        self.rounds.again(name, request);
        self.send_or_hold(request);
    }
}

/// 2026-07-28, Multi Round-Trip Requests, Supported Requests: servers "MUST NOT" ask in answer to any other.
pub(super) fn no_input() -> DecodeError {
    DecodeError::new(&"no server may ask for input in answer to this method")
}
