//! What a client does for its calls and for the handshake: carries what one part says to the others.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::call::{Call, CallProgress, CallPurpose};
use super::event::ClientEvent;
use super::held::Held;
use super::link::Link;
use super::machine::Client;
use super::outbox::{Entry, Unsent};
use super::step::{Next, Renegotiation, Step};
use super::tool_headers::ToolHeaders;
use crate::jsonrpc::{Params, Peek, RawJson, encode_request_with};
use crate::method::{Kind, Method, NameSource};
use crate::model::InitializeParams;
use crate::revision::Revision;
#[cfg(feature = "http")]
use crate::rpc::Outgoing;
use crate::rpc::{CallError, CallId, CallOptions, Mirrored, Phase, Purpose};

impl Client {
    /// Does what the negotiation says.
    pub(super) fn follow(&mut self, step: Step) {
        // First: it empties the outbox, and would drop what the next step queues.
        if step.is_void {
            self.tools.forget();
            self.kept_results.clear();
            self.take_back();
            self.void_listeners();
        }
        match step.next {
            Next::Nothing => {}
            Next::Discover => {
                let options = CallOptions::new().with_timeout(self.config.timeouts.probe);
                self.ask(Method::Discover, Params::NONE, options, CallPurpose::Discover);
            }
            Next::Initialize(revision) => self.ask_initialize(revision),
            Next::Announce => self.outbox.push_initialized(),
            Next::Release => self.release(),
            Next::Fail(error) => {
                self.tools.forget();
                self.kept_results.clear();
                self.fail_held(&error);
            }
            Next::Lose => {
                // A request belongs to its session: in the next one, its id means nothing.
                for key in self.inbox.drain() {
                    self.events.push(ClientEvent::Cancelled(key));
                }
                self.standing.lost();
                self.events.push(ClientEvent::SessionLost);
            }
        }
    }

    /// Makes a call again that was refused because of its era, where that is what its refusal means; whether it is.
    pub(super) fn renegotiate(&mut self, id: CallId, renegotiation: Renegotiation) -> bool {
        match renegotiation {
            Renegotiation::None => return false,
            Renegotiation::Again(step) => {
                self.follow(step);
                self.repeat(id);
            }
            Renegotiation::Never(supported) => self.refused_for_ever(id, supported),
        }
        true
    }

    fn refused_for_ever(&mut self, id: CallId, supported: Box<[Box<str>]>) {
        self.calls.settle(id);
        if let Some(call) = self.calls.remove(id) {
            self.conclude(id, call.purpose, Err(CallError::NoCommonRevision { supported }));
        }
    }

    fn ask_initialize(&mut self, revision: Revision) {
        let options = CallOptions::new().with_timeout(self.config.timeouts.initialize);
        let (capabilities, info) = (self.config.capabilities.clone(), self.config.info.clone());
        let params = InitializeParams::new(revision.as_str(), capabilities, info);
        let params = Params::from_serialize(&params).unwrap_or_default();
        self.ask(Method::Initialize, params, options, CallPurpose::Initialize);
    }

    /// A request of the machine itself, which waits for no handshake.
    pub(super) fn ask(&mut self, method: Method, params: Params, options: CallOptions, purpose: CallPurpose) -> CallId {
        let id = self.calls.begin_own(Call::new(method.into(), params, options, purpose));
        self.write(id);
        id
    }

    /// Sends what was held back, in its order.
    fn release(&mut self) {
        // First: what follows may rely on it.
        for (method, params) in self.standing.restored() {
            self.ask(method, params, CallOptions::default(), CallPurpose::Ping);
        }
        self.establish();
        for held in self.held.drain() {
            match held {
                Held::Call(call) => self.release_call(call),
                Held::Notification(method, text) => {
                    // What does not fit goes without a word: a notification has nobody who could be told.
                    if self.negotiation.check(&method, Kind::Notification).is_ok() {
                        self.outbox.push_notification(method, text);
                    }
                }
            }
        }
        self.events.push(ClientEvent::Ready);
    }

