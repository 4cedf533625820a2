//! A server that listens, in a thread of its own.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::select;
use mcp_driver::http::ServeOptions;
use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs};
use mcp_proto::http::server::HttpConfig;
use mcp_tests::runtime::{Flavour, listen};
use mcp_tests::world::{Echo, Number};
use rustls::ServerConfig;
use smol::channel::{self, Sender};
use tokio::sync::watch;

/// What a server is made with.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) options: ServeOptions,
    pub(crate) config: HttpConfig,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// What the handlers tell.
pub(crate) struct Seen {
    /// Handlers of `wait` that are alive.
    waiting: AtomicUsize,
    /// Set while `slow` is to wait.
    pub(crate) hold: AtomicBool,
    /// How many have come to `meet`.
    meeting: watch::Sender<u32>,
}

impl Seen {
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

/// A server that listens until it is dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    stop: Option<Sender<()>>,
    /// The server is dropped when this is.
    kill: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Runs a scenario against servers on every runtime.
pub(crate) fn everywhere(scenario: impl AsyncFn(&dyn Fn(Setup) -> Site)) {
    for flavour in Flavour::ALL {
        println!("{flavour}");
        Flavour::TokioCurrent.run(async |_| scenario(&|setup| Site::start(flavour, setup)).await);
    }
}

impl Site {
    fn start(flavour: Flavour, setup: Setup) -> Self {
        let (listener, _) = listen();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = channel::bounded::<()>(1);
        let (kill, killed) = channel::bounded::<()>(1);
        let seen = Arc::new(Seen {
            waiting: AtomicUsize::new(0),
            hold: AtomicBool::new(false),
            meeting: watch::Sender::new(0),
        });
        let Setup {
            options,
            config,
            limits,
            tls,
        } = setup;
        let server = server(&seen, flavour, limits);
        let thread = std::thread::spawn(move || {
            flavour.run(async |_| {
                let shutdown = async {
                    let _ = stopped.recv().await;
                };
                let serving = async {
                    if flavour.is_tokio() {
                        use mcp_tokio::http::server::{Listener, McpService, serve_until};
                        let socket = tokio::net::TcpListener::from_std(listener).unwrap();
                        let listener = match tls {
                            Some(config) => Listener::tls(socket, config),
                            None => socket.into(),
                        };
                        serve_until(listener, McpService::new(server, config), &options, shutdown).await
                    } else {
                        use mcp_smol::http::server::{Listener, McpService, serve_until};
                        let socket = smol::net::TcpListener::from(smol::Async::new(listener).unwrap());
                        let listener = match tls {
                            Some(config) => Listener::tls(socket, config),
                            None => socket.into(),
                        };
                        serve_until(listener, McpService::new(server, config), &options, shutdown).await
                    }
                };
                select(pin!(serving), pin!(killed.recv())).await;
            });
        });
        Self {
            address,
            seen,
            stop: Some(stop),
            kill: Some(kill),
            thread: Some(thread),
        }
    }

    /// Begins the graceful end.
    pub(crate) fn shut_down(&mut self) {
        self.stop = None;
    }

    /// Drops the server.
    pub(crate) fn kill(&mut self) {
        self.kill = None;
    }

    /// Waits until the server is gone.
    pub(crate) async fn gone(&mut self) {
        let thread = self.thread.take().unwrap();
        until(|| thread.is_finished()).await;
        thread.join().unwrap();
    }
}

/// Waits for something that another thread brings about.
pub(crate) async fn until(what: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not happen");
}

/// Counts a handler that is alive.
struct Alive(Arc<Seen>);

impl Alive {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.waiting.fetch_add(1, Ordering::SeqCst);
        Self(seen.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

fn server(seen: &Arc<Seen>, flavour: Flavour, limits: Limits) -> Server {
    let (waits, slows, meets) = (seen.clone(), seen.clone(), seen.clone());
    Server::builder("test", "1.0.0")
        .limits(limits)
        .tool("echo", "Says it again", |args: Echo| async move { Ok(args.text) })
        .tool("large", "So many bytes", |args: Number| async move {
            Ok("x".repeat(args.number as usize))
        })
        .tool("panic", "Is broken", |_: NoArgs| async {
            match std::hint::black_box(true) {
                true => panic!("a handler panics, as it should here"),
                false => Ok(String::new()),
            }
        })
        .tool("wait", "Waits for good", move |_: NoArgs| {
            let alive = Alive::new(&waits);
            async move {
                std::future::pending::<()>().await;
                drop(alive);
                Ok(String::new())
            }
        })
        .tool("slow", "Waits as long as it is held", move |_: NoArgs| {
            let alive = Alive::new(&slows);
            async move {
                while alive.0.hold.load(Ordering::SeqCst) {
                    flavour.sleep(Duration::from_millis(5)).await;
                }
                Ok("done".to_owned())
            }
        })
        .tool("test_reconnection", "Has its client come back for the answer", {
            move |_: NoArgs, context: Context| async move {
                let is_closed = context.close_stream();
                flavour.sleep(Duration::from_millis(20)).await;
                Ok(format!("closed: {is_closed}"))
            }
        })
        .tool("meet", "Waits until so many have come", move |args: Number| {
            let seen = meets.clone();
            async move {
                seen.meeting.send_modify(|count| *count += 1);
                let _ = seen.meeting.subscribe().wait_for(|count| *count >= args.number).await;
                Ok("met".to_owned())
            }
        })
        .build()
}
