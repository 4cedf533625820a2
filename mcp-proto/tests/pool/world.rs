//! A server in memory, a pool of clients of it, and ways to break what is between them.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use mcp_proto::Time;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::client::ClientPump;
use mcp_proto::handle::server::{Context, ToolError};
use mcp_proto::handle::sessions::{Connected, Session, Sessions};
use mcp_proto::handle::{Client, Pump, Server};
use mcp_proto::handle::{Crossing, Timer};
use mcp_proto::jsonrpc::RawJson;
use mcp_proto::model::{Json, Tool};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::SessionsConfig;
use serde_json::json;

use super::executor::{Clock, Executor};

pub(crate) type Key = String;

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What the network and the server do; tests change it as they go.
#[derive(Clone)]
pub(crate) struct Fate {
    /// How long connecting takes.
    pub(crate) connect: Duration,
    /// Whether connecting fails.
    pub(crate) refuses: bool,
    /// Whether nothing is ever answered.
    pub(crate) mute: bool,
    /// Whether the server takes everything, and answers nothing.
    pub(crate) deaf: bool,
    pub(crate) mode: Mode,
    /// What answers, where it is another server.
    pub(crate) server: Option<Server>,
}

/// What is between clients and servers.
pub(crate) struct Network {
    pub(crate) fate: Mutex<Fate>,
    /// How many connections were begun, by key.
    pub(crate) connects: Mutex<BTreeMap<Key, usize>>,
    /// How many connections are open.
    pub(crate) open: AtomicUsize,
    /// How many calls the server has begun.
    pub(crate) calls: AtomicUsize,
    /// What servers were asked before the first call: `server/discover`, `initialize`.
    pub(crate) asked: Mutex<Vec<&'static str>>,
    cuts: Mutex<Vec<Arc<Cut>>>,
}

#[derive(Default)]
struct Cut {
    is_cut: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

pub(crate) struct World {
    pub(crate) executor: Executor,
    pub(crate) network: Arc<Network>,
    pub(crate) sessions: Sessions<Key>,
    pub(crate) server: Server,
    /// The handle that the tools of the server have.
    pub(crate) own: Arc<Mutex<Option<Session<Key>>>>,
}

impl World {
    pub(crate) fn new(mode: Mode, config: SessionsConfig) -> Self {
        let mut executor = Executor::default();
        let fate = Fate {
            connect: ms(10),
            refuses: false,
            mute: false,
            deaf: false,
            mode,
            server: None,
        };
        let network = Arc::new(Network {
            fate: Mutex::new(fate),
            connects: Mutex::default(),
            open: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            asked: Mutex::default(),
            cuts: Mutex::default(),
        });
        // The server's tools call the server through the pool that it is called through.
        let own: Arc<Mutex<Option<Session<Key>>>> = Arc::default();
        let server = server(&executor.clock, &network, &own);
        let (clock, net, served) = (executor.clock.clone(), network.clone(), server.clone());
        let connect = move |key: &Key| connect(key.clone(), net.clone(), served.clone(), clock.clone());
        let (sessions, driver) = Sessions::new(config, connect);
        *own.lock().unwrap() = Some(sessions.session("server"));
        let timer = executor.clock.clone();
        executor.spawn(driver.run(timer));
        Self {
            executor,
            network,
            sessions,
            server,
            own,
        }
    }

    pub(crate) fn session(&self) -> Session<Key> {
        self.sessions.session("server")
    }

    pub(crate) fn connects(&self, key: &str) -> usize {
        self.network
            .connects
            .lock()
            .unwrap()
            .get(key)
            .copied()
            .unwrap_or_default()
    }

    /// What servers were asked since this was last said.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.network.asked.lock().unwrap())
    }

    pub(crate) fn open(&self) -> usize {
        self.network.open.load(Ordering::SeqCst)
    }

    pub(crate) fn calls(&self) -> usize {
        self.network.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Fate)) {
        change(&mut self.network.fate.lock().unwrap());
    }

    /// All connections end, as when the servers' processes are killed.
    pub(crate) fn kill(&self) {
        for cut in self.network.cuts.lock().unwrap().drain(..) {
            cut.is_cut.store(true, Ordering::SeqCst);
            if let Some(waker) = cut.waker.lock().unwrap().take() {
                waker.wake();
            }
        }
    }
}

async fn connect(key: Key, network: Arc<Network>, server: Server, clock: Clock) -> Result<Connected, CallError> {
    *network.connects.lock().unwrap().entry(key).or_default() += 1;
    let fate = network.fate.lock().unwrap().clone();
    clock.sleep(fate.connect).await;
    if fate.refuses {
        return Err(CallError::Unreachable("connection refused".into()));
    }
    let (client, pump) = Client::over_stream(ClientConfig::named("host", "1").with_mode(fate.mode));
    let cut = Arc::new(Cut::default());
    network.cuts.lock().unwrap().push(cut.clone());
    network.open.fetch_add(1, Ordering::SeqCst);
    let open = Open(network.clone());
    if fate.mute {
        let driver = async move {
            let _held = (pump, open);
            std::future::pending::<()>().await;
        };
        return Ok(Connected::new(client, driver));
    }
    let pump = Shared(Arc::new(pump), network);
    let server = fate.server.unwrap_or(server);
    if fate.deaf {
        return Ok(Connected::new(client, swallow(pump, cut, clock, open)));
    }
    Ok(Connected::in_process(client, cross(pump, server, cut, clock, open)))
}

