//! What a pair is made of.

use crate::client::{ClientConfig, Mode};
use crate::http::server::{HttpConfig, Resumption};
use crate::model::Implementation;
use crate::server::ServerConfig;
use crate::{Limits, Revision};

use super::application::{Application, Order, Plan, tools};
use crate::testing::network::Conditions;

/// What a pair is made of: a client, a server that declares tools, an application behind it, and a network.
#[non_exhaustive]
pub struct Setup {
    /// The client.
    pub client: ClientConfig,
    /// The server.
    pub server: ServerConfig,
    /// How it serves HTTP. Without comments on silent streams: one that is open for ever would never be quiet.
    pub http: HttpConfig,
    /// The application behind the server.
    pub application: Application,
    /// The network.
    pub conditions: Conditions,
    /// What everything random follows from.
    pub seed: u64,
}

impl Setup {
    /// A client in this mode, a server of all revisions with the tools of [`tools`], and a calm network.
    pub fn new(mode: Mode) -> Self {
        let capabilities = serde_json::from_str(r#"{"tools":{}}"#).expect("capabilities");
        Self {
            client: ClientConfig::new(Implementation::new("client", "1.0.0")).with_mode(mode),
            server: ServerConfig::new(Implementation::new("server", "2.0.0")).with_capabilities(capabilities),
            http: HttpConfig::default().keep_alive(None),
            application: tools(),
            conditions: Conditions::CALM,
            seed: 0,
        }
    }

    /// The client and server that speak `revision` with each other.
    pub fn speaking(revision: Revision) -> Self {
        Self::new(match revision.has_initialize() {
            true => Mode::Legacy(revision),
            false => Mode::Auto,
        })
    }

    /// The same with a server of these revisions alone.
    #[must_use]
    pub fn serving(mut self, revisions: &[Revision]) -> Self {
        self.server = self.server.with_revisions(revisions);
        self
    }

    /// The same with another application.
    #[must_use]
    pub fn application(mut self, application: impl FnMut(&Order) -> Plan + 'static) -> Self {
        self.application = Box::new(application);
        self
    }

    /// The same with streams of HTTP that can be resumed.
    #[must_use]
    pub fn resumable(mut self) -> Self {
        self.http = self.http.resumable(Resumption::default());
        self
    }

    /// The same with another network.
    #[must_use]
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// The same with another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with other limits on both sides.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.client.limits = limits.clone();
        self.server = self.server.with_limits(limits.clone());
        self
    }
}
