//! Streamable HTTP over Unix sockets: clients of every runtime, servers of either adapter.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::try_join_all;
use mcp_driver::ConnectError;
use mcp_driver::http::{HttpOptions, ServeOptions};
use mcp_proto::Revision;
use mcp_proto::client::{Change, ClientConfig, Mode};
use mcp_proto::handle::server::{Context, NoArgs, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::model::{
    ElicitResult, ElicitSchema, Json, ResourcesCapability, ServerCapabilities, StringSchema, SubscriptionFilter,
};
use mcp_tests::runtime::{Failure, Flavour, Runtime};
use mcp_tests::world::Echo;
use serde_json::{Value, json};
use smol::channel::{Sender, bounded};

const SERVERS: [Flavour; 2] = [Flavour::TokioCurrent, Flavour::SmolLocal];

/// A path of its own, whose file is removed with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("mcp-http-{}-{number}.sock", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server in a thread of its own, shut down when it is dropped.
struct Site {
    shutdown: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    fn start(flavour: Flavour, place: &Path, server: Server) -> Self {
        let _ = std::fs::remove_file(place);
        let listener = std::os::unix::net::UnixListener::bind(place).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let (shutdown, asked) = bounded::<()>(1);
        let thread = std::thread::spawn(move || {
            flavour.run(async |_| {
                let options = ServeOptions::default();
                let shutdown = async {
                    let _ = asked.recv().await;
                };
                let served = if flavour.is_tokio() {
                    use mcp_tokio::http::server::{McpService, serve_unix_until};
                    let service = McpService::new(server, HttpConfig::default());
                    let listener = tokio::net::UnixListener::from_std(listener).expect("a socket");
                    serve_unix_until(listener, service, &options, shutdown).await
                } else {
                    use mcp_smol::http::server::{McpService, serve_unix_until};
                    let service = McpService::new(server, HttpConfig::default());
                    let listener = smol::net::unix::UnixListener::from(smol::Async::new(listener).expect("a socket"));
                    serve_unix_until(listener, service, &options, shutdown).await
                };
                served.expect("a listener that is sound");
            });
        });
        let (shutdown, thread) = (Some(shutdown), Some(thread));
        Self { shutdown, thread }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shutdown = None;
        let joined = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            joined.into_iter().for_each(|joined| joined.expect("the server"));
        }
    }
}

#[derive(serde::Deserialize)]
struct Name {
    name: String,
}

fn server() -> Server {
    Server::builder("local", "1")
        .capabilities(ServerCapabilities::default().with_resources(ResourcesCapability::default().with_subscribe(true)))
        .resource("note://one", "One", || "a note")
        .tool("echo", "", |args: Echo| async move { Ok(args.text) })
        .tool("ask", "", async |_: NoArgs, context: Context| {
            let form = ElicitSchema::default().required("name", StringSchema::default());
            let answer = context.elicit("Who?", form).await?.accepted::<Name>()?;
            Ok::<_, ToolError>(answer.map_or_else(String::new, |answer| answer.name))
        })
        .tool("touch", "", |context: Context| {
            context.server().notify_resource_updated("note://one")?;
            Ok::<_, ToolError>("touched")
        })
        .tool("who", "", |context: Context| {
            let sender = context.asker().map(|asker| asker.sender.clone());
            format!(
                "{:?}",
                sender.map(|sender| (sender.address, sender.connection.is_some()))
            )
        })
        .build()
}

fn options(place: &Place) -> HttpOptions {
    HttpOptions {
        unix_socket: Some(place.0.clone()),
        ..HttpOptions::default()
    }
}

fn connect(runtime: &dyn Runtime, place: &Place) -> Client {
    let config = ClientConfig::named("test", "1");
    (runtime.connect_http("http://localhost/mcp", config, &options(place))).expect("a client")
}

async fn call(client: &Client, tool: &str, arguments: Value) -> String {
    client.call_tool(tool, arguments).await.expect("a result").to_text()
}

/// Each runtime before each server.
fn everywhere(scenario: impl AsyncFn(&dyn Runtime, &Place, Flavour)) {
    for client in Flavour::ALL {
        for server in SERVERS {
            println!("{client} before {server}");
            client.run(async |runtime| scenario(runtime, &Place::new(), server).await);
        }
    }
}

