//! What an HTTP server keeps of each exchange.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;

use bytes::BytesMut;

use super::event::{Asker, HttpSessionKey};
use super::exchange::Exchange;
use crate::http::server::{AbandonedKey, Admission, BodyKey, BodyRoom, SubscriptionKey, Visit};
use crate::rpc::RequestKey;

/// One exchange of an HTTP server.
///
/// ```text
///   head ─┬─▶ Reading ─▶ Answering ─▶ gone, once its end is taken
///         └─▶ Answering (refused, GET and DELETE)
///   Answering ── the client hangs up ─▶ gone; with a request in a session, abandoned until that is answered
/// ```
#[derive(Debug)]
pub(super) enum Served {
    /// Its body is being read.
    Reading(Box<Reading>),
    /// It is answered, or a handler is to answer it, or it is a stream.
    Answering(Box<Answering>),
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
