//! Listeners for byte streams, on both runtimes: many connections, and a graceful end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use mcp_proto::Timeouts;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::server::Context;
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::ErrorCode;
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_tests::conformance::arguments::Runtime;
use mcp_tests::runtime::Driver;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use smol::channel::{Receiver, bounded};

const RUNTIMES: [Runtime; 2] = [Runtime::Tokio, Runtime::Smol];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tcp,
    #[cfg(unix)]
    Unix,
}

const KINDS: &[Kind] = &[
    Kind::Tcp,
    #[cfg(unix)]
    Kind::Unix,
];

/// Where a listener is.
#[derive(Clone, Debug)]
enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

type Serving = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Listens somewhere new, until `shutdown`.
async fn listen(runtime: Runtime, kind: Kind, server: Server, shutdown: Receiver<()>) -> (Address, Serving) {
    let shutdown = async move {
        let _ = shutdown.recv().await;
    };
    match (kind, runtime) {
        (Kind::Tcp, Runtime::Tokio) => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
            let address = Address::Tcp(listener.local_addr().expect("an address"));
            (
                address,
                Box::pin(mcp_tokio::stream::serve_tcp_until(listener, server, shutdown)),
            )
        }
        (Kind::Tcp, Runtime::Smol) => {
            let listener = smol::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
            let address = Address::Tcp(listener.local_addr().expect("an address"));
            (
                address,
                Box::pin(mcp_smol::stream::serve_tcp_until(listener, server, shutdown)),
            )
        }
        #[cfg(unix)]
        (Kind::Unix, runtime) => {
            let number = LISTENERS.fetch_add(1, Ordering::Relaxed);
            let name = format!("mcp-listeners-{}-{number}.sock", std::process::id());
            let path = std::env::temp_dir().join(name);
            let serving: Serving = match runtime {
                Runtime::Tokio => {
                    let listener = tokio::net::UnixListener::bind(&path).expect("bind");
                    Box::pin(mcp_tokio::stream::serve_unix_until(listener, server, shutdown))
                }
                Runtime::Smol => {
                    let listener = smol::net::unix::UnixListener::bind(&path).expect("bind");
                    Box::pin(mcp_smol::stream::serve_unix_until(listener, server, shutdown))
                }
            };
            (Address::Unix(path), serving)
        }
    }
}

/// A client; what drives it is `spawned`.
async fn connect(runtime: Runtime, address: &Address, spawned: &mut Vec<Driver>) -> io::Result<Client> {
    let config = ClientConfig::named("test", "1");
    let spawn = |driver| spawned.push(driver);
    match (address, runtime) {
        (Address::Tcp(address), Runtime::Tokio) => mcp_tokio::stream::connect_tcp(address, config).await,
        (Address::Tcp(address), Runtime::Smol) => mcp_smol::stream::connect_tcp(*address, config, spawn).await,
        #[cfg(unix)]
        (Address::Unix(path), Runtime::Tokio) => mcp_tokio::stream::connect_unix(path, config).await,
        #[cfg(unix)]
        (Address::Unix(path), Runtime::Smol) => mcp_smol::stream::connect_unix(path, config, spawn).await,
    }
}

