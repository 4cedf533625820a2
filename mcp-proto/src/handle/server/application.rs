//! What a transport runs, and who hears from it.

use alloc::sync::Arc;

use super::Peer;
use super::state_store::Redeeming;
#[cfg(feature = "http")]
use super::unread::UnreadAnswers;
use crate::handle::{Timer, contained};
use crate::jsonrpc::{Called, Notification, RawJson};
use crate::method::MethodName;
use crate::server::rounds::{Sealer, Settled};
use crate::server::{
    Announcement, ClientRequest, Redeem, Redemption, RequestContext, RequestToken, ResultBody, ServerConfig,
};
use crate::time::UnixTime;
use crate::wire::header::ParamHeaders;

/// The future of a handler.
pub(crate) type Work = contained::Work<ResultBody>;

/// A server application as its transports see it: configuration and handlers.
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "some of it is for HTTP alone"))]
pub(crate) trait Application: Send + Sync {
    /// What the server says about itself, and its limits.
    fn config(&self) -> &ServerConfig;

    /// The handler of a request, to be polled by the transport, which answers the request with its outcome.
    /// Dropping the future cancels the handler.
    fn serve(&self, call: Call, peer: Arc<dyn Peer>) -> Work;

    /// A driver has come, with the random bytes that the application has no other source of.
    fn driven_by(&self, timer: &dyn Timer) {
        let _ = timer;
    }

    /// What clients have not read yet, over all transports.
    #[cfg(feature = "http")]
    fn unread(&self) -> Arc<UnreadAnswers> {
        Arc::new(UnreadAnswers::new(self.config().limits()))
    }

    /// Has `act` look at what seals the state of requests; nothing, where there is none.
    fn with_sealer(&self, act: &mut dyn FnMut(Option<&mut Sealer>) -> Settled) -> Settled {
        act(None)
    }

    /// Redeems a state that is good for one use.
    fn redeem(&self, redeem: Redeem, now: UnixTime) -> Redeeming {
        let _ = (redeem, now);
        Redeeming::Now(Redemption::Unavailable)
    }

    /// A notification of a client that is not about the protocol itself.
    fn notified(&self, notification: Notification);

    /// The parameters of a tool that its callers mirror into HTTP headers, where it has any.
    fn param_headers(&self, tool: &str) -> Option<Arc<ParamHeaders>>;
}

/// The clients behind one transport, who hear what concerns everyone.
pub(crate) trait Audience: Send + Sync {
    /// Passes on a notification, or drops it where a client cannot take it. Never waits.
    fn announce(&self, announcement: &Announcement);
}

/// A request as its handler sees it: without the token, which stays with the transport.
pub(crate) struct Call {
    pub(crate) method: MethodName,
    pub(crate) params: Option<RawJson>,
    pub(crate) context: RequestContext,
    pub(crate) called: Called,
}

impl Call {
    /// Parts a request into what answers it and what it asks.
    pub(crate) fn of(request: ClientRequest) -> (RequestToken, Self) {
        let ClientRequest {
            token,
            method,
            params,
            context,
            called,
            ..
        } = request;
        (
            token,
            Self {
                method,
                params,
                context,
                called,
            },
        )
    }
}
