//! How a server serves Streamable HTTP.

use core::time::Duration;

use super::cors::Cors;
use super::hosts::{Hosts, InvalidRule, Origins};
use super::http_sse::SsePaths;
use crate::settings::settings;

/// What a server decides about its HTTP endpoint. Every default is the safe one.
///
/// ```
/// use mcp_proto::http::server::HttpConfig;
///
/// let config = HttpConfig::default().allow_host("mcp.example.com")?.allow_origin("https://app.example.com")?;
/// # Ok::<(), mcp_proto::http::server::InvalidRule>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Under which hosts the server may be addressed. Default: loopback.
    pub hosts: Hosts,
    /// From which origins a browser may send requests. Default: loopback, and the server's own host.
    pub origins: Origins,
    /// In which form an answer goes out that is ready at once, where the client takes both. Default: JSON.
    pub reply: ReplyForm,
    /// Whether legacy clients get a session. Default: they do.
    pub sessions: SessionPolicy,
    /// Whether streams of legacy sessions can be resumed. Default: they cannot.
    pub resumption: Option<Resumption>,
    /// How long an open stream may be silent before a comment is sent on it, which keeps proxies from closing it
    /// (2026-07-28, Streamable HTTP, Receiving Messages, note). Default: 15 seconds; `None` for never.
    pub keep_alive: Option<Duration>,
    /// Whether pages of the allowed origins may read what is answered, and with which headers they may ask. Default: they
    /// may not, unless they are the server's own.
    pub cors: Option<Cors>,
    /// Where HTTP+SSE of 2024-11-05 is served beside Streamable HTTP, which takes its place. Default: nowhere.
    pub http_sse: Option<SsePaths>,
}

impl HttpConfig {
    /// The same with one more host; see [`Hosts::allow`].
    ///
    /// # Errors
    /// [`InvalidRule`] where `host` is not of the form `host` or `host:port`.
    pub fn allow_host(mut self, host: &str) -> Result<Self, InvalidRule> {
        self.hosts = self.hosts.allow(host)?;
        Ok(self)
    }

    /// The same with one more origin; see [`Origins::allow`].
    ///
    /// # Errors
    /// [`InvalidRule`] where `origin` is not of the form `scheme://host:port`.
    pub fn allow_origin(mut self, origin: &str) -> Result<Self, InvalidRule> {
        self.origins = self.origins.allow(origin)?;
        Ok(self)
    }

    /// The same for every host: switches the protection against DNS rebinding off. Browsers are still held to the
    /// list of origins.
    #[must_use]
    pub fn dangerously_allow_any_host(mut self) -> Self {
        self.hosts = Hosts::dangerously_any();
        self
    }

    /// The same for every origin: any web page that a user opens may then send requests.
    #[must_use]
    pub fn dangerously_allow_any_origin(mut self) -> Self {
        self.origins = Origins::dangerously_any();
        self
    }

    /// The same with another form for answers that are ready at once.
    #[must_use]
    pub fn reply(mut self, form: ReplyForm) -> Self {
        self.reply = form;
        self
    }

    /// The same with another policy for legacy sessions.
    #[must_use]
    pub fn sessions(mut self, policy: SessionPolicy) -> Self {
        self.sessions = policy;
        self
    }

    /// The same for browsers: pages of the allowed origins may call the server and read what it answers.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// The same for clients of 2024-11-05 too, by its deprecated transport HTTP+SSE. Where legacy clients get no session it
    /// has none either, and is not served.
    #[must_use]
    pub fn http_sse(mut self, paths: SsePaths) -> Self {
        self.http_sse = Some(paths);
        self
    }

    /// The same with streams that can be resumed after their connection broke.
    #[must_use]
    pub fn resumable(mut self, resumption: Resumption) -> Self {
        self.resumption = Some(resumption);
        self
    }

    /// The same with another time of silence on streams.
    #[must_use]
    pub fn keep_alive(mut self, silence: Option<Duration>) -> Self {
        self.keep_alive = silence;
        self
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            hosts: Hosts::default(),
            origins: Origins::default(),
            reply: ReplyForm::Json,
            sessions: SessionPolicy::Stateful,
            resumption: None,
            keep_alive: Some(Duration::from_secs(15)),
            cors: None,
            http_sse: None,
        }
    }
}

settings! {
    /// How streams of legacy sessions are resumed (2025-03-26 to 2025-11-25, Transports, Resumability and Redelivery).
    ///
    /// Every event of a stream has an id then, and is kept for a client that opens the stream again with
    /// `Last-Event-ID`, within [`Limits::replay_bytes`](crate::Limits::replay_bytes) and its siblings. Answers that go out
    /// as JSON documents have no events, and cost nothing. In 2025-11-25 a request that is not answered at once becomes a
    /// stream, which begins with an event that has an id alone: a call of any length survives its connection.
    ///
    /// A client that names an event which is not kept any more gets what is left, behind a comment that says how many are
    /// lost. One that was never sent, or not in this session, or whose stream is forgotten, is answered with 400: with 404
    /// the client would begin a new session. It never gets an event of another session or principal.
    ///
    /// Off by default, as in most implementations: each stream costs memory after its end.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Resumption {
        /// How long a client is asked to wait before it opens a stream again (`retry`). Default 1 second.
        pub retry (with_retry): Duration,
        /// How long a stream is kept that nobody reads: it goes on collecting for as long. Default 5 minutes.
        pub keep (with_keep): Duration,
    }
}

impl Default for Resumption {
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(1),
            keep: Duration::from_secs(5 * 60),
        }
    }
}

/// The form of an answer that is ready at once. What is sent before an answer always needs a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyForm {
    /// One JSON document.
    Json,
    /// A stream of one event.
    Sse,
}

/// What legacy clients get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionPolicy {
    /// `initialize` makes a session, with its GET stream and its DELETE.
    Stateful,
    /// No session ids: each POST is served on its own, as 2025-03-26 where it names no version. The server can
    /// send no requests of its own and no notifications but those of the request in progress. A client that hangs up
    /// cancels its request, as in the modern era.
    Stateless,
}
