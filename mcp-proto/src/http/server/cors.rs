//! Pages of other origins that may read what the server answers (Fetch Standard, 3.3, CORS protocol).

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// What pages of other origins may do that are [allowed](super::Origins): what a browser is told of that.
///
/// Without it the browser of a user sends what a page asks it to send, within the list of origins, and shows the page no
/// answer, unless the page is the server's own. Which origins there are is said by
/// [`HttpConfig::allow_origin`](super::HttpConfig::allow_origin): by default those of the user's own machine. Cookies
/// are never asked for; a token of the page's own is (`Authorization`).
///
/// What is before the server has to let preflights through: a browser sends them without a token.
///
/// ```
/// use mcp_proto::http::server::{Cors, HttpConfig};
///
/// let config = HttpConfig::default().allow_origin("https://app.example.com")?.cors(Cors::default());
/// # Ok::<(), mcp_proto::http::server::InvalidRule>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    max_age: Duration,
    headers: Vec<HeaderName>,
}

/// What clients of every revision send beside what is always allowed. The parameters of tools are headers as well, whose
/// names the server need not know: see [`MIRRORED`].
const HEADERS: &str = "content-type, accept, authorization, last-event-id, mcp-protocol-version, mcp-session-id, \
                       mcp-method, mcp-name";

/// How the headers begin that mirror parameters of tools (2026-07-28, Streamable HTTP, Custom Headers from Tool
/// Parameters).
const MIRRORED: &str = "mcp-param-";

/// What a page has to see of an answer beside its body.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("mcp-session-id, mcp-protocol-version, www-authenticate, retry-after, allow");

const ANY: HeaderValue = HeaderValue::from_static("*");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");
const PREFLIGHT: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

impl Cors {
    /// The same with another time for which a browser may remember what it was told. Default 2 hours, which is the most
    /// that some of them take; zero for never.
    #[must_use]
    pub fn max_age(mut self, time: Duration) -> Self {
        self.max_age = time;
        self
    }

    /// The same with one more header that pages may send, beside those of MCP and `Authorization`.
    #[must_use]
    pub fn allow_header(mut self, name: HeaderName) -> Self {
        self.headers.push(name);
        self
    }

    /// The answer to a preflight: what may be sent. Whether that is enough for it the browser decides.
    pub(crate) fn preflight(&self, asked: &HeaderMap, methods: &'static str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        // Of names that were headers or are ASCII text, so it is a value.
        if let Ok(allowed) = HeaderValue::try_from(self.allowed(asked)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from(self.max_age.as_secs()),
        );
        headers.insert(header::VARY, PREFLIGHT);
        response
    }

    fn allowed(&self, asked: &HeaderMap) -> String {
        let mut allowed = String::from(HEADERS);
        let mut allow = |name: &str| {
            allowed.push_str(", ");
            allowed.push_str(name);
        };
        self.headers.iter().for_each(|name| allow(name.as_str()));
        let asked = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).into_iter();
        let names = asked.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        // A name as HTTP has it, in lower case: nothing else that is said there comes back.
        names
            .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
            .filter(|name| name.as_str().starts_with(MIRRORED))
            .for_each(|name| allow(name.as_str()));
        allowed
    }
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(2 * 60 * 60),
            headers: Vec::new(),
        }
    }
}

/// A page to which a browser may show an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page(
    /// Its origin; `None` for any.
    Option<HeaderValue>,
);

impl Page {
    /// That of an origin which was allowed.
    pub(super) fn of(origin: &HeaderValue, is_any: bool) -> Self {
        // Where any is allowed its name is of no use, and `null` is a name that any page can have.
        Self((!is_any).then(|| origin.clone()))
    }

    /// Has the browser show it an answer with this head.
    pub(crate) fn show(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        match &self.0 {
            Some(origin) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                // The answer to another page has another name in it (Fetch Standard, CORS protocol and HTTP caches).
                headers.entry(header::VARY).or_insert(ORIGIN);
            }
            None => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            }
        }
    }
}
