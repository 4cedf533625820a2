//! A web site as a value: what answers a request, whatever runs it.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::Either;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::service::Service;

use super::futures::Sending;
use crate::meter::{Meter, Watched};

/// What a site answers.
pub type Answer = Response<AnswerBody>;

/// How a body fails.
pub type Failed = Box<dyn Error + Send + Sync>;

/// The body of an answer.
pub type AnswerBody = UnsyncBoxBody<Bytes, Failed>;

/// What answers requests. Their bodies are read before.
#[derive(Clone)]
pub struct Site {
    answer: Arc<Respond>,
    meter: Option<Meter>,
}

type Respond = dyn Fn(Request<Full<Bytes>>) -> Sending<Answer> + Send + Sync;

impl Site {
    /// A site that answers like this.
    pub fn new(answer: impl Fn(Request<Full<Bytes>>) -> Sending<Answer> + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            meter: None,
        }
    }

    /// The same, with the polls of all its connections measured.
    #[must_use]
    pub fn metered(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
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
        (self.answer)(request)
    }

    /// A connection to it, measured where it is to be.
    pub(super) fn watch<F: Future>(&self, connection: F) -> Either<F, Watched<F>> {
        match &self.meter {
            None => Either::Left(connection),
            Some(meter) => Either::Right(meter.watch(connection)),
        }
    }

    /// What it answers to what comes over a connection.
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
