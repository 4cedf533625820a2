//! What an HTTP server keeps of each exchange.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;

use bytes::BytesMut;

use super::event::{Asker, ExchangeId, HttpSessionKey};
use super::exchange::Exchange;
use crate::http::server::{AbandonedKey, Admission, BodyKey, BodyRoom, StreamKey, SubscriptionKey, Visit};
use crate::rpc::RequestKey;

/// One exchange of an HTTP server.
///
/// ```text
///   head ─┬─▶ Reading ─▶ Answering ─▶ gone, once its end is taken
///         └─▶ Answering (refused, GET and DELETE)
///   GET after an event of a request ─▶ Resumed: reads the exchange of that request, whose own connection ends
///   Answering ── the client hangs up ─▶ gone; with a request in a session, abandoned until that is answered
/// ```
#[derive(Debug)]
pub(super) enum Served {
    /// Its body is being read.
    Reading(Box<Reading>),
    /// It is answered, or a handler is to answer it, or it is a stream.
    Answering(Box<Answering>),
    /// It goes on with the stream of another.
    Resumed(Box<Resumed>),
}

/// A GET that goes on with the stream of a request.
#[derive(Debug)]
pub(super) struct Resumed {
    /// The exchange of the request.
    pub(super) of: ExchangeId,
    /// As which reader.
    pub(super) reader: u32,
    pub(super) session: HttpSessionKey,
    pub(super) visit: Option<Visit>,
}

/// A request whose body is being read.
pub(super) struct Reading {
    pub(super) admission: Admission,
    pub(super) asker: Asker,
    pub(super) room: BodyRoom,
    /// Once it is large.
    pub(super) large: Option<BodyKey>,
    pub(super) body: BytesMut,
}

/// An exchange with its requests in progress.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) exchange: Exchange,
    /// The legacy session it belongs to.
    pub(super) session: Option<HttpSessionKey>,
    /// What keeps that session alive.
    pub(super) visit: Option<Visit>,
    /// The requests that are to be answered, by their numbers; with a key in a session.
    pub(super) requests: BTreeMap<u32, Option<RequestKey>>,
    /// The client has gone, and it runs on.
    pub(super) abandoned: Option<AbandonedKey>,
    /// The subscription that it is the stream of.
    pub(super) subscription: Option<SubscriptionKey>,
    /// The stream that it is, where it can be resumed and its client knows of it.
    pub(super) stream: Option<StreamKey>,
    /// The exchange that goes on with it.
    pub(super) reader: Option<ExchangeId>,
}

impl Answering {
    /// An exchange that belongs to no session.
    pub(super) fn alone(exchange: Exchange) -> Self {
        Self {
            exchange,
            session: None,
            visit: None,
            requests: BTreeMap::new(),
            abandoned: None,
            subscription: None,
            stream: None,
            reader: None,
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            // Neither head nor body: they hold session ids, tokens and arguments.
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
