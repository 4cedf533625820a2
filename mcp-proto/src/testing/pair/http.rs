//! HTTP exchanges between a client and a server.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::fmt::Write;
use core::time::Duration;

use crate::Time;
use crate::client::{Client, ClientEvent, HttpClient};
use crate::http::client::{ExchangeError, ExchangeId, HttpAction, HttpClientConfig};
use crate::jsonrpc::Params;
use crate::rpc::SendError;
use crate::server::http::HttpRequestToken;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};

use super::application::Desk;
use super::http_host::HttpHost;
use super::ledger::{Ledger, Obituaries};
use super::machines::Pair;
use super::pair_link::PairLink;
use super::record::Record;
use super::setup::Setup;
use super::wire::{Fate, Heard, Parcel, Wire, session_of};
use crate::testing::network::{Conditions, Rng};

/// How long whoever has sent a request twice waits for the second answer, at most.
const COPY: Duration = Duration::from_secs(2);

/// How many entries a call or an exchange of the client has, at most: a call among the calls, the deadlines, and those
/// that wait for the handshake; an exchange among the exchanges, the calls that have one, and those that have to end.
const ENTRIES: usize = 3;

/// A client and a server with HTTP between them: each exchange has its own connection, and its own luck.
#[derive(Debug)]
pub struct HttpLink {
    client: HttpClient,
    server: HttpHost,
    wires: BTreeMap<u64, Wire>,
    next: u64,
    conditions: Conditions,
    rng: Rng,
    transcript: String,
    fates: VecDeque<Fate>,
    is_down: bool,
    drops_streams: bool,
    client_is_dead: bool,
    duplicates: usize,
    ledger: Ledger,
    obituaries: Obituaries,
    /// What others than the client have heard, by their exchanges.
    heard: BTreeMap<u64, Heard>,
}

impl Setup {
    /// The pair over HTTP.
    #[must_use]
    pub fn http(self) -> Pair<HttpLink> {
        Pair::new(HttpLink::new(self))
    }
}

impl HttpLink {
    fn new(setup: Setup) -> Self {
        let mut rng = Rng::new(setup.seed);
        let config = HttpClientConfig::new(Uri::from_static("http://localhost:8000/mcp"));
        Self {
            client: HttpClient::new(setup.client, &config),
            server: HttpHost::new(setup.server, setup.http, setup.application, rng.fork()),
            wires: BTreeMap::new(),
            next: 0,
            conditions: setup.conditions,
            rng,
            transcript: String::new(),
            fates: VecDeque::new(),
            is_down: false,
            drops_streams: false,
            client_is_dead: false,
            duplicates: 0,
            ledger: Ledger::default(),
            obituaries: Obituaries::default(),
            heard: BTreeMap::new(),
        }
    }

    /// Somebody who is not the client sends a request: which exchange it is.
    pub fn send(&mut self, now: Time, request: Request<Bytes>) -> u64 {
        note_request(&mut self.transcript, &request);
        let arrival = now + self.conditions.delay(&mut self.rng);
        self.heard.insert(self.next, Heard::default());
        self.insert(Wire::new(now, None, Fate::Good, (arrival, request)));
        self.next - 1
    }

    /// What has come back of such an exchange.
    ///
    /// # Panics
    /// Where there is none.
    pub fn heard(&self, exchange: u64) -> &Heard {
        &self.heard[&exchange]
    }

    /// Whoever sent this hangs up.
    pub fn hang_up(&mut self, now: Time, exchange: u64) {
        let delay = self.conditions.delay(&mut self.rng);
        if let Some(wire) = self.wires.get_mut(&exchange) {
            wire.down.clear();
            wire.is_over = true;
            wire.hung_up = Some(now + delay);
        }
    }

    /// How many exchanges the client has opened, and how many of their requests the network has sent twice.
    pub fn opened(&self) -> (usize, usize) {
        let others = self.duplicates + self.heard.len();
        (self.next as usize - others, self.duplicates)
    }

    /// The server.
    pub fn server(&mut self) -> &mut HttpHost {
        &mut self.server
    }

    /// What becomes of the next exchanges; afterwards the conditions decide again.
    pub fn destine(&mut self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.extend(fates);
    }

    /// How many sessions have begun.
    pub fn handshakes(&self) -> usize {
        self.transcript.matches("\n< mcp-session-id: ").count()
    }

