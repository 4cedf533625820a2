//! Tools through a session.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::session::Session;
use super::shared::Shared;
use crate::client::ToolList;
use crate::handle::client::{Client, Notifications};
use crate::handle::tools::{Answered, CallRequest, NotificationStream, SourceFuture, ToolSource};
use crate::jsonrpc::{Notification, RawJson};
use crate::rpc::CallOptions;

impl<K: Ord + Send + Sync + 'static> ToolSource for Session<K> {
    fn call(&self, request: CallRequest) -> SourceFuture<RawJson> {
        let mut call = self
            .request_raw(request.method, request.params)
            .options(request.options)
            .spend(request.spent);
        if let Some(observer) = request.observer {
            call = call.observe(observer);
        }
        Box::pin(async move {
            let outcome = (&mut call).await;
            Answered::new(outcome, call.spent())
        })
    }

    fn tools(&self, options: CallOptions, spent: Duration) -> SourceFuture<ToolList> {
        let session = self.clone();
        Box::pin(async move { session.list_tools_within(options, spent).await })
    }

    fn forget_tools(&self) {
        if let Some(client) = self.inner.shared.with(|state| state.client(&self.key)) {
            client.forget_tools();
        }
    }

    fn notifications(&self) -> Box<dyn NotificationStream> {
        let mut following = Following {
            shared: self.inner.shared.clone(),
            key: self.key.clone(),
            present: None,
            missed: 0,
        };
        following.attach(Client::notifications);
        Box::new(following)
    }
}

/// The notifications of the sessions of a key, one after the other. It creates none, and keeps none.
struct Following<K> {
    shared: Arc<Shared<K>>,
    key: Arc<K>,
    present: Option<Notifications>,
    missed: u64,
}

impl<K: Ord> Following<K> {
    /// Reads those of the session that there is.
    fn attach(&mut self, read: impl FnOnce(&Client) -> Notifications) {
        let client = self.shared.with(|state| state.client(&self.key));
        self.present = client.filter(|client| !client.is_closed()).map(|client| read(&client));
    }
}

impl<K: Ord + Send + Sync> NotificationStream for Following<K> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        if let Some(present) = &mut self.present {
            if let Some(notification) = ready!(present.poll_next(cx)) {
                return Poll::Ready(Some(notification));
            }
            // Whatever would have come until the next one is there.
            self.missed += present.missed() + 1;
            self.present = None;
        }
        let is_closed = self.shared.with(|state| {
            state.watch(cx);
            state.machine.close_reason().is_some()
        });
        if is_closed {
            return Poll::Ready(None);
        }
        // What it has said already was for this reader as well.
        self.attach(Client::notifications_and_missed);
        match &mut self.present {
            Some(present) => match present.poll_next(cx) {
                // It was closed just now: those who watch hear of it.
                Poll::Ready(None) => Poll::Pending,
                polled => polled,
            },
            None => Poll::Pending,
        }
    }

    fn missed(&self) -> u64 {
        self.missed + self.present.as_ref().map_or(0, Notifications::missed)
    }
}

impl<K> fmt::Debug for Following<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}
