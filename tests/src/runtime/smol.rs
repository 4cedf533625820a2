//! `mcp-smol` on smol.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net;
use std::os::unix::net as unix;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use mcp_driver::Resolver;
use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::{Client, Server, Sessions};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::sessions::{SessionKey, SessionsConfig};
use mcp_smol::http::server::{McpService, ServeOptions, serve_until};
use smol::net::TcpListener;
use smol::net::unix::{UnixListener, UnixStream};
use smol::{Async, Executor, LocalExecutor, Timer, channel};
use smol_hyper::rt::FuturesIo;

use super::face::Runtime;
use super::flavour::Flavour;
use super::futures::{Driver, Failure, Local, Sending};
use super::in_memory::{AnyPump, ForSmol, Stream};
use super::site::Site;
use super::task::Task;

/// Runs a scenario on an executor of this thread.
pub(super) fn run_local<T>(scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(scenario(&Smol::Local(&executor))))
}

/// Runs a scenario on this thread, and what it spawns on others.
pub(super) fn run_threads<T>(scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
    let executor = Executor::new();
    let (stop, stopped) = channel::bounded::<()>(1);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        // The threads end with the channel, after a failure as well.
        let _stop = stop;
        smol::block_on(scenario(&Smol::Threads(&executor)))
    })
}

/// Runs a scenario without any executor: what is spawned is polled beside it.
pub(super) fn run_alone<T>(scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
    let spawned = RefCell::new(Vec::new());
    let runtime = Smol::Alone(&spawned);
    let mut scenario = pin!(scenario(&runtime));
    let mut tasks = FuturesUnordered::<Driver>::new();
    smol::block_on(poll_fn(|cx| {
        loop {
            if let Poll::Ready(value) = scenario.as_mut().poll(cx) {
                return Poll::Ready(value);
            }
            tasks.extend(spawned.borrow_mut().drain(..));
            while let Poll::Ready(Some(())) = tasks.poll_next_unpin(cx) {}
            if spawned.borrow().is_empty() {
                return Poll::Pending;
            }
        }
    }))
}

pub(super) fn sleep(time: Duration) -> Driver {
    Box::pin(async move {
        Timer::after(time).await;
    })
}

/// Where tasks go.
enum Smol<'e> {
    Local(&'e LocalExecutor<'static>),
    Threads(&'e Executor<'static>),
    Alone(&'e RefCell<Vec<Driver>>),
}

impl Smol<'_> {
    /// What runs on as many futures as there are threads.
    fn start(&self, mut future: impl FnMut() -> io::Result<Driver>) -> io::Result<Task> {
        let futures = (0..self.flavour().servers()).map(|_| future());
        let futures = futures.collect::<io::Result<Vec<_>>>()?;
        Ok((self as &dyn Runtime).start_all(futures))
    }
}

