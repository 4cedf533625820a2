//! A request that has passed the gate, before its body is there.

use alloc::boxed::Box;

use bytes::Bytes;
use http::Response;
use http::header::HeaderValue;
use http::request::Parts;

use super::accept::Accepts;
use super::cors::Page;
use super::head::Head;
use super::holder::{Holder, Remote};
use super::refusal::Refusal;
use crate::shown::shown;

/// A request whose head is in order, and what of the head is needed once the body is there: the head is read once.
///
/// From [`Gate::admit`](super::Gate::admit). `Debug` shows neither the session nor what is asked for.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the request has to be opened"]
pub struct Admission {
    pub(super) route: Route,
    pub(super) body_limit: usize,
    pub(super) accepts: Accepts,
    pub(super) session: Option<HeaderValue>,
    pub(super) version: Option<HeaderValue>,
    pub(super) mcp_method: Option<HeaderValue>,
    pub(super) mcp_name: Option<HeaderValue>,
    pub(super) remote: Remote,
    /// The page that the answer is for, where a browser has to be told so; boxed because few are.
    pub(super) page: Option<Box<Page>>,
}

shown!(Admission {
    route,
    body_limit,
    accepts,
    version,
    mcp_method
});

impl Admission {
    /// Keeps what is needed later of a head that the gate has looked at.
    pub(super) fn of(route: Route, body_limit: usize, head: &Head<'_>, page: Option<Box<Page>>) -> Self {
        let session = head.session.cloned().map(|mut id| {
            // Knowing it is being its client.
            id.set_sensitive(true);
            id
        });
        Self {
            route,
            body_limit,
            accepts: head.accepts,
            session,
            version: head.version_value.cloned(),
            mcp_method: head.mcp_method.cloned(),
            mcp_name: head.mcp_name.cloned(),
            remote: Remote::UNKNOWN,
            page,
        }
    }

    /// The same, of a request that comes from there. It counts over what the extensions of the request say.
    pub fn from(mut self, remote: Remote) -> Self {
        self.remote = remote;
        self
    }

    /// Whose the request is, as shares go; `parts` are those of which this was made.
    pub fn holder(&self, parts: &Parts) -> Holder {
        self.head(parts).holder()
    }

    /// What the request asks for.
    pub fn route(&self) -> Route {
        self.route
    }

    /// The most bytes of the body that are to be read; `None` where the body does not matter.
    pub fn body_limit(&self) -> Option<usize> {
        matches!(self.route, Route::Post(_)).then_some(self.body_limit)
    }

    /// The page that the answer is for, where a browser has to be told so.
    pub(crate) fn page(&self) -> Option<&Page> {
        self.page.as_deref()
    }

    /// The whole response where it is refused after all: its body has not come as it should.
    pub fn refuse(&self, refusal: &Refusal) -> Response<Bytes> {
        let mut response = refusal.answer(refusal.id());
        if let Some(page) = self.page() {
            page.show(response.headers_mut());
        }
        response
    }

    /// The head again, from what was kept and from `parts`, of which this was made.
    pub fn head<'a>(&'a self, parts: &'a Parts) -> Head<'a> {
        Head {
            // What the gate alone looks at is not kept.
            host: None,
            origin: None,
            content_type: None,
            content_encoding: None,
            content_length: None,
            accepts: self.accepts,
            session: self.session.as_ref(),
            version_value: self.version.as_ref(),
            version: self.version.as_ref().and_then(|value| value.to_str().ok()),
            mcp_method: self.mcp_method.as_ref(),
            mcp_name: self.mcp_name.as_ref(),
            headers: &parts.headers,
            principal: parts.extensions.get(),
            remote: self.remote,
            extensions: &parts.extensions,
        }
    }
}

/// What a request that passed the gate asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// A message. Its body has to be read.
    Post(Accepts),
    /// The stream of a session.
    Get,
    /// The end of a session.
    Delete,
    /// What a page of another origin may send, asked by a browser (Fetch Standard, CORS-preflight request).
    Preflight,
}
