//! A client and a server with a transport between them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::{Client, Pump, Server};
use mcp_proto::{Era, Revision, Time};
use mcp_tokio::http::HttpOptions;
use mcp_tokio::stream::connect_unix;
use mcp_tokio::{connect_with, drive, memory};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::server::{Probe, server};

/// A scenario that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a scenario over every transport, in both eras, on one thread and on several.
pub(crate) fn everywhere(scenario: impl AsyncFn(World)) {
    over(&[Transport::Http, Transport::Unix, Transport::Memory], scenario);
}

/// The same over these transports.
pub(crate) fn over(transports: &[Transport], scenario: impl AsyncFn(World)) {
    for threads in [1, 2] {
        for transport in transports {
            for era in [Era::Legacy, Era::Modern] {
                // Shown where the scenario fails.
                println!("{transport:?}, {era:?}, {threads} threads");
                runtime(threads).block_on(async {
                    let world = World::start(*transport, era).await;
                    timeout(PATIENCE, scenario(world)).await.expect("the scenario hangs");
                });
            }
        }
    }
}

/// A runtime of so many threads; of one, the current one.
pub(crate) fn runtime(threads: usize) -> Runtime {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Unix,
    Memory,
}

/// A server that runs, and a client of it that has not sent anything yet.
pub(crate) struct World {
    pub(crate) era: Era,
    pub(crate) transport: Transport,
    pub(crate) client: Client,
    /// What the server's tools have seen.
    pub(crate) probe: Arc<Probe>,
    /// What the server has received.
    pub(crate) wire: Wire,
    serving: JoinHandle<()>,
}

impl World {
    pub(crate) async fn start(transport: Transport, era: Era) -> Self {
        let probe = Arc::new(Probe::default());
        let wire = Wire::default();
        let server = server(&probe);
        let (client, serving) = match transport {
            Transport::Http => over_http(server, &wire, client_config(era)).await,
            Transport::Unix => over_unix(server, &wire, client_config(era)).await,
            Transport::Memory => over_memory(&server, &wire, client_config(era)),
        };
        probe.set_client(client.clone());
        Self {
            era,
            transport,
            client,
            probe,
            wire,
            serving,
        }
    }

    /// The server ends as if its process were killed.
    pub(crate) async fn kill_server(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Waits until the server has nothing left to do. Over a byte stream that is when its client is gone.
    pub(crate) async fn server_ended(&mut self) {
        let _ = (&mut self.serving).await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.probe.forget_client();
        self.serving.abort();
    }
}

/// A client of this era and no other.
pub(crate) fn client_config(era: Era) -> ClientConfig {
    let mode = match era {
        Era::Legacy => Mode::Legacy(Revision::LATEST_LEGACY),
        Era::Modern => Mode::Modern,
    };
    Client::builder("e2e", "1").mode(mode).build()
}

async fn over_http(server: Server, wire: &Wire, config: ClientConfig) -> (Client, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let serving = serve_http(listener, server, wire);
    (
        connect_with(&url, config, &HttpOptions::default()).expect("a client"),
        serving,
    )
}

/// Serves `server` at `/mcp`. Aborting the task closes every connection, as the end of a process does.
pub(crate) fn serve_http(listener: TcpListener, server: Server, wire: &Wire) -> JoinHandle<()> {
    let app = Router::new()
        .nest_service("/mcp", mcp_tokio::http::service(server))
        .layer(from_fn_with_state(wire.clone(), tap));
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a socket");
            let service = TowerToHyperService::new(app.clone());
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

async fn tap(State(wire): State<Wire>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    wire.saw(&body);
    if let Some(session) = head.headers.get("mcp-session-id") {
        let session = session.to_str().expect("visible ASCII").to_owned();
        *wire.session.lock().expect("not poisoned") = Some(session);
    }
    next.run(Request::from_parts(head, Body::from(body))).await
}

async fn over_unix(server: Server, wire: &Wire, config: ClientConfig) -> (Client, JoinHandle<()>) {
    let path = socket_path();
    let listener = UnixListener::bind(&path).expect("a socket");
    let client = connect_unix(&path, config).await.expect("a client");
    let (stream, _) = listener.accept().await.expect("the client");
    std::fs::remove_file(&path).expect("the socket has a name");
    let pump = Tapped(server.pump(), wire.clone());
    let serving = tokio::spawn(async { drive(pump, stream).await.unwrap_or_default() });
    (client, serving)
}

/// A path that no other test uses.
fn socket_path() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("mcp-e2e-{}-{number}.sock", std::process::id()))
}

fn over_memory(server: &Server, wire: &Wire, config: ClientConfig) -> (Client, JoinHandle<()>) {
    let (client, pump) = Client::over_stream(config);
    let serving = tokio::spawn(memory::join(pump, Tapped(server.pump(), wire.clone())));
    (client, serving)
}

/// Everything that a server has received.
#[derive(Clone, Default)]
pub(crate) struct Wire {
    bytes: Arc<Mutex<Vec<u8>>>,
    session: Arc<Mutex<Option<String>>>,
}

impl Wire {
    /// The session that was named last, over HTTP in the legacy era.
    pub(crate) fn session(&self) -> String {
        self.session.lock().expect("not poisoned").clone().expect("a session")
    }

    /// How many messages of this method have come in.
    pub(crate) fn count(&self, method: &str) -> usize {
        let bytes = self.bytes.lock().expect("not poisoned");
        String::from_utf8_lossy(&bytes)
            .matches(&format!("\"method\":\"{method}\""))
            .count()
    }

    /// How often a client has introduced itself.
    pub(crate) fn handshakes(&self) -> usize {
        self.count("initialize") + self.count("server/discover")
    }

    fn saw(&self, bytes: &[u8]) {
        self.bytes.lock().expect("not poisoned").extend_from_slice(bytes);
    }
}

/// A pump whose input is kept.
struct Tapped<P>(P, Wire);

impl<P: Pump> Pump for Tapped<P> {
    fn poll_wants_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_wants_input(cx)
    }

    fn receive(&self, now: Time, bytes: Bytes) {
        self.1.saw(&bytes);
        self.0.receive(now, bytes);
    }

    fn receive_eof(&self, now: Time) {
        self.0.receive_eof(now);
    }

    fn poll_work(&self, cx: &mut Context<'_>, now: Time) {
        self.0.poll_work(cx, now);
    }

    fn poll_transmit(&self, cx: &mut Context<'_>, now: Time) -> Poll<Option<Bytes>> {
        self.0.poll_transmit(cx, now)
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    fn handle_timeout(&self, now: Time) {
        self.0.handle_timeout(now);
    }
}
