//! The endpoint as what libraries of HTTP call.

use core::convert::Infallible;
#[cfg(feature = "tower")]
use core::task::{Context, Poll};

use bytes::Buf;
use http::{Request, Response};
use http_body::Body;

use super::body::ResponseBody;
use super::respond::Respond;
use super::runtime::ServerRuntime;
use super::service::HttpService;
use crate::ClockTimer;

impl<R: ServerRuntime> HttpService<R> {
    /// Begins to answer a request.
    pub fn respond<B>(&self, mut request: Request<B>) -> Respond<B, R>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        if let Some(principal) = &self.sender.principal {
            // In place of one that is there: what the handshake has shown counts.
            request.extensions_mut().insert(principal.clone());
        }
        Respond::new(self.clone(), request)
    }
}

impl<B, R> hyper::service::Service<Request<B>> for HttpService<R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime + Unpin,
{
    type Response = Response<ResponseBody<ClockTimer<R::Clock>>>;
    type Error = Infallible;
    type Future = Respond<B, R>;

    fn call(&self, request: Request<B>) -> Respond<B, R> {
        self.respond(request)
    }
}

#[cfg(feature = "tower")]
impl<B, R> tower_service::Service<Request<B>> for HttpService<R>
where
    B: Body + Unpin,
    B::Data: Buf,
    R: ServerRuntime + Unpin,
{
    type Response = Response<ResponseBody<ClockTimer<R::Clock>>>;
    type Error = Infallible;
    type Future = Respond<B, R>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Always: what is too much is refused with a response, which says so.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Respond<B, R> {
        self.respond(request)
    }
}
