//! A client over HTTP: each message in an exchange of its own.

use bytes::Bytes;
use http::response::Parts;

use super::config::{ClientConfig, Mode};
use super::event::ClientEvent;
use super::link::{Link, Origin};
use super::machine::Client;
use crate::http::client::{ExchangeError, ExchangeId, Exchanges, HttpAction, HttpClientConfig, HttpDialect, Output};
use crate::revision::Revision;
use crate::rpc::{CloseReason, Failure, Kept};
use crate::time::Time;

/// A [`Client`] over HTTP: Streamable HTTP, and HTTP+SSE of 2024-11-05 where the server speaks nothing else
/// ([`HttpClientConfig::dialect`]).
///
/// The four kinds of method are those of [`Client`], with exchanges in place of messages: the driver opens
/// what [`poll_action`](Self::poll_action) says and reports with [`head`](Self::head), [`body`](Self::body),
/// [`end`](Self::end) or [`failed`](Self::failed). The verbs are those of the client, through
/// [`client`](Self::client).
#[derive(Debug)]
pub struct HttpClient {
    client: Client,
    exchanges: Exchanges,
    closing: bool,
}

impl HttpClient {
    /// A client that has opened nothing yet.
    pub fn new(mut config: ClientConfig, http: &HttpClientConfig) -> Self {
        // HTTP+SSE is a transport of the legacy era: there is nothing to ask.
        if http.dialect == HttpDialect::HttpSse && config.mode == Mode::Auto {
            config.mode = Mode::Legacy(Revision::LATEST_LEGACY);
        }
        let exchanges = Exchanges::new(http, config.limits.clone(), config.timeouts.clone());
        Self {
            client: Client::new(config, Link::Http),
            exchanges,
            closing: false,
        }
    }

    /// The client, for its getters.
    pub fn as_client(&self) -> &Client {
        &self.client
    }

    /// The client, for its verbs.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Whether the connection is closed and everything is said: the driver is done.
    pub fn is_finished(&self) -> bool {
        self.closing && self.exchanges.open() == 0 && !self.exchanges.has_action()
    }

    /// How much is kept at present, exchanges that are open included.
    pub fn kept(&self) -> Kept {
        self.client.kept() + self.exchanges.kept()
    }

    /// How many exchanges are open: what the driver was told to open, and has not reported the end of.
    pub fn open_exchanges(&self) -> usize {
        self.exchanges.open()
    }

    /// Whether the GET stream of a legacy session is open, on which the server sends what belongs to no call; over HTTP+SSE,
    /// everything.
    pub fn is_listening(&self) -> bool {
        self.exchanges.is_listening()
    }

    /// Whether more of the response should be read.
    pub fn wants_body(&self, id: ExchangeId) -> bool {
        // A full outbox holds back every response: any of them may bring requests that want an answer.
        self.exchanges.wants_body(id) && self.has_room()
    }

    /// Whether another message of the server may be read.
    fn has_room(&self) -> bool {
        self.client.wants_input() && self.exchanges.takes_requests(self.client.outbox.answers())
    }

    /// The head of a response came.
    pub fn head(&mut self, now: Time, id: ExchangeId, head: &Parts) {
        self.exchanges.head(now, id, head);
        self.pass_on(now);
    }

    /// A part of the body of a response came.
    pub fn body(&mut self, now: Time, id: ExchangeId, chunk: &Bytes) {
        self.exchanges.body(now, id, chunk);
        self.pass_on(now);
    }

    /// The response is complete.
    pub fn end(&mut self, now: Time, id: ExchangeId) {
        self.exchanges.end(now, id);
        self.pass_on(now);
    }

    /// The exchange failed on the transport.
    pub fn failed(&mut self, now: Time, id: ExchangeId, error: ExchangeError) {
        self.exchanges.failed(now, id, error);
        self.pass_on(now);
    }

