//! The HTTP client: opens the exchanges that the machine asks for, on connections that are kept alive.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Uri;
use mcp_proto::Time;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::handle::driver::{HttpOptions, Pool, Tasks, Timer as _};
use mcp_proto::http::client::{Action, ExchangeId};
use tokio::task::coop;

use super::dial::{Connection, Sender};
use super::exchange::{Exchange, Ports};
use super::payload::Payload;
use crate::clock::{Clock, Timer};
use crate::error::ConnectError;

/// How often the driver goes round before other tasks get their turn.
const ROUNDS: usize = 32;

/// How many exchanges are opened, and how many exchanges and connections are polled, in one round.
const POLLS: usize = 256;

/// A client of the endpoint `url`, and the future that drives it: every exchange and every connection of the
/// client in one, for those who poll or spawn it themselves.
///
/// # Errors
/// [`ConnectError::InvalidUrl`] and [`ConnectError::UnsupportedScheme`].
///
/// # Cancel safety
/// Dropping the future closes all its connections at once, and resolves what waits for an answer as closed.
/// It has to be polled on a tokio runtime with IO and time.
pub fn client_over_http(
    url: &str,
    config: ClientConfig,
    options: &HttpOptions,
) -> Result<(Client, impl Future<Output = ()> + Send + use<>), ConnectError> {
    let (client, pump) = Client::over_http(config, &options.to_config(endpoint(url)?));
    let ports = Ports {
        pump,
        pool: Pool::new(options.idle_timeout),
        connect_timeout: options.connect_timeout,
        fresh: Vec::new(),
        paused: Vec::new(),
    };
    let driver = async move {
        let mut driver = Driver::new(ports);
        poll_fn(|cx| driver.poll(cx)).await;
    };
    Ok((client, driver))
}

fn endpoint(url: &str) -> Result<Uri, ConnectError> {
    let uri: Uri = url.parse().map_err(|_| ConnectError::InvalidUrl)?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        Some(scheme) => Err(ConnectError::UnsupportedScheme(scheme.into())),
        None => Err(ConnectError::InvalidUrl),
    }
}

struct Driver {
    clock: Clock,
    timer: Timer,
    tasks: Tasks<Task>,
    exchanges: HashMap<ExchangeId, usize>,
    ports: Ports,
}

/// What the pump has to say after what it asked for was done.
enum Acted {
    /// It may ask for more.
    More,
    /// It is done for good.
    Over,
}

enum Task {
    Connection(Box<Connection>),
    Exchange(Exchange),
}

impl Driver {
    fn new(ports: Ports) -> Self {
        let clock = Clock::start();
        Self {
            clock,
            timer: Timer::new(clock),
            tasks: Tasks::new(),
            exchanges: HashMap::new(),
            ports,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            let mut moved = match self.poll_actions(cx, now) {
                Poll::Ready(Acted::Over) => return Poll::Ready(()),
                Poll::Ready(Acted::More) => true,
                Poll::Pending => false,
            };
            self.resume();
            moved |= self.poll_tasks(now);
            moved |= self.poll_deadline(cx, now).is_ready();
            if !coop::has_budget_remaining() {
                break;
            }
            if !moved && self.tasks.rest(cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what the pump asks for, within bounds.
    fn poll_actions(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Acted> {
        for _ in 0..POLLS {
            match ready!(self.ports.pump.poll_action(cx, now)) {
                Some(Action::Open { id, request }) => self.open(now, id, request.map(Payload::new)),
                Some(Action::Abort(id)) => self.abort(id),
                None => return Poll::Ready(Acted::Over),
            }
        }
        Poll::Ready(Acted::More)
    }

    fn open(&mut self, now: Time, id: ExchangeId, request: http::Request<Payload>) {
        match self.ports.pool.address(request) {
            Ok((origin, request)) => {
                let exchange = Exchange::open(id, origin, request, &mut self.ports);
                self.exchanges.insert(id, self.tasks.insert(Task::Exchange(exchange)));
            }
            Err(error) => self.ports.pump.failed(now, id, error),
        }
    }

    /// Drops the exchange. Hyper closes its connection, unless the response is complete.
    fn abort(&mut self, id: ExchangeId) {
        if let Some(slot) = self.exchanges.remove(&id) {
            self.tasks.remove(slot);
        }
    }

    /// Goes on with the responses that are wanted again.
    fn resume(&mut self) {
        let (exchanges, tasks, pump) = (&self.exchanges, &self.tasks, &self.ports.pump);
        self.ports.paused.retain(|id| match exchanges.get(id) {
            Some(slot) if pump.wants_body(*id) => {
                tasks.wake(*slot);
                false
            }
            slot => slot.is_some(),
        });
    }

    /// Polls what was woken. Whether anything was.
    fn poll_tasks(&mut self, now: Time) -> bool {
        for polls in 0..POLLS {
            let ports = &mut self.ports;
            let polled = coop::has_budget_remaining()
                .then(|| self.tasks.poll_next(|task, cx| task.poll(cx, now, ports)))
                .flatten();
            let Some((slot, outcome)) = polled else {
                return polls > 0;
            };
            if outcome.is_ready() {
                self.remove(slot);
            }
            for connection in self.ports.fresh.drain(..) {
                self.tasks.insert(Task::Connection(Box::new(connection)));
            }
        }
        true
    }

    fn remove(&mut self, slot: usize) {
        match self.tasks.remove(slot) {
            Some(Task::Exchange(exchange)) => {
                self.exchanges.remove(&exchange.id());
            }
            Some(Task::Connection(_)) => self.ports.pool.forget(Sender::is_closed),
            None => {}
        }
    }

    /// The timer. Ready where a deadline was over.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        let deadlines = [self.ports.pump.deadline(), self.ports.pool.deadline()];
        let deadline = deadlines.into_iter().flatten().min();
        self.timer.poll(cx, deadline).map(|()| {
            let now = self.clock.now().max(now);
            self.ports.pump.handle_timeout(now);
            self.ports.pool.expire(now);
        })
    }
}

impl Task {
    /// Ready when the task is over.
    fn poll(&mut self, cx: &mut Context<'_>, now: Time, ports: &mut Ports) -> Poll<()> {
        match self {
            // What a connection fails with, its exchange is told as well.
            Self::Connection(connection) => Pin::new(connection).poll(cx).map(drop),
            Self::Exchange(exchange) => exchange.poll(cx, now, ports),
        }
    }
}
