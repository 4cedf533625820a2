//! B: nothing blocks the executor.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mcp_proto::Era;
use mcp_proto::handle::server::Server;
use mcp_proto::handle::{Client, server::NoArgs};
use mcp_proto::http::server::{HttpConfig, ReplyForm};
use mcp_tests::meter::Meter;
use mcp_tests::runtime::{AnyPump, Flavour, Runtime, Task, listen};
use mcp_tests::world::{Echo, Number, Probe, client_config, server};
use serde_json::json;

use super::each;
use super::figures::Figures;

/// How often a session is made.
const ROUNDS: usize = 100;
/// How many calls are made at once.
const CROWD: u64 = 500;

/// A server and a client over HTTP, every future of both measured.
struct Measured<'r> {
    runtime: &'r dyn Runtime,
    meter: Meter,
    url: String,
    era: Era,
    _serving: Task,
}

impl<'r> Measured<'r> {
    fn start(runtime: &'r dyn Runtime, server: &Server, era: Era) -> Self {
        Self::with(runtime, server, era, HttpConfig::default())
    }

    fn with(runtime: &'r dyn Runtime, server: &Server, era: Era, config: HttpConfig) -> Self {
        let meter = Meter::default();
        let (listener, url) = listen();
        let (site, beside) = runtime.service(server, config);
        let beside = beside.map(|upkeep| Box::pin(meter.watch(upkeep)) as _);
        let serving = runtime.serve_site(listener, site.metered(&meter), beside);
        Self {
            runtime,
            meter,
            url,
            era,
            _serving: serving.unwrap(),
        }
    }

    /// A client that has sent nothing yet.
    fn client(&self) -> Client {
        let (client, driver) = self
            .runtime
            .client_over_http(&self.url, client_config(self.era))
            .unwrap();
        self.runtime.spawn(Box::pin(self.meter.watch(driver)));
        client
    }

    async fn echo(&self, client: &Client) {
        let call = client.call_tool("echo", json!({"text": "x"}));
        self.meter.watch(call).await.unwrap();
    }
}

/// The longest time between two beats of a task that wants to run every millisecond.
pub(crate) struct Heartbeat {
    longest: Arc<AtomicU64>,
    _beating: Task,
}

impl Heartbeat {
    pub(crate) fn start(runtime: &dyn Runtime, flavour: Flavour) -> Self {
        let longest = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&longest);
        let beating = runtime.start(async move {
            loop {
                let began = Instant::now();
                flavour.sleep(Duration::from_millis(1)).await;
                own.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
            }
        });
        Self {
            longest,
            _beating: beating,
        }
    }

    /// The longest gap since this was asked last.
    pub(crate) fn take(&self) -> Duration {
        Duration::from_micros(self.longest.swap(0, Ordering::Relaxed))
    }
}

#[test]
fn b1_no_poll_holds_the_thread_while_a_session_is_made() {
    each("B1", async |runtime, era, figures| {
        let flavour = runtime.flavour();
        let world = Measured::start(runtime, &server(&Arc::new(Probe::default()), flavour), era);
        let heartbeat = Heartbeat::start(runtime, flavour);
        runtime.sleep(Duration::from_millis(100)).await;
        let idle = heartbeat.take();
        for round in 0..ROUNDS {
            let client = world.client();
            world.echo(&client).await;
            if round == 0 {
                figures.time("longest poll, the very first session", world.meter.busy());
                world.meter.reset();
            }
            world.echo(&client).await;
            // The next session begins while this one is being closed.
        }
        let gap = heartbeat.take();
        figures.time("heartbeat: longest gap over the idle one", gap.saturating_sub(idle));
        figures.time("longest poll by the wall", world.meter.wall());
        figures.print("polls", world.meter.polls());
        figures.within("longest poll on the processor", world.meter.busy(), 1.0);
    });
}

