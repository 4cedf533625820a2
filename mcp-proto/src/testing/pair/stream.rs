//! A byte stream between a client and a server.

use alloc::collections::BTreeMap;

use crate::Time;
use crate::client::{Client, ClientEvent, StreamClient};
use crate::jsonrpc::{ErrorObject, Params};
use crate::method::{Method, MethodName};
use crate::rpc::{CallId, CallOptions, SendError};
use crate::server::{ClientRequest, RequestToken, ServerEvent, StreamServer};
use bytes::Bytes;

use super::application::{Desk, Order, Said};
use super::ledger::Ledger;
use super::machines::Pair;
use super::pair_link::PairLink;
use super::record::{Outcome, Record};
use super::setup::Setup;
use crate::testing::network::{Arrival, Pipe, Rng};

/// How many entries a call of the client has, at most: among the calls, the deadlines, and those that wait for the
/// handshake.
const ENTRIES: usize = 3;

/// A client and a server on the two ends of a byte stream.
#[derive(Debug)]
pub struct StreamLink {
    client: StreamClient,
    server: StreamServer,
    desk: Desk<RequestToken>,
    up: Pipe,
    down: Pipe,
    transcript: String,
    server_is_mute: bool,
    client_is_dead: bool,
    server_is_dead: bool,
    server_calls: BTreeMap<CallId, Vec<Outcome>>,
    /// Whether somebody else has spoken for the client.
    has_said: bool,
    /// What the client asks, and what the server does.
    ledgers: [Ledger; 2],
}

impl Setup {
    /// The pair on a byte stream.
    #[must_use]
    pub fn stream(self) -> Pair<StreamLink> {
        Pair::new(StreamLink::new(self))
    }
}

impl StreamLink {
    fn new(setup: Setup) -> Self {
        let mut rng = Rng::new(setup.seed);
        Self {
            client: StreamClient::new(setup.client),
            server: StreamServer::new(setup.server),
            desk: Desk::new(setup.application),
            up: Pipe::new(&setup.conditions, rng.fork()),
            down: Pipe::new(&setup.conditions, rng.fork()),
            transcript: String::new(),
            server_is_mute: false,
            client_is_dead: false,
            server_is_dead: false,
            server_calls: BTreeMap::new(),
            has_said: false,
            ledgers: Default::default(),
        }
    }

    /// The server.
    pub fn server(&mut self) -> &mut StreamServer {
        &mut self.server
    }

    /// The way from the client to the server.
    pub fn up(&mut self) -> &mut Pipe {
        &mut self.up
    }

    /// The way from the server to the client.
    pub fn down(&mut self) -> &mut Pipe {
        &mut self.down
    }

    /// Makes a request of the client.
    ///
    /// # Errors
    /// Those of [`StreamServer::call`].
    pub fn ask(&mut self, method: impl Into<MethodName>, params: Params) -> Result<CallId, SendError> {
        let call = self.server.call(method, params, CallOptions::default())?;
        assert!(
            self.server_calls.insert(call, Vec::new()).is_none(),
            "{call:?} was given out twice"
        );
        Ok(call)
    }

    /// The requests that were made of the client, and what became of them.
    pub fn asked(&self) -> &BTreeMap<CallId, Vec<Outcome>> {
        &self.server_calls
    }

    /// What the server writes from now on is lost.
    pub fn mute(&mut self, is_mute: bool) {
        self.server_is_mute = is_mute;
    }

    fn client_turn(&mut self, now: Time) -> bool {
        let mut happened = false;
        if self.client.poll_timeout().is_some_and(|due| due <= now) {
            // What has arrived comes before deadlines.
            happened |= self.read_down(now);
            self.client.handle_timeout(now);
        }
        while let Some(bytes) = self.client.poll_transmit(now) {
            happened = true;
            note(&mut self.transcript, '>', &bytes);
            self.ledgers[0].asked(None, &bytes);
            self.ledgers[1].answered(&bytes);
            self.up.write(now, bytes);
        }
        // Everything is written by now: whoever is closed says so to the other side.
        if self.client.as_client().closed().is_some() && !self.up.is_ended() {
            self.up.close(now);
        }
        happened | self.read_down(now)
    }

