//! A web site as a value: what answers a request, whatever runs it.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::Service;

use super::Sending;

/// What a site answers.
pub type Answer = Response<UnsyncBoxBody<Bytes, Failed>>;

/// How a body fails.
type Failed = Box<dyn Error + Send + Sync>;

/// What answers requests. Their bodies are read before.
#[derive(Clone)]
pub struct Site(Arc<dyn Fn(Request<Full<Bytes>>) -> Sending<Answer> + Send + Sync>);

impl Site {
    /// A site that answers like this.
    pub fn new(answer: impl Fn(Request<Full<Bytes>>) -> Sending<Answer> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// A site that is this service.
    pub(super) fn of<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Send + Sync + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Failed>,
    {
        Self::new(move |request| {
            let answer = service.call(request);
            Box::pin(async move {
                let Ok(answer) = answer.await;
                answer.map(|body| body.map_err(Into::into).boxed_unsync())
            })
        })
    }

    /// What it answers.
    pub fn answer(&self, request: Request<Full<Bytes>>) -> Sending<Answer> {
        self.0(request)
    }

    /// The same for what comes over a connection.
    pub(super) fn receive(&self, request: Request<Incoming>) -> Sending<Result<Answer, Infallible>> {
        let site = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            Ok(match body.collect().await {
                Ok(body) => site.answer(Request::from_parts(head, Full::new(body.to_bytes()))).await,
                Err(_) => text(StatusCode::BAD_REQUEST, ""),
            })
        })
    }
}

/// An answer of plain text.
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let body = Full::new(text.into()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    answer
}