    /// From now on every stream of a session ends as soon as it is open.
    pub fn drop_streams(&mut self) {
        self.drops_streams = true;
    }

    /// Whether no exchange finds its server any more.
    pub fn take_down(&mut self, is_down: bool) {
        self.is_down = is_down;
    }

    /// Breaks every connection, with whatever is on the way.
    pub fn break_all(&mut self, now: Time) {
        for wire in self.wires.values_mut() {
            // The end may be on the way as well.
            wire.is_over &= wire.down.is_empty();
            wire.down.clear();
            wire.fail(now, "broken");
        }
    }

    fn client_turn(&mut self, now: Time) -> bool {
        let mut happened = false;
        if self.client.poll_timeout().is_some_and(|due| due <= now) {
            // What has arrived comes before deadlines.
            happened |= self.deliver_down(now);
            self.client.handle_timeout(now);
        }
        while let Some(action) = self.client.poll_action(now) {
            happened = true;
            match action {
                HttpAction::Open { id, request } => self.open(now, id, request),
                HttpAction::Abort(id) => self.abort(now, id),
            }
        }
        happened | self.deliver_down(now)
    }

    fn open(&mut self, now: Time, id: ExchangeId, mut request: Request<Bytes>) {
        // Whatever speaks HTTP adds this.
        let host = request
            .uri()
            .authority()
            .expect("an absolute URI")
            .as_str()
            .parse()
            .expect("a host");
        request.headers_mut().insert(http::header::HOST, host);
        note_request(&mut self.transcript, &request);
        let session = session_of(&request);
        self.ledger.asked(session.as_deref(), request.body());
        self.obituaries.opened(session.as_deref(), request.body());
        let fate = self.fate();
        let held_up = match fate {
            Fate::Slow(time) => time,
            _ => Duration::ZERO,
        };
        let arrival = now + self.conditions.delay(&mut self.rng) + held_up;
        let is_doubled = fate != Fate::Unreachable && self.rng.chance(self.conditions.duplicates);
        let copy = is_doubled.then(|| request.clone());
        let is_stream = request.method() == Method::GET;
        let mut wire = Wire::new(now, Some(id), fate, (arrival, request));
        wire.is_dropped = self.drops_streams && is_stream;
        if fate == Fate::Unreachable {
            let error = ExchangeError::Unreachable("no route".into());
            wire.request = None;
            wire.is_over = true;
            wire.send(arrival, Parcel::Failed(error));
        }
        self.insert(wire);
        // It does not overtake the first.
        if let Some(request) = copy {
            let again = arrival + self.conditions.delay(&mut self.rng);
            self.duplicates += 1;
            let mut copy = Wire::new(now, None, Fate::Good, (again, request));
            copy.hung_up = Some(again + self.rng.duration(&(Duration::ZERO..=COPY)));
            self.insert(copy);
        }
    }

    fn insert(&mut self, wire: Wire) {
        self.wires.insert(self.next, wire);
        self.next += 1;
    }

    fn fate(&mut self) -> Fate {
        if self.is_down {
            return Fate::Unreachable;
        }
        if let Some(fate) = self.fates.pop_front() {
            return fate;
        }
        if !self.rng.chance(self.conditions.failures) {
            return Fate::Good;
        }
        let bytes = self.rng.below(200);
        *self.rng.pick(&[
            Fate::Unreachable,
            Fate::Lost,
            Fate::Broken(bytes),
            Fate::Truncated(bytes),
        ])
    }

    fn abort(&mut self, now: Time, id: ExchangeId) {
        self.transcript.push_str("> (end of the exchange)\n\n");
        let delay = self.conditions.delay(&mut self.rng);
        if let Some(wire) = self.wires.values_mut().find(|wire| wire.id == Some(id)) {
            wire.down.clear();
            wire.is_over = true;
            wire.hung_up = Some(now + delay);
        }
    }

    fn deliver_down(&mut self, now: Time) -> bool {
        let mut happened = false;
        for (place, wire) in &mut self.wires {
            while let Some((arrival, parcel)) = wire.down.front()
                && *arrival <= now
                && (!matches!(parcel, Parcel::Body(_)) || wire.id.is_none_or(|id| self.client.wants_body(id)))
                && let Some((_, parcel)) = wire.down.pop_front()
            {
                happened = true;
                match (wire.id, parcel) {
                    (None, parcel) => {
                        if let Some(heard) = self.heard.get_mut(place) {
                            heard.take(parcel);
                        }
                    }
                    (Some(id), Parcel::Head(head)) => {
                        if let Some(session) = wire.session.as_ref().filter(|_| head.status == StatusCode::NOT_FOUND) {
                            self.obituaries.lost(session);
                        }
                        self.client.head(now, id, &head);
                    }
                    (Some(id), Parcel::Body(chunk)) => self.client.body(now, id, &chunk),
                    (Some(id), Parcel::End) => self.client.end(now, id),
                    (Some(id), Parcel::Failed(error)) => self.client.failed(now, id, error),
                }
            }
        }
        happened
    }

