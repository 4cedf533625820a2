//! One exchange on its way between a client and a server.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::Time;
use crate::http::client::{ExchangeError, ExchangeId};
use crate::server::http::Frame;
use bytes::Bytes;
use http::{Method, Request};

/// What somebody has heard who is not the client.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Heard {
    /// The head of the response.
    pub head: Option<http::response::Parts>,
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// Whether the response is complete.
    pub is_complete: bool,
}

impl Heard {
    /// The body as text.
    ///
    /// # Panics
    /// Where it is none.
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.body).expect("text")
    }

    /// The status; 0 where there is no response yet.
    pub fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status.as_u16())
    }

    pub(super) fn take(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Head(head) => self.head = Some(*head),
            Parcel::Body(chunk) => self.body.extend_from_slice(&chunk),
            Parcel::End => self.is_complete = true,
            Parcel::Failed(_) => {}
        }
    }
}

/// What becomes of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It works.
    Good,
    /// It works, but the request takes so long to arrive.
    Slow(Duration),
    /// No connection is made: the server never gets the request.
    Unreachable,
    /// The connection breaks once the server has the request, before the response.
    Lost,
    /// The connection breaks after so many bytes of the response's body.
    Broken(usize),
    /// The response seems complete after so many bytes of its body.
    Truncated(usize),
}

/// One exchange on its way.
#[derive(Debug)]
pub(super) struct Wire {
    /// Whose exchange it is; `None` where the network has sent a request twice.
    pub(super) id: Option<ExchangeId>,
    pub(super) fate: Fate,
    /// Whether it ends after its head, if it is a stream.
    pub(super) is_dropped: bool,
    /// The session of a POST, of which a 404 says that it is lost.
    pub(super) session: Option<String>,
    pub(super) request: Option<(Time, Request<Bytes>)>,
    /// What is on the way to the client.
    pub(super) down: VecDeque<(Time, Parcel)>,
    /// When the last of it arrives.
    pub(super) last: Time,
    /// Bytes of the body that were sent.
    pub(super) sent: usize,
    /// When the server learns that the client has gone.
    pub(super) hung_up: Option<Time>,
    /// Nothing more comes from the server.
    pub(super) is_over: bool,
}

/// A part of a response.
#[derive(Debug)]
pub(super) enum Parcel {
    Head(Box<http::response::Parts>),
    Body(Bytes),
    End,
    Failed(ExchangeError),
}

impl From<Frame> for Parcel {
    fn from(frame: Frame) -> Self {
        frame.into_data().map_or(Self::End, Self::Body)
    }
}

impl Wire {
    pub(super) fn new(now: Time, id: Option<ExchangeId>, fate: Fate, request: (Time, Request<Bytes>)) -> Self {
        Self {
            id,
            fate,
            is_dropped: false,
            session: session_of(&request.1).filter(|_| request.1.method() == Method::POST),
            request: Some(request),
            down: VecDeque::new(),
            last: now,
            sent: 0,
            hung_up: None,
            is_over: false,
        }
    }

    pub(super) fn send(&mut self, at: Time, parcel: Parcel) {
        self.last = self.last.max(at);
        self.down.push_back((self.last, parcel));
    }

    pub(super) fn fail(&mut self, at: Time, why: &str) {
        if !self.is_over {
            self.send(at, Parcel::Failed(ExchangeError::Broken(why.into())));
            self.is_over = true;
            self.hung_up = Some(at);
        }
    }

    pub(super) fn truncate(&mut self, at: Time) {
        self.send(at, Parcel::End);
        self.is_over = true;
        self.hung_up = Some(at);
    }

    pub(super) fn next_time(&self, wants_body: bool) -> Option<Time> {
        let down = self
            .down
            .front()
            .filter(|(_, parcel)| wants_body || !matches!(parcel, Parcel::Body(_)));
        let times = [
            self.request.as_ref().map(|(at, _)| *at),
            down.map(|(at, _)| *at),
            self.hung_up,
        ];
        times.into_iter().flatten().min()
    }
}

/// The session that a request is in.
pub(super) fn session_of(request: &Request<Bytes>) -> Option<String> {
    let id = request.headers().get("mcp-session-id")?;
    Some(id.to_str().expect("a session").to_owned())
}
