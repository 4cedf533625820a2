//! Pools of sessions with servers that transports name.

use std::future::Future;

use async_net::TcpStream;
#[cfg(unix)]
use async_net::unix::UnixStream;
use mcp_driver::{Resolved, Resolver, Route, reached, unsupported};
use mcp_proto::handle::Sessions;
use mcp_proto::handle::sessions::Connected;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{SessionKey, SessionsConfig};

use crate::clock::{Clock, Timer};
use crate::memory::duplex;
use crate::socket::Socket;
use crate::stream::client_over;
use mcp_proto::handle::sessions::Driver;

/// A pool of sessions with servers that transports name, driven with all its connections by the task that `spawn`
/// makes.
///
/// Connects to nothing: that is a part of the first await of a session.
///
/// ```
/// use mcp_smol::Resolver;
/// use mcp_proto::sessions::{InProcessTransport, SessionKey, SessionsConfig};
/// use mcp_smol::{ClientConfig, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weather = Server::builder("weather", "1.0.0")
///     .tool("forecast", "Forecast", |_: mcp_smol::NoArgs| async { Ok("sunny") })
///     .build();
/// let resolver = Resolver::new(ClientConfig::named("host", "1.0.0")).server("weather", weather);
/// let sessions = mcp_smol::sessions(SessionsConfig::default(), resolver, |driver| smol::spawn(driver).detach());
///
/// # smol::block_on(async {
/// // Made anew for each request, the key finds the same session.
/// for _ in 0..2 {
///     let key = SessionKey::new(InProcessTransport::new("weather")).of_conversation("42");
///     let result = sessions.session(key).call_tool("forecast", ()).await?;
///     assert_eq!(result.content[0].as_text(), Some("sunny"));
/// }
/// assert_eq!(sessions.counters().created, 1);
/// sessions.close().await;
/// # Ok(())
/// # })
/// # }
/// ```
pub fn sessions(config: SessionsConfig, resolver: Resolver, spawn: impl FnOnce(Driver)) -> Sessions<SessionKey> {
    let (sessions, driver) = sessions_over(config, resolver);
    spawn(Box::pin(driver));
    sessions
}

/// A pool of sessions with servers that transports name, and the future that drives it, for those who poll or spawn
/// it themselves.
///
/// The future ends when the last handle of the pool is dropped, or it is closed, and all its sessions are closed.
///
/// # Cancel safety
/// Dropping the future closes all connections at once; whoever waits for a session learns so. It may be polled on any
/// executor.
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
                *options = blocking::unblock(move || files.apply(given)).await?;
            }
            let (client, driver) = reached("the URL", crate::http::client_over_http(&url, builder, &options))?;
            Ok(Connected::new(client, driver))
        }
        #[cfg(feature = "child")]
        Route::Child(command) => {
            let (client, driver) = reached("the child", crate::child::child_over(&command, builder))?;
            Ok(Connected::new(client, async { drop(driver.await) }))
        }
        #[cfg(unix)]
        Route::Unix(path) => {
            let stream = reached(&path, UnixStream::connect(&path).await)?;
            let (client, driver) = client_over(Socket::new(stream), builder);
            Ok(Connected::new(client, async { drop(driver.await) }))
        }
        Route::Tcp(address) => {
            let stream = reached(&address, TcpStream::connect(&address).await)?;
            reached(&address, stream.set_nodelay(true))?;
            let (client, driver) = client_over(Socket::new(stream), builder);
            Ok(Connected::new(client, async { drop(driver.await) }))
        }
        Route::InProcess(server) => {
            let (client, driver) = duplex(&server, builder);
            Ok(Connected::in_process(client, driver))
        }
        _ => Err(unsupported()),
    }
}
