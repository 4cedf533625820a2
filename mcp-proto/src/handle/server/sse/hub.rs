//! The sessions over HTTP+SSE of one server.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::shared::Shared;
use super::stream::SseStream;
use crate::handle::server::{Server, ServerPump};
use crate::handle::sync::lock;
use crate::handle::{Pump, Timer};
use crate::http::server::{Admission, HttpConfig, Refusal, SessionId, SseRoute, sse_accepted, sse_events};
use crate::server::http::Asker;
use crate::time::Time;

/// The sessions over HTTP+SSE of one server, within the bounds of [`Limits::sessions`](crate::Limits::sessions) and their
/// shares. Clones are one hub.
#[derive(Clone)]
pub struct SseHub(Arc<Shared>);

impl SseHub {
    /// The hub of a server; `None` where it is not to serve HTTP+SSE.
    pub fn new(server: &Server, config: &HttpConfig) -> Option<Self> {
        let paths = config.http_sse.clone()?;
        Some(Self(Arc::new(Shared::new(server, config, paths))))
    }

    /// What a request asks for that the endpoint has admitted; `None` where it is for the endpoint.
    ///
    /// # Errors
    /// The whole response, where it is refused.
    pub fn route(&self, admission: &Admission, head: &Parts) -> Result<Option<SseRoute>, Box<Response<Bytes>>> {
        let route = self.0.paths.route(admission, head);
        route.map_err(|refusal| Box::new(admission.refuse(&refusal)))
    }

    /// Begins a session, and gives its stream. `random` comes from a cryptographically secure source.
    ///
    /// # Errors
    /// The whole response, where there is no room for one.
    pub fn open(
        &self,
        admission: &Admission,
        asker: Asker,
        timer: &dyn Timer,
        random: [u8; 32],
    ) -> Result<SseStream, Box<Response<Bytes>>> {
        let holder = admission.holder(&asker.head);
        let id = SessionId::from_random(random);
        let pump = ServerPump::new(&self.0.server).asked_by(asker);
        let pump = pump.framed_by(|lines| sse_events(&lines));
        pump.begin(timer);
        let pump = Arc::new(pump);
        let made = lock(&self.0.sessions).create(timer.now(), id, &holder, Arc::clone(&pump));
        match made {
            Ok((visit, lost)) => {
                if let Some(lost) = lost {
                    lost.close();
                }
                let owner = holder.principal().cloned();
                Ok(SseStream::new(&self.0, pump, id, owner, visit, admission))
            }
            Err(refusal) => Err(Box::new(admission.refuse(&refusal))),
        }
    }

    /// Takes a message in a session: the response to its request.
    pub fn take(
        &self,
        now: Time,
        admission: &Admission,
        head: &Parts,
        session: &SessionId,
        body: Bytes,
    ) -> Response<Bytes> {
        let principal = admission.head(head).principal.cloned();
        let found = lock(&self.0.sessions).get(session, principal.as_ref()).cloned();
        match found {
            None => admission.refuse(&Refusal::SessionNotFound),
            Some(pump) if pump.take_message(now, body) => sse_accepted(admission),
            // Its client does not read what it has asked for.
            Some(_) => admission.refuse(&Refusal::Overloaded),
        }
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        lock(&self.0.sessions).len()
    }

    /// Shuts down: no session begins any more, and each ends when what is in progress there is answered, or its time for
    /// closing is over.
    pub fn close(&self) {
        let sessions = lock(&self.0.sessions).close();
        sessions.iter().for_each(|session| session.close());
    }
}

impl fmt::Debug for SseHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseHub")
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
