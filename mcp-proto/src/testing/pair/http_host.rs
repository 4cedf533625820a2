//! The HTTP server of a pair: the machine, the application behind it, and where its exchanges are in the network.

use alloc::collections::{BTreeMap, BTreeSet};
use core::iter;

use crate::Time;
use crate::http::server::HttpConfig;
use crate::jsonrpc::Params;
use crate::method::MethodName;
use crate::rpc::{CallOptions, SendError};
use crate::server::ServerConfig;
use crate::server::http::{ExchangeId, HttpCallId, HttpEvent, HttpRequestToken, HttpServer as Machine, Sender};
use bytes::Bytes;
use http::Request;

use super::application::{Application, Desk, Order, Said};
use super::record::Outcome;
use super::wire::Parcel;
use crate::testing::network::Rng;

/// An HTTP server with its application.
#[derive(Debug)]
pub struct HttpHost {
    /// The server.
    pub machine: Machine,
    /// The application.
    pub desk: Desk<HttpRequestToken>,
    /// The requests that were made of clients, and what became of them.
    pub asked: BTreeMap<HttpCallId, Vec<Outcome>>,
    /// The exchanges whose clients still read, with their places in the network.
    pub(super) open: BTreeMap<ExchangeId, u64>,
    ready: BTreeSet<ExchangeId>,
    http: HttpConfig,
    /// How often something was announced.
    pub(super) announced: usize,
    rng: Rng,
}

impl HttpHost {
    pub(super) fn new(config: ServerConfig, http: HttpConfig, application: Application, rng: Rng) -> Self {
        Self {
            machine: Machine::new(config, http.clone()),
            http,
            desk: Desk::new(application),
            asked: BTreeMap::new(),
            open: BTreeMap::new(),
            ready: BTreeSet::new(),
            announced: 0,
            rng,
        }
    }

    /// Begins anew, as a process that knows nothing of the one before.
    pub(super) fn restart(&mut self) {
        self.machine = Machine::new(self.machine.config().clone(), self.http.clone());
        (self.open, self.ready, self.asked) = Default::default();
        self.desk.clear();
    }

    /// Tells every client. How many streams have something new.
    ///
    /// # Errors
    /// Those of [`Machine::notify`].
    pub fn notify(&mut self, method: &MethodName, params: &Params) -> Result<usize, SendError> {
        self.announced += 1;
        self.machine.notify(method.clone(), params.clone())?;
        let before = self.ready.len();
        self.ready.extend(iter::from_fn(|| self.machine.poll_ready()));
        Ok(self.ready.len() - before)
    }

    /// Makes a request of the client whose request came last.
    ///
    /// # Errors
    /// Those of [`Machine::call`].
    pub fn ask(&mut self, method: impl Into<MethodName>, params: Params) -> Result<HttpCallId, SendError> {
        let token = self.desk.tokens().last().expect("a request in progress");
        let id = self.machine.call(token, method, params, CallOptions::default())?;
        self.asked.insert(id, Vec::new());
        Ok(id)
    }

    /// A request has arrived whole.
    pub(super) fn receive(&mut self, now: Time, place: u64, request: Request<Bytes>) {
        let (head, body) = request.into_parts();
        let random = || core::array::from_fn(|_| self.rng.bits() as u8);
        let id = self.machine.receive(now, head, body, Sender::new(), random);
        self.open.insert(id, place);
    }

    /// The client has ended the exchange.
    pub(super) fn disconnected(&mut self, now: Time, place: u64) {
        if let Some((id, _)) = self.open.iter().find(|(_, at)| **at == place) {
            self.machine.disconnect(now, *id);
        }
        self.open.retain(|_, at| *at != place);
    }

    /// Lets the machine and the application work.
    pub(super) fn work(&mut self, now: Time) -> bool {
        self.machine.handle_timeout(now);
        let mut happened = false;
        while let Some(event) = self.machine.poll_event() {
            happened = true;
            match event {
                HttpEvent::Request(asked) => {
                    let (method, params) = (asked.method, asked.params);
                    self.desk
                        .receive(now, asked.token, &Order { method, params }, asked.context);
                }
                HttpEvent::Cancelled { request, .. } => drop(self.desk.cancel(|token| token.key() == request)),
                HttpEvent::Reply { call, outcome } => self.asked.entry(call).or_default().push(outcome),
                _ => {}
            }
        }
        let worked = self.desk.work(now, |said| match said {
            Said::Message(token, message) => self.machine.send_for(token, message),
            Said::Answer(token, outcome) => {
                self.machine.respond(token, outcome);
                Ok(())
            }
        });
        happened | worked
    }

    /// The next part of a response to a client that still reads.
    pub(super) fn poll_part(&mut self, now: Time) -> Option<(u64, Parcel)> {
        self.ready.extend(iter::from_fn(|| self.machine.poll_ready()));
        while let Some(id) = self.ready.first().copied() {
            let head = self.machine.poll_head(now, id).map(|head| Parcel::Head(Box::new(head)));
            let part = head.or_else(|| self.machine.poll_frame(now, id).map(Parcel::from));
            if let (Some(part), Some(place)) = (part, self.open.get(&id).copied()) {
                self.open.retain(|open, _| *open != id || !matches!(part, Parcel::End));
                return Some((place, part));
            }
            self.ready.remove(&id);
        }
        None
    }

    /// Whether streams are kept for those that break.
    pub(super) fn is_resumable(&self) -> bool {
        self.http.resumption.is_some()
    }

    /// When something happens without anybody doing anything. Sessions that are idle, and requests whose clients have
    /// gone, would move the clock.
    pub(super) fn next_time(&self) -> Option<Time> {
        let asks = self.asked.values().any(Vec::is_empty);
        let machine = self.machine.poll_timeout().filter(|_| asks);
        self.desk.next_time().into_iter().chain(machine).min()
    }
}
