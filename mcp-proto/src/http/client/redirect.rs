//! Where a response says that a request should go instead.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use http::header::LOCATION;
use http::response::Parts;
use http::{StatusCode, Uri};

use crate::wire::url::Redacted;

/// How often one request is redirected: two places that name each other must not keep a client busy.
const MOST: u8 = 5;

/// Which way a request goes, where that is not straight to the endpoint, or not for the first time.
#[derive(Clone, Default)]
pub struct Detour {
    /// Where it was redirected to.
    pub(super) to: Option<Uri>,
    redirects: u8,
    /// Whether it was sent before on a kept connection that was gone before anything of the response came.
    pub(super) is_second: bool,
}

/// Shows not where it leads to: there may be secrets in a query.
impl fmt::Debug for Detour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detour")
            .field("redirects", &self.redirects)
            .field("is_second", &self.is_second)
            .finish_non_exhaustive()
    }
}

impl Detour {
    /// The way on, where this response redirects the request; else why it is not followed.
    ///
    /// The method and the body stay the same with 307 and 308 alone (RFC 9110, 15.4.8 and 15.4.9); and what the requests
    /// of a client carry is meant for its origin: there are credentials in it, and sessions.
    pub(super) fn redirected(&self, endpoint: &Uri, head: &Parts) -> Result<Self, Box<str>> {
        // Looked at before the status: an error is to name where it would have gone.
        let location = head.headers.get(LOCATION).map(|value| value.to_str().unwrap_or("?"));
        let location = location.ok_or("a redirect that names no Location")?;
        let name = cut(&format!("{}", Redacted(location)));
        if !is_faithful(head.status) {
            return Err(format!("redirected to {name}, with a status that keeps neither method nor body").into());
        }
        // Of where this answer came from: a second redirect is relative to the first.
        let from = self.to.as_ref().unwrap_or(endpoint);
        let to = resolve(from, location).ok_or_else(|| format!("redirected to {name}, which is no valid URL"))?;
        if !is_same_origin(from, &to) {
            return Err(format!("redirected to {name}, which is another origin and not followed").into());
        }
        if self.redirects >= MOST {
            return Err(format!("redirected more than {MOST} times, at last to {name}").into());
        }
        Ok(Self {
            to: Some(to),
            redirects: self.redirects + 1,
            ..*self
        })
    }

    /// The same way once more.
    pub(super) fn again(&self) -> Self {
        Self {
            is_second: true,
            ..self.clone()
        }
    }
}

/// Words of a peer, short enough for an error.
pub(super) fn cut(text: &str) -> Box<str> {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// Whether a redirect keeps the method and the body.
fn is_faithful(status: StatusCode) -> bool {
    [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&status)
}

/// Scheme, host and port are the same, and the target brings no credentials of its own.
pub(super) fn is_same_origin(from: &Uri, to: &Uri) -> bool {
    let has_user = to.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let hosts = from.host().zip(to.host());
    !has_user
        && from.scheme() == to.scheme()
        && hosts.is_some_and(|(from, to)| from.eq_ignore_ascii_case(to))
        && port(from) == port(to)
}

fn port(uri: &Uri) -> Option<u16> {
    let usual = match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    };
    uri.port_u16().or(usual)
}

/// What a reference means where it was found (RFC 3986, 5.2).
pub(super) fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next().unwrap_or_default();
    if has_scheme(reference) {
        return reference.parse().ok();
    }
    let scheme = base.scheme_str()?;
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}").parse().ok();
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let (path, query) = match path {
        "" => (String::from(base.path()), query.or(base.query())),
        _ if path.starts_with('/') => (without_dots(path), query),
        _ => (without_dots(&format!("{}/{path}", folder(base.path()))), query),
    };
    let (authority, mark) = (base.authority()?.as_str(), if query.is_some() { "?" } else { "" });
    // Without the user information: it is in the headers, if anywhere, and never comes from a server.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{authority}{path}{mark}{}", query.unwrap_or_default())
        .parse()
        .ok()
}

fn has_scheme(reference: &str) -> bool {
    let scheme = reference.split([':', '/', '?']).next().unwrap_or_default();
    let is_name = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_name
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && reference.get(scheme.len()..).is_some_and(|rest| rest.starts_with(':'))
}

/// A path up to its last segment, without the slash.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path with its segments `.` and `..` resolved (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // It names a folder.
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn head(status: u16, location: Option<&str>) -> Parts {
        let mut response = http::Response::builder().status(status);
        if let Some(location) = location {
            response = response.header(LOCATION, location);
        }
        response.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_reference_means_what_the_rfc_says() {
        let base = Uri::from_static("http://me:secret@host:81/a/b?q=1");
        for (reference, target) in [
            ("http://host:81/x?y=z#f", "http://host:81/x?y=z"),
            ("//host:81/x", "http://host:81/x"),
            ("/x", "http://host:81/x"),
            ("/a/b/", "http://host:81/a/b/"),
            ("c", "http://host:81/a/c"),
            ("b/", "http://host:81/a/b/"),
            ("../c/./d", "http://host:81/c/d"),
            ("../../../c", "http://host:81/c"),
            ("..", "http://host:81/"),
            ("?y", "http://host:81/a/b?y"),
            ("", "http://host:81/a/b?q=1"),
            ("c:d", "c:d"),
        ] {
            let resolved = resolve(&base, reference).map(|uri| uri.to_string());
            assert_eq!(resolved.as_deref(), Some(target), "{reference}");
        }
        assert_eq!(resolve(&base, "http://a b/"), None);
    }

    #[test]
    fn only_the_same_origin_is_followed() {
        let endpoint = Uri::from_static("https://host/mcp");
        for (location, is_followed) in [
            ("/mcp/", true),
            ("https://HOST:443/x", true),
            ("http://host/mcp", false),
            ("https://host:444/mcp", false),
            ("https://host.evil/mcp", false),
            ("https://evil-host/mcp", false),
            ("//evil/mcp", false),
            ("https://host@evil/mcp", false),
            ("https://me:secret@host/mcp", false),
            ("ftp://host/mcp", false),
        ] {
            let route = Detour::default().redirected(&endpoint, &head(308, Some(location)));
            assert_eq!(route.is_ok(), is_followed, "{location}");
            let error = route.err();
            assert!(error.is_none_or(|error| !error.contains("secret") && error.contains("redirected to ")));
        }
    }

    #[test]
    fn only_what_keeps_method_and_body_is_followed() {
        let endpoint = Uri::from_static("http://host/mcp");
        for status in [300, 301, 302, 303, 304, 305, 307, 308] {
            let route = Detour::default().redirected(&endpoint, &head(status, Some("/x")));
            assert_eq!(route.is_ok(), [307, 308].contains(&status), "{status}");
            assert!(Detour::default().redirected(&endpoint, &head(status, None)).is_err());
        }
    }

    #[test]
    fn redirects_come_to_an_end() {
        let endpoint = Uri::from_static("http://host/mcp");
        let mut route = Detour::default();
        let mut followed = 0;
        while let Ok(next) = route.redirected(&endpoint, &head(307, Some("x/"))) {
            (route, followed) = (next.again(), followed + 1);
        }
        assert_eq!((followed, route.to.unwrap().path()), (MOST, "/x/x/x/x/x/"));
    }
}
