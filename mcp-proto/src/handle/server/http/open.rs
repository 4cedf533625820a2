//! From an admitted request to its exchange: each step under the lock it needs, and no other.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

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
use crate::http::server::{Admission, EventId, Visit};
use crate::server::ClientRequest;
use crate::server::http::{Exchange as Machine, HttpSession, Listening, Opening, Resuming, Rules, Taken};
use crate::time::Time;

pub(super) fn open(
    inner: &Arc<Inner>,
    now: Time,
    admission: &Admission,
    head: &Parts,
    body: Bytes,
    random: impl FnOnce() -> [u8; 32],
) -> Exchange {
    let tools = |tool: &str| inner.server.param_headers(tool);
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
            let keep = |session| Arc::new(SharedSession::new(inner.host.clone(), session));
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
            let session = Arc::new(SharedSession::new(inner.host.clone(), session));
            serve(inner, now, taken, session, None)
        }
        Opening::Listen(listening) => {
            let (visit, session) = listening.enter(rules, &mut lock(&inner.sessions))?;
            listen(inner, rules, now, &listening, &session, visit)
        }
        Opening::Delete(deleting) => {
            let (session, exchange) = deleting.remove(rules, &mut lock(&inner.sessions))?;
            session.act(HttpSession::end);
            Err(Box::new(exchange))
        }
    }
}

/// Opens a stream, or goes on with one.
fn listen(
    inner: &Arc<Inner>,
    rules: Rules<'_>,
    now: Time,
    listening: &Listening<'_>,
    session: &Arc<SharedSession>,
    visit: Visit,
) -> Result<Kind, Box<Machine>> {
    let line = |stream| Arc::new(Line::new(stream, Some(session.clone())));
    let stream = |line, visit| Ok(Kind::Stream(Errand::new(line, None, Vec::new()), visit));
    let kept = |last: EventId| {
        // One lock after the other, and never both.
        let replayed = {
            let mut replay = lock(&inner.host.replay);
            let replayed = replay.replay(last);
            // It is served once, and kept for another time.
            replay.leave(last.stream);
            replayed
        };
        session.act(|session| listening.kept(rules, session, last, replayed))
    };
    let whole = match session.act(|session| listening.find(session)) {
        Ok(Resuming::New) => return stream(session.listen(rules, line), visit),
        Ok(Resuming::Listener(last, before)) => {
            before.iter().for_each(|before| session.end_stream(before));
            let replayed = lock(&inner.host.replay).replay(last);
            match replayed {
                Some(replayed) => return stream(session.listen_on(rules, last.stream, replayed, line), visit),
                // Nothing is known of it, and so nothing is left.
                None => kept(last),
            }
        }
        Ok(Resuming::Live(last, party)) => {
            let line = party.into_any().downcast::<Line>().ok();
            let reader = line.as_ref().and_then(|line| line.resume(last));
            match (line, reader) {
                (Some(line), Some(reader)) => return Ok(Kind::Resumed(line, reader, visit)),
                // Its answer was taken in between.
                _ => kept(last),
            }
        }
        Ok(Resuming::Kept(last)) => kept(last),
        Err(refusal) => Err(refusal),
    };
    lock(&inner.sessions).leave(now, visit);
    let whole = whole.unwrap_or_else(|refusal| Machine::refused(rules, None, &refusal));
    Err(Box::new(whole))
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
