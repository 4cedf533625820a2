//! The driver of an HTTP client: opens the exchanges that the machine asks for.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use http::Request;

use super::connector::{BoxFuture, Connected, HttpConnector, Unanswered};
use super::exchange::{Exchange, Outcome, Ports, Waiting};
use super::payload::Payload;
use super::pool::{ConnectionId, OriginKey, Pool};
use crate::grace::Grace;
use mcp_proto::Time;
use mcp_proto::handle::client::HttpPump;
use mcp_proto::handle::{Tasks, Timer};
use mcp_proto::http::client::{ExchangeError, ExchangeId, HttpAction};

/// How often the driver goes round before other tasks get their turn.
const ROUNDS: usize = 4;

/// How many exchanges are opened, and how many exchanges and connections are polled, in one round. Each may be a system
/// call or two: all rounds together shall not hold the thread for a millisecond.
const POLLS: usize = 8;

/// The future that drives an HTTP client: every exchange and every connection of the client in one.
///
/// An exchange goes out on a connection that has room for it; where there is none, on one that is made for it, or
/// on one that has room meanwhile, whichever is first. Nothing waits for another exchange to end: there is no cap on
/// connections, or, where there is [one](Self::max_connections), an error at once. Where a connection turns out to have
/// been closed before anything of a request was sent, or the server has refused it unprocessed, the request goes out once
/// more, on another one.
///
/// # Cancel safety
/// Dropping it closes all its connections at once, and resolves what waits for an answer as closed.
pub struct HttpDriver<C: HttpConnector, T> {
    connector: C,
    timer: T,
    tasks: Tasks<Task<C>>,
    /// Where each exchange that is on a connection is.
    exchanges: BTreeMap<ExchangeId, usize>,
    pool: Pool<C::Sender, Waiting>,
    ports: Ports,
    grace: Grace,
}

enum Task<C: HttpConnector> {
    Attempt(OriginKey, BoxFuture<Result<Connected<C::Sender>, Box<str>>>),
    Connection(ConnectionId, BoxFuture<()>),
    Exchange(Exchange<C::Sender>),
}

/// How a task is over.
enum Done<S> {
    Attempt(OriginKey, Result<Connected<S>, Box<str>>),
    Connection(ConnectionId),
    Exchange(Outcome),
}

/// What the pump has to say after what it asked for was done.
enum Acted {
    /// It may ask for more.
    More,
    /// It is done for good.
    Over,
}

impl<C: HttpConnector, T: Timer> HttpDriver<C, T> {
    /// Drives `pump`. A connection without a request is kept for `idle_timeout`.
    #[must_use]
    pub fn new(pump: HttpPump, connector: C, timer: T, idle_timeout: Duration) -> Self {
        Self {
            connector,
            timer,
            tasks: Tasks::new(),
            exchanges: BTreeMap::new(),
            pool: Pool::new(idle_timeout),
            ports: Ports {
                pump,
                paused: Vec::new(),
                portion: 0,
            },
            grace: Grace::default(),
        }
    }

    /// With at most so many connections at a time; see
    /// [`HttpOptions::max_connections`](crate::http::HttpOptions::max_connections).
    #[must_use]
    pub fn max_connections(mut self, most: Option<usize>) -> Self {
        self.pool.limit(most);
        self
    }

    fn poll_rounds(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.ports.portion = 0;
        let mut work = self.tasks.start_work(cx);
        // Once: what a clock says moves by less than a millisecond in all rounds, and reading it is dear.
        let mut now = self.timer.now();
        for _ in 0..ROUNDS {
            let mut moved = match self.poll_actions(cx, now) {
                Poll::Ready(Acted::Over) => {
                    work.end();
                    return Poll::Ready(());
                }
                Poll::Ready(Acted::More) => true,
                Poll::Pending => false,
            };
            self.resume();
            let has_polled = self.poll_tasks(now);
            moved |= has_polled;
            // Where the budget is used up nobody knows what there is to read.
            let may_read = has_polled || !self.has_budget();
            if let Poll::Ready(then) = self.poll_deadline(cx, now, may_read) {
                (now, moved) = (then, true);
            }
            // The runtime makes every socket `Pending` from here on: to go round again would be in vain.
            if !self.has_budget() {
                break;
            }
            if !moved && self.tasks.rest(&mut work) {
                return Poll::Pending;
            }
        }
        // At work still: it is woken.
        Poll::Pending
    }