    fn release_call(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        match self.negotiation.check(&call.method, Kind::Request) {
            Ok(()) => self.write(id),
            Err(error) => {
                let purpose = call.purpose;
                self.calls.remove(id);
                self.conclude(id, purpose, Err(CallError::Refused(error)));
            }
        }
    }

    /// The handshake came to nothing: everyone who waits for it learns why.
    pub(super) fn handshake_failed(&mut self, error: CallError) {
        // When it closed, everyone was told.
        if self.closed.is_none() {
            let step = self.negotiation.fail(error);
            self.follow(step);
        }
    }

    fn fail_held(&mut self, error: &CallError) {
        self.events.push(ClientEvent::NotReady(error.clone()));
        self.fail_listeners(error);
        for held in self.held.drain() {
            if let Held::Call(call) = held
                && let Some(gone) = self.calls.remove(call)
            {
                self.conclude(call, gone.purpose, Err(error.clone()));
            }
        }
    }

    /// The time of a call is up.
    pub(super) fn expired(&mut self, id: CallId, after: Duration, call: Call) {
        let phase = self.phase_of(&call);
        let timeout = CallError::Timeout { phase, after };
        self.abandon(id, &call);
        match call.purpose {
            CallPurpose::Application | CallPurpose::Round(_) => self.conclude(id, call.purpose, Err(timeout)),
            CallPurpose::Discover => {
                let step = self.negotiation.undiscovered(after);
                self.follow(step);
            }
            // `initialize` was not answered in time on a byte stream: everyone who waits for it learns that, but its
            // answer may still come, and is still good. It "MUST NOT be cancelled by clients" (2025-11-25,
            // Cancellation) and cannot be sent twice: a server that was only slow to start would refuse the second. The
            // next call waits for the answer to the first, for as long again.
            CallPurpose::Initialize if self.link == Link::Stream && call.is_sent() => {
                self.calls.park(id, call);
                let phase = Phase::Initialize;
                self.fail_held(&CallError::Timeout { phase, after });
            }
            CallPurpose::Initialize => self.handshake_failed(timeout),
            // It only asked whether the session is known: silence does not say that it is not.
            CallPurpose::Ping => {}
            CallPurpose::ToolList => {
                let outcome = Err(timeout);
                self.events.push(ClientEvent::ToolsListed { call: id, outcome });
            }
            CallPurpose::Tools => self.settle_page(Err(timeout)),
            CallPurpose::Listen(listener) => self.listeners.lose(listener, timeout),
            CallPurpose::Topic => self.topic_answered(id, Err(&timeout)),
        }
    }

    /// What a call waits for.
    fn phase_of(&self, call: &Call) -> Phase {
        match (call.purpose, call.progress) {
            // They wait for the page that is being read.
            (CallPurpose::ToolList, _) => {
                let page = self.tools.page().and_then(|page| self.calls.get(page));
                page.map_or(Phase::Outbox, |page| self.phase_of(page))
            }
            (CallPurpose::Discover, _) => Phase::Probe,
            (CallPurpose::Initialize, _) => Phase::Initialize,
            (_, CallProgress::Held(_)) if self.negotiation.is_legacy() => Phase::Initialize,
            (_, CallProgress::Held(_)) => Phase::Probe,
            (_, CallProgress::Born | CallProgress::Queued(_)) => Phase::Outbox,
            (_, CallProgress::Sent(_)) => Phase::Request,
        }
    }

    /// Undoes a call that is not waited for any more, as far as it has come.
    pub(super) fn abandon(&mut self, id: CallId, call: &Call) {
        match call.progress {
            CallProgress::Held(key) => self.held.remove(key),
            CallProgress::Queued(key) => self.outbox.remove(key),
            // Not written yet: it waits for the list of tools, and the last who leaves takes the request for its page
            // along.
            CallProgress::Born => {
                if let Some(page) = self.tools.leave(id) {
                    self.cancel(page);
                }
            }
            CallProgress::Sent(epoch) => self.tell_cancelled(id, call, epoch),
        }
    }

