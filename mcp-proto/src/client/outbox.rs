//! What a client has written and not sent yet.

use alloc::vec::Vec;

use super::event::Answer;
use crate::jsonrpc::{Id, encode_cancelled, encode_error, encode_notification, encode_result};
use crate::method::{Method, MethodName};
use crate::revision::Revision;
use crate::rpc;
use crate::rpc::{CallId, Mirrored, Outgoing, Purpose};

/// What an entry takes beside its text, with its place in the queue and the call that waits for it.
const OVERHEAD: usize = size_of::<Entry>() + 128;

/// The messages that wait to be sent, in their order.
///
/// | a message | when its session or era is over | when the connection closes |
/// |---|---|---|
/// | a call | is given back, to be written anew | dropped: its caller knows |
/// | a notification | is given back; a cancellation is dropped, for what it cancels is over | is sent |
/// | the answer to a request | stays where the connection is the same, else is dropped | is sent |
/// | `notifications/initialized` | dropped: it belongs to that handshake | dropped |
#[derive(Debug)]
pub(super) struct Outbox {
    queue: rpc::Outbox<Entry>,
    /// Bytes of the answers to requests of the server.
    owed: usize,
    /// How many those are.
    answers: usize,
}

/// What a queued message is, its method, and what of it headers mirror.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) purpose: Purpose,
    pub(super) method: Option<MethodName>,
    pub(super) mirrored: Mirrored,
}

impl Entry {
    /// The message, on its way.
    pub(super) fn into_outgoing(self, text: Vec<u8>, revision: Option<Revision>) -> Outgoing {
        let Self {
            purpose,
            method,
            mirrored,
        } = self;
        Outgoing {
            text,
            purpose,
            method,
            mirrored,
            revision,
        }
    }

    fn new(purpose: Purpose, method: Option<MethodName>) -> Self {
        Self {
            purpose,
            method,
            mirrored: Mirrored::default(),
        }
    }
}

