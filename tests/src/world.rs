//! A client and a server with a transport between them: what an end-to-end scenario is about.
//!
//! ```
//! use mcp_tests::world::everywhere;
//!
//! everywhere(async |world| {
//!     world.client.call_tool("echo", serde_json::json!({"text": "hi"})).await.unwrap();
//! });
//! ```

mod remote;
mod server;
mod transport;
mod wire;

use std::fs;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::Client;
use mcp_proto::{Era, Revision};

pub use remote::Remote;
pub use server::{Echo, Number, Probe, Slow, Stream, server};
pub use transport::{Transport, tapped};
pub use wire::{Tapped, Wire};

use crate::runtime::{Address, Driver, Failure, Flavour, Runtime, Task};

/// Both eras of the protocol.
pub const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// Runs a scenario on every runtime, over every transport inside of one process, in both eras.
pub fn everywhere(scenario: impl AsyncFn(World<'_>)) {
    over(&Transport::ALL, scenario);
}

/// The same over these transports.
pub fn over(transports: &[Transport], scenario: impl AsyncFn(World<'_>)) {
    for flavour in Flavour::ALL {
        for transport in transports {
            for era in ERAS {
                // Shown where the scenario fails.
                println!("{transport:?}, {era:?}, {flavour}");
                flavour.run(async |runtime| scenario(World::start(runtime, *transport, era).await).await);
            }
        }
    }
}

/// Runs a scenario with the client on one runtime and the server on another, in a thread of its own, over every
/// transport that leads from one to the other.
pub fn across(scenario: impl AsyncFn(World<'_>)) {
    use Flavour::{SmolLocal, SmolThreads, TokioCurrent, TokioThreads};
    for (ours, theirs) in [
        (SmolLocal, TokioCurrent),
        (TokioCurrent, SmolLocal),
        (SmolThreads, TokioThreads),
        (TokioThreads, SmolThreads),
    ] {
        for transport in Transport::ACROSS {
            for era in ERAS {
                println!("{transport:?}, {era:?}, client on {ours}, server on {theirs}");
                ours.run(async |runtime| {
                    let world = World::start_across(runtime, theirs, transport, era).await;
                    scenario(world).await;
                });
            }
        }
    }
}

/// A server that runs, and a client of it that has not sent anything yet.
pub struct World<'r> {
    /// What the client runs on.
    pub runtime: &'r dyn Runtime,
    /// The era that the client speaks.
    pub era: Era,
    /// What is between the two.
    pub transport: Transport,
    /// The client.
    pub client: Client,
    /// What the server's tools have seen.
    pub probe: Arc<Probe>,
    /// What the server has received, where the transport is tapped.
    pub wire: Wire,
    address: Option<Address>,
    serving: Serving,
}

/// What runs the server.
enum Serving {
    Here(Task),
    There(Remote),
}

impl<'r> World<'r> {
    /// Both on the same runtime.
    pub async fn start(runtime: &'r dyn Runtime, transport: Transport, era: Era) -> Self {
        let (probe, wire) = (Arc::new(Probe::default()), Wire::default());
        let server = server(&probe, runtime.flavour());
        let config = client_config(era);
        let (client, address, task) = if transport.has_address() {
            let (address, task) = transport.serve(runtime, &server, &wire);
            let client = runtime.connect(&address, config).await.expect("a client");
            (client, Some(address), task)
        } else {
            let (client, task) = transport.join(runtime, &server, &wire, config);
            (client, None, task)
        };
        probe.set_client(client.clone());
        Self {
            runtime,
            era,
            transport,
            client,
            probe,
            wire,
            address,
            serving: Serving::Here(task),
        }
    }

    /// The server on a runtime of its own.
    pub async fn start_across(runtime: &'r dyn Runtime, server: Flavour, transport: Transport, era: Era) -> Self {
        let (probe, wire) = (Arc::new(Probe::default()), Wire::default());
        let (address, remote) = Remote::start(server, transport, &probe, &wire);
        let client = runtime.connect(&address, client_config(era)).await.expect("a client");
        probe.set_client(client.clone());
        Self {
            runtime,
            era,
            transport,
            client,
            probe,
            wire,
            address: Some(address),
            serving: Serving::There(remote),
        }
    }

    /// One more client of the server.
    ///
    /// # Errors
    /// Those of the adapter.
    ///
    /// # Panics
    /// Where the server has no address.
    pub async fn connect(&self) -> Result<Client, Failure> {
        self.connect_with(client_config(self.era)).await
    }

    /// One more client of the server, not like the first.
    ///
    /// # Errors
    /// Those of the adapter.
    ///
    /// # Panics
    /// Where the server has no address.
    pub async fn connect_with(&self, config: ClientConfig) -> Result<Client, Failure> {
        let address = self.address.as_ref().expect("an address");
        self.runtime.connect(address, config).await
    }

    /// One more client of the server, and what drives it.
    ///
    /// # Panics
    /// Where the transport is not HTTP/1.
    pub fn client_over_http(&self) -> (Client, Driver) {
        let Some(Address::Http(url)) = &self.address else {
            panic!("{:?} is not HTTP/1", self.transport);
        };
        let client = self.runtime.client_over_http(url, client_config(self.era));
        client.expect("a client")
    }

    /// The server ends as if its process were killed.
    pub async fn kill_server(&mut self) {
        match &mut self.serving {
            Serving::Here(task) => task.stop().await,
            Serving::There(remote) => remote.stop(),
        }
    }

    /// Waits until the server has nothing left to do. Over a byte stream of two that is when its client is gone.
    ///
    /// # Panics
    /// Where the server is elsewhere.
    pub async fn server_ended(&mut self) {
        match &mut self.serving {
            Serving::Here(task) => task.end().await,
            Serving::There(_) => panic!("it is not known"),
        }
    }

    /// Drops every handle of the client.
    pub fn drop_client(&mut self) {
        self.probe.forget_client();
        let (other, _) = Client::over_stream(client_config(self.era));
        drop(mem::replace(&mut self.client, other));
    }

    /// Waits until what the server's tools tell has come about.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn until(&self, mut is_so: impl FnMut() -> bool) {
        for _ in 0..5_000 {
            if is_so() {
                return;
            }
            self.runtime.sleep(Duration::from_millis(2)).await;
        }
        panic!("it does not come about");
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        self.probe.forget_client();
        if let Some(Address::Unix(path)) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

/// A client of this era and no other.
pub fn client_config(era: Era) -> ClientConfig {
    ClientConfig::named("tests", "1").with_mode(mode(era))
}

/// The mode of a client that speaks this era and no other.
pub fn mode(era: Era) -> Mode {
    match era {
        Era::Legacy => Mode::Legacy(Revision::LATEST_LEGACY),
        Era::Modern => Mode::Modern,
    }
}
