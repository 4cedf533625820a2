//! What a scenario needs of a runtime.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use ::smol::channel;
use futures_util::future::{Either, select};
use mcp_driver::Resolver;
use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::{Client, Server, Sessions};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::sessions::{SessionKey, SessionsConfig};

use super::address::Address;
use super::flavour::Flavour;
use super::futures::{Driver, Failure, Local, Sending};
use super::in_memory::{AnyPump, Stream};
use super::site::Site;
use super::task::Task;

/// What a scenario needs of a runtime and its adapter.
pub trait Runtime {
    /// Which one it is.
    fn flavour(&self) -> Flavour;

    /// Ready after `time`. It has to be polled on this runtime.
    fn sleep(&self, time: Duration) -> Driver;

    /// Polls `task` until it is ready, or the runtime is gone.
    fn spawn(&self, task: Driver);

    /// A client of the endpoint `url`; the adapter's `connect_with`.
    ///
    /// # Errors
    /// Those of the adapter.
    fn connect_http(&self, url: &str, config: ClientConfig, options: &HttpOptions) -> Result<Client, Failure>;

    /// The same of a client that answers its server.
    ///
    /// # Errors
    /// Those of the adapter.
    fn connect_answering_with(
        &self,
        url: &str,
        client: ClientBuilder,
        options: &HttpOptions,
    ) -> Result<Client, Failure>;

    /// A client of the endpoint `url`, and what drives it; the adapter's `client_over_http`.
    ///
    /// # Errors
    /// Those of the adapter.
    fn client_over_http(&self, url: &str, config: ClientConfig) -> Result<(Client, Driver), Failure>;

    /// A client of the Unix socket `path`; the adapter's `connect_unix`.
    fn connect_unix<'a>(&'a self, path: &'a Path, config: ClientConfig) -> Local<'a, io::Result<Client>>;

    /// A client of a TCP port; the adapter's `connect_tcp`.
    fn connect_tcp(&self, address: SocketAddr, config: ClientConfig) -> Local<'_, io::Result<Client>>;

    /// A client over one end of a socket pair; the adapter's `client_over`, and the future that drives it.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn client_over(&self, stream: UnixStream, config: ClientConfig) -> io::Result<(Client, Sending<io::Result<()>>)>;

    /// A pool of sessions; the adapter's `sessions`.
    ///
    /// # Errors
    /// Those of the adapter.
    fn sessions(&self, config: SessionsConfig, resolver: Resolver) -> Result<Sessions<SessionKey>, Failure>;

    /// A client of `server` in this process; the adapter's `duplex`.
    fn duplex(&self, server: &Server, config: ClientConfig) -> (Client, Driver);

    /// Two pumps in memory; the adapter's `join`.
    fn join(&self, left: AnyPump, right: AnyPump) -> Driver;

    /// A pump over the other end of a socket pair; the adapter's `drive`.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn drive(&self, pump: AnyPump, stream: UnixStream) -> io::Result<Sending<io::Result<()>>>;

    /// A pump over a stream of the scenario's own; the adapter's `drive`.
    fn drive_over(&self, pump: AnyPump, stream: Stream) -> Sending<io::Result<()>>;

    /// A client over a stream of the scenario's own; the adapter's `connect_stream`.
    ///
    /// # Errors
    /// Those of the adapter.
    fn connect_stream(&self, stream: Stream, config: ClientConfig) -> Result<Client, Failure>;

    /// A client over a stream of the scenario's own, and what drives it; the adapter's `client_over`.
    fn client_over_stream(&self, stream: Stream, config: ClientConfig) -> (Client, Sending<io::Result<()>>);

    /// A server over a stream of the scenario's own; the adapter's `serve_stream`.
    fn serve_stream(&self, server: &Server, stream: Stream) -> Sending<io::Result<()>>;

    /// A server on a Unix socket; the adapter's `serve_unix`, once for each thread.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn serve_unix(&self, listener: UnixListener, server: &Server) -> io::Result<Task>;

    /// A server on a TCP port; the adapter's `serve_tcp`, once for each thread.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn serve_tcp(&self, listener: TcpListener, server: &Server) -> io::Result<Task>;

    /// A server over HTTP until `shutdown` is ready; the adapter's `serve_until`.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn serve_http(&self, listener: TcpListener, server: &Server, shutdown: Driver) -> io::Result<Task>;

    /// A server over HTTP as a service, and what has to be polled beside it; the adapter's `McpService`.
    fn service(&self, server: &Server, config: HttpConfig) -> (Site, Option<Driver>);

    /// Serves a site with hyper, every connection in the futures of the task: when it is stopped, all of them are
    /// closed at once, as at the end of a process.
    ///
    /// # Errors
    /// Where the runtime cannot watch the socket.
    fn serve_site(&self, listener: TcpListener, site: Site, beside: Option<Driver>) -> io::Result<Task>;
}

impl<'r> dyn Runtime + 'r {
    /// A client of the endpoint `url` that answers its server, with defaults for everything else.
    ///
    /// # Errors
    /// Those of the adapter.
    pub fn connect_answering(&self, url: &str, client: ClientBuilder) -> Result<Client, Failure> {
        self.connect_answering_with(url, client, &HttpOptions::default())
    }

    /// What `future` gives within `time`, or `None`.
    pub async fn within<T>(&self, time: Duration, future: impl Future<Output = T>) -> Option<T> {
        match select(pin!(future), self.sleep(time)).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(_) => None,
        }
    }

    /// Starts a task that can be stopped and waited for.
    pub fn start(&self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        Task::start([Box::pin(future) as Driver], |task| self.spawn(task))
    }

    /// Starts several as one.
    pub fn start_all(&self, futures: impl IntoIterator<Item = Driver>) -> Task {
        Task::start(futures, |task| self.spawn(task))
    }

    /// Runs `future` in a task of its own; what it gives, or `None` where it was dropped before.
    pub fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Sending<Option<T>> {
        let (done, outcome) = channel::bounded(1);
        self.spawn(Box::pin(async move {
            let _ = done.try_send(future.await);
        }));
        Box::pin(async move { outcome.recv().await.ok() })
    }

    /// A client of the server at this address, with the defaults of its adapter.
    ///
    /// # Errors
    /// Those of the adapter.
    pub async fn connect(&self, to: &Address, config: ClientConfig) -> Result<Client, Failure> {
        match to {
            Address::Http(url) => self.connect_http(url, config, &HttpOptions::default()),
            Address::Http2(url) => {
                let options = HttpOptions {
                    versions: HttpVersions::Http2,
                    ..HttpOptions::default()
                };
                self.connect_http(url, config, &options)
            }
            Address::Unix(path) => Ok(self.connect_unix(path, config).await?),
            Address::Tcp(address) => Ok(self.connect_tcp(*address, config).await?),
        }
    }
}
