//! What comes from the client of a byte stream: from a line to the part that it is for.

use alloc::vec::Vec;

use super::StreamServer;
use crate::jsonrpc::{self, Batch, ErrorObject, Facts, Incoming, Message, ParseError, Request, encode_error};
use crate::method::Method;
use crate::revision::{Era, Revision};
use crate::rpc::RequestKey;
use crate::server::batches::BatchKey;
use crate::server::{
    Admitted, ClientRequest, Happening, Received, RequestToken, ServerEvent, Subscription, admit_seen,
};
use crate::time::Time;
use crate::wire::line::Line;
use crate::wire::outline::Outline;

impl StreamServer {
    pub(super) fn line(&mut self, now: Time, line: Line) {
        let bytes = match line {
            Line::Complete(bytes) => bytes,
            Line::TooLong { outline, .. } => return self.overlong(&outline),
        };
        match jsonrpc::parse(bytes, self.config.limits()) {
            Ok(Incoming::Single(message)) => self.message(now, message),
            Ok(Incoming::Batch(batch)) => self.batch(now, batch),
            Err(error) => self.unreadable(&error),
        }
    }

    /// A line that is no message: a request gets its error, a reply settles the call that it answers.
    fn unreadable(&mut self, error: &ParseError) {
        let answer = self.junk.unreadable(error);
        self.send(answer);
        let received = self.session.receive_unreadable(error);
        self.received(None, received);
    }

    fn message(&mut self, now: Time, message: Message) {
        let received = match message {
            Message::Request(request) => {
                let params = request.params.clone();
                let facts = Facts::of(params.as_ref());
                if self.is_stateless(&request, &facts) {
                    return self.stateless(request, &facts);
                }
                self.session.receive_request(&self.config, request, &facts)
            }
            Message::Notification(notification) => self.session.receive_notification(now, notification),
            Message::Response(response) => self.session.receive_response(response),
        };
        self.received(None, received);
    }

    /// Whether a request is of the modern era. A stream whose `initialize` is answered is of the legacy era (2026-07-28,
    /// Versioning, Backward Compatibility): a version in `_meta` is then somebody else's, whose parameters the client
    /// forwards.
    ///
    /// At a server of the legacy era alone the answer is the one that HTTP gives: the versions there are. Not so for a
    /// probe: a client of both eras takes any error for that of a legacy server but this one, and MUST NOT fall back
    /// otherwise (2026-07-28, stdio, Backward Compatibility).
    fn is_stateless(&self, request: &Request, facts: &Facts<'_>) -> bool {
        let is_first = || matches!(request.method.known(), Some(Method::Discover | Method::Initialize));
        let is_told = || self.config.serves(Era::Modern) || !is_first();
        self.session.revision().is_none() && facts.is_stateless() && is_told()
    }

    /// A request of the modern era: admitted by itself, but its id is one of this stream.
    fn stateless(&mut self, request: Request, facts: &Facts<'_>) {
        match admit_seen(&self.config, request, facts) {
            Ok(Admitted::Request(mut request)) => {
                if self.begin(&mut request.token).is_some() {
                    self.requested(request);
                }
            }
            Ok(Admitted::Listen(mut subscription)) => {
                if let Some(key) = self.begin(&mut subscription.token) {
                    self.listen(key, subscription);
                }
            }
            Ok(Admitted::Respond(answer)) => self.lines.push(answer),
            Err(refused) => self.lines.push(refused.to_response()),
        }
    }

    /// Notes that a request of the modern era is in progress, or refuses it.
    fn begin(&mut self, token: &mut RequestToken) -> Option<RequestKey> {
        match self.session.begin(token.id()) {
            Ok(key) => token.key = Some(key),
            Err(error) => self.lines.push(encode_error(Some(token.id()), &error)),
        }
        token.key
    }

    /// A batch: in 2025-03-26 alone, answered as one array (Batching: MUST support receiving them).
    fn batch(&mut self, now: Time, batch: Batch) {
        if !self.session.revision().is_some_and(Revision::allows_batches) {
            let error = ErrorObject::invalid_request("batches are not part of this protocol revision");
            let answer = self.junk.nameless(&error);
            return self.send(answer);
        }
        let key = self.batches.open();
        for item in batch.messages() {
            match item {
                // It settles the call that it answers, as it does on a line of its own.
                Err(invalid) if invalid.is_reply => self.unreadable(&ParseError::Invalid(invalid)),
                item => {
                    let received = self.session.receive_batched(&self.config, now, item);
                    self.received(Some(key), received);
                }
            }
        }
        // Only now: a batch of answers that are all there is complete before its last message has been looked at.
        let answer = self.batches.seal(key);
        self.send(answer);
    }

    /// What the session has made of a message, which may have come in a batch.
    fn received(&mut self, batch: Option<BatchKey>, received: Received) {
        match received {
            Received::Request(request) => {
                // Before it is handed on, which may answer it.
                if let (Some(batch), Some(key)) = (batch, request.token.key()) {
                    self.batches.expect(batch, key);
                }
                self.requested(request);
            }
            Received::Respond(answer) => match batch {
                Some(batch) => self.batches.add(batch, &answer),
                None => self.lines.push(answer),
            },
            Received::Happened(happening) => self.happened(happening),
            Received::Nothing => {}
        }
    }

    fn happened(&mut self, happening: Happening) {
        match happening {
            Happening::Notification(notification) => self.events.push(ServerEvent::Notification(notification)),
            Happening::Cancelled { key, reason } => {
                self.settle(key, None);
                match self.subscriptions.close(key) {
                    // The client has ended it, and knows.
                    Some(subscription) => self.load.release(&subscription.token),
                    None => self.events.push(ServerEvent::Cancelled { key, reason }),
                }
            }
            Happening::Reply { call, outcome } => self.events.push(ServerEvent::Reply { call, outcome }),
            Happening::Progress { call, params } => self.events.push(ServerEvent::Progress { call, params }),
            Happening::Opened => self.events.push(ServerEvent::Opened),
        }
    }

    /// Hands a request to the application, unless the client makes us hold too much already.
    fn requested(&mut self, mut request: ClientRequest) {
        let bytes = request.text.as_bytes().len();
        match self.hold(&mut request.token, bytes) {
            Ok(()) => self.events.push(ServerEvent::Request(request)),
            Err(error) => self.respond(request.token, Err(error)),
        }
    }

    /// Opens a subscription, within the same bound.
    fn listen(&mut self, key: RequestKey, mut subscription: Subscription) {
        let bytes = subscription.bytes();
        match self.hold(&mut subscription.token, bytes) {
            Ok(()) => self.lines.push(self.subscriptions.open(key, subscription)),
            Err(error) => self.respond(subscription.token, Err(error)),
        }
    }

    /// Counts what a request of the client keeps, until its end.
    fn hold(&mut self, token: &mut RequestToken, bytes: usize) -> Result<(), ErrorObject> {
        let beside = self.bytes_beside();
        self.load.hold(token, bytes, beside, self.config.limits().total_bytes)
    }

    /// A line above the limit: answered by its id where it shows one, and skipped.
    fn overlong(&mut self, outline: &Outline) {
        let limits = self.config.limits();
        let limit = limits.line_bytes;
        let error = ParseError::TooLong { limit }.with_outline(outline, limits.id_bytes);
        self.unreadable(&error);
    }

    fn send(&mut self, message: Option<Vec<u8>>) {
        if let Some(message) = message {
            self.lines.push(message);
        }
    }
}