    fn read_down(&mut self, now: Time) -> bool {
        let mut happened = false;
        while self.client.wants_input()
            && let Some(arrival) = self.down.poll(now)
        {
            happened = true;
            match arrival {
                Arrival::Bytes(bytes) => self.client.receive(now, &bytes),
                Arrival::Eof => self.client.receive_eof(now),
            }
        }
        happened
    }

    fn server_turn(&mut self, now: Time) -> bool {
        let mut happened = false;
        // What has arrived comes before deadlines.
        while self.server.wants_input()
            && let Some(arrival) = self.up.poll(now)
        {
            happened = true;
            match arrival {
                Arrival::Bytes(bytes) => self.server.receive(now, &bytes),
                Arrival::Eof => self.server.receive_eof(now),
            }
        }
        if self.server.poll_timeout().is_some_and(|due| due <= now) {
            self.server.handle_timeout(now);
        }
        while let Some(event) = self.server.poll_event() {
            happened = true;
            match event {
                ServerEvent::Request(request) => self.take(now, request),
                ServerEvent::Cancelled { key, .. } => {
                    if let Some(token) = self.desk.cancel(|token| token.key() == Some(key)) {
                        self.ledgers[0].cancelled(&serde_json::to_string(token.id()).expect("an id"));
                        self.server.respond(token, Err(ErrorObject::internal("cancelled")));
                    }
                }
                ServerEvent::Reply { call, outcome } => {
                    self.server_calls
                        .get_mut(&call)
                        .expect("a call that was made")
                        .push(outcome);
                }
                ServerEvent::Closed(_) => self.desk.clear(),
                _ => {}
            }
        }
        let server = &mut self.server;
        happened |= self.desk.work(now, |said| match said {
            Said::Message(token, message) => server.send_for(token, message),
            Said::Answer(token, outcome) => {
                server.respond(token, outcome);
                Ok(())
            }
        });
        while let Some(bytes) = self.server.poll_transmit(now) {
            happened = true;
            self.write_down(now, bytes);
        }
        if self.server.is_finished() && !self.down.is_ended() {
            self.down.close(now);
        }
        happened
    }

    fn take(&mut self, now: Time, request: ClientRequest) {
        let ClientRequest {
            token,
            method,
            params,
            context,
            ..
        } = request;
        self.desk.receive(now, token, &Order { method, params }, context);
    }

    fn write_down(&mut self, now: Time, bytes: Bytes) {
        self.ledgers[0].answered(&bytes);
        self.ledgers[1].asked(None, &bytes);
        if !self.server_is_mute {
            note(&mut self.transcript, '<', &bytes);
            self.down.write(now, bytes);
        }
    }

    /// A stream that breaks, breaks in both directions.
    fn spread_break(&mut self, now: Time) {
        if self.up.is_broken() && !self.down.is_ended() {
            self.down.cut(now);
        }
        if self.down.is_broken() && !self.up.is_ended() {
            self.up.cut(now);
        }
    }
}

impl PairLink for StreamLink {
    type Token = RequestToken;

    fn as_client(&self) -> &Client {
        self.client.as_client()
    }

    fn client(&mut self) -> &mut Client {
        self.client.client()
    }

    fn poll_event(&mut self) -> Option<ClientEvent> {
        self.client.poll_event()
    }

    fn turn(&mut self, now: Time) -> bool {
        self.spread_break(now);
        (!self.client_is_dead && self.client_turn(now)) | (!self.server_is_dead && self.server_turn(now))
    }

    fn turn_server(&mut self, now: Time) -> bool {
        self.spread_break(now);
        !self.server_is_dead && self.server_turn(now)
    }

