//! What an application says about an HTTP client, beside the protocol.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use http::{Extensions, HeaderMap, Uri};

use crate::ConnectError;
use mcp_proto::http::client::{HttpClientConfig, HttpDialect};

/// How many requests a connection of HTTP/2 bears, if nothing is known: the least that RFC 9113, 6.5.2, recommends.
const EXPECTED_STREAMS: usize = 100;

/// Which HTTP a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpVersions {
    /// HTTP/2 where the server chooses it in the handshake of TLS; HTTP/1 everywhere else.
    #[default]
    Negotiated,
    /// HTTP/1 alone.
    Http1,
    /// HTTP/2 alone, without TLS from the first byte on: the server is known to speak it.
    Http2,
}

impl HttpVersions {
    /// What to offer for them in the handshake of TLS, the best first: names of ALPN (RFC 7301).
    #[must_use]
    pub fn protocols(self, has_http2: bool) -> Vec<Vec<u8>> {
        let http2 = (has_http2 && self != Self::Http1).then(|| b"h2".to_vec());
        let http1 = (self != Self::Http2).then(|| b"http/1.1".to_vec());
        http2.into_iter().chain(http1).collect()
    }
}

/// What a build of an adapter is capable of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpAbilities {
    /// TLS.
    pub tls: bool,
    /// HTTP/2.
    pub http2: bool,
}

/// What an HTTP client does on its own account.
#[derive(Clone)]
pub struct HttpOptions {
    /// Headers for every request, such as `Authorization`. Those of the protocol win over them.
    pub headers: HeaderMap,
    /// Whether to keep a stream open for what a legacy server sends on its own. Default `true`.
    pub listen: bool,
    /// Which of the transports over HTTP to speak. Default [`HttpDialect::Any`]: what the server does.
    pub dialect: HttpDialect,
    /// How long making a connection may take, from the look-up of the name to the end of all
    /// handshakes. Default 10 seconds.
    pub connect_timeout: Duration,
    /// How long a connection without a request is kept. Default 90 seconds.
    pub idle_timeout: Duration,
    /// Most connections at a time, or `None` for any number. Default `None`.
    ///
    /// Over HTTP/1 each call in flight has a connection of its own. Where there are as many as there may be, and none of
    /// them has room, a request is not sent and nothing waits: its call ends at once with
    /// [`CallError::Refused`](mcp_proto::rpc::CallError::Refused) and
    /// [`SendError::TooManyConnections`](mcp_proto::rpc::SendError::TooManyConnections), and may be made again. Counted are
    /// those that are being made, those in use, and those that are kept; one that bears nothing is closed where
    /// another host needs its place. One that is being closed is not counted. In the legacy era the stream that is
    /// [listened](Self::listen) on takes one for as long as it is open, and what is notified, such as that a call was
    /// given up, takes one for a moment: what finds none is lost, the stream is tried again later.
    pub max_connections: Option<usize>,
    /// Which HTTP to speak. Default `Negotiated`.
    pub versions: HttpVersions,
    /// The Unix socket that every connection is made to, in place of the host of the URL: that stands in the `Host` header
    /// alone, and a server that guards against DNS rebinding wants it to be `localhost` or what it was told. With `http`
    /// URLs only. Default `None`.
    pub unix_socket: Option<PathBuf>,
    /// What an adapter knows beside: a TLS configuration is put here by its `tls::with_config`.
    pub extensions: Extensions,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            listen: true,
            dialect: HttpDialect::Any,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            max_connections: None,
            versions: HttpVersions::default(),
            unix_socket: None,
            extensions: Extensions::new(),
        }
    }
}

impl HttpOptions {
    /// The endpoint that a URL names.
    ///
    /// # Errors
    /// [`ConnectError`], where it is none, or out of reach for an adapter of these abilities.
    pub fn endpoint(&self, url: &str, abilities: HttpAbilities) -> Result<Uri, ConnectError> {
        let uri: Uri = url.parse().map_err(|_| ConnectError::InvalidUrl)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") if self.unix_socket.is_some() => return Err(ConnectError::TlsOverUnixSocket),
            Some("https") if abilities.tls => {}
            Some(scheme) => return Err(ConnectError::UnsupportedScheme(scheme.into())),
            None => return Err(ConnectError::InvalidUrl),
        }
        if self.unix_socket.is_some() && !cfg!(unix) {
            return Err(ConnectError::NoUnixSockets);
        }
        if self.versions == HttpVersions::Http2 && !abilities.http2 {
            return Err(ConnectError::UnsupportedVersion);
        }
        Ok(uri)
    }

    /// How many requests a connection is expected to bear at once before the server has said.
    #[must_use]
    pub fn expected_capacity(&self, is_secure: bool, abilities: HttpAbilities) -> usize {
        let is_negotiable = is_secure && abilities.http2;
        match self.versions {
            HttpVersions::Http2 => EXPECTED_STREAMS,
            HttpVersions::Negotiated if is_negotiable => EXPECTED_STREAMS,
            HttpVersions::Negotiated | HttpVersions::Http1 => 1,
        }
    }

    /// What of this concerns the protocol, for the endpoint at `endpoint`.
    #[must_use]
    pub fn to_config(&self, endpoint: Uri) -> HttpClientConfig {
        let mut config = HttpClientConfig::new(endpoint);
        config.headers.clone_from(&self.headers);
        config.listen = self.listen;
        config.dialect = self.dialect;
        config
    }
}

