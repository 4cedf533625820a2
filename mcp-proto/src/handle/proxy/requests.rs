//! What the clients before a proxy ask, on its way to the server behind it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

use super::askers::Askers;
use crate::handle::client::{Client, Report};
use crate::handle::server::{Context, Handler};
use crate::handle::sync::{Mutex, lock};
use crate::jsonrpc::{ErrorObject, Notification, Params, RawJson};
use crate::method::MethodName;
use crate::model::ServerCapabilities;
use crate::proxy::{self, Passage};
use crate::revision::Revision;
use crate::rpc::CallOptions;
use crate::server::ResultBody;

/// Asks the server behind a proxy what its clients want to know.
pub(super) struct Requests {
    pub(super) askers: Arc<Askers>,
    pub(super) client: Client,
    pub(super) revision: Revision,
    pub(super) capabilities: ServerCapabilities,
}

impl Handler for Requests {
    fn capabilities(&self) -> ServerCapabilities {
        self.capabilities.clone()
    }

    async fn serve(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        context: Context,
    ) -> Result<ResultBody, ErrorObject> {
        match Passage::of(context.request_context(), &method, params.as_ref(), self.revision)? {
            Passage::Done => Ok(ResultBody::EMPTY),
            Passage::Listen { uri, wanted } => {
                let most = context.server().config().limits().subscription_uris;
                match self.askers.watch(uri, wanted, most) {
                    true => Ok(ResultBody::EMPTY),
                    false => Err(ErrorObject::internal("too many resources are subscribed to")),
                }
            }
            Passage::On { params, options } => {
                let most = context.server().config().timeouts().request_max;
                self.ask(method, params, options.with_timeout(most), &context).await
            }
        }
    }

    fn notification(&self, notification: Notification) {
        let params = notification.params.map(Params::from_raw).transpose();
        let passed = params.map(|params| self.client.notify(notification.method, params.unwrap_or_default()));
        if !matches!(passed, Ok(Ok(()))) {
            self.askers.lose(1);
        }
    }
}

impl Requests {
    async fn ask(
        &self,
        method: MethodName,
        params: Params,
        options: CallOptions,
        context: &Context,
    ) -> Result<ResultBody, ErrorObject> {
        let heard = Arc::new(Mutex::new(VecDeque::new()));
        let hears = heard.clone();
        let call = self.client.request_raw(method, params).options(options);
        let mut call = call.on_report(move |report| lock(&hears).push_back(report));
        let mut in_progress = self.askers.begin(context);
        loop {
            let outcome = poll_fn(|cx| {
                let outcome = Pin::new(&mut call).poll(cx);
                if !in_progress.is_known()
                    && let Some(id) = call.id()
                {
                    in_progress.is(id);
                }
                match outcome {
                    Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                    Poll::Pending if lock(&heard).is_empty() => Poll::Pending,
                    Poll::Pending => Poll::Ready(None),
                }
            })
            .await;
            loop {
                // Not locked while it is sent.
                let next = lock(&heard).pop_front();
                let Some(report) = next else { break };
                tell(context, report).await;
            }
            if let Some(outcome) = outcome {
                return Ok(ResultBody::from_raw(outcome.map_err(proxy::failure)?)?);
            }
        }
    }
}

/// Passes on what came with a request.
async fn tell(context: &Context, report: Report) {
    let message = match report {
        Report::Progress(params) => context
            .progress_token()
            .and_then(|token| proxy::progress(&params, token)),
        Report::Aside(notification) => proxy::aside(context.request_context(), &notification),
        // It comes aside as well.
        Report::Log(_) => None,
    };
    if let Some(message) = message {
        context.send(message).await;
    }
}
