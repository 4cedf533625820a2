//! What the suite tells a client in its environment.

use std::env;

use mcp_proto::client::Mode;
use mcp_proto::handle::Client;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::model::{CreateMessageResult, ElicitResult, Json, Role, TextContent};
use mcp_proto::{Era, Revision};
use serde::de::DeserializeOwned;

use crate::conformance::Failure;

/// The scenario to go through, at one revision.
#[derive(Clone, Debug)]
pub struct Assignment {
    scenario: String,
    revision: Revision,
    context: Option<String>,
}

impl Assignment {
    /// Reads `MCP_CONFORMANCE_SCENARIO`, `MCP_CONFORMANCE_PROTOCOL_VERSION` and `MCP_CONFORMANCE_CONTEXT`.
    ///
    /// # Errors
    /// Which of them is missing or makes no sense.
    pub fn from_env() -> Result<Self, Failure> {
        let read = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
        let revision = read("MCP_CONFORMANCE_PROTOCOL_VERSION")?;
        Ok(Self {
            scenario: read("MCP_CONFORMANCE_SCENARIO")?,
            revision: Revision::parse(&revision).ok_or_else(|| format!("{revision:?} is no revision"))?,
            context: env::var("MCP_CONFORMANCE_CONTEXT").ok(),
        })
    }

    /// The name of the scenario.
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// What the scenario says about itself.
    ///
    /// # Errors
    /// There is nothing, or it does not have this form.
    pub fn context<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let context = self.context.as_deref().ok_or("MCP_CONFORMANCE_CONTEXT is missing")?;
        Ok(serde_json::from_str(context)?)
    }

    /// A client that speaks the revision of the scenario and no other.
    pub fn client(&self) -> ClientBuilder {
        let mode = match self.revision.era() {
            Era::Legacy => Mode::Legacy(self.revision),
            Era::Modern => Mode::Modern,
        };
        let client = Client::builder("mcp-conformance-client", env!("CARGO_PKG_VERSION")).mode(mode);
        match self.scenario.as_str() {
            // They ask for nothing, and want to see that it could be asked for.
            "request-metadata" => answering(client).roots([]),
            "elicitation-sep1034-client-defaults" => answering(client),
            "sep-2322-client-request-state" => client.on_elicit(|_, _| async {
                let confirmed = Json::from_serialize(&serde_json::json!({"confirmed": true}));
                confirmed.map_or_else(
                    |_| Ok(ElicitResult::cancel()),
                    |content| Ok(ElicitResult::accept(content)),
                )
            }),
            _ => client,
        }
    }
}

/// A client whose user accepts every form as it stands.
fn answering(client: ClientBuilder) -> ClientBuilder {
    client
        .on_elicit(|_, _| async { Ok(ElicitResult::accept(Json::empty_object())) })
        .on_sample(|_, _| async {
            let text = TextContent::new("This is a test response.");
            Ok(CreateMessageResult::new(Role::Assistant, text, "test-model"))
        })
}
