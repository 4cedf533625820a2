//! What the suite tells a client in its environment.

use std::env;

use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::model::{ClientCapabilities, ElicitationCapability, RootsCapability, SamplingCapability};
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
    pub fn config(&self) -> ClientConfig {
        let mode = match self.revision.era() {
            Era::Legacy => Mode::Legacy(self.revision),
            Era::Modern => Mode::Modern,
        };
        ClientConfig::named("mcp-conformance-client", env!("CARGO_PKG_VERSION"))
            .with_capabilities(self.capabilities())
            .with_mode(mode)
    }

    /// Only `request-metadata` wants them declared, and asks for none of them.
    fn capabilities(&self) -> ClientCapabilities {
        match self.scenario.as_str() {
            "request-metadata" => ClientCapabilities::default()
                .with_roots(RootsCapability::default())
                .with_sampling(SamplingCapability::default())
                .with_elicitation(ElicitationCapability::default()),
            _ => ClientCapabilities::default(),
        }
    }
}