    /// Time has passed. What has arrived of the responses is reported before; see [`Client::handle_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        self.client.handle_timeout(now);
        self.handle_exchange_timeout(now);
    }

    /// Closes the connection; see [`Client::close`].
    pub fn close(&mut self, reason: CloseReason) {
        self.client.close(reason);
    }

    /// What the driver has to do.
    #[must_use]
    pub fn poll_action(&mut self, now: Time) -> Option<HttpAction> {
        self.handle_exchange_timeout(now);
        loop {
            // There may be room again for what was not read; and a handshake ends what is of the session before.
            if self.exchanges.has_unread() || self.exchanges.has_output() {
                self.pass_on(now);
                // It may have been a refusal that the stream of HTTP+SSE has to be tried after.
                self.handle_exchange_timeout(now);
            }
            if let Some(action) = self.exchanges.poll_action() {
                return Some(action);
            }
            // What is given up first: what is sent may need its connection. The rest only now: what waits in the outbox
            // counts against its bound.
            if let Some(call) = self.client.poll_abort() {
                self.exchanges.abort(now, call);
            } else if let Some(outgoing) = self.client.poll_outgoing(now) {
                self.exchanges.send(now, outgoing);
            // Last: what was queued before the close is still sent.
            } else if self.client.closed().is_some() && !self.closing {
                self.closing = true;
                self.exchanges.close(now);
            } else {
                return None;
            }
        }
    }

    /// What the application should know.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.client.poll_event()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.client.poll_timeout(), self.exchanges.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    fn handle_exchange_timeout(&mut self, now: Time) {
        // Before a stream that is due is opened: nobody would take what it brings.
        if self.client.closed().is_some() {
            self.exchanges.stop_listening();
        }
        // Before the stream of a call that is given up is opened again.
        while let Some(call) = self.client.poll_abort() {
            self.exchanges.abort(now, call);
        }
        self.exchanges.handle_timeout(now);
        self.client.set_listening(self.exchanges.stream());
        if !self.exchanges.has_output() {
            self.client.end_deaf();
        }
    }

    /// What the responses hold, message by message: each may take the last room for answers.
    fn next_output(&mut self, now: Time) -> Option<Output> {
        loop {
            let output = self.exchanges.poll_output();
            if output.is_some() || !self.has_room() || !self.exchanges.read(now) {
                return output;
            }
        }
    }

    /// Brings what the responses hold to the client.
    fn pass_on(&mut self, now: Time) {
        // First: what comes may be a list that is only kept while changes are heard.
        self.client.set_listening(self.exchanges.stream());
        while let Some(output) = self.next_output(now) {
            let was_ready = self.client.is_ready();
            match output {
                Output::Text { text, status, call } => {
                    self.client.receive_text(now, text, Origin::Http { status, call });
                }
                Output::Broken {
                    error,
                    outline,
                    status,
                    call,
                } => self
                    .client
                    .receive_broken(error, &outline, Origin::Http { status, call }),
                Output::Rejected { call, error, status } => self.client.rejected(call, error, status),
                Output::Failed { call, failure } => self.client.fail(call, failure),
                Output::Redirected { call, route } => match self.client.again(call) {
                    Some(outgoing) => self.exchanges.send_again(now, outgoing, route),
                    // It was not processed, and belongs into the next session.
                    None => self.client.fail(call, Failure::SessionLost),
                },
                Output::Stale { call, route } => {
                    let is_repeatable = self.client.is_repeatable(call);
                    match self.client.again(call).filter(|_| is_repeatable) {
                        Some(outgoing) => self.exchanges.send_again(now, outgoing, route),
                        None => self.client.fail(call, Failure::Stale),
                    }
                }
                Output::SessionLost => self.client.session_forgotten(),
                Output::SessionEnded => self.client.session_ended(),
                Output::SessionDoubtful => self.client.ask_for_session(),
                Output::NotListening(failure) => self.client.not_listening(failure),
                Output::Delivered { purpose, outcome } => self.client.delivered(purpose, outcome),
            }
            // At once: from its answer on, an exchange has the time for closing and no more.
            while let Some(call) = self.client.poll_settled() {
                self.exchanges.answered(now, call);
            }
            // Once for each session: a stream that was refused or given up is not asked for again.
            if !was_ready && let Some(facts) = self.client.facts() {
                self.exchanges.listen(facts.revision);
            }
            if !self.client.has_handshake() {
                self.exchanges.leave_open_stream();
            }
        }
        self.client.set_listening(self.exchanges.stream());
        self.client.end_deaf();
    }
}