#[test]
fn everything_works_as_over_tcp() {
    everywhere(async |runtime, place, flavour| {
        let _site = Site::start(flavour, &place.0, server());
        for mode in [Mode::Legacy(Revision::LATEST_LEGACY), Mode::Modern] {
            let client = Client::builder("test", "1").mode(mode).on_elicit(|_, _| async {
                let filled = Json::from_serialize(&json!({"name": "Ada"})).expect("JSON");
                Ok(ElicitResult::accept(filled))
            });
            let client = over(runtime, place, client).expect("a client");
            assert_eq!(call(&client, "echo", json!({"text": "hi"})).await, "hi");
            assert_eq!(call(&client, "ask", json!({})).await, "Ada");
            assert_eq!(call(&client, "who", json!({})).await, "Some((None, true))");
            let filter = SubscriptionFilter::default().with_resource_subscriptions(vec!["note://one".into()]);
            let mut changes = client.listen(filter);
            changes.granted().await.expect("a subscription");
            call(&client, "touch", json!({})).await;
            let change = runtime.within(Duration::from_secs(10), changes.next()).await.flatten();
            assert!(matches!(change, Some(Ok(Change::Resource { .. }))), "{change:?}");
            client.close().await;
        }
    });
}

/// A client that answers, over the socket.
fn over(
    runtime: &dyn Runtime,
    place: &Place,
    client: mcp_proto::handle::client::ClientBuilder,
) -> Result<Client, Failure> {
    runtime.connect_answering_with("http://localhost/mcp", client, &options(place))
}

#[test]
fn a_hundred_calls_at_once() {
    everywhere(async |runtime, place, flavour| {
        let _site = Site::start(flavour, &place.0, server());
        let client = connect(runtime, place);
        let calls = (0..100).map(|number| client.call_tool("echo", json!({"text": number.to_string()})));
        let results = try_join_all(calls).await.expect("results");
        for (number, result) in results.iter().enumerate() {
            assert_eq!(result.to_text(), number.to_string());
        }
    });
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    everywhere(async |runtime, place, flavour| {
        let site = Site::start(flavour, &place.0, server());
        let client = connect(runtime, place);
        assert_eq!(call(&client, "echo", json!({"text": "a"})).await, "a");
        drop(site);
        std::fs::remove_file(&place.0).expect("the file is the application's to remove");
        // What is safe to be sent once more is, and meets nobody: its old connection is closed.
        let gone = client.read_resource("note://one").await.expect_err("no server");
        assert!(gone.to_string().contains(&place.0.display().to_string()), "{gone}");
        let _site = Site::start(flavour, &place.0, server());
        assert_eq!(call(&client, "echo", json!({"text": "c"})).await, "c");
    });
}

#[test]
fn there_is_no_tls_over_it() {
    for flavour in [Flavour::TokioCurrent, Flavour::SmolLocal] {
        flavour.run(async |runtime| {
            let config = ClientConfig::named("test", "1");
            let refused = runtime.connect_http("https://localhost/mcp", config, &options(&Place::new()));
            let error = refused.expect_err("no client");
            assert_eq!(error.downcast_ref(), Some(&ConnectError::TlsOverUnixSocket), "{error}");
        });
    }
}

#[test]
fn other_hosts_are_refused_here_too() {
    everywhere(async |runtime, place, flavour| {
        let _site = Site::start(flavour, &place.0, server());
        let config = ClientConfig::named("test", "1");
        let client = runtime
            .connect_http("http://evil.example/mcp", config, &options(place))
            .expect("a client");
        client
            .call_tool("echo", json!({"text": "a"}))
            .await
            .expect_err("no such host");
    });
}

#[test]
fn what_is_in_progress_ends_before_the_server_does() {
    everywhere(async |runtime, place, flavour| {
        let (started, running) = bounded::<()>(1);
        let (release, released) = bounded::<()>(1);
        let slow = move |_: NoArgs| {
            let (started, released) = (started.clone(), released.clone());
            async move {
                let _ = started.send(()).await;
                let _ = released.recv().await;
                Ok("done")
            }
        };
        let server = Server::builder("local", "1").tool("slow", "", slow).build();
        let site = Site::start(flavour, &place.0, server);
        let client = connect(runtime, place);
        let result = runtime.run(client.call_tool("slow", json!({})));
        running.recv().await.expect("a handler");
        let stopped = std::thread::spawn(move || drop(site));
        runtime.sleep(Duration::from_millis(50)).await;
        release.send(()).await.expect("a handler");
        let text = result.await.expect("a task").expect("a result").to_text();
        assert_eq!(text, "done");
        stopped.join().expect("the end");
    });
}
