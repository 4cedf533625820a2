//! The runtimes that every end-to-end scenario runs on, behind one face.
//!
//! A scenario is written once, against [`Runtime`], and [`Flavour::run`] runs it to its end on one of them. What is
//! served is bound with the standard library, so that an address is known before anything is polled.

mod in_memory;
mod listening;
mod site;
mod smol;
mod task;
mod tokio;
mod watchdog;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use mcp_driver::Resolver;
use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::{Client, Server, Sessions};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::sessions::{SessionKey, SessionsConfig};

pub use in_memory::{AnyPump, Stream};
pub use listening::{listen, listen_unix, raise_file_limit};
pub use site::{Answer, AnswerBody, Failed, Site, text};
pub use task::Task;

use watchdog::Watchdog;

/// A scenario that takes longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A future that any thread may poll.
pub type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The same with an outcome.
pub type Sending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that is polled where it was made.
pub type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Why something could not be set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A runtime, and how many threads of it there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// tokio on the current thread.
    TokioCurrent,
    /// tokio on threads of its own.
    TokioThreads,
    /// `smol::block_on` with a `LocalExecutor`.
    SmolLocal,
    /// A `smol::Executor` over several threads.
    SmolThreads,
    /// `smol::block_on` alone: whatever is spawned is polled beside the scenario.
    SmolAlone,
}

impl Flavour {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TokioCurrent,
        Self::TokioThreads,
        Self::SmolLocal,
        Self::SmolThreads,
        Self::SmolAlone,
    ];

    /// Those with an executor on one thread, where anything that blocks stops everything.
    pub const ONE_THREAD: [Self; 2] = [Self::TokioCurrent, Self::SmolLocal];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokioCurrent => "tokio",
            Self::TokioThreads => "tokio-threads",
            Self::SmolLocal => "smol",
            Self::SmolThreads => "smol-threads",
            Self::SmolAlone => "smol-alone",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| flavour.name() == name)
    }

    /// Whether it is tokio.
    pub fn is_tokio(self) -> bool {
        matches!(self, Self::TokioCurrent | Self::TokioThreads)
    }

    /// How many futures serve a listener, so that every thread has something to do.
    fn servers(self) -> usize {
        match self {
            Self::TokioCurrent | Self::SmolLocal | Self::SmolAlone => 1,
            Self::TokioThreads | Self::SmolThreads => 2,
        }
    }

    /// Runs a scenario to its end, on a runtime of its own that is gone afterwards.
    ///
    /// # Panics
    /// Where it panics, or takes longer than [`PATIENCE`]. Where it blocks the thread for so long, the process is
    /// aborted, after a line on standard error.
    pub fn run<T>(self, scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
        let _watchdog = Watchdog::start(PATIENCE * 2);
        self.run_on_its_own(async |runtime| {
            let hangs = "the scenario hangs";
            runtime.within(PATIENCE, scenario(runtime)).await.expect(hangs)
        })
    }

    /// The same without a bound in time, and without any thread beside those of the runtime.
    pub fn run_on_its_own<T>(self, program: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
        raise_file_limit();
        match self {
            Self::TokioCurrent | Self::TokioThreads => tokio::run(self, program),
            Self::SmolLocal => smol::run_local(program),
            Self::SmolThreads => smol::run_threads(program),
            Self::SmolAlone => smol::run_alone(program),
        }
    }

    /// Ready after `time`. It has to be polled on this runtime.
    pub fn sleep(self, time: Duration) -> Driver {
        match self.is_tokio() {
            true => tokio::sleep(time),
            false => smol::sleep(time),
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Where a server is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// The URL of an HTTP endpoint.
    Http(String),
    /// The same, of a server that is known to speak HTTP/2.
    Http2(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A TCP port, without HTTP.
    Tcp(SocketAddr),
}

/// What a scenario needs of a runtime and its adapter.
pub trait Runtime {
    /// Which one it is.
    fn flavour(&self) -> Flavour;

    /// Polls `task` until it is ready, or the runtime is gone.
    fn spawn(&self, task: Driver);

    /// A client of the endpoint `url`; the adapter's `connect_with`.
    ///
    /// # Errors
    /// Those of the adapter.
    fn connect_http(&self, url: &str, config: ClientConfig, options: &HttpOptions) -> Result<Client, Failure>;

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
    /// Ready after `time`.
    pub fn sleep(&self, time: Duration) -> Driver {
        self.flavour().sleep(time)
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
        let (done, outcome) = ::smol::channel::bounded(1);
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