    /// Tells the server that a call it has is not waited for any more.
    ///
    /// 2026-07-28, Cancellation: over HTTP the end of the response stream says so, on a byte stream
    /// `notifications/cancelled` does; up to 2025-11-25 the notification does on both. `initialize` "MUST NOT
    /// be cancelled by clients" (2025-11-25, Cancellation).
    fn tell_cancelled(&mut self, id: CallId, call: &Call, epoch: u64) {
        let by_disconnect = self.link == Link::Http && self.revision().is_some_and(Revision::cancels_by_disconnect);
        // In another epoch, the server has never had it.
        let may_tell = call.is_work() && epoch == self.negotiation.epoch() && self.is_ready();
        if may_tell && !by_disconnect {
            self.outbox.push_cancelled(id);
        }
        if self.link == Link::Http {
            for key in self.inbox.cut_off(id) {
                self.events.push(ClientEvent::Cancelled(key));
            }
        }
        self.calls.abort(id);
    }

    /// The session, or what was believed of the server, is over: takes back what waits to be sent.
    fn take_back(&mut self) {
        for unsent in self.outbox.take_back(self.link == Link::Stream) {
            match unsent {
                Unsent::Call(call) => {
                    // The cursor of a page came from what is over.
                    self.restart_listing(call);
                    self.hold(call);
                }
                Unsent::Notification(method, text) => {
                    // No room is asked for: the outbox, where it was, counts against the same bound.
                    let bytes = text.len();
                    self.held.push(Held::Notification(method, text), bytes);
                }
            }
        }
    }

    /// Sends a call, after the handshake where there is one to make.
    pub(super) fn send_or_hold(&mut self, id: CallId) {
        if self.is_ready() {
            self.write(id);
        } else {
            self.hold(id);
            self.connect();
        }
    }

    /// Holds a call until the handshake is done.
    fn hold(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        match call.purpose {
            CallPurpose::Application | CallPurpose::Tools | CallPurpose::Round(_) => {
                let key = self.held.push(Held::Call(id), call.params.size());
                call.progress = CallProgress::Held(key);
            }
            // It asked about the session that is over.
            CallPurpose::Ping | CallPurpose::Topic => {
                self.calls.remove(id);
            }
            CallPurpose::Listen(listener) => self.want_again(id, listener),
            // The handshake does not wait for itself: held, its question would never be asked.
            CallPurpose::Discover | CallPurpose::Initialize => self.write(id),
            CallPurpose::ToolList => {}
        }
    }

    /// Sends a call again that the server did not process, after a new handshake if there is none.
    pub(super) fn repeat(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        // Once: a server that refuses every call in this way must not be asked for ever.
        call.repeated = true;
        self.restart_listing(id);
        self.calls.settle(id);
        self.send_or_hold(id);
    }

    /// Writes a call as the era wants it, and queues it.
    pub(super) fn write(&mut self, id: CallId) {
        let Some((text, entry)) = self.written(id) else { return };
        let key = (self.outbox).push_request(text, entry.purpose, entry.method, entry.mirrored);
        self.calls.progressed(id, CallProgress::Queued(key));
    }

    /// The message of a call, as the era wants it.
    fn written(&self, id: CallId) -> Option<(Vec<u8>, Entry)> {
        let is_modern = self.revision().is_some_and(Revision::is_stateless);
        let is_mirrored = is_modern && self.link == Link::Http;
        let call = self.calls.get(id)?;
        let members = self.members.of(id, &call.options, is_modern);
        let text = encode_request_with(&id.to_id(), call.method.as_str(), &call.params, &members);
        let method = is_mirrored.then(|| call.method.clone());
        let mirrored = match is_mirrored {
            true => mirrored(call, &self.tool_headers),
            false => Mirrored::default(),
        };
        let purpose = match call.purpose {
            // Apart from other calls: over HTTP it goes without a session, and begins one.
            CallPurpose::Initialize => Purpose::Initialize(id),
            _ => Purpose::Call(id),
        };
        let entry = Entry {
            purpose,
            method,
            mirrored,
        };
        Some((text, entry))
    }

