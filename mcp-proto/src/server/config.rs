//! What a server says about itself, and how it behaves: made once, shared by all its connections.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::jsonrpc::RawJson;
use crate::limits::{Limits, Timeouts};
use crate::method::Method;
use crate::model::{CacheScope, Implementation, ServerCapabilities};
use crate::revision::{Era, Revision};
#[cfg(feature = "rounds")]
use crate::server::rounds::StateKey;

/// A server's identity, capabilities, revisions, limits and timeouts.
///
/// Immutable once its connections share it. What is written into every answer (`serverInfo`, the answers to
/// `initialize` and `server/discover`) is serialized here once.
///
/// ```
/// use mcp_proto::Revision;
/// use mcp_proto::model::Implementation;
/// use mcp_proto::server::ServerConfig;
///
/// let config = ServerConfig::new(Implementation::new("weather", "1.0.0")).with_instructions("Ask for a city.");
/// assert_eq!(config.revisions(), Revision::ALL);
/// ```
#[derive(Clone, Debug)]
pub struct ServerConfig {
    info: Implementation,
    capabilities: ServerCapabilities,
    instructions: Option<String>,
    revisions: Vec<Revision>,
    limits: Limits,
    timeouts: Timeouts,
    cache: CacheHints,
    #[cfg(feature = "rounds")]
    state_keys: Vec<StateKey>,
    #[cfg(feature = "rounds")]
    single_use: bool,
    info_json: RawJson,
    capabilities_json: RawJson,
    discover: RawJson,
}

/// How long and by whom a result may be cached, where it does not say so itself (2026-07-28, Caching).
///
/// The default is the careful one: for no time, and for nobody but the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheHints {
    /// `ttlMs`, in milliseconds.
    pub ttl_ms: u64,
    /// `cacheScope`.
    pub scope: CacheScope,
}

impl Default for CacheHints {
    fn default() -> Self {
        Self {
            ttl_ms: 0,
            scope: CacheScope::Private,
        }
    }
}

impl ServerConfig {
    /// A server that speaks all revisions, has no capabilities, and the default limits and timeouts.
    pub fn new(info: Implementation) -> Self {
        Self {
            info,
            capabilities: ServerCapabilities::default(),
            instructions: None,
            revisions: Revision::ALL.to_vec(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            cache: CacheHints::default(),
            #[cfg(feature = "rounds")]
            state_keys: Vec::new(),
            #[cfg(feature = "rounds")]
            single_use: false,
            info_json: RawJson::empty_object(),
            capabilities_json: RawJson::empty_object(),
            discover: RawJson::empty_object(),
        }
        .prepared()
    }

    /// The same with these capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: ServerCapabilities) -> Self {
        self.capabilities = capabilities;
        self.prepared()
    }

