//! `mcp-tokio` on tokio.

use std::io;
use std::net;
use std::os::unix::net as unix;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mcp_driver::Resolver;
use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::{Client, Server, Sessions};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::sessions::{SessionKey, SessionsConfig};
use mcp_tokio::http::server::{McpService, ServeOptions, serve_until};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::runtime::Builder;

use super::face::Runtime;
use super::flavour::Flavour;
use super::futures::{Driver, Failure, Local, Sending};
use super::in_memory::{AnyPump, Stream};
use super::site::Site;
use super::task::Task;

/// Runs a scenario on the current thread, or with threads of its own.
pub(super) fn run<T>(flavour: Flavour, scenario: impl AsyncFnOnce(&dyn Runtime) -> T) -> T {
    let mut builder = match flavour {
        Flavour::TokioThreads => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = builder.worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(scenario(&Tokio(flavour)))
}

pub(super) fn sleep(time: Duration) -> Driver {
    Box::pin(async move { tokio::time::sleep(time).await })
}

struct Tokio(Flavour);

impl Runtime for Tokio {
    fn flavour(&self) -> Flavour {
        self.0
    }

    fn sleep(&self, time: Duration) -> Driver {
        sleep(time)
    }

    fn spawn(&self, task: Driver) {
        tokio::spawn(task);
    }

    fn connect_http(&self, url: &str, config: ClientConfig, options: &HttpOptions) -> Result<Client, Failure> {
        Ok(mcp_tokio::connect_with(url, config, options)?)
    }

    fn connect_answering_with(
        &self,
        url: &str,
        client: ClientBuilder,
        options: &HttpOptions,
    ) -> Result<Client, Failure> {
        Ok(mcp_tokio::connect_with(url, client, options)?)
    }

    fn client_over_http(&self, url: &str, config: ClientConfig) -> Result<(Client, Driver), Failure> {
        let (client, driver) = mcp_tokio::http::client_over_http(url, config, &HttpOptions::default())?;
        Ok((client, Box::pin(driver)))
    }

    fn sessions(&self, config: SessionsConfig, resolver: Resolver) -> Result<Sessions<SessionKey>, Failure> {
        Ok(mcp_tokio::sessions(config, resolver)?)
    }

    fn connect_unix<'a>(&'a self, path: &'a Path, config: ClientConfig) -> Local<'a, io::Result<Client>> {
        Box::pin(mcp_tokio::stream::connect_unix(path, config))
    }

    fn connect_tcp(&self, address: net::SocketAddr, config: ClientConfig) -> Local<'_, io::Result<Client>> {
        Box::pin(mcp_tokio::stream::connect_tcp(address, config))
    }

    fn client_over(
        &self,
        stream: unix::UnixStream,
        config: ClientConfig,
    ) -> io::Result<(Client, Sending<io::Result<()>>)> {
        let (client, driver) = mcp_tokio::stream::client_over(watched(stream)?, config);
        Ok((client, Box::pin(driver)))
    }

    fn duplex(&self, server: &Server, config: ClientConfig) -> (Client, Driver) {
        let (client, driver) = mcp_tokio::memory::duplex(server, config);
        (client, Box::pin(driver))
    }

    fn join(&self, left: AnyPump, right: AnyPump) -> Driver {
        Box::pin(mcp_tokio::memory::join(left, right))
    }

    fn drive(&self, pump: AnyPump, stream: unix::UnixStream) -> io::Result<Sending<io::Result<()>>> {
        Ok(Box::pin(mcp_tokio::drive(pump, watched(stream)?)))
    }

    fn drive_over(&self, pump: AnyPump, stream: Stream) -> Sending<io::Result<()>> {
        Box::pin(mcp_tokio::drive(pump, stream))
    }

    fn connect_stream(&self, stream: Stream, config: ClientConfig) -> Result<Client, Failure> {
        Ok(mcp_tokio::stream::connect_stream(stream, config)?)
    }

    fn client_over_stream(&self, stream: Stream, config: ClientConfig) -> (Client, Sending<io::Result<()>>) {
        let (client, driver) = mcp_tokio::stream::client_over(stream, config);
        (client, Box::pin(driver))
    }

    fn serve_stream(&self, server: &Server, stream: Stream) -> Sending<io::Result<()>> {
        Box::pin(mcp_tokio::stream::serve_stream(server, stream))
    }

    fn serve_unix(&self, listener: unix::UnixListener, server: &Server) -> io::Result<Task> {
        let serving = mcp_tokio::stream::serve_unix(UnixListener::from_std(listener)?, server.clone());
        Ok((self as &dyn Runtime).start(async { drop(serving.await) }))
    }

    fn serve_tcp(&self, listener: net::TcpListener, server: &Server) -> io::Result<Task> {
        let serving = mcp_tokio::stream::serve_tcp(TcpListener::from_std(listener)?, server.clone());
        Ok((self as &dyn Runtime).start(async { drop(serving.await) }))
    }

    fn serve_http(&self, listener: net::TcpListener, server: &Server, shutdown: Driver) -> io::Result<Task> {
        let listener = TcpListener::from_std(listener)?;
        let service = mcp_tokio::http::service(server.clone());
        Ok((self as &dyn Runtime).start(async move {
            let options = ServeOptions::default();
            drop(serve_until(listener, service, &options, shutdown).await);
        }))
    }

    fn service(&self, server: &Server, config: HttpConfig) -> (Site, Option<Driver>) {
        (Site::of(McpService::new(server.clone(), config)), None)
    }

    fn serve_site(&self, listener: net::TcpListener, site: Site, beside: Option<Driver>) -> io::Result<Task> {
        let mut futures: Vec<Driver> = beside.into_iter().collect();
        for _ in 0..self.0.servers() {
            let listener = TcpListener::from_std(listener.try_clone()?)?;
            futures.push(Box::pin(accept(listener, site.clone())));
        }
        Ok((self as &dyn Runtime).start_all(futures))
    }
}

/// Serves every connection in this future.
async fn accept(listener: TcpListener, site: Site) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let _ = stream.set_nodelay(true);
                let own = site.clone();
                let answer = service_fn(move |request| own.receive(request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                connections.push(site.watch(connection));
            }
            Some(_) = connections.next() => {}
        }
    }
}

fn watched(stream: unix::UnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
