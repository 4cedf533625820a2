//! The server behind a URL.

use alloc::boxed::Box;

use http::header::HOST;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri, Version};

use mcp_proto::http::client::ExchangeError;

/// A server: what a connection leads to.
#[derive(Clone, Debug)]
pub struct Origin {
    scheme: Scheme,
    /// Without user information, which is for this side alone.
    authority: Authority,
    host: HeaderValue,
}

impl Origin {
    /// The origin of a URL.
    ///
    /// # Errors
    /// [`ExchangeError::Unreachable`] where the URL names no host, or a scheme other than `http` and `https`.
    pub(super) fn of(uri: &Uri) -> Result<Self, ExchangeError> {
        let scheme = uri
            .scheme()
            .filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme));
        let scheme = scheme.ok_or_else(|| unreachable("only http and https URLs can be reached"))?;
        let authority = named(uri).ok_or_else(|| unreachable("the URL names no host"))?;
        let invalid = || unreachable("the URL names no valid host");
        Ok(Self {
            scheme: scheme.clone(),
            authority: authority.parse().map_err(|_| invalid())?,
            host: HeaderValue::from_str(authority).map_err(|_| invalid())?,
        })
    }

    /// Whether a URL leads there.
    pub(super) fn is_of(&self, uri: &Uri) -> bool {
        // As it stands, for nearly every request: the user information need not be looked for.
        let is_plainly = || uri.authority().map(Authority::as_str) == Some(self.authority());
        let is_named = || named(uri).is_some_and(|named| self.authority == *named);
        uri.scheme() == Some(&self.scheme) && (is_plainly() || is_named())
    }

    /// Whether connections are encrypted: the scheme is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The name or address of the host; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    /// Host and port as the URL names them, without user information.
    pub(super) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The port: that of the scheme, if the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        let usual = if self.is_secure() { 443 } else { 80 };
        self.authority.port_u16().unwrap_or(usual)
    }

    /// Makes a request to this origin ready for the wire.
    pub(super) fn address<B>(&self, request: &mut Request<B>, version: Version) {
        let target = request.uri_mut();
        let path = target.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if version == Version::HTTP_2 {
            let mut parts = Parts::default();
            parts.scheme = Some(self.scheme.clone());
            parts.authority = Some(self.authority.clone());
            parts.path_and_query = Some(path);
            // Complete, and therefore valid.
            *target = Uri::from_parts(parts).unwrap_or_default();
        } else {
            *target = path.into();
            // One that the application has set stays.
            request.headers_mut().entry(HOST).or_insert_with(|| self.host.clone());
        }
    }
}

/// What a URL names: host and port.
fn named(uri: &Uri) -> Option<&str> {
    // The last one: there may be others in the user information, which is no host.
    uri.authority()?.as_str().rsplit('@').next()
}

fn unreachable(why: impl Into<Box<str>>) -> ExchangeError {
    ExchangeError::Unreachable(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(url: &str, version: Version) -> Request<()> {
        let mut request = Request::post(url).body(()).unwrap();
        Origin::of(request.uri()).unwrap().address(&mut request, version);
        request
    }

    #[test]
    fn a_request_of_http_1_names_path_and_host() {
        let request = addressed("http://user:secret@example.com:81/a?b=c", Version::HTTP_11);
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()[HOST], "example.com:81");
        assert_eq!(addressed("http://example.com", Version::HTTP_11).uri(), "/");
    }

    #[test]
    fn a_request_of_http_2_names_all_but_user_information() {
        let request = addressed("https://user:secret@example.com:81/a?b=c", Version::HTTP_2);
        assert_eq!(request.uri(), "https://example.com:81/a?b=c");
        assert!(request.headers().is_empty());
        assert_eq!(
            addressed("http://example.com", Version::HTTP_2).uri(),
            "http://example.com/"
        );
    }

    #[test]
    fn a_request_that_comes_back_is_addressed_again() {
        let origin = Origin::of(&Uri::from_static("https://example.com/")).unwrap();
        let mut request = Request::post("https://example.com/a").body(()).unwrap();
        for (version, uri) in [
            (Version::HTTP_11, "/a"),
            (Version::HTTP_2, "https://example.com/a"),
            (Version::HTTP_11, "/a"),
        ] {
            origin.address(&mut request, version);
            assert_eq!(request.uri(), uri);
        }
    }

    #[test]
    fn hosts_and_ports_are_those_of_the_url() {
        for (url, is_secure, host, port) in [
            ("http://example.com/", false, "example.com", 80),
            ("https://example.com/", true, "example.com", 443),
            ("https://[::1]:8443/", true, "::1", 8443),
            ("http://127.0.0.1:1/", false, "127.0.0.1", 1),
        ] {
            let uri = Uri::from_static(url);
            let origin = Origin::of(&uri).unwrap();
            assert_eq!(
                (origin.is_secure(), origin.host(), origin.port()),
                (is_secure, host, port)
            );
            assert!(origin.is_of(&uri));
        }
        for url in ["ftp://example.com/", "/a"] {
            let outcome = Origin::of(&Uri::from_static(url));
            assert!(matches!(outcome, Err(ExchangeError::Unreachable(_))), "{url}");
        }
    }

    #[test]
    fn user_information_makes_no_other_origin() {
        let origin = Origin::of(&Uri::from_static("http://Example.com:80/")).unwrap();
        assert!(origin.is_of(&Uri::from_static("http://a:b@example.COM:80/x")));
        for other in [
            "https://example.com:80/",
            "http://example.com/",
            "http://example.org:80/",
            "/",
        ] {
            assert!(!origin.is_of(&Uri::from_static(other)), "{other}");
        }
    }
}
