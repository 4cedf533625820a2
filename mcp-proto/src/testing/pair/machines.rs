//! Two machines, driven to where nothing happens any more.

use core::iter;
use core::time::Duration;

use crate::Time;
use crate::client::{Change, ListenerId};
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::model::SubscriptionFilter;
use crate::rpc::{CallId, CallOptions, CloseReason, SendError};
use serde_json::{Value, json};

use super::pair_link::PairLink;
use super::record::{Outcome, Record};

/// How often the two may answer each other without time passing.
const TURNS: usize = 100_000;

/// A client and a server that talk over `L`.
#[derive(Debug)]
pub struct Pair<L> {
    /// What is between them.
    pub link: L,
    /// What the client has told its application.
    pub record: Record,
    now: Time,
}

/// Two machines that do not come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Livelock {
    /// When it was given up.
    pub at: Time,
}

impl<L: PairLink> Pair<L> {
    pub(crate) fn new(link: L) -> Self {
        Self {
            link,
            record: Record::default(),
            now: Time::ORIGIN,
        }
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Calls a method of the server.
    ///
    /// # Errors
    /// Those of [`Client::call`](crate::client::Client::call).
    pub fn try_call(&mut self, method: &str, params: Value, options: CallOptions) -> Result<CallId, SendError> {
        let params = Params::from_serialize(&params).expect("an object");
        let call = self.link.client().call(method, params, options)?;
        self.record.made(call);
        Ok(call)
    }

    /// Calls a method of the server.
    ///
    /// # Panics
    /// Where the client refuses.
    pub fn call(&mut self, method: &str, params: Value) -> CallId {
        self.try_call(method, params, CallOptions::default())
            .expect("the client takes the call")
    }

    /// Calls a tool of the server.
    ///
    /// # Panics
    /// Where the client refuses.
    pub fn call_tool(&mut self, name: &str, arguments: Value) -> CallId {
        self.call("tools/call", json!({ "name": name, "arguments": arguments }))
    }

    /// Calls a tool of the server, with progress.
    ///
    /// # Panics
    /// Where the client refuses.
    pub fn call_tool_with(&mut self, name: &str, arguments: Value, options: CallOptions) -> CallId {
        let params = json!({ "name": name, "arguments": arguments });
        self.try_call("tools/call", params, options)
            .expect("the client takes the call")
    }

    /// Listens to what changes at the server.
    ///
    /// # Panics
    /// Where the client refuses.
    pub fn listen(&mut self, filter: SubscriptionFilter) -> ListenerId {
        let listener = self.link.client().listen(filter).expect("room for a listener");
        self.record.listeners.insert(listener, 0);
        listener
    }

    /// Listens no more.
    pub fn unlisten(&mut self, listener: ListenerId) {
        self.collect();
        self.link.client().unlisten(listener);
        self.record.listeners.remove(&listener);
    }

    /// What a listener has heard, and not taken yet.
    pub fn changes(&mut self, listener: ListenerId) -> Vec<Change> {
        iter::from_fn(|| self.link.client().poll_change(listener)).collect()
    }

    /// Has the server tell that something has changed.
    ///
    /// # Panics
    /// Where it refuses.
    pub fn notify(&mut self, method: Method, params: Value) {
        let params = Params::from_serialize(&params).expect("an object");
        self.link.notify(method, params).expect("the server takes it");
    }

    /// Cancels a call.
    pub fn cancel(&mut self, call: CallId) {
        self.collect();
        self.link.client().cancel(call);
        self.record.cancelled(call);
    }

    /// Kills the client, with whatever is on the way.
    pub fn kill_client(&mut self) {
        self.link.kill_client(self.now);
    }

    /// Kills the server, with whatever is on the way.
    pub fn kill_server(&mut self) {
        self.link.kill_server(self.now);
    }

    /// Closes the client.
    pub fn close(&mut self) {
        self.link.client().close(CloseReason::Local);
    }

    /// Drives both sides until they run dry, and moves the clock to the next thing that happens. `false` where
    /// there is none.
    ///
    /// # Panics
    /// Where they do not run dry, or a machine asks for a time that has passed and does nothing then.
    pub fn step(&mut self) -> bool {
        self.settle();
        let Some(next) = self.link.next_time() else {
            return false;
        };
        assert!(
            next > self.now,
            "a timeout at {next:?} that changes nothing at {:?}",
            self.now
        );
        self.now = next;
        true
    }

    /// Steps until nothing happens any more.
    ///
    /// # Panics
    /// Those of [`step`](Self::step), and where there is no end to it.
    pub fn drive(&mut self) {
        if let Err(livelock) = self.drive_bounded(TURNS) {
            panic!("{livelock:?}");
        }
    }

    /// Steps until nothing happens any more, `most` times at most; how often it was.
    ///
    /// # Errors
    /// [`Livelock`] where that was not enough.
    ///
    /// # Panics
    /// Those of [`step`](Self::step).
    pub fn drive_bounded(&mut self, most: usize) -> Result<usize, Livelock> {
        for steps in 0..most {
            if !self.step() {
                return Ok(steps);
            }
        }
        Err(Livelock { at: self.now })
    }

    /// Drives both sides for `duration`, and no further.
    ///
    /// # Panics
    /// Those of [`step`](Self::step).
    pub fn drive_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        self.settle();
        while let Some(next) = self.link.next_time().filter(|next| *next <= until) {
            assert!(
                next > self.now,
                "a timeout at {next:?} that changes nothing at {:?}",
                self.now
            );
            self.now = next;
            self.settle();
        }
        self.now = until;
        self.settle();
    }