    /// The same with instructions for the model that uses the server.
    #[must_use]
    pub fn with_instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self.prepared()
    }

    /// The same with only these revisions. The order does not matter.
    #[must_use]
    pub fn with_revisions(mut self, revisions: &[Revision]) -> Self {
        self.revisions = revisions.to_vec();
        // The oldest first, for whoever chooses the newest that both sides have.
        self.revisions.sort_unstable();
        self.revisions.dedup();
        self.prepared()
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with these timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same with these hints on results that carry none of their own.
    #[must_use]
    pub fn with_cache(mut self, cache: CacheHints) -> Self {
        self.cache = cache;
        self
    }

    /// The same, sealing what clients carry from one round of input to the next with the first of these keys, and opening what
    /// any of them has sealed: a new key goes to the front, and an old one is left out when what it has sealed has expired
    /// ([`Timeouts::state`]). Without keys there is one that is made when the server is driven, and known to nobody else.
    #[cfg(feature = "rounds")]
    #[must_use]
    pub fn with_state_keys(mut self, keys: impl IntoIterator<Item = StateKey>) -> Self {
        self.state_keys = keys.into_iter().collect();
        self
    }

    /// The same, having each state that clients carry redeemed when it comes back, so that it is good for one use
    /// ([`Redeem`](crate::server::Redeem)).
    ///
    /// It has a price: a client that has lost the answer to such a request, and makes it again, is refused
    /// ([`StateRefusal::Used`](crate::server::StateRefusal::Used)) and has to begin anew.
    #[cfg(feature = "rounds")]
    #[must_use]
    pub fn with_single_use_state(mut self) -> Self {
        self.single_use = true;
        self
    }

    /// Whether state is good for one use.
    #[cfg(feature = "rounds")]
    pub(crate) fn is_single_use(&self) -> bool {
        self.single_use
    }

    /// The keys that state is sealed with, for a [`Sealer`](crate::server::rounds::Sealer).
    #[cfg(feature = "rounds")]
    pub fn state_keys(&self) -> &[StateKey] {
        &self.state_keys
    }

    /// Name, version and so on.
    pub fn info(&self) -> &Implementation {
        &self.info
    }

    /// What was declared.
    pub fn capabilities(&self) -> &ServerCapabilities {
        &self.capabilities
    }

    /// What the model that uses the server should know.
    pub fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    /// The revisions that are spoken, oldest first.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The times.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// The hints on results that carry none of their own.
    pub fn cache(&self) -> &CacheHints {
        &self.cache
    }

    /// Whether revisions of `era` are spoken.
    pub fn serves(&self, era: Era) -> bool {
        self.revisions.iter().any(|revision| revision.era() == era)
    }

    /// Whether everything was declared that a client needs for `method`, or this server for sending it.
    pub fn allows(&self, method: Method) -> bool {
        method
            .required_server_capability()
            .is_none_or(|capability| self.capabilities.has(capability))
    }

    /// The names of the revisions, newest first.
    pub(crate) fn version_names(&self) -> Vec<&'static str> {
        self.revisions.iter().rev().map(|revision| revision.as_str()).collect()
    }

    /// The server's info as JSON.
    pub(crate) fn info_json(&self) -> &RawJson {
        &self.info_json
    }

    /// The result of `server/discover`, without what every result gets.
    pub(crate) fn discover_result(&self) -> &RawJson {
        &self.discover
    }

    /// The result of `initialize`.
    pub(crate) fn initialize_result(&self, revision: Revision) -> RawJson {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Result<'a> {
            protocol_version: Revision,
            capabilities: &'a RawJson,
            server_info: &'a RawJson,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
        }
        to_json(&Result {
            protocol_version: revision,
            capabilities: &self.capabilities_json,
            server_info: &self.info_json,
            instructions: self.instructions.as_deref(),
        })
    }

    /// Serializes what does not change any more.
    fn prepared(mut self) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Discover<'a> {
            supported_versions: Vec<&'static str>,
            capabilities: &'a RawJson,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
        }
        self.info_json = to_json(&self.info);
        self.capabilities_json = to_json(&self.capabilities);
        self.discover = to_json(&Discover {
            supported_versions: self.version_names(),
            capabilities: &self.capabilities_json,
            instructions: self.instructions.as_deref(),
        });
        self
    }
}

fn to_json<T: Serialize>(value: &T) -> RawJson {
    RawJson::from_serialize(value).unwrap_or(RawJson::empty_object())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(capabilities: &str) -> ServerConfig {
        let capabilities = serde_json::from_str(capabilities).unwrap();
        ServerConfig::new(Implementation::new("test", "1")).with_capabilities(capabilities)
    }

    #[test]
    fn capabilities_are_what_is_declared_and_true() {
        let config = config(r#"{"tools":{"listChanged":false},"resources":{"subscribe":true}}"#);
        assert!(config.allows(Method::CallTool));
        assert!(!config.allows(Method::ToolListChangedNotification));
        assert!(config.allows(Method::Subscribe));
        assert!(!config.allows(Method::LoggingMessageNotification));
        assert!(config.allows(Method::Ping), "it needs nothing");
    }

    #[test]
    fn the_answers_to_discover_and_initialize_are_made_of_it() {
        let config = config(r#"{"tools":{}}"#).with_instructions("Read \"me\".");
        assert_eq!(
            config.discover_result().as_str(),
            r#"{"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"capabilities":{"tools":{}},"instructions":"Read \"me\"."}"#
        );
        assert_eq!(
            config.initialize_result(Revision::V2025_06_18).as_str(),
            r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"test","version":"1"},"instructions":"Read \"me\"."}"#
        );
    }

    #[test]
    fn revisions_are_sorted_and_each_there_once() {
        let config = ServerConfig::new(Implementation::new("test", "1")).with_revisions(&[
            Revision::V2025_11_25,
            Revision::V2024_11_05,
            Revision::V2025_11_25,
        ]);
        assert_eq!(config.revisions(), [Revision::V2024_11_05, Revision::V2025_11_25]);
        assert_eq!(config.version_names(), ["2025-11-25", "2024-11-05"]);
    }
}