#[test]
fn b1_a_crowd_of_calls_is_many_short_polls() {
    each("B1", async |runtime, era, figures| {
        let flavour = runtime.flavour();
        let server = server(&Arc::new(Probe::default()), flavour);
        let world = Measured::start(runtime, &server, era);
        let (in_memory, driver) = runtime.duplex(&server, client_config(era));
        runtime.spawn(Box::pin(world.meter.watch(driver)));
        for (way, client) in [("HTTP", world.client()), ("memory", in_memory)] {
            world.echo(&client).await;
            world.meter.reset();
            join_all((0..CROWD).map(|_| client.call_tool("echo", json!({"text": "x"})))).await;
            let what = format!("longest of {} polls, {CROWD} calls, {way}", world.meter.polls());
            figures.within(&what, world.meter.busy(), 5.0);
            assert!(world.meter.polls() >= CROWD / 128, "{what}");
        }
    });
}

/// A server of many tools, two of which move large texts.
fn large_server() -> Server {
    let mut builder = Server::builder("large", "1")
        .tool("large", "Gives so many bytes", |args: Number| async move {
            Ok("x".repeat(args.number as usize))
        })
        .tool("length", "Counts bytes", |args: Echo| async move {
            Ok(args.text.len().to_string())
        });
    for number in 0..10_000 {
        builder = builder.tool(format!("tool-{number}"), "One of many", |_: NoArgs| async { Ok("") });
    }
    builder.build()
}

/// Ten megabytes in one message, in a result and in a request: no poll of either side is long.
async fn large_messages(figures: Figures, way: &str, meter: &Meter, heartbeat: &Heartbeat, client: &Client) {
    const BYTES: usize = 10_000_000;
    let text = "x".repeat(BYTES);
    for (tool, arguments) in [("large", json!({"number": BYTES})), ("length", json!({"text": text}))] {
        let call = client.call_tool(tool, arguments);
        heartbeat.take();
        meter.reset();
        let began = Instant::now();
        let result = meter.watch(call).await.unwrap();
        let given = result.content[0].as_text().unwrap_or_default();
        assert!(
            given == text || given == BYTES.to_string(),
            "{tool}: {} bytes",
            given.len()
        );
        let what = |figure: &str| format!("{tool}, 10 MB, {way}: {figure}");
        figures.time(&what("time"), began.elapsed());
        figures.time(&what("longest gap of the heartbeat"), heartbeat.take());
        // A byte stream has no poll between a request and the reading of its arguments.
        match tool == "large" || way.starts_with("HTTP") {
            true => figures.within(&what("longest poll"), meter.busy(), 10.0),
            false => figures.time(&what("longest poll"), meter.busy()),
        }
    }
}

#[test]
fn b3_large_messages_and_long_lists_are_bounded_work() {
    each("B3", async |runtime, era, figures| {
        let (server, meter) = (large_server(), Meter::default());
        let heartbeat = Heartbeat::start(runtime, runtime.flavour());

        let world = Measured::start(runtime, &server, era);
        let client = world.client();
        large_messages(figures, "HTTP, JSON", &world.meter, &heartbeat, &client).await;

        world.meter.reset();
        let began = Instant::now();
        let tools = world.meter.watch(client.list_tools()).await.unwrap();
        assert_eq!(tools.len(), 10_002);
        figures.time("10,000 tools: time", began.elapsed());
        figures.time("10,000 tools: longest gap of the heartbeat", heartbeat.take());
        figures.within("10,000 tools: longest poll", world.meter.busy(), 10.0);

        let config = HttpConfig::default().reply(ReplyForm::Sse);
        let world = Measured::with(runtime, &server, era, config);
        large_messages(figures, "HTTP, SSE", &world.meter, &heartbeat, &world.client()).await;

        let (near, far) = UnixStream::pair().unwrap();
        let serving = runtime.drive(AnyPump::new(server.pump()), far).unwrap();
        let (client, driver) = runtime.client_over(near, client_config(era)).unwrap();
        for driver in [serving, driver] {
            let driver = meter.watch(driver);
            runtime.spawn(Box::pin(async { drop(driver.await) }));
        }
        large_messages(figures, "pipe", &meter, &heartbeat, &client).await;

        let (client, driver) = runtime.duplex(&server, client_config(era));
        runtime.spawn(Box::pin(meter.watch(driver)));
        large_messages(figures, "memory", &meter, &heartbeat, &client).await;
    });
}