    /// Does what the pump asks for, within bounds.
    fn poll_actions(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<Acted> {
        for _ in 0..POLLS {
            match ready!(self.ports.pump.poll_action(cx, now)) {
                Some(HttpAction::Open { id, request }) => self.open(now, id, request.map(Payload::new)),
                Some(HttpAction::Abort(id)) => self.abort(now, id),
                None => return Poll::Ready(Acted::Over),
            }
        }
        Poll::Ready(Acted::More)
    }

    fn open(&mut self, now: Time, id: ExchangeId, request: Request<Payload>) {
        let connector = &self.connector;
        let expected = |origin: &_| connector.expected_capacity(origin);
        match self.pool.origin(request.uri(), expected) {
            Ok(origin) => self.send(
                now,
                origin,
                Waiting {
                    id,
                    request,
                    was_refused: false,
                },
            ),
            Err(error) => self.ports.pump.failed(now, id, error),
        }
    }

    /// Sends a request as soon as there is a connection for it.
    fn send(&mut self, now: Time, origin: OriginKey, waiting: Waiting) {
        self.pool.wait(origin, waiting);
        self.hand_out(now, origin);
    }

    /// Hands out the connections that have room, and makes those that lack. What none can be made for is refused.
    fn hand_out(&mut self, now: Time, origin: OriginKey) {
        // In this order: what is borne needs no new connection, and refused is only what none will bear.
        while let Some(loan) = self.pool.lend(origin, now) {
            let exchange = Exchange::open(loan, origin);
            let id = exchange.id;
            let slot = self.tasks.insert(Task::Exchange(exchange));
            self.exchanges.insert(id, slot);
        }
        while let Some(target) = self.pool.attempt(origin) {
            let connecting = self.connector.connect(target);
            self.tasks.insert(Task::Attempt(origin, connecting));
        }
        while let Some(Waiting { id, .. }) = self.pool.exceeding(origin) {
            self.ports.pump.failed(now, id, ExchangeError::TooManyConnections);
        }
    }

    /// Drops the exchange: whether its connection can be used again, the sender says.
    fn abort(&mut self, now: Time, id: ExchangeId) {
        let Some(slot) = self.exchanges.remove(&id) else {
            self.pool.forsake(|waiting| waiting.id == id);
            return;
        };
        if let Some(Task::Exchange(exchange)) = self.tasks.remove(slot) {
            let (origin, connection, keep) = (exchange.origin, exchange.connection, exchange.keep);
            // Before the connection is used again, which it says only when nothing of the response is left.
            drop(exchange);
            self.pool.release(connection, now, keep);
            self.hand_out(now, origin);
        }
    }

    /// Goes on with the responses that are wanted again.
    fn resume(&mut self) {
        let (exchanges, tasks, pump) = (&self.exchanges, &self.tasks, &self.ports.pump);
        self.ports.paused.retain(|id| match exchanges.get(id) {
            Some(slot) if pump.wants_body(*id) => {
                // No socket wakes it: it has not been asked for more.
                tasks.wake(*slot);
                false
            }
            slot => slot.is_some(),
        });
    }

    /// Polls what was woken. Whether anything was.
    fn poll_tasks(&mut self, now: Time) -> bool {
        for polls in 0..POLLS {
            if !self.has_budget() {
                return polls > 0;
            }
            let ports = &mut self.ports;
            let Some((slot, outcome)) = self.tasks.poll_next(|task, cx| task.poll(cx, now, ports)) else {
                return polls > 0;
            };
            if let Poll::Ready(done) = outcome {
                let task = self.tasks.remove(slot);
                self.finish(now, task, done);
            }
        }
        true
    }

    /// Whether the present poll may go on.
    fn has_budget(&self) -> bool {
        self.connector.has_budget() && !self.ports.are_sated()
    }

    fn finish(&mut self, now: Time, task: Option<Task<C>>, done: Done<C::Sender>) {
        match (done, task) {
            // It is fresh while it is handed out: what fails on it was not closed by an idle server.
            (Done::Attempt(origin, Ok(connected)), _) => {
                let (id, connection) = self.pool.connected(origin, connected, now);
                self.tasks.insert(Task::Connection(id, connection));
                self.hand_out(now, origin);
                self.pool.settle(id);
            }
            (Done::Attempt(origin, Err(why)), _) => {
                let why = format!("{}: {why}", self.pool.authority(origin));
                let error = ExchangeError::Unreachable(why.into());
                for Waiting { id, .. } in self.pool.refused(origin) {
                    self.ports.pump.failed(now, id, error.clone());
                }
            }
            // What a connection fails with, its exchanges are told as well.
            (Done::Connection(id), _) => self.pool.remove(id),
            (Done::Exchange(outcome), Some(Task::Exchange(exchange))) => self.finish_exchange(now, exchange, outcome),
            (Done::Exchange(_), _) => {}
        }
    }

    fn finish_exchange(&mut self, now: Time, exchange: Exchange<C::Sender>, outcome: Outcome) {
        let Exchange {
            id,
            origin,
            connection,
            is_fresh,
            was_refused,
            keep,
            ..
        } = exchange;
        drop(exchange);
        self.exchanges.remove(&id);
        // Before what has come of it is told: the answer may have the next request go out, on this connection.
        match outcome {
            // Whatever its sender says: it would give back the next one as well.
            Outcome::Unanswered(Unanswered::Unsent(..) | Unanswered::Refused(..)) => self.pool.remove(connection),
            // What died while it waited has not died alone: its server was restarted, or closes what waits.
            Outcome::Unanswered(Unanswered::Silent(_)) => {
                self.pool.remove(connection);
                self.pool.clear(origin);
            }
            Outcome::Unanswered(Unanswered::Broken(_)) | Outcome::Cut(_) | Outcome::Complete(_) => {
                self.pool.release(connection, now, keep);
            }
        }
        let again = |request: Box<_>, was_refused| Waiting {
            id,
            request: *request,
            was_refused,
        };
        match outcome {
            Outcome::Complete(Some(last)) => self.ports.pump.last(now, id, &last),
            Outcome::Complete(None) => self.ports.pump.end(now, id),
            // The server has closed a connection that had waited.
            Outcome::Unanswered(Unanswered::Unsent(request, _)) if !is_fresh => {
                self.send(now, origin, again(request, was_refused));
            }
            // Once: a server that refuses everything is not asked for ever.
            Outcome::Unanswered(Unanswered::Refused(request, _)) if !was_refused => {
                self.send(now, origin, again(request, true));
            }
            Outcome::Unanswered(Unanswered::Unsent(_, why) | Unanswered::Refused(_, why)) => {
                self.ports.pump.failed(now, id, ExchangeError::Unreachable(why));
            }
            Outcome::Unanswered(Unanswered::Silent(why)) if !is_fresh => {
                self.ports.pump.failed(now, id, ExchangeError::Stale(why));
            }
            Outcome::Unanswered(Unanswered::Silent(why) | Unanswered::Broken(why)) | Outcome::Cut(why) => {
                self.ports.pump.failed(now, id, ExchangeError::Broken(why));
            }
        }
        self.hand_out(now, origin);
    }

    /// Ready when a deadline is over, also where the budget is used up: then the runtime makes timers `Pending` as well, and a
    /// server that sends without end uses it up in every poll.
    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Option<Time>) -> Poll<()> {
        let timed = self.timer.poll(cx, deadline);
        let is_over = || deadline.is_some_and(|deadline| deadline <= self.timer.now());
        match timed.is_pending() && !self.connector.has_budget() && is_over() {
            true => Poll::Ready(()),
            false => timed,
        }
    }

