//! By which rules an endpoint serves.

use crate::http::server::{Admission, HttpConfig, Page, Refusal, SessionPolicy};
use crate::revision::Era;
use crate::server::ServerConfig;

/// By which rules an endpoint serves: what everything needs that opens an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What the server says about itself, and its limits.
    pub config: &'a ServerConfig,
    /// How it serves HTTP.
    pub http: &'a HttpConfig,
    /// Whether it is shutting down: nothing new is taken.
    pub closed: bool,
    /// The page that the exchange is for, where a browser has to be told so.
    pub(super) page: Option<&'a Page>,
}

impl<'a> Rules<'a> {
    /// The rules of an endpoint.
    pub fn new(config: &'a ServerConfig, http: &'a HttpConfig, closed: bool) -> Self {
        Self {
            config,
            http,
            closed,
            page: None,
        }
    }

    /// The same for the exchange of this request.
    #[must_use]
    pub fn answering(self, admission: &'a Admission) -> Self {
        self.shown(admission.page())
    }

    /// The same for an exchange that this page may see.
    pub(super) fn shown(self, page: Option<&'a Page>) -> Self {
        Self { page, ..self }
    }

    /// Which methods of HTTP there are.
    pub(super) fn methods(&self) -> &'static str {
        match self.http.sessions == SessionPolicy::Stateful && self.config.serves(Era::Legacy) {
            true => "POST, GET, DELETE",
            false => "POST",
        }
    }

    /// Whether anything new is taken.
    ///
    /// # Errors
    /// [`Refusal::Closed`].
    pub fn check_open(&self) -> Result<(), Refusal> {
        match self.closed {
            true => Err(Refusal::Closed),
            false => Ok(()),
        }
    }
}