/// What is given back.
#[derive(Debug, PartialEq)]
pub(super) enum Unsent {
    Call(CallId),
    Notification(MethodName, Vec<u8>),
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            queue: rpc::Outbox::new(),
            owed: 0,
            answers: 0,
        }
    }

    /// Queues a request, and gives the key to take it back by.
    pub(super) fn push_request(
        &mut self,
        text: Vec<u8>,
        purpose: Purpose,
        method: Option<MethodName>,
        mirrored: Mirrored,
    ) -> u64 {
        self.queue.push(
            text,
            Entry {
                purpose,
                method,
                mirrored,
            },
        )
    }

    pub(super) fn push_notification(&mut self, method: MethodName, text: Vec<u8>) {
        self.queue.push(text, Entry::new(Purpose::Notification, Some(method)));
    }

    /// `notifications/initialized`: everything else is held until it is gone.
    pub(super) fn push_initialized(&mut self) {
        let method = Method::InitializedNotification;
        let text = encode_notification(method.as_str(), b"");
        self.queue
            .push(text, Entry::new(Purpose::Initialized, Some(method.into())));
    }

    /// `notifications/cancelled` of a call.
    pub(super) fn push_cancelled(&mut self, call: CallId) {
        let text = encode_cancelled(&call.to_id(), None);
        self.push_notification(Method::CancelledNotification.into(), text);
    }

    /// The answer to a request of the server.
    pub(super) fn push_response(&mut self, id: &Id, answer: &Answer) {
        let text = match answer {
            Ok(result) => encode_result(id, result.as_bytes()),
            Err(error) => encode_error(Some(id), error),
        };
        // Apart from the rest: only what the server itself makes this side owe may stop it from reading.
        self.owe(text);
    }

    fn owe(&mut self, text: Vec<u8>) {
        self.owed += text.len();
        self.answers += 1;
        self.queue.push(text, Entry::new(Purpose::Response, None));
    }

    /// Takes a message back that nobody wants sent any more.
    pub(super) fn remove(&mut self, key: u64) {
        self.queue.remove(key);
    }

    /// The oldest message.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, Entry)> {
        let (text, entry) = self.queue.pop()?;
        if entry.purpose == Purpose::Response {
            self.owed -= text.len();
            self.answers -= 1;
        }
        Some((text, entry))
    }

    /// The session, or the era, that all of this was written for is over.
    pub(super) fn take_back(&mut self, is_same_connection: bool) -> Vec<Unsent> {
        let mut unsent = Vec::new();
        (self.owed, self.answers) = (0, 0);
        for (text, entry) in self.queue.drain().collect::<Vec<_>>() {
            match (entry.purpose, entry.method) {
                (Purpose::Call(call), _) => unsent.push(Unsent::Call(call)),
                (Purpose::Notification, Some(method)) if method != Method::CancelledNotification.into() => {
                    unsent.push(Unsent::Notification(method, text));
                }
                // The connection is the same, and so is the request that it answers.
                (Purpose::Response, _) if is_same_connection => {
                    self.owe(text);
                }
                _ => {}
            }
        }
        unsent
    }

    /// The connection is closed: nobody waits for an answer any more.
    pub(super) fn close(&mut self) {
        self.queue
            // Calls have ended for their callers; what this side has to say or owes still leaves.
            .retain(|entry| matches!(entry.purpose, Purpose::Notification | Purpose::Response));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// What all entries take, as far as the bound goes: of many small ones most is not their text.
    pub(super) fn weight(&self) -> usize {
        self.bytes().saturating_add(self.len().saturating_mul(OVERHEAD))
    }

    /// Bytes of the answers to requests of the server: while they are too many, nothing more is read of it.
    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    /// How many answers to requests of the server there are.
    #[cfg(feature = "http")]
    pub(super) fn answers(&self) -> usize {
        self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::RawJson;
    use crate::limits::Timeouts;
    use crate::rpc::CallOptions;

    fn call() -> CallId {
        rpc::Calls::new(1).begin_own(&CallOptions::default(), &Timeouts::default(), ())
    }

    fn full() -> Outbox {
        let mut outbox = Outbox::new();
        let name = || Mirrored::default();
        outbox.push_request(b"call".to_vec(), Purpose::Call(call()), None, name());
        outbox.push_request(b"initialize".to_vec(), Purpose::Initialize(call()), None, name());
        outbox.push_initialized();
        outbox.push_cancelled(call());
        outbox.push_notification(Method::RootsListChangedNotification.into(), b"note".to_vec());
        outbox.push_response(&Id::from(1), &Ok(RawJson::empty_object()));
        outbox
    }

    #[test]
    fn what_was_written_for_a_session_is_given_back() {
        for (is_same_connection, stays) in [(true, 1), (false, 0)] {
            let mut outbox = full();
            let note = Unsent::Notification(Method::RootsListChangedNotification.into(), b"note".to_vec());
            assert_eq!(outbox.take_back(is_same_connection), [Unsent::Call(call()), note]);
            assert_eq!(outbox.len(), stays);
            assert_eq!(outbox.owed() > 0, is_same_connection);
        }
    }

    #[test]
    fn what_was_said_before_the_end_is_still_sent() {
        let mut outbox = full();
        outbox.close();
        let mut purposes = Vec::new();
        while let Some((_, entry)) = outbox.pop() {
            purposes.push(entry.purpose);
        }
        assert_eq!(
            purposes,
            [Purpose::Notification, Purpose::Notification, Purpose::Response]
        );
        assert_eq!((outbox.owed(), outbox.bytes()), (0, 0));
    }

    #[test]
    fn many_small_entries_weigh_more_than_their_text() {
        let mut outbox = Outbox::new();
        for _ in 0..1_000 {
            outbox.push_notification(Method::RootsListChangedNotification.into(), b"{}".to_vec());
        }
        assert_eq!(outbox.bytes(), 2_000);
        assert!(outbox.weight() > 1_000 * (size_of::<Entry>() + size_of::<Vec<u8>>()));
    }
}