    fn server_turn(&mut self, now: Time) -> bool {
        let mut happened = self.deliver_up(now);
        happened |= self.server.work(now);
        while let Some((place, part)) = self.server.poll_part(now) {
            happened = true;
            self.send_down(now, place, part);
        }
        let before = self.wires.len();
        self.wires.retain(|_, wire| {
            !(wire.is_over && wire.request.is_none() && wire.down.is_empty() && wire.hung_up.is_none())
        });
        happened | (before != self.wires.len())
    }

    fn deliver_up(&mut self, now: Time) -> bool {
        let mut happened = false;
        for (place, wire) in &mut self.wires {
            if let Some((_, request)) = wire.request.take_if(|(arrival, _)| *arrival <= now) {
                happened = true;
                // A client that hung up before the whole request was there has sent none.
                if wire.hung_up.is_none() || wire.id.is_none() {
                    self.server.receive(now, *place, request);
                    if wire.fate == Fate::Lost {
                        wire.fail(now + self.conditions.delay(&mut self.rng), "broken");
                    }
                }
            }
            if wire.hung_up.take_if(|at| *at <= now).is_some() {
                happened = true;
                wire.request = None;
                self.server.disconnected(now, *place);
            }
        }
        happened
    }

    fn send_down(&mut self, now: Time, place: u64, part: Parcel) {
        note_part(&mut self.transcript, &part);
        let Some(wire) = self.wires.get_mut(&place).filter(|wire| !wire.is_over) else {
            return;
        };
        let (conditions, rng) = (&self.conditions, &mut self.rng);
        match part {
            Parcel::Head(head) => {
                let at = now + conditions.delay(rng);
                let is_dropped = wire.is_dropped && head.status == StatusCode::OK;
                wire.send(at, Parcel::Head(head));
                if is_dropped {
                    wire.truncate(at);
                }
            }
            end @ (Parcel::End | Parcel::Failed(_)) => {
                wire.send(now + conditions.delay(rng), end);
                wire.is_over = true;
            }
            Parcel::Body(mut body) => {
                while !body.is_empty() && !wire.is_over {
                    let mut chunk = body.split_to(conditions.cuts.piece(body.len(), rng));
                    let at = now + conditions.delay(rng);
                    let left = match wire.fate {
                        Fate::Broken(most) | Fate::Truncated(most) => most.saturating_sub(wire.sent),
                        _ => usize::MAX,
                    };
                    let fits = chunk.len() <= left;
                    chunk.truncate(left);
                    wire.sent += chunk.len();
                    if !chunk.is_empty() {
                        wire.send(at, Parcel::Body(chunk));
                    }
                    match (fits, wire.fate) {
                        (true, _) => {}
                        (false, Fate::Truncated(_)) => wire.truncate(at),
                        (false, _) => wire.fail(at, "broken"),
                    }
                }
            }
        }
    }
}