impl Runtime for Smol<'_> {
    fn flavour(&self) -> Flavour {
        match self {
            Self::Local(_) => Flavour::SmolLocal,
            Self::Threads(_) => Flavour::SmolThreads,
            Self::Alone(_) => Flavour::SmolAlone,
        }
    }

    fn sleep(&self, time: Duration) -> Driver {
        sleep(time)
    }

    fn spawn(&self, task: Driver) {
        match self {
            Self::Local(executor) => executor.spawn(task).detach(),
            Self::Threads(executor) => executor.spawn(task).detach(),
            Self::Alone(tasks) => tasks.borrow_mut().push(task),
        }
    }

    fn connect_http(&self, url: &str, config: ClientConfig, options: &HttpOptions) -> Result<Client, Failure> {
        Ok(mcp_smol::connect_with(url, config, options, |driver| {
            self.spawn(driver)
        })?)
    }

    fn connect_answering_with(
        &self,
        url: &str,
        client: ClientBuilder,
        options: &HttpOptions,
    ) -> Result<Client, Failure> {
        let spawn = |driver| self.spawn(driver);
        Ok(mcp_smol::connect_with(url, client, options, spawn)?)
    }

    fn client_over_http(&self, url: &str, config: ClientConfig) -> Result<(Client, Driver), Failure> {
        let (client, driver) = mcp_smol::http::client_over_http(url, config, &HttpOptions::default())?;
        Ok((client, Box::pin(driver)))
    }

    fn sessions(&self, config: SessionsConfig, resolver: Resolver) -> Result<Sessions<SessionKey>, Failure> {
        Ok(mcp_smol::sessions(config, resolver, |driver| self.spawn(driver)))
    }

    fn connect_unix<'a>(&'a self, path: &'a Path, config: ClientConfig) -> Local<'a, io::Result<Client>> {
        Box::pin(mcp_smol::stream::connect_unix(path, config, |driver| {
            self.spawn(driver)
        }))
    }

    fn connect_tcp(&self, address: net::SocketAddr, config: ClientConfig) -> Local<'_, io::Result<Client>> {
        Box::pin(mcp_smol::stream::connect_tcp(address, config, |driver| {
            self.spawn(driver)
        }))
    }

    fn client_over(
        &self,
        stream: unix::UnixStream,
        config: ClientConfig,
    ) -> io::Result<(Client, Sending<io::Result<()>>)> {
        let stream = UnixStream::from(Async::new(stream)?);
        let (client, driver) = mcp_smol::stream::client_over(stream, config);
        Ok((client, Box::pin(driver)))
    }

    fn duplex(&self, server: &Server, config: ClientConfig) -> (Client, Driver) {
        let (client, driver) = mcp_smol::memory::duplex(server, config);
        (client, Box::pin(driver))
    }

    fn join(&self, left: AnyPump, right: AnyPump) -> Driver {
        Box::pin(mcp_smol::memory::join(left, right))
    }

    fn drive(&self, pump: AnyPump, stream: unix::UnixStream) -> io::Result<Sending<io::Result<()>>> {
        let stream = UnixStream::from(Async::new(stream)?);
        Ok(Box::pin(mcp_smol::drive(pump, stream)))
    }

    fn drive_over(&self, pump: AnyPump, stream: Stream) -> Sending<io::Result<()>> {
        Box::pin(mcp_smol::drive(pump, ForSmol(stream)))
    }

    fn connect_stream(&self, stream: Stream, config: ClientConfig) -> Result<Client, Failure> {
        Ok(mcp_smol::stream::connect_stream(ForSmol(stream), config, |driver| {
            self.spawn(driver)
        }))
    }

    fn client_over_stream(&self, stream: Stream, config: ClientConfig) -> (Client, Sending<io::Result<()>>) {
        let (client, driver) = mcp_smol::stream::client_over(ForSmol(stream), config);
        (client, Box::pin(driver))
    }

    fn serve_stream(&self, server: &Server, stream: Stream) -> Sending<io::Result<()>> {
        Box::pin(mcp_smol::stream::serve_stream(server, ForSmol(stream)))
    }

    fn serve_unix(&self, listener: unix::UnixListener, server: &Server) -> io::Result<Task> {
        let listener = UnixListener::from(Async::new(listener)?);
        self.start(|| {
            let serving = mcp_smol::stream::serve_unix(listener.clone(), server.clone());
            Ok(Box::pin(async { drop(serving.await) }))
        })
    }

    fn serve_tcp(&self, listener: net::TcpListener, server: &Server) -> io::Result<Task> {
        let listener = TcpListener::from(Async::new(listener)?);
        self.start(|| {
            let serving = mcp_smol::stream::serve_tcp(listener.clone(), server.clone());
            Ok(Box::pin(async { drop(serving.await) }))
        })
    }

    fn serve_http(&self, listener: net::TcpListener, server: &Server, shutdown: Driver) -> io::Result<Task> {
        let listener = TcpListener::from(Async::new(listener)?);
        let service = mcp_smol::http::service(server.clone());
        let (stop, stopped) = channel::bounded::<()>(1);
        self.spawn(Box::pin(async move {
            shutdown.await;
            drop(stop);
        }));
        self.start(|| {
            let (listener, service, stopped) = (listener.clone(), service.clone(), stopped.clone());
            Ok(Box::pin(async move {
                let shutdown = async {
                    let _ = stopped.recv().await;
                };
                drop(serve_until(listener, service, &ServeOptions::default(), shutdown).await);
            }))
        })
    }

    fn service(&self, server: &Server, config: HttpConfig) -> (Site, Option<Driver>) {
        let service = McpService::new(server.clone(), config);
        let upkeep = service.upkeep();
        (Site::of(service), Some(Box::pin(upkeep)))
    }

    fn serve_site(&self, listener: net::TcpListener, site: Site, beside: Option<Driver>) -> io::Result<Task> {
        let listener = TcpListener::from(Async::new(listener)?);
        let mut futures: Vec<Driver> = beside.into_iter().collect();
        for _ in 0..self.flavour().servers() {
            futures.push(Box::pin(accept(listener.clone(), site.clone())));
        }
        Ok((self as &dyn Runtime).start_all(futures))
    }
}

/// Serves every connection in this future.
async fn accept(listener: TcpListener, site: Site) {
    let mut connections = FuturesUnordered::new();
    loop {
        let next = match connections.is_empty() {
            true => Either::Left(std::future::pending()),
            false => Either::Right(connections.next()),
        };
        match select(pin!(listener.accept()), next).await {
            Either::Left((Ok((stream, _)), _)) => {
                let _ = stream.set_nodelay(true);
                let own = site.clone();
                let answer = service_fn(move |request| own.receive(request));
                let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), answer);
                connections.push(site.watch(connection));
            }
            Either::Left((Err(_), _)) | Either::Right(_) => {}
        }
    }
}