/// Shows the names of the headers only: their values may be secrets.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("HttpOptions")
            .field("headers", &names)
            .field("listen", &self.listen)
            .field("dialect", &self.dialect)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("max_connections", &self.max_connections)
            .field("versions", &self.versions)
            .field("unix_socket", &self.unix_socket)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: HttpAbilities = HttpAbilities { tls: true, http2: true };
    const NONE: HttpAbilities = HttpAbilities {
        tls: false,
        http2: false,
    };

    fn options(versions: HttpVersions) -> HttpOptions {
        HttpOptions {
            versions,
            ..HttpOptions::default()
        }
    }

    #[test]
    fn what_is_out_of_reach_is_a_typed_error() {
        let unsupported = |scheme: &str| Err(ConnectError::UnsupportedScheme(scheme.into()));
        for (url, abilities, outcome) in [
            ("http://localhost", NONE, Ok("http://localhost/")),
            ("HTTP://[::1]:8000/mcp?x=y", NONE, Ok("http://[::1]:8000/mcp?x=y")),
            ("https://localhost/mcp", ALL, Ok("https://localhost/mcp")),
            ("https://localhost/mcp", NONE, unsupported("https")),
            ("ftp://localhost/mcp", ALL, unsupported("ftp")),
            ("", ALL, Err(ConnectError::InvalidUrl)),
            ("/mcp", ALL, Err(ConnectError::InvalidUrl)),
            ("localhost:80", ALL, Err(ConnectError::InvalidUrl)),
            ("http://", ALL, Err(ConnectError::InvalidUrl)),
            ("http://a b/", ALL, Err(ConnectError::InvalidUrl)),
        ] {
            let endpoint = HttpOptions::default().endpoint(url, abilities);
            assert_eq!(endpoint, outcome.map(Uri::from_static), "{url}");
        }
        let http2 = options(HttpVersions::Http2);
        assert_eq!(http2.endpoint("http://a", NONE), Err(ConnectError::UnsupportedVersion));
        assert!(http2.endpoint("http://a", ALL).is_ok());
        let local = HttpOptions {
            unix_socket: Some("/run/mcp.sock".into()),
            ..HttpOptions::default()
        };
        assert_eq!(
            local.endpoint("https://localhost/mcp", ALL),
            Err(ConnectError::TlsOverUnixSocket)
        );
        let reached = local.endpoint("http://localhost/mcp", NONE);
        assert_eq!(reached.is_ok(), cfg!(unix), "{reached:?}");
    }

    #[test]
    fn the_protocols_that_are_offered_are_those_that_may_be_spoken() {
        for (versions, has_http2, expected) in [
            (HttpVersions::Negotiated, true, ["h2", "http/1.1"].as_slice()),
            (HttpVersions::Negotiated, false, &["http/1.1"]),
            (HttpVersions::Http1, true, &["http/1.1"]),
            (HttpVersions::Http2, true, &["h2"]),
            (HttpVersions::Http2, false, &[]),
        ] {
            assert_eq!(
                versions.protocols(has_http2),
                expected.iter().map(|name| name.as_bytes()).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn many_streams_are_expected_where_http_2_may_be_spoken() {
        for (versions, is_secure, abilities, expected) in [
            (HttpVersions::Negotiated, true, ALL, EXPECTED_STREAMS),
            (HttpVersions::Negotiated, true, NONE, 1),
            (HttpVersions::Negotiated, false, ALL, 1),
            (HttpVersions::Http1, true, ALL, 1),
            (HttpVersions::Http2, false, ALL, EXPECTED_STREAMS),
        ] {
            let capacity = options(versions).expected_capacity(is_secure, abilities);
            assert_eq!(capacity, expected, "{versions:?} {is_secure} {abilities:?}");
        }
    }

    #[test]
    fn values_of_headers_are_not_shown() {
        let mut options = HttpOptions::default();
        options
            .headers
            .insert("authorization", http::HeaderValue::from_static("Bearer x"));
        let shown = alloc::format!("{options:?}");
        assert!(shown.contains("authorization") && !shown.contains("Bearer"), "{shown}");
    }
}
