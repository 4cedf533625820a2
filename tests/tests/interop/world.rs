//! Our client on either runtime.

use std::io;
use std::pin::Pin;

use futures_util::future::join;
use mcp_driver::child::{Command, Exit};
use mcp_proto::handle::Client;
use mcp_proto::handle::client::ClientBuilder;
use mcp_tests::runtime::{Flavour, Runtime};

const FLAVOURS: [Flavour; 2] = [Flavour::TokioCurrent, Flavour::SmolLocal];

/// Goes through a scenario on each runtime.
pub(crate) fn everywhere(scenario: impl AsyncFn(&dyn Runtime)) {
    for flavour in FLAVOURS {
        println!("{flavour}");
        flavour.run(async |runtime| scenario(runtime).await);
    }
}

/// A server of others as a child: the scenario has its client to itself, and the child has to be gone after it.
pub(crate) async fn with_child(
    runtime: &dyn Runtime,
    command: &Command,
    client: ClientBuilder,
    scenario: impl AsyncFnOnce(&Client),
) {
    type Driver = Pin<Box<dyn Future<Output = io::Result<Exit>> + Send>>;
    let (client, driver): (_, Driver) = match runtime.flavour().is_tokio() {
        true => {
            let (client, driver) = mcp_tokio::child::child_over(command, client).expect("a child");
            (client, Box::pin(driver))
        }
        false => {
            let (client, driver) = mcp_smol::child::child_over(command, client).expect("a child");
            (client, Box::pin(driver))
        }
    };
    let scenario = async {
        scenario(&client).await;
        client.close().await;
    };
    let driver = async {
        let exit = driver.await.expect("an exit");
        println!("{exit:?}");
    };
    join(driver, scenario).await;
}

/// A server of others at a URL.
pub(crate) async fn with_url(
    runtime: &dyn Runtime,
    url: &str,
    client: ClientBuilder,
    scenario: impl AsyncFnOnce(&Client),
) {
    let client = runtime.connect_answering(url, client).expect("a client");
    scenario(&client).await;
    client.close().await;
}