    /// The timer. Ready where a deadline was over, with the time of that: it counts when what has arrived is read.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, now: Time, may_read: bool) -> Poll<Time> {
        let deadlines = [self.ports.pump.deadline(), self.pool.deadline()];
        let deadline = deadlines.into_iter().flatten().min();
        ready!(self.poll_timer(cx, self.grace.deadline(deadline)));
        let mut later = self.timer.now().max(now);
        if let Some(deadline) = deadline {
            while !self.grace.is_over(deadline, later, may_read) {
                if may_read {
                    return Poll::Ready(now);
                }
                ready!(self.poll_timer(cx, self.grace.deadline(Some(deadline))));
                later = self.timer.now().max(later);
            }
        }
        self.ports.pump.handle_timeout(later);
        self.pool.expire(later);
        Poll::Ready(later)
    }
}

impl<C: HttpConnector> Task<C> {
    /// Ready when the task is over.
    fn poll(&mut self, cx: &mut Context<'_>, now: Time, ports: &mut Ports) -> Poll<Done<C::Sender>> {
        Poll::Ready(match self {
            Self::Attempt(origin, connecting) => Done::Attempt(*origin, ready!(connecting.as_mut().poll(cx))),
            Self::Connection(id, connection) => {
                ready!(connection.as_mut().poll(cx));
                Done::Connection(*id)
            }
            Self::Exchange(exchange) => Done::Exchange(ready!(exchange.poll(cx, now, ports))),
        })
    }
}

/// Nothing in it is polled in place but what is boxed.
impl<C: HttpConnector, T> Unpin for HttpDriver<C, T> {}

impl<C: HttpConnector, T: Timer> Future for HttpDriver<C, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_rounds(cx)
    }
}

impl<C: HttpConnector, T> fmt::Debug for HttpDriver<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpDriver")
            .field("exchanges", &self.exchanges.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
