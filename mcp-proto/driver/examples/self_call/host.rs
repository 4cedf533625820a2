//! What the application asks of whatever runs it.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Server};

/// Why something failed.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A runtime, and what serves HTTP on it.
pub(crate) trait Host: Send + Sync {
    /// A client of the application's own endpoint, driven by a task. Nothing is sent yet: the first call does that.
    fn connect(&self, config: ClientConfig) -> Result<Client, Failure>;

    /// Serves `server` at the endpoint from now on. What was served there before is gone, and its sessions with it.
    fn mount(&self, server: Server);

    /// Ready after this time.
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
