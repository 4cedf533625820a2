//! The server that is attacked, in a thread of its own.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use futures_util::future::select;
use mcp_driver::http::ServeOptions;
use mcp_proto::handle::Server;
use mcp_proto::http::server::HttpConfig;
use mcp_tests::runtime::{Flavour, listen};
use smol::channel::{self, Sender};

/// A server that listens until it is dropped.
pub(crate) struct Victim {
    pub(crate) address: SocketAddr,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Runs an attack on every runtime; the attacker and the honest client run on tokio.
pub(crate) fn everywhere(attack: impl AsyncFn(&dyn Fn(Server) -> Victim)) {
    attacked(Victim::over_http, attack);
}

/// The same on a listener for byte streams.
pub(crate) fn everywhere_on_streams(attack: impl AsyncFn(&dyn Fn(Server) -> Victim)) {
    attacked(Victim::over_streams, attack);
}

fn attacked(start: impl Fn(Flavour, Server) -> Victim, attack: impl AsyncFn(&dyn Fn(Server) -> Victim)) {
    let _alone = alone();
    for flavour in Flavour::ALL {
        println!("{flavour}");
        Flavour::TokioCurrent.run(async |_| attack(&|server| start(flavour, server)).await);
    }
}

/// One attack at a time, on whomever: what the process holds is its own.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Victim {
    fn over_http(flavour: Flavour, server: Server) -> Self {
        Self::start(flavour, async move |listener| {
            let (options, config) = (ServeOptions::default(), HttpConfig::default());
            if flavour.is_tokio() {
                use mcp_tokio::http::server::{Listener, McpService, serve_until};
                let listener = Listener::from(tokio::net::TcpListener::from_std(listener).unwrap());
                serve_until(listener, McpService::new(server, config), &options, pending()).await
            } else {
                use mcp_smol::http::server::{Listener, McpService, serve_until};
                let socket = smol::net::TcpListener::from(smol::Async::new(listener).unwrap());
                let listener = Listener::from(socket);
                serve_until(listener, McpService::new(server, config), &options, pending()).await
            }
        })
    }

    fn over_streams(flavour: Flavour, server: Server) -> Self {
        Self::start(flavour, async move |listener| {
            if flavour.is_tokio() {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                mcp_tokio::stream::serve_tcp(listener, server).await
            } else {
                let listener = smol::net::TcpListener::from(smol::Async::new(listener).unwrap());
                mcp_smol::stream::serve_tcp(listener, server).await
            }
        })
    }

    fn start<S>(flavour: Flavour, serve: S) -> Self
    where
        S: AsyncFnOnce(std::net::TcpListener) -> io::Result<()> + Send + 'static,
    {
        let (listener, _) = listen();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = channel::bounded::<()>(1);
        let thread = std::thread::spawn(move || {
            flavour.run(async |_| {
                select(pin!(serve(listener)), pin!(stopped.recv())).await;
            });
        });
        let (stop, thread) = (Some(stop), Some(thread));
        Self { address, stop, thread }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.stop = None;
        let joined = self.thread.take().map(JoinHandle::join);
        // Not where the test fails already: a second panic would hide the first.
        if !std::thread::panicking() {
            joined.into_iter().for_each(|joined| joined.unwrap());
        }
    }
}
