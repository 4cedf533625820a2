//! What a client does when the server has ended that this side had started.

use super::call::CallPurpose;
use super::machine::Client;
use crate::rpc::{CallError, CallId};
use crate::time::Time;

impl Client {
    /// The stream has ended. Whether the server is to be started again: then what did no harm is made again, every other
    /// call that it had ends with how the server did, and what was listened to is asked for as soon as it is there.
    pub(super) fn restart(&mut self, now: Time) -> bool {
        if !self.restarts.may || self.closed.is_some() || !self.negotiation.is_confirmed() {
            return false;
        }
        let is_waited_for = self.calls.len() > 0 || !self.listeners.is_empty();
        if !self.obituary.is_unexpected() && !is_waited_for {
            return false;
        }
        if !self.restarts.take(now, self.config.limits.restarts) {
            return false;
        }
        self.tell_end();
        self.calls.forget_handshake();
        let sent = self.calls.sent();
        let step = self.negotiation.restart();
        self.follow(step);
        for call in sent {
            self.was_cut_off(call);
        }
        self.connect();
        if self.is_ready() {
            self.establish();
        }
        true
    }

    /// The server has ended that had a call.
    fn was_cut_off(&mut self, id: CallId) {
        let Some(call) = self.calls.get(id) else { return };
        if self.is_repeatable(id) && !call.repeated {
            return self.repeat(id);
        }
        let Some(call) = self.calls.remove(id) else { return };
        // What the machine asks on its own account, it asks again.
        if !matches!(call.purpose, CallPurpose::Ping | CallPurpose::Topic) {
            let reason = self.obituary.reason(None);
            self.conclude(id, call.purpose, Err(CallError::Closed(reason)));
        }
    }
}
