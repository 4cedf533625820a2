//! How a pool comes to its connections.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use crate::handle::client::Client;
use crate::rpc::CallError;
use crate::sessions::AttemptTimeouts;

/// What moves the bytes of one connection, until it is over.
pub type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that is being made.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Connected, CallError>> + Send>>;

/// What makes the connections of a pool: an adapter's resolver of transports, or a function from a key to a future
/// of a [`Connected`].
pub trait Connect<K: ?Sized> {
    /// Begins to connect to what `key` names. Nothing happens before the future is polled; dropping it gives the
    /// attempt up. It ends when there is a connection; the handshake is made by the pool.
    fn connect(&self, key: &K) -> Connecting;

    /// The deadlines of attempts for this key, where they differ from those of the pool.
    fn timeouts(&self, key: &K) -> Option<AttemptTimeouts> {
        let _ = key;
        None
    }
}

impl<K, C, F> Connect<K> for C
where
    K: ?Sized,
    C: Fn(&K) -> F,
    F: Future<Output = Result<Connected, CallError>> + Send + 'static,
{
    fn connect(&self, key: &K) -> Connecting {
        Box::pin(self(key))
    }
}

/// A connection: a client that has sent nothing yet, and what moves its bytes.
pub struct Connected {
    pub(super) client: Client,
    pub(super) driver: Option<Driver>,
}

impl Connected {
    /// A client, and the future that drives it. The pool polls it, in its own driver.
    pub fn new(client: Client, driver: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            client,
            driver: Some(Box::pin(driver)),
        }
    }

    /// The same for a connection in memory, where the server is a part of `driver`: it is dropped as soon as the
    /// client has said everything, with whatever the server was still about to do.
    pub fn in_process(client: Client, driver: impl Future<Output = ()> + Send + 'static) -> Self {
        // No handle of the client is kept: the last one closes it.
        let mut watch = client.watch();
        let mut driver: Driver = Box::pin(driver);
        let driver = core::future::poll_fn(move |cx| {
            let is_over = driver.as_mut().poll(cx).is_ready();
            if is_over || watch.poll_finished(cx).is_ready() {
                return core::task::Poll::Ready(());
            }
            core::task::Poll::Pending
        });
        Self::new(client, driver)
    }

    /// A client that something else drives, such as a task of its own.
    pub fn driven(client: Client) -> Self {
        Self { client, driver: None }
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