impl PairLink for HttpLink {
    type Token = HttpRequestToken;

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
        (!self.client_is_dead && self.client_turn(now)) | self.server_turn(now)
    }

    fn turn_server(&mut self, now: Time) -> bool {
        self.server_turn(now)
    }

    fn next_time(&self) -> Option<Time> {
        let wires = self
            .wires
            .values()
            .filter_map(|wire| wire.next_time(wire.id.is_none_or(|id| self.client.wants_body(id))));
        let client = self.client.poll_timeout().filter(|_| !self.client_is_dead);
        let machines = [client, self.server.next_time()];
        machines.into_iter().flatten().chain(wires).min()
    }

    fn desk(&self) -> &Desk<HttpRequestToken> {
        &self.server.desk
    }

    fn transcript(&self) -> &str {
        &self.transcript
    }

    fn is_finished(&self) -> bool {
        (self.client_is_dead || self.client.is_finished()) && self.server.machine.open_exchanges() == 0
    }

    fn notify(&mut self, method: crate::method::Method, params: Params) -> Result<(), SendError> {
        self.server.notify(&method.into(), &params).map(drop)
    }

    fn audit(&self, record: &Record, is_quiet: bool) {
        // What is kept for those who listen is bounded by what they name: nothing of it is left when the last has gone.
        if !record.listeners.is_empty() {
            return;
        }
        audit(&self.server);
        if self.client_is_dead {
            return;
        }
        let (client, kept) = (self.client.as_client(), self.client.kept());
        // A handshake beside; and for each session a look whether it is still there, of which late ones hurt nobody.
        let (pending, waiting) = (client.pending_calls(), record.waiting() + 2 + record.sessions_lost);
        assert!(pending <= waiting, "{pending} calls, where {waiting} were made");
        let is_open = |wire: &&Wire| wire.id.is_some() && (!wire.is_over || !wire.down.is_empty());
        let open = self.wires.values().filter(is_open).count();
        assert_eq!(self.client.open_exchanges(), open, "exchanges of the client");
        assert!(!client.has_outgoing(), "messages that are not sent");
        let most = ENTRIES * (waiting + open);
        assert!(
            kept.entries <= most,
            "{kept:?} of the client, with {waiting} calls and {open} exchanges"
        );
        // What is open then is the stream for notifications.
        assert!(
            !is_quiet || kept.entries == open && open <= 1,
            "{kept:?} of a client at rest, {open} exchanges"
        );
        assert!(!is_quiet || kept.bytes == 0, "{kept:?} of a client at rest");
    }

    fn kill_client(&mut self, now: Time) {
        self.client_is_dead = true;
        for wire in self.wires.values_mut() {
            wire.down.clear();
            wire.is_over = true;
            wire.hung_up = Some(now);
        }
    }

    fn kill_server(&mut self, now: Time) {
        self.server.restart();
        self.break_all(now);
    }
}

/// Checks that what a server keeps is what is worked on.
fn audit(server: &HttpHost) {
    let (machine, desk) = (&server.machine, &server.desk);
    assert!(desk.tokens().all(|token| machine.is_in_progress(token)), "{server:?}");
    let working = desk.tokens().filter(|token| token.session().is_some()).count();
    let asking = server.asked.values().filter(|outcomes| outcomes.is_empty()).count();
    let (open, sessions) = (machine.open_exchanges(), machine.sessions());
    // Sessions are in two tables, requests of either side in three, and those that nobody reads in one more.
    let tables = 2 * sessions + 3 * (working + asking) + machine.subscriptions();
    let least = tables + 2 * open - server.open.len();
    // A session that is over is kept for its last exchange, and what is announced for those that do not listen.
    let most = least + open + sessions * server.announced;
    let kept = machine.kept();
    // What is kept of streams is bounded in its own way.
    if server.is_resumable() {
        return;
    }
    assert!(
        (least..=most).contains(&kept.entries),
        "{kept:?}, not {least} to {most}: {server:?}"
    );
}

fn note_request(transcript: &mut String, request: &Request<Bytes>) {
    let _ = writeln!(transcript, "> {} {}", request.method(), request.uri().path());
    note_headers(transcript, '>', request.headers());
    note_body(transcript, '>', request.body());
}

fn note_part(transcript: &mut String, part: &Parcel) {
    match part {
        Parcel::Head(head) => {
            let _ = writeln!(transcript, "< {}", head.status);
            note_headers(transcript, '<', &head.headers);
        }
        Parcel::Body(body) => note_body(transcript, '<', body),
        Parcel::End | Parcel::Failed(_) => transcript.push_str("< (end)\n\n"),
    }
}

fn note_headers(transcript: &mut String, direction: char, headers: &HeaderMap) {
    let names: BTreeSet<_> = headers.keys().map(http::HeaderName::as_str).collect();
    for name in names {
        for value in headers.get_all(name) {
            let _ = writeln!(transcript, "{direction} {name}: {}", value.to_str().unwrap_or("?"));
        }
    }
}

fn note_body(transcript: &mut String, direction: char, body: &Bytes) {
    if !transcript.ends_with("\n\n") {
        transcript.push('\n');
    }
    for line in String::from_utf8_lossy(body).lines() {
        let _ = writeln!(
            transcript,
            "{direction}{}{line}",
            if line.is_empty() { "" } else { " " }
        );
    }
    if !body.is_empty() {
        transcript.push('\n');
    }
}
