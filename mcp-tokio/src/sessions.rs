//! Pools of sessions with servers that transports name.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use mcp_driver::{Resolved, Resolver, Route, reached, unsupported};
use mcp_proto::handle::Sessions;
use mcp_proto::handle::sessions::Connected;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{SessionKey, SessionsConfig};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::clock::{Clock, Timer};
use crate::memory::duplex;
use crate::stream::client_over;
use mcp_driver::ConnectError;

/// A pool of sessions with servers that transports name, driven by a task of its own; its connections are driven by
/// tasks of their own as well.
///
/// Connects to nothing: that is a part of the first await of a session.
///
/// ```
/// use mcp_tokio::Resolver;
/// use mcp_proto::sessions::{InProcessTransport, SessionKey, SessionsConfig};
/// use mcp_tokio::{ClientConfig, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weather = Server::builder("weather", "1.0.0")
///     .tool("forecast", "Forecast", |_: mcp_tokio::NoArgs| async { Ok("sunny") })
///     .build();
/// let resolver = Resolver::new(ClientConfig::named("host", "1.0.0")).server("weather", weather);
/// let sessions = mcp_tokio::sessions(SessionsConfig::default(), resolver)?;
///
/// // Made anew for each request, the key finds the same session.
/// for _ in 0..2 {
///     let key = SessionKey::new(InProcessTransport::new("weather")).of_conversation("42");
///     let result = sessions.session(key).call_tool("forecast", ()).await?;
///     assert_eq!(result.content[0].as_text(), Some("sunny"));
/// }
/// assert_eq!(sessions.counters().created, 1);
/// sessions.close().await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ConnectError::NoRuntime`].
pub fn sessions(config: SessionsConfig, resolver: Resolver) -> Result<Sessions<SessionKey>, ConnectError> {
    let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    let (sessions, driver) = sessions_over(config, resolver);
    runtime.spawn(driver);
    Ok(sessions)
}

/// A pool of sessions with servers that transports name, and the future that drives it, for those who poll or spawn
/// it themselves.
///
/// The future ends when the last handle of the pool is dropped, or it is closed, and all its sessions are closed.
///
/// # Cancel safety
/// Dropping the future closes all connections at once; whoever waits for a session learns so. It has to be polled on a
/// tokio runtime with IO and time.
pub fn sessions_over(
    config: SessionsConfig,
    resolver: Resolver,
) -> (Sessions<SessionKey>, impl Future<Output = ()> + Send + use<>) {
    resolver.pool(config, Timer::new(Clock::start()), dial)
}

async fn dial(resolved: Resolved) -> Result<Connected, CallError> {
    let builder = resolved.client;
    match resolved.route {
        #[cfg(feature = "http")]
        #[cfg_attr(not(feature = "tls"), expect(unused, reason = "without TLS, its URL is refused"))]
        Route::Http(url, mut options, files) => {
            #[cfg(feature = "tls")]
            if let Some(files) = files {
                // Files block their thread, which the pool and its connections run on.
                let given = *options;
                let loading = tokio::task::spawn_blocking(move || files.apply(given)).await;
                *options = reached("the files for TLS", loading)??;
            }
            let (client, driver) = reached("the URL", crate::http::client_over_http(&url, builder, &options))?;
            Ok(Connected::new(client, Task::spawn(driver)))
        }
        #[cfg(feature = "child")]
        Route::Child(command) => {
            let (client, driver) = reached("the child", crate::child::child_over(&command, builder))?;
            // Not a task: a runtime that shuts down would not wait for it.
            Ok(Connected::new(client, async { drop(driver.await) }))
        }
        #[cfg(unix)]
        Route::Unix(path) => {
            let stream = reached(&path, UnixStream::connect(&path).await)?;
            let (client, driver) = client_over(stream, builder);
            Ok(Connected::new(client, Task::spawn(async { drop(driver.await) })))
        }
        Route::Tcp(address) => {
            let stream = reached(&address, TcpStream::connect(&address).await)?;
            reached(&address, stream.set_nodelay(true))?;
            let (client, driver) = client_over(stream, builder);
            Ok(Connected::new(client, Task::spawn(async { drop(driver.await) })))
        }
        Route::InProcess(server) => {
            let (client, driver) = duplex(&server, builder);
            Ok(Connected::in_process(client, Task::spawn(driver)))
        }
        _ => Err(unsupported()),
    }
}

/// What drives a connection, in a task of its own that ends with it.
struct Task(JoinHandle<()>);

impl Task {
    fn spawn(driver: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(driver))
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // A handle that is dropped lets its task run on.
        self.0.abort();
    }
}
