//! From an admitted request to its exchange: each step under the lock it needs, and no other.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::OnceCell;

use bytes::Bytes;
use http::request::Parts;

use super::errand::{Errand, Task};
use super::exchange::{Exchange, Kind};
use super::inner::Inner;
use super::line::Line;
use super::session::{Party, SharedSession};
use crate::handle::contained::Contained;
use crate::handle::server::Call;
use crate::handle::sync::lock;
use crate::http::server::{Admission, Visit};
use crate::server::ClientRequest;
use crate::server::http::{Exchange as Machine, HttpSession, Opening, Rules, Taken};
use crate::time::Time;

pub(super) fn open(
    inner: &Arc<Inner>,
    now: Time,
    admission: &Admission,
    head: &Parts,
    body: Bytes,
    random: impl FnOnce() -> [u8; 32],
) -> Exchange {
    // Kept for as long as they are read: the tool may be gone by then.
    let kept = OnceCell::new();
    let tools = |tool: &str| kept.get_or_init(|| inner.server.param_headers(tool)).as_deref();
    let rules = inner.rules().answering(admission);
    let opening = Opening::of(rules, admission, head, body, tools);
    Exchange::new(
        inner,
        step(inner, rules, now, opening, random).unwrap_or_else(Kind::Answered),
    )
}

/// Goes on to the end; `Err` where all is said already.
fn step(
    inner: &Arc<Inner>,
    rules: Rules<'_>,
    now: Time,
    opening: Opening<'_>,
    random: impl FnOnce() -> [u8; 32],
) -> Result<Kind, Box<Machine>> {
    match opening {
        Opening::Done(exchange) => Err(Box::new(exchange)),
        Opening::Request(exchange, request) => {
            let line = Arc::new(Line::new(exchange, None));
            let task = task(inner, request, line.clone());
            Ok(Kind::Errand(Errand::new(line, Some(task), Vec::new()), None))
        }
        Opening::Subscribe(subscribing) => {
            let keep = |exchange| Arc::new(Line::new(exchange, None));
            let subscribed = subscribing.enter(rules, &mut lock(&inner.subscriptions), keep)?;
            // Told under no lock of the table: each has its own.
            let config = inner.server.config();
            subscribed.lost.iter().for_each(|lost| lost.end(config));
            let errand = Errand::new(subscribed.kept, None, Vec::new());
            Ok(Kind::Subscription(errand, subscribed.key))
        }
        Opening::Begin(beginning) => {
            let beginning = beginning.check(rules, &lock(&inner.sessions))?;
            // The handshake is done under no lock.
            let begun = beginning.negotiate(rules, now, random);
            let keep = |session| Arc::new(SharedSession::new(inner.server.clone(), session));
            let mut sessions = lock(&inner.sessions);
            let (exchange, lost) = begun.finish(rules, now, &mut sessions, keep);
            // With the first there is something to look after. It is called under no lock, since it looks at once.
            let is_first = sessions.len() == 1;
            drop(sessions);
            if let Some(lost) = lost {
                lost.act(HttpSession::end);
            }
            if is_first {
                inner.upkeep.call();
            }
            Err(Box::new(exchange))
        }
        Opening::Enter(entering) => {
            let (visit, session) = entering.enter(rules, now, &mut lock(&inner.sessions))?;
            // The lock of the table is gone with the statement above: nobody in a session holds up all others.
            let taken = session.act(|session| entering.take(rules, now, session));
            serve(inner, now, taken, session, Some(visit))
        }
        Opening::Throwaway(throwaway) => {
            let (session, taken) = throwaway.take(rules, now);
            let session = Arc::new(SharedSession::new(inner.server.clone(), session));
            serve(inner, now, taken, session, None)
        }
        Opening::Listen(listening) => {
            let (visit, session) = listening.enter(rules, &mut lock(&inner.sessions))?;
            let line = session.listen(rules, |stream| Arc::new(Line::new(stream, Some(session.clone()))));
            let errand = Errand::new(line, None, Vec::new());
            Ok(Kind::Stream(errand, visit))
        }
        Opening::Delete(deleting) => {
            let (session, exchange) = deleting.remove(rules, &mut lock(&inner.sessions))?;
            session.act(HttpSession::end);
            Err(Box::new(exchange))
        }
    }
}

/// The exchange of what a session has taken; `Err` where no handler is needed.
fn serve(
    inner: &Arc<Inner>,
    now: Time,
    taken: Taken<Arc<dyn Party>>,
    session: Arc<SharedSession>,
    visit: Option<Visit>,
) -> Result<Kind, Box<Machine>> {
    taken
        .happened
        .into_iter()
        .for_each(|(happening, request)| session.happened(happening, request));
    if !taken.exchange.is_answered() {
        let session = Some(session);
        return Ok(run(inner, taken.exchange, session, visit, taken.request, taken.more));
    }
    if let Some(visit) = visit {
        lock(&inner.sessions).leave(now, visit);
    }
    Err(Box::new(taken.exchange))
}

/// The exchange of requests that handlers answer.
fn run(
    inner: &Arc<Inner>,
    exchange: Machine,
    session: Option<Arc<SharedSession>>,
    visit: Option<Visit>,
    first: Option<ClientRequest>,
    more: Vec<ClientRequest>,
) -> Kind {
    let line = Arc::new(Line::new(exchange, session));
    let first = first.map(|request| task(inner, request, line.clone()));
    // Each request of a batch is cancelled alone, and so has a line of its own.
    let member = |request| task(inner, request, Arc::new(Line::member(&line)));
    let more = more.into_iter().map(member).collect();
    Kind::Errand(Errand::new(line, first, more), visit)
}

/// The handler of a request, which its session is told of.
fn task(inner: &Inner, request: ClientRequest, line: Arc<Line>) -> Task {
    let key = request.token.key();
    let (token, call) = Call::of(request);
    let work = Contained::start(|| inner.server.serve(call, line.clone()));
    if let (Some(session), Some(key)) = (&line.session, key) {
        session.started(key, line.clone());
    }
    Task::new(work, token, line, &inner.results)
}