    /// Suspends the client for `duration`: the server and the network go on, and the clock of the client jumps.
    ///
    /// # Panics
    /// Those of [`settle`](Self::settle).
    pub fn suspend(&mut self, duration: Duration) {
        const STEPS: u32 = 100;
        self.settle();
        for _ in 0..STEPS {
            self.now = self.now + duration / STEPS;
            while self.link.turn_server(self.now) {}
        }
        self.settle();
    }

    /// Drives both sides until they run dry, without time passing.
    ///
    /// # Panics
    /// Where they do not.
    pub fn settle(&mut self) {
        for _ in 0..TURNS {
            let happened = self.link.turn(self.now);
            if !(self.collect() | happened) {
                let is_quiet = self.link.next_time().is_none();
                return self.link.audit(&self.record, is_quiet);
            }
        }
        panic!("{:?}", Livelock { at: self.now });
    }

    /// What became of a call.
    ///
    /// # Panics
    /// Where nothing has, or it came twice.
    pub fn outcome(&self, call: CallId) -> &Outcome {
        self.record.outcome(call)
    }

    /// The result of a call.
    ///
    /// # Panics
    /// Where it has none.
    pub fn result(&self, call: CallId) -> Value {
        match self.outcome(call) {
            Ok(result) => result.decode().expect("valid JSON"),
            Err(error) => panic!("{error}"),
        }
    }

    /// The text of a tool's result.
    ///
    /// # Panics
    /// Where there is none.
    pub fn text(&self, call: CallId) -> String {
        let result = self.result(call);
        String::from(result["content"][0]["text"].as_str().expect("text"))
    }

    /// Checks what always holds once nothing happens any more: every call was answered once or cancelled, nothing
    /// waits, and nothing is kept.
    ///
    /// # Panics
    /// Where it does not hold.
    pub fn check_quiet(&self) {
        self.record.check();
        let client = self.link.as_client();
        assert_eq!(client.pending_calls(), 0, "calls that wait for ever");
        assert!(!client.has_outgoing(), "messages that are never sent");
        assert!(client.wants_input(), "room that never comes back");
        assert_eq!(client.counters().unknown_replies, 0, "replies to nothing");
        assert_eq!(client.counters().junk, 0, "messages that cannot be read");
    }

    fn collect(&mut self) -> bool {
        let mut happened = false;
        while let Some(event) = self.link.poll_event() {
            happened = true;
            if let Some(request) = self.record.take(self.now, event) {
                // The application of the client serves no requests of its own.
                let error = crate::jsonrpc::ErrorObject::method_not_found(request.request.method.as_str());
                self.link.client().respond(request.key, Err(error));
            }
        }
        happened
    }
}
