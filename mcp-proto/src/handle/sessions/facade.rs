//! The pool, as an application has it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::connect::Connect;
use super::driver::SessionsDriver;
use super::incidents::SessionIncidents;
use super::session::Session;
use super::shared::{Inner, Shared};
use crate::handle::wakers::Wait;
use crate::rpc::CloseReason;
use crate::sessions::{Life, SessionsConfig, SessionsCounters};

/// Sessions by key, each created once however many want it; cheap to clone and to share.
///
/// A key names what to connect to, and on whose behalf: calls with equal keys share a session. The creation of a
/// session belongs to the pool and not to whoever asked first; it fails for all who wait for it, and the next caller
/// begins anew. What is not used for long is closed, as is what was used least recently where there are too many.
/// Everything is bounded by [`SessionsConfig`], and a bound that is reached is an error at once: nothing bounded is
/// held while a call is in flight.
///
/// It is made together with its driver, which has to be polled: spawn it, or take what an adapter offers.
///
/// ```
/// use mcp_proto::client::ClientConfig;
/// use mcp_proto::handle::sessions::{Connected, Sessions};
/// use mcp_proto::handle::{Client, Server};
/// use mcp_proto::model::{Json, Tool};
/// use mcp_proto::sessions::SessionsConfig;
/// # use mcp_proto::handle::{Crossing, Timer};
/// # use mcp_proto::Time;
/// # use std::future::{Future, poll_fn};
/// # use std::task::{Context, Poll, Waker};
/// # struct NoTime;
/// # impl Timer for NoTime {
/// #     fn now(&self) -> Time { Time::ORIGIN }
/// #     fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> { Poll::Pending }
/// # }
/// # fn in_memory(server: &Server) -> Connected {
/// #     let (client, pump) = Client::over_stream(ClientConfig::named("host", "1.0.0"));
/// #     let mut crossing = Crossing::new(pump, server.pump());
/// #     Connected::new(client, poll_fn(move |cx| crossing.poll(cx, Time::ORIGIN, |_, _| Poll::Pending)))
/// # }
/// # fn block_on(mut driver: impl Future + Unpin, app: impl Future<Output = Result<(), mcp_proto::rpc::CallError>>) {
/// #     let (mut app, mut cx) = (std::pin::pin!(app), Context::from_waker(Waker::noop()));
/// #     while app.as_mut().poll(&mut cx).map(|outcome| outcome.unwrap()).is_pending() {
/// #         let _ = std::pin::Pin::new(&mut driver).poll(&mut cx);
/// #     }
/// # }
/// # fn main() {
/// let server = Server::builder("weather", "1.0.0")
///     .raw_tool(Tool::new("forecast", Json::empty_object()), |_, _| async { Ok("sunny") })
///     .build();
///
/// // Keys are whatever an application says: here a name.
/// let (sessions, driver) = Sessions::<String>::new(SessionsConfig::default(), move |_name: &String| {
///     let connected = in_memory(&server); // a client of the server, and what drives it
///     async { Ok(connected) }
/// });
/// # let driver = Box::pin(driver.run(NoTime));
/// # block_on(driver, async {
/// // A handle: nothing happens yet, and nothing ever blocks.
/// let weather = sessions.session("weather");
/// // The connection and the handshake are a part of the first call, whoever makes it.
/// let result = weather.call_tool("forecast", ()).await?;
/// assert_eq!(result.content[0].as_text(), Some("sunny"));
/// // Should the server be gone meanwhile: the session is created again, once, and what may be sent again is.
/// weather.call_tool("forecast", ()).idempotent().await?;
/// sessions.close().await;
/// # Ok(())
/// # });
/// # }
/// ```
///
/// # On drop
/// With the last handle (of the pool, of its sessions, and calls in flight) all sessions are closed gracefully.
/// Dropping returns at once.
pub struct Sessions<K: Ord> {
    inner: Arc<Inner<K>>,
}

impl<K: Ord> Sessions<K> {
    /// A pool whose connections `connect` makes, and what drives it.
    pub fn new(config: SessionsConfig, connect: impl Connect<K> + Send + 'static) -> (Self, SessionsDriver<K>)
    where
        K: Send + Sync + 'static,
    {
        let shared = Arc::new(Shared::new(config));
        let driver = SessionsDriver::new(shared.clone(), Box::new(connect));
        let inner = Arc::new(Inner { shared });
        (Self { inner }, driver)
    }

    /// The session of a key: a handle that does nothing before it is used. Connecting and the handshake are part of
    /// the first await of what it offers.
    pub fn session(&self, key: impl Into<K>) -> Session<K> {
        Session::new(self.inner.clone(), Arc::new(key.into()))
    }

    /// How it stands with the session of a key.
    pub fn life(&self, key: impl Into<K>) -> Life {
        let key = Arc::new(key.into());
        self.inner.shared.with(|state| state.machine.life(&key))
    }

    /// How many sessions there are, those included that are being created.
    pub fn len(&self) -> usize {
        self.inner.shared.with(|state| state.machine.len())
    }

    /// Whether there is no session, and none is being created.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the pool has done.
    pub fn counters(&self) -> SessionsCounters {
        self.inner.shared.with(|state| state.machine.counters())
    }

    /// What is lost in the sessions, or goes wrong, without a call failing for it, and in which.
    pub fn incidents(&self) -> SessionIncidents<K> {
        SessionIncidents::new(&self.inner.shared.bulletin, None)
    }

    /// Closes the session of a key, gracefully and in the background; calls in flight in it end with
    /// [`CallError::Closed`](crate::rpc::CallError::Closed). The next call creates another.
    pub fn evict(&self, key: impl Into<K>) {
        let key = Arc::new(key.into());
        self.inner.shared.apply(|state| state.machine.evict(&key));
    }

    /// Closes the pool for all handles, and waits until every session is closed, at most
    /// [`SessionsConfig::close`]. Calls in flight end with [`CallError::Closed`](crate::rpc::CallError::Closed).
    ///
    /// # Cancel safety
    /// The pool closes even when the future is dropped.
    pub async fn close(&self) {
        self.inner.shared.with(|state| state.close(CloseReason::Local));
        let mut closing = Closing {
            shared: &self.inner.shared,
            wait: Wait::default(),
        };
        poll_fn(|cx| closing.poll(cx)).await;
    }
}

/// The wait for the end.
///
/// # On drop
/// Its task is not woken any more.
struct Closing<'a, K: Ord> {
    shared: &'a Shared<K>,
    wait: Wait,
}

impl<K: Ord> Closing<'_, K> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let wait = &mut self.wait;
        self.shared.with(|state| state.poll_finished(wait, cx))
    }
}

impl<K: Ord> Drop for Closing<'_, K> {
    fn drop(&mut self) {
        let wait = &mut self.wait;
        self.shared.with(|state| state.stop_closing(wait));
    }
}

impl<K: Ord> Clone for Sessions<K> {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        Self { inner }
    }
}

impl<K: Ord> fmt::Debug for Sessions<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.shared.fmt(f)
    }
}
