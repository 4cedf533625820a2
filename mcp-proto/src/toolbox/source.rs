//! Something that tools can be called through.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::client::{Incident, ToolList};
use crate::handle::client::{Answered, CallObserver, Client, Incidents, Notifications};
use crate::handle::sessions::{Session, SessionIncidents, SessionNotifications};
use crate::jsonrpc::{Notification, Params, RawJson};
use crate::method::MethodName;
use crate::rpc::CallOptions;

/// What a [`ToolSource`] promises, a future that borrows nothing.
pub type SourceFuture<T> = Pin<Box<dyn Future<Output = Answered<T>> + Send>>;

/// Something that tools can be called through: a [`Client`], or a session that a pool makes anew when it is lost.
///
/// No method does IO or waits: what they return does when it is polled, and stops when it is dropped.
pub trait ToolSource: fmt::Debug + Send + Sync {
    /// Makes a request. Nothing is sent before the first poll; dropping the future cancels the call.
    fn call(&self, request: CallRequest) -> SourceFuture<RawJson>;

    /// The tools of the server: as they were kept while they are fresh, or read from the server. However many ask at
    /// a time, they are read once. Of the options the timeouts count, for this caller alone; `spent` of them is over.
    fn tools(&self, options: CallOptions, spent: Duration) -> SourceFuture<ToolList>;

    /// Takes the tools that are kept for out of date: whoever asks from now on gets a list that was read from now on.
    fn forget_tools(&self);

    /// What the server notifies of its own accord, from now on.
    fn notifications(&self) -> Box<dyn NotificationStream>;

    /// What is lost, or goes wrong, without a call failing for it, where the source can tell.
    fn incidents(&self) -> Option<Box<dyn IncidentStream>> {
        None
    }
}

/// A request to be made through a [`ToolSource`]. Its clones make the same request, which is how one is made again.
#[derive(Clone)]
#[non_exhaustive]
pub struct CallRequest {
    /// The method.
    pub method: MethodName,
    /// The parameters, with what the caller has to say in `_meta`.
    pub params: Params,
    /// Timeouts, whether progress and log messages are wanted, whether it may be made twice.
    pub options: CallOptions,
    /// How much of these timeouts is spent already.
    pub spent: Duration,
    /// Who hears of progress and log messages that [`options`](Self::options) asks for.
    pub observer: Option<Arc<dyn CallObserver>>,
}

impl CallRequest {
    /// A request with default options.
    pub fn new(method: impl Into<MethodName>, params: Params) -> Self {
        Self {
            method: method.into(),
            params,
            options: CallOptions::default(),
            spent: Duration::ZERO,
            observer: None,
        }
    }
}

/// Shows nothing of what the request carries: there may be credentials in it.
impl fmt::Debug for CallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRequest")
            .field("method", &self.method)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The notifications of a server, for those who poll.
pub trait NotificationStream: fmt::Debug + Send {
    /// The next notification; `None` when there will be no more.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>>;

    /// How many were lost because nobody took them, or with a session.
    fn missed(&self) -> u64;
}

/// What is lost on the way to a server, for those who poll.
pub trait IncidentStream: fmt::Debug + Send {
    /// The next incident; `None` when there will be no more.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incident>>;

    /// How many were forgotten before they were read.
    fn missed(&self) -> u64;
}

impl ToolSource for Client {
    fn call(&self, request: CallRequest) -> SourceFuture<RawJson> {
        let mut call = self
            .request_raw(request.method, request.params)
            .options(request.options)
            .spent(request.spent);
        if let Some(observer) = request.observer {
            call = call.observe(observer);
        }
        Box::pin(async move {
            // By reference: it is asked afterwards how much of its time it took.
            let outcome = (&mut call).await;
            Answered::new(outcome, call.fate().spent)
        })
    }

    fn tools(&self, options: CallOptions, spent: Duration) -> SourceFuture<ToolList> {
        // What finding the tool has taken counts, since the call has one time for all.
        let mut listing = self.list_tools().options(options).spend(spent);
        Box::pin(async move {
            let outcome = (&mut listing).await;
            Answered::new(outcome, listing.spent())
        })
    }

    fn forget_tools(&self) {
        self.forget_tools();
    }

    fn notifications(&self) -> Box<dyn NotificationStream> {
        Box::new(self.notifications())
    }

    fn incidents(&self) -> Option<Box<dyn IncidentStream>> {
        Some(Box::new(self.incidents()))
    }
}

impl IncidentStream for Incidents {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incident>> {
        self.poll_next(cx)
    }

    fn missed(&self) -> u64 {
        self.missed()
    }
}

impl NotificationStream for Notifications {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        self.poll_next(cx).map(|next| next.map(|told| told.notification))
    }

    fn missed(&self) -> u64 {
        self.missed()
    }
}

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
        self.forget_tools();
    }

    fn notifications(&self) -> Box<dyn NotificationStream> {
        Box::new(self.notifications())
    }

    fn incidents(&self) -> Option<Box<dyn IncidentStream>> {
        Some(Box::new(self.incidents()))
    }
}

impl<K: Ord + Send + Sync> IncidentStream for SessionIncidents<K> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incident>> {
        self.poll_next(cx).map(|next| next.map(|told| told.incident))
    }

    fn missed(&self) -> u64 {
        self.missed()
    }
}

impl<K: Ord + Send + Sync> NotificationStream for SessionNotifications<K> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        self.poll_next(cx).map(|next| next.map(|told| told.notification))
    }

    fn missed(&self) -> u64 {
        self.missed()
    }
}

impl<S: ToolSource + ?Sized> ToolSource for Arc<S> {
    fn call(&self, request: CallRequest) -> SourceFuture<RawJson> {
        (**self).call(request)
    }

    fn tools(&self, options: CallOptions, spent: Duration) -> SourceFuture<ToolList> {
        (**self).tools(options, spent)
    }

    fn forget_tools(&self) {
        (**self).forget_tools();
    }

    fn notifications(&self) -> Box<dyn NotificationStream> {
        (**self).notifications()
    }

    fn incidents(&self) -> Option<Box<dyn IncidentStream>> {
        (**self).incidents()
    }
}
