//! What an endpoint is, apart from what happens in it.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::rules::Rules;
use crate::http::server::{Admission, BodyBudget, Gate, HttpConfig, Page, Refusal};
use crate::revision::Era;
use crate::server::ServerConfig;

/// What an endpoint is, apart from what happens in it: how it serves, the gate in front of it, and whether it is open.
/// What of it changes does so without a lock.
#[derive(Debug)]
pub struct Site {
    http: HttpConfig,
    gate: Gate,
    budget: BodyBudget,
    /// What comes too late for it is refused by the tables, which are closed after it is set.
    closed: AtomicBool,
}

impl Site {
    /// The endpoint of a server.
    pub fn new(config: &ServerConfig, http: HttpConfig) -> Self {
        let limits = config.limits();
        Self {
            gate: Gate::new(&http, limits, config.serves(Era::Legacy)),
            budget: BodyBudget::new(limits),
            closed: AtomicBool::new(false),
            http,
        }
    }

    /// By which rules it serves now.
    pub fn rules<'a>(&'a self, config: &'a ServerConfig) -> Rules<'a> {
        Rules::new(config, &self.http, self.is_closed())
    }

    /// Whether nothing new is taken.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Takes nothing new any more.
    pub fn close(&self) {
        // No order is needed: whoever does not see it yet finds the tables closed.
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Judges a request by its head, before its body is read.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn judge(&self, head: &Parts) -> Result<Admission, Refusal> {
        match self.is_closed() {
            true => Err(Refusal::Closed),
            false => self.gate.admit(head),
        }
    }

    /// Judges a request by its head, before its body is read.
    ///
    /// # Errors
    /// The whole response, where it is refused.
    pub fn admit(&self, head: &Parts) -> Result<Admission, Box<Response<Bytes>>> {
        // Boxed, as hardly any request is refused, and each would carry the room for a response.
        self.judge(head).map_err(|refusal| {
            let mut response = refusal.into_response();
            if let Some(page) = self.page(head) {
                page.show(response.headers_mut());
            }
            Box::new(response)
        })
    }

    /// The page that a browser may show the answer to, whatever it is.
    pub(super) fn page(&self, head: &Parts) -> Option<Box<Page>> {
        self.gate.page(head)
    }

    /// The small bodies that are being read.
    pub fn budget(&self) -> &BodyBudget {
        &self.budget
    }
}