/// Runs a scenario on every runtime, for a minute at most.
fn everywhere(scenario: impl AsyncFn(Runtime, Kind)) {
    for (runtime, kind) in RUNTIMES
        .iter()
        .flat_map(|runtime| KINDS.iter().map(|kind| (*runtime, *kind)))
    {
        let late = async {
            smol::Timer::after(Duration::from_secs(60)).await;
            panic!("in time, on {runtime:?} over {kind:?}");
        };
        let bounded = smol::future::or(scenario(runtime, kind), late);
        match runtime {
            Runtime::Tokio => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(bounded),
            Runtime::Smol => smol::block_on(bounded),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
struct Time {
    milliseconds: u64,
}

/// A server that counts what it begins, and waits so long for it at the end.
fn server(begun: &Arc<AtomicUsize>, close: Duration) -> Server {
    let begun = Arc::clone(begun);
    let timeouts = Timeouts::default().with_close(close);
    Server::builder("listeners", "1")
        .timeouts(timeouts)
        .tool("sleep", "Takes its time", move |args: Time| {
            begun.fetch_add(1, Ordering::SeqCst);
            async move {
                smol::Timer::after(Duration::from_millis(args.milliseconds)).await;
                Ok::<_, mcp_tokio::ToolError>("slept")
            }
        })
        .tool("who", "Says who asks", |context: Context| {
            let sender = context.asker().map(|asker| &asker.sender);
            let (address, connection) = sender.map_or((None, None), |sender| (sender.address, sender.connection));
            format!("{:?} {}", address.map(|address| address.ip()), connection.is_some())
        })
        .tool("panic", "Is broken", || async {
            match std::hint::black_box(true) {
                true => panic!("a handler panics, as it should here"),
                false => Ok("never"),
            }
        })
        .build()
}

async fn sleep(client: &Client, milliseconds: u64) -> Result<String, CallError> {
    let result = client.call_tool("sleep", json!({"milliseconds": milliseconds})).await?;
    Ok(result.content[0].as_text().unwrap_or_default().to_owned())
}

#[test]
fn many_connections_are_served_and_closed_gracefully_at_the_end() {
    everywhere(async |runtime, kind| {
        let begun = Arc::default();
        let (stop, stopped) = bounded(1);
        let (address, serving) = listen(runtime, kind, server(&begun, Duration::from_secs(30)), stopped).await;
        let clients = async {
            let (mut clients, mut drivers) = (Vec::new(), Vec::new());
            for _ in 0..20 {
                clients.push(connect(runtime, &address, &mut drivers).await.expect("a client"));
            }
            let calls = async {
                let first = join_all(clients.iter().map(|client| sleep(client, 1))).await;
                assert!(
                    first.iter().all(|outcome| outcome.as_deref() == Ok("slept")),
                    "{first:?}"
                );
                let stop = async {
                    while begun.load(Ordering::SeqCst) < 40 {
                        smol::Timer::after(Duration::from_millis(2)).await;
                    }
                    drop(stop);
                };
                let (last, ()) = join(join_all(clients.iter().map(|client| sleep(client, 300))), stop).await;
                assert!(last.iter().all(|outcome| outcome.as_deref() == Ok("slept")), "{last:?}");
                for client in &clients {
                    assert_eq!(sleep(client, 1).await, Err(CallError::Closed(CloseReason::Peer)));
                }
                Instant::now()
            };
            let (ended, _) = join(calls, join_all(drivers)).await;
            ended
        };
        let (served, ended) = join(serving, clients).await;
        served.expect("a graceful end");
        assert!(ended.elapsed() < Duration::from_secs(20), "it waits for nothing");
        let refused = connect(runtime, &address, &mut Vec::new()).await;
        assert_eq!(refused.expect_err("closed").kind(), io::ErrorKind::ConnectionRefused);
        #[cfg(unix)]
        if let Address::Unix(path) = address {
            std::fs::remove_file(path).expect("remove");
        }
    });
}

#[test]
fn a_handler_that_panics_answers_its_own_call_alone() {
    everywhere(async |runtime, kind| {
        let begun = Arc::default();
        let (stop, stopped) = bounded(1);
        let (address, serving) = listen(runtime, kind, server(&begun, Duration::from_secs(30)), stopped).await;
        let scenario = async {
            let mut drivers = Vec::new();
            let other = connect(runtime, &address, &mut drivers).await.expect("a client");
            let client = connect(runtime, &address, &mut drivers).await.expect("a client");
            let calls = async move {
                assert_eq!(sleep(&other, 1).await.as_deref(), Ok("slept"));
                let (beside, broken) = join(sleep(&client, 50), client.call_tool("panic", ())).await;
                assert_eq!(beside.as_deref(), Ok("slept"), "what is beside it on its connection");
                let CallError::Rpc(error) = broken.expect_err("no result") else {
                    panic!("another error")
                };
                assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
                assert!(!error.message.contains("as it should here"), "{error:?}");
                assert_eq!(sleep(&other, 1).await.as_deref(), Ok("slept"));
                drop(stop);
            };
            join(calls, join_all(drivers)).await
        };
        let (served, _) = join(serving, scenario).await;
        served.expect("a graceful end");
        #[cfg(unix)]
        if let Address::Unix(path) = address {
            std::fs::remove_file(path).expect("remove");
        }
    });
}

#[test]
fn handlers_see_who_asks() {
    everywhere(async |runtime, kind| {
        let begun = Arc::default();
        let (stop, stopped) = bounded(1);
        let (address, serving) = listen(runtime, kind, server(&begun, Duration::from_secs(30)), stopped).await;
        let scenario = async {
            let mut drivers = Vec::new();
            let client = connect(runtime, &address, &mut drivers).await.expect("a client");
            let calls = async move {
                let who = client.call_tool("who", ()).await.expect("a result").to_text();
                match kind {
                    Kind::Tcp => assert_eq!(who, "Some(127.0.0.1) true"),
                    #[cfg(unix)]
                    Kind::Unix => assert_eq!(who, "None true"),
                }
                drop(stop);
            };
            join(calls, join_all(drivers)).await
        };
        let (served, _) = join(serving, scenario).await;
        served.expect("a graceful end");
        #[cfg(unix)]
        if let Address::Unix(path) = address {
            std::fs::remove_file(path).expect("remove");
        }
    });
}

#[test]
fn what_takes_too_long_does_not_hold_up_the_end() {
    everywhere(async |runtime, kind| {
        let begun = Arc::default();
        let (stop, stopped) = bounded(1);
        let (address, serving) = listen(runtime, kind, server(&begun, Duration::from_millis(200)), stopped).await;
        let scenario = async {
            let mut drivers = Vec::new();
            let client = connect(runtime, &address, &mut drivers).await.expect("a client");
            let stop = async {
                while begun.load(Ordering::SeqCst) == 0 {
                    smol::Timer::after(Duration::from_millis(2)).await;
                }
                drop(stop);
                Instant::now()
            };
            let calls = async move {
                let (outcome, stopped) = join(sleep(&client, 600_000), stop).await;
                assert_eq!(outcome, Err(CallError::Closed(CloseReason::Peer)));
                stopped
            };
            join(calls, join_all(drivers)).await.0
        };
        let (served, stopped) = join(serving, scenario).await;
        served.expect("an end");
        assert!(stopped.elapsed() < Duration::from_secs(20), "{:?}", stopped.elapsed());
        #[cfg(unix)]
        if let Address::Unix(path) = address {
            std::fs::remove_file(path).expect("remove");
        }
    });
}
