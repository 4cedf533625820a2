//! By which rules an endpoint serves.

use crate::http::server::{HttpConfig, Refusal};
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
}

impl<'a> Rules<'a> {
    /// The rules of an endpoint.
    pub fn new(config: &'a ServerConfig, http: &'a HttpConfig, closed: bool) -> Self {
        Self { config, http, closed }
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
