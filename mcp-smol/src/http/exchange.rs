//! One exchange of an HTTP client on its way: connect, send, receive.

use std::error::Error;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use mcp_proto::Time;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::handle::driver::{OriginKey, Pool};
use mcp_proto::http::client::{ExchangeError, ExchangeId};

use super::dial::{Connection, Sender, connect};
use super::payload::Payload;

/// How many parts of a body are handed on before others get their turn.
const FRAMES: usize = 16;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Connected = (Sender, Connection, Request<Payload>);
type Sent = Result<Response<Incoming>, TrySendError<Request<Payload>>>;

/// What an exchange works with.
pub(super) struct Ports {
    pub(super) pump: HttpPump,
    pub(super) pool: Pool<Sender>,
    pub(super) connect_timeout: Duration,
    /// New connections, to be polled from now on.
    pub(super) fresh: Vec<Connection>,
    /// Exchanges whose response the pump does not want more of for now.
    pub(super) paused: Vec<ExchangeId>,
}

/// One exchange.
pub(super) struct Exchange {
    id: ExchangeId,
    origin: OriginKey,
    sender: Option<Sender>,
    stage: Stage,
}

enum Stage {
    Connecting(BoxFuture<Result<Connected, ExchangeError>>),
    Sending {
        response: BoxFuture<Sent>,
        /// Whether the connection has borne a request before, and may have been closed since.
        is_reused: bool,
    },
    Receiving(Incoming),
}

impl Exchange {
    /// Sends a request, on a connection that waits if there is one.
    pub(super) fn open(id: ExchangeId, origin: OriginKey, request: Request<Payload>, ports: &mut Ports) -> Self {
        match ports.pool.take(origin, Sender::is_ready) {
            Some(mut sender) => {
                let stage = Stage::send(&mut sender, request, true);
                Self {
                    id,
                    origin,
                    sender: Some(sender),
                    stage,
                }
            }
            None => Self {
                id,
                origin,
                sender: None,
                stage: Stage::connect(origin, request, ports),
            },
        }
    }

    /// The id that the pump knows it by.
    pub(super) fn id(&self) -> ExchangeId {
        self.id
    }

    /// Goes on as far as it can. Ready when the exchange is over, and the pump knows.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Time, ports: &mut Ports) -> Poll<()> {
        let outcome = ready!(self.poll_outcome(cx, now, ports));
        match outcome {
            Ok(()) => {
                ports.pump.end(now, self.id);
                if let Some(sender) = self.sender.take().filter(Sender::is_ready) {
                    ports.pool.keep(self.origin, sender, now);
                }
            }
            Err(error) => ports.pump.failed(now, self.id, error),
        }
        Poll::Ready(())
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>, now: Time, ports: &mut Ports) -> Poll<Result<(), ExchangeError>> {
        loop {
            match &mut self.stage {
                Stage::Connecting(connecting) => {
                    let (mut sender, connection, request) = ready!(connecting.as_mut().poll(cx))?;
                    ports.fresh.push(connection);
                    self.stage = Stage::send(&mut sender, request, false);
                    self.sender = Some(sender);
                }
                Stage::Sending { response, is_reused } => match ready!(response.as_mut().poll(cx)) {
                    Ok(response) => {
                        let (head, body) = response.into_parts();
                        ports.pump.head(now, self.id, &head);
                        self.stage = Stage::Receiving(body);
                    }
                    Err(error) => self.stage = retry(error, *is_reused, self.origin, ports)?,
                },
                Stage::Receiving(body) => return poll_body(body, cx, now, self.id, ports),
            }
        }
    }
}

impl Stage {
    fn connect(origin: OriginKey, request: Request<Payload>, ports: &Ports) -> Self {
        let authority = ports.pool.authority(origin).cloned();
        let most = ports.connect_timeout;
        Self::Connecting(Box::pin(async move {
            let (sender, connection) = connect(authority, most).await?;
            Ok((sender, connection, request))
        }))
    }

    fn send(sender: &mut Sender, request: Request<Payload>, is_reused: bool) -> Self {
        let response = Box::pin(sender.try_send_request(request));
        Self::Sending { response, is_reused }
    }
}

/// Where the server has closed a connection that waited before anything of this request was sent: once more,
/// on a new connection.
fn retry(
    mut error: TrySendError<Request<Payload>>,
    is_reused: bool,
    origin: OriginKey,
    ports: &Ports,
) -> Result<Stage, ExchangeError> {
    match error.take_message() {
        Some(request) if is_reused => Ok(Stage::connect(origin, request, ports)),
        Some(_) => Err(ExchangeError::Unreachable(describe(error.error()))),
        None => Err(ExchangeError::Broken(describe(error.error()))),
    }
}

/// Hands on what of the body has come, as long as it is wanted. Ready when the body is complete.
fn poll_body(
    body: &mut Incoming,
    cx: &mut Context<'_>,
    now: Time,
    id: ExchangeId,
    ports: &mut Ports,
) -> Poll<Result<(), ExchangeError>> {
    for _ in 0..FRAMES {
        if body.is_end_stream() {
            return Poll::Ready(Ok(()));
        }
        if !ports.pump.wants_body(id) {
            ports.paused.push(id);
            return Poll::Pending;
        }
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(chunk) = frame.into_data() {
                    ports.pump.body(now, id, &chunk);
                }
            }
            Some(Err(error)) => return Poll::Ready(Err(ExchangeError::Broken(describe(&error)))),
            None => return Poll::Ready(Ok(())),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// An error with its causes.
pub(super) fn describe(error: &dyn Error) -> Box<str> {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text.into()
}
