//! How a client begins: a handle, and the pump of its driver.

use alloc::string::String;
use alloc::sync::Arc;

use super::answering::Desk;
use super::builder::ClientBuilder;
use super::facade::Client;
use super::machine::Machine;
use super::pumps::ClientPump;
#[cfg(feature = "http")]
use super::pumps::HttpPump;
use super::shared::{Inner, Shared};
#[cfg(feature = "http")]
use crate::client::HttpClient;
use crate::client::{ClientConfig, StreamClient};
#[cfg(feature = "http")]
use crate::http::client::HttpClientConfig;

impl Client {
    /// Starts to say what a client of this name and version is, and what it answers.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(ClientConfig::named(name, version))
    }

    /// A client over a byte stream, and the pump that a driver moves its bytes with.
    pub fn over_stream(client: impl Into<ClientBuilder>) -> (Self, ClientPump) {
        let open = |config| Machine::Stream(StreamClient::new(config));
        let (client, shared, desk) = open_by(client.into(), open);
        (client, ClientPump::new(shared, desk))
    }

    /// A client over HTTP, and the pump that a driver moves its exchanges with.
    #[cfg(feature = "http")]
    pub fn over_http(client: impl Into<ClientBuilder>, http: &HttpClientConfig) -> (Self, HttpPump) {
        let open = |config| Machine::Http(HttpClient::new(config, http));
        let (client, shared, desk) = open_by(client.into(), open);
        (client, HttpPump::new(shared, desk))
    }
}

fn open_by(client: ClientBuilder, open: impl FnOnce(ClientConfig) -> Machine) -> (Client, Arc<Shared>, Option<Desk>) {
    let (config, mut respondents) = client.into_parts();
    let (capabilities, most) = (config.capabilities.clone(), config.limits.requests_in_progress);
    let has_desk = !respondents.is_empty();
    // Two counts: the last handle closes the client, and the driver keeps what they share until that is said.
    let shared = Arc::new(Shared::new(open(config), has_desk.then(|| respondents.take_roots())));
    let handles = Arc::new(Inner::new(shared.clone()));
    let desk = has_desk.then(|| Desk::new(&shared, &handles, respondents, capabilities, most));
    (Client::of_inner(handles), shared, desk)
}