    /// The message of a call that is with the server, as it was sent; `None` where the session that it was sent in is over.
    #[cfg(feature = "http")]
    pub(super) fn again(&self, id: CallId) -> Option<Outgoing> {
        let present = CallProgress::Sent(self.negotiation.epoch());
        self.calls.get(id).filter(|call| call.progress == present)?;
        let (text, entry) = self.written(id)?;
        Some(entry.into_outgoing(text, self.revision()))
    }

    /// Whether a call does no harm when it is made twice.
    pub(super) fn is_repeatable(&self, id: CallId) -> bool {
        self.calls.get(id).is_some_and(|call| {
            let is_safe = call.method.known().is_some_and(Method::is_repeatable);
            // In the legacy era the session may be gone with the connection: the pool knows, and makes the call again.
            is_safe || call.options.idempotent && self.negotiation.is_modern()
        })
    }

    /// Brings the outcome of a call of the application, or of a page of the list of tools, to where it belongs.
    pub(super) fn conclude(&mut self, call: CallId, purpose: CallPurpose, outcome: Result<RawJson, CallError>) {
        match purpose {
            CallPurpose::Tools => self.settle_page(outcome),
            CallPurpose::Round(name) => {
                self.rounds.remove(name);
                self.reply(name, outcome);
            }
            CallPurpose::Listen(listener) => self.listeners.end(listener, outcome.map(drop)),
            CallPurpose::Topic => self.topic_answered(call, outcome.as_ref().map(drop)),
            _ => self.reply(call, outcome),
        }
    }

    pub(super) fn reply(&mut self, call: CallId, outcome: Result<RawJson, CallError>) {
        self.events.push(ClientEvent::Reply { call, outcome });
    }
}

/// What of a call headers mirror (2026-07-28, Streamable HTTP, Standard Request Headers and Client Behavior).
fn mirrored(call: &Call, tools: &ToolHeaders) -> Mirrored {
    // Nearly every call: nothing of its arguments is mirrored, and they need no look.
    if tools.is_empty()
        && call.method.known() == Some(Method::CallTool)
        && let Some(name) = call.params.leading_name()
    {
        return Mirrored {
            name: Some(name.into()),
            params: Vec::new(),
        };
    }
    let source = call.method.known().and_then(|method| method.name_source());
    let peek = call.params.as_raw().map(Peek::of);
    let (Some(source), Some(Ok(peek))) = (source, peek) else {
        return Mirrored::default();
    };
    let params = match call.method.known() {
        Some(Method::CallTool) => tools.of_call(&peek),
        _ => Vec::new(),
    };
    let name = match source {
        NameSource::Name => peek.name,
        NameSource::Uri => peek.uri,
        NameSource::TaskId => peek.task_id,
    };
    Mirrored {
        name: name.map(Into::into),
        params,
    }
}

#[cfg(test)]
mod tests {
    use crate::client::{ClientConfig, StreamClient};
    use crate::model::Implementation;
    use crate::time::Time;

    #[test]
    fn the_question_of_the_handshake_that_is_taken_back_is_asked_all_the_same() {
        let mut client = StreamClient::new(ClientConfig::new(Implementation::new("c", "1")));
        client.client().connect();
        client.client().take_back();
        let sent = client.poll_transmit(Time::ORIGIN).expect("a discovery");
        assert!(sent.windows(15).any(|window| window == b"server/discover"));
        assert_eq!(client.poll_transmit(Time::ORIGIN), None);
    }
}
