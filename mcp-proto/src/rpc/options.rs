//! How a call is to be made.

use core::time::Duration;

use super::behalf::OnBehalfOf;
use crate::model::LoggingLevel;

/// How a call is to be made. The default is right for nearly all.
///
/// ```
/// use core::time::Duration;
/// use mcp_proto::rpc::CallOptions;
///
/// let options = CallOptions::new().with_timeout(Duration::from_secs(5)).with_progress();
/// assert!(options.progress);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long to wait for the reply, from the birth of the call or its last progress;
    /// [`Timeouts::request`](crate::Timeouts::request) where `None`.
    pub timeout: Option<Duration>,
    /// How long to wait in all, whatever progress there is. It bounds `timeout` too. Where `None`,
    /// [`Timeouts::request_max`](crate::Timeouts::request_max), or `timeout` where that is longer.
    pub max_timeout: Option<Duration>,
    /// Whether to ask for progress. Each report then extends the wait.
    pub progress: bool,
    /// The least severe log messages wanted for this request (2026-07-28; earlier revisions have
    /// `logging/setLevel` instead and ignore this).
    pub log_level: Option<LoggingLevel>,
    /// Whether the call does no more harm when it is made twice. Where this is set and the connection broke off before the
    /// answer, a pool of sessions makes the call again; so does a client over HTTP in the modern era where the connection
    /// had been kept from an earlier call, and was gone before anything of the response came, or the response broke off (then
    /// once, as another request). Else a client never makes a
    /// call twice that the server may have acted on, unless its method only asks or looks
    /// ([`Method::is_repeatable`](crate::method::Method::is_repeatable)).
    pub idempotent: bool,
    /// Whether a result that requires input (2026-07-28, Multi Round-Trip Requests) is the reply, as it came, in place of
    /// what follows from it: for those who make the next round themselves, with another call.
    pub by_round: bool,
    /// Whether a result will do that an earlier call with this option brought, with the same parameters, and that its
    /// server says is fresh still (2026-07-28, Caching): then nothing is sent. What is kept belongs to one client, within
    /// [`Limits::kept_results_bytes`](crate::Limits::kept_results_bytes).
    pub cached: bool,
    /// Whom the call is made for, where that is somebody else than the client itself; see
    /// [`with_on_behalf_of`](Self::with_on_behalf_of).
    pub on_behalf_of: Option<OnBehalfOf>,
}

impl CallOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// With another timeout.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With another bound for all of the wait.
    #[must_use]
    pub fn with_max_timeout(mut self, timeout: Duration) -> Self {
        self.max_timeout = Some(timeout);
        self
    }

    /// With progress.
    #[must_use]
    pub fn with_progress(mut self) -> Self {
        self.progress = true;
        self
    }

    /// With log messages of this level and above.
    #[must_use]
    pub fn with_log_level(mut self, level: LoggingLevel) -> Self {
        self.log_level = Some(level);
        self
    }

    /// With leave to make the call twice.
    #[must_use]
    pub fn with_idempotence(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// With results that require input as replies.
    #[must_use]
    pub fn with_rounds_by_hand(mut self) -> Self {
        self.by_round = true;
        self
    }

    /// With leave to take a result that is kept and fresh.
    #[must_use]
    pub fn with_cache(mut self) -> Self {
        self.cached = true;
        self
    }

    /// On behalf of somebody: in the modern era a request says who sends it and what that client can do, and this one
    /// then says it of them (2026-07-28, Overview, Per-request protocol fields). For proxies and gateways, which
    /// serve many clients over one connection.
    ///
    /// In the legacy era that is said once, in `initialize`, for the whole session: there it is not possible, and this
    /// is ignored. Where it matters, each client needs a session of its own.
    #[must_use]
    pub fn with_on_behalf_of(mut self, client: OnBehalfOf) -> Self {
        self.on_behalf_of = Some(client);
        self
    }

    /// What of them is about time: with the defaults for the rest.
    pub(crate) fn timing(&self) -> Self {
        Self {
            timeout: self.timeout,
            max_timeout: self.max_timeout,
            progress: self.progress,
            ..Self::default()
        }
    }
}