/// A pump that is reached from two sides.
#[derive(Clone)]
struct Shared(Arc<ClientPump>, Arc<Network>);

impl Pump for Shared {
    fn poll_wants_input(&self, cx: &mut TaskContext<'_>) -> Poll<bool> {
        self.0.poll_wants_input(cx)
    }
    fn receive(&self, now: Time, bytes: Bytes) {
        self.0.receive(now, bytes);
    }
    fn receive_eof(&self, now: Time) {
        self.0.receive_eof(now);
    }
    fn poll_work(&self, cx: &mut TaskContext<'_>, now: Time) {
        self.0.poll_work(cx, now);
    }
    fn poll_transmit(&self, cx: &mut TaskContext<'_>, now: Time) -> Poll<Option<Bytes>> {
        let transmit = self.0.poll_transmit(cx, now);
        if let Poll::Ready(Some(bytes)) = &transmit {
            let text = String::from_utf8_lossy(bytes);
            let asks = |method: &&str| text.contains(&format!("\"{method}\""));
            let asked = ["server/discover", "initialize"].into_iter().filter(asks);
            self.1.asked.lock().unwrap().extend(asked);
        }
        transmit
    }
    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
    fn handle_timeout(&self, now: Time) {
        self.0.handle_timeout(now);
    }
}

/// Drives a connection until it is over, or cut, as when the server's process ends.
fn cross(pump: Shared, server: Server, cut: Arc<Cut>, clock: Clock, open: Open) -> impl Future<Output = ()> {
    let mut timer = clock.clone();
    let mut crossing = Crossing::new(pump.clone(), server.pump());
    poll_fn(move |cx| {
        let _held = &open;
        *cut.waker.lock().unwrap() = Some(cx.waker().clone());
        if cut.is_cut.load(Ordering::SeqCst) {
            pump.receive_eof(Timer::now(&clock));
            return Poll::Ready(());
        }
        let now = Timer::now(&clock);
        crossing.poll(cx, now, |cx, deadline| {
            timer.poll(cx, deadline).map(|()| Timer::now(&clock))
        })
    })
}

/// Takes everything and answers nothing, until the connection is over or cut.
fn swallow(pump: Shared, cut: Arc<Cut>, clock: Clock, open: Open) -> impl Future<Output = ()> {
    let mut timer = clock.clone();
    poll_fn(move |cx| {
        let _held = &open;
        *cut.waker.lock().unwrap() = Some(cx.waker().clone());
        loop {
            let now = Timer::now(&clock);
            if cut.is_cut.load(Ordering::SeqCst) {
                pump.receive_eof(now);
                return Poll::Ready(());
            }
            while let Poll::Ready(bytes) = pump.poll_transmit(cx, now) {
                if bytes.is_none() {
                    return Poll::Ready(());
                }
            }
            if timer.poll(cx, pump.deadline()).is_pending() {
                return Poll::Pending;
            }
            pump.handle_timeout(Timer::now(&clock));
        }
    })
}

/// A connection that is open.
struct Open(Arc<Network>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn server(clock: &Clock, network: &Arc<Network>, own: &Arc<Mutex<Option<Session<Key>>>>) -> Server {
    let tool = |name: &str| Tool::new(name, Json::empty_object());
    let own = own.clone();
    let (clock, network) = (clock.clone(), network.clone());
    Server::builder("server", "1")
        .raw_tool(tool("echo"), |_, _| async { Ok("hello") })
        .raw_tool(tool("panic"), |_, _| async {
            match std::hint::black_box(true) {
                true => panic!("a handler panics, as it should here"),
                false => Ok("never"),
            }
        })
        .raw_tool(tool("slow"), move |_, context: Context| {
            let clock = clock.clone();
            network.calls.fetch_add(1, Ordering::SeqCst);
            async move {
                clock.sleep(ms(1_000)).await;
                context.progress(1.0, None, None).await;
                clock.sleep(ms(1_000)).await;
                Ok("at last")
            }
        })
        .raw_tool(tool("deeper"), move |arguments: RawJson, _| {
            let own = own.lock().unwrap().clone();
            async move {
                let depth: u64 = arguments.decode::<BTreeMap<String, u64>>().unwrap()["depth"];
                let Some(own) = own.filter(|_| depth > 0) else {
                    return Ok("bottom".to_owned());
                };
                let result = own.call_tool("deeper", json!({"depth": depth - 1})).await;
                let result = result.map_err(|error| ToolError::text(error.to_string()))?;
                Ok(result.content[0].as_text().unwrap_or("no text").to_owned())
            }
        })
        .build()
}
