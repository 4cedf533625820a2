//! Pools of sessions over everything that carries them, on every runtime: what the handles and the machine show on a
//! virtual clock (`mcp-proto/tests/pool`, `mcp-proto/tests/sessions`), with sockets and processes.

mod bounds;
mod losses;
mod transports;

use std::sync::Arc;

use mcp_driver::Resolver;
use mcp_proto::Era;
use mcp_proto::handle::Session;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{Authorization, HttpTransport, SessionKey, Transport};
use mcp_tests::runtime::{Flavour, Runtime, Task, listen};
use mcp_tests::world::{ERAS, Probe, Wire, client_config, server, tapped};
use serde_json::json;

/// Runs a scenario on every runtime, in both eras.
fn each(scenario: impl AsyncFn(&dyn Runtime, Era)) {
    for flavour in Flavour::ALL {
        for era in ERAS {
            println!("{era:?}, {flavour}");
            flavour.run(async |runtime| scenario(runtime, era).await);
        }
    }
}

/// A server over HTTP, and what it sees.
struct Site {
    url: String,
    wire: Wire,
    listener: std::net::TcpListener,
    serving: Task,
}

impl Site {
    fn start(runtime: &dyn Runtime) -> Self {
        let (listener, url) = listen();
        let wire = Wire::default();
        let serving = serve(runtime, listener.try_clone().unwrap(), &wire);
        Self {
            url,
            wire,
            listener,
            serving,
        }
    }

    /// Another process takes its place, that knows nothing of what was.
    async fn restart(&mut self, runtime: &dyn Runtime) {
        self.serving.stop().await;
        self.serving = serve(runtime, self.listener.try_clone().unwrap(), &self.wire);
    }

    fn transport(&self) -> Transport {
        HttpTransport::new(&self.url, Authorization::None).unwrap().into()
    }
}

fn serve(runtime: &dyn Runtime, listener: std::net::TcpListener, wire: &Wire) -> Task {
    let server = server(&Arc::new(Probe::default()), runtime.flavour());
    let (mcp, beside) = runtime.service(&server, HttpConfig::default());
    runtime.serve_site(listener, tapped(mcp, wire), beside).unwrap()
}

fn resolver(era: Era) -> Resolver {
    Resolver::new(client_config(era))
}

async fn echo(session: &Session<SessionKey>) -> Result<(), CallError> {
    let result = session.call_tool("echo", json!({"text": "x"})).await?;
    assert_eq!(result.content[0].as_text(), Some("x"));
    Ok(())
}

/// How many handshakes a session takes.
fn handshakes(era: Era) -> usize {
    usize::from(era == Era::Legacy)
}