    fn next_time(&self) -> Option<Time> {
        let (client_lives, server_lives) = (!self.client_is_dead, !self.server_is_dead);
        let wants_up = server_lives && self.server.wants_input();
        let wants_down = client_lives && self.client.wants_input();
        let up = self.up.next_arrival().filter(|_| wants_up);
        let down = self.down.next_arrival().filter(|_| wants_down);
        let machines = [
            self.client.poll_timeout().filter(|_| client_lives),
            self.server.poll_timeout().filter(|_| server_lives),
        ];
        [up, down, self.desk.next_time()]
            .into_iter()
            .chain(machines)
            .flatten()
            .min()
    }

    fn desk(&self) -> &Desk<RequestToken> {
        &self.desk
    }

    fn transcript(&self) -> &str {
        &self.transcript
    }

    fn is_finished(&self) -> bool {
        let client = self.client_is_dead || self.client.as_client().closed().is_some();
        client && (self.server_is_dead || self.server.is_finished())
    }

    fn notify(&mut self, method: Method, params: Params) -> Result<(), SendError> {
        self.server.notify(method, params)
    }

    fn audit(&self, record: &Record, is_quiet: bool) {
        // What is kept for those who listen is bounded by what they name: nothing of it is left when the last has gone.
        if !record.listeners.is_empty() {
            return;
        }
        let waiting = record.waiting();
        if !self.client_is_dead {
            let (client, kept) = (self.client.as_client(), self.client.kept());
            let pending = client.pending_calls();
            // A handshake.
            assert!(pending <= waiting + 1, "{pending} calls, where {waiting} were made");
            let most = ENTRIES * (waiting + 2);
            assert!(kept.entries <= most, "{kept:?} of the client, with {waiting} calls");
            assert!(!client.has_outgoing(), "messages that are not written");
            let has_overdue = usize::from(pending < kept.entries && kept.entries == 1);
            assert!(!is_quiet || kept.entries == has_overdue, "{kept:?} of a client at rest");
            assert!(
                !is_quiet || self.down.is_ended() || kept.bytes == 0,
                "{kept:?} of a client at rest"
            );
        }
        if !self.server_is_dead {
            let kept = self.server.kept();
            let (jobs, asked) = (self.desk.in_progress(), self.server_calls.values());
            let asked = asked.filter(|outcomes| outcomes.is_empty()).count();
            // Two tables of requests, two of calls; our client sends no batches, of which there are two more.
            let batched = if self.has_said { 2 * jobs } else { 0 };
            let entries = 2 * (jobs + asked);
            assert!(
                (entries..=entries + batched).contains(&kept.entries),
                "{kept:?} of the server, with {jobs} requests and {asked} calls"
            );
            assert!(
                !is_quiet || self.up.is_ended() || jobs > 0 || kept.bytes == 0,
                "{kept:?} of a server at rest"
            );
        }
    }

    fn kill_client(&mut self, now: Time) {
        self.client_is_dead = true;
        self.up.cut(now);
        self.down.cut(now);
    }

    fn kill_server(&mut self, now: Time) {
        self.server_is_dead = true;
        self.desk.clear();
        self.server_calls.clear();
        self.up.cut(now);
        self.down.cut(now);
    }
}

impl Pair<StreamLink> {
    /// Says a line to the server that the client knows nothing of.
    pub fn say(&mut self, line: &str) {
        let now = self.now();
        let bytes = Bytes::from(format!("{line}\n"));
        note(&mut self.link.transcript, '>', &bytes);
        self.link.has_said = true;
        self.link.ledgers[0].asked(None, &bytes);
        self.link.up.write(now, bytes);
    }

    /// Breaks the stream: what is on the way is lost, and both sides see its end.
    pub fn cut(&mut self) {
        let now = self.now();
        self.link.up.cut(now);
        self.link.down.cut(now);
    }
}

fn note(transcript: &mut String, direction: char, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        transcript.push(direction);
        transcript.push(' ');
        transcript.push_str(line);
        transcript.push('\n');
    }
}
