//! Which hosts and origins a request may name. Parsed once, compared byte by byte for each request.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// The hosts under which a server may be addressed.
///
/// The default is [`Hosts::loopback`]: a web page that resolves its own name to 127.0.0.1 (DNS rebinding) sends
/// its own name as host, and is refused. A server with a public name adds that name.
///
/// ```
/// use mcp_proto::http::server::Hosts;
///
/// let hosts = Hosts::loopback().allow("mcp.example.com")?.allow("10.0.0.7:8443")?;
/// # Ok::<(), mcp_proto::http::server::InvalidRule>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hosts {
    /// `None` for any.
    rules: Option<Vec<Rule>>,
}

impl Hosts {
    /// `localhost`, `127.0.0.1` and `[::1]`, on every port.
    pub fn loopback() -> Self {
        Self {
            rules: Some(loopback(None)),
        }
    }

    /// No host at all, to start a list from.
    pub const fn none() -> Self {
        Self {
            rules: Some(Vec::new()),
        }
    }

    /// Every host: switches the protection against DNS rebinding off.
    ///
    /// Right only where something in front has checked the host, or where no browser can reach the server.
    pub const fn dangerously_any() -> Self {
        Self { rules: None }
    }

    /// The same with `host`: a name or address, and a port where only that one is meant.
    ///
    /// # Errors
    /// [`InvalidRule`] where `host` is not of the form `host` or `host:port`.
    pub fn allow(mut self, host: &str) -> Result<Self, InvalidRule> {
        let authority = Authority::parse(host.as_bytes()).ok_or(InvalidRule)?;
        if let Some(rules) = &mut self.rules {
            rules.push(Rule::new(None, &authority, authority.port));
        }
        Ok(self)
    }

    /// Whether every host is allowed.
    pub(super) const fn is_any(&self) -> bool {
        self.rules.is_none()
    }

    pub(super) fn allows(&self, host: &Authority<'_>) -> bool {
        let Some(rules) = &self.rules else { return true };
        rules.iter().any(|rule| {
            // A Host without a port means that of its scheme, which only a proxy in front may know.
            let port = |port| host.port.map_or(port == 80 || port == 443, |named| named == port);
            rule.is_host(host) && rule.port.is_none_or(port)
        })
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self::loopback()
    }
}

/// The origins from which a browser may send requests.
///
/// A request without an `Origin` does not come from a web page of another site and passes. The default is
/// [`Origins::loopback`], and with any list the origin that is the server's own allowed host.
#[derive(Clone, Debug)]
pub struct Origins {
    /// `None` for any.
    rules: Option<Vec<Rule>>,
}

impl Origins {
    /// `http` and `https` on `localhost`, `127.0.0.1` and `[::1]`, on every port.
    pub fn loopback() -> Self {
        let mut rules = loopback(Some("http"));
        rules.append(&mut loopback(Some("https")));
        Self { rules: Some(rules) }
    }

    /// No origin but the server's own host, to start a list from.
    pub const fn none() -> Self {
        Self {
            rules: Some(Vec::new()),
        }
    }

    /// Every origin: any web page that a user of the server opens may then send requests to it.
    pub const fn dangerously_any() -> Self {
        Self { rules: None }
    }

    /// The same with `origin`, of the form `scheme://host`, `scheme://host:port`, or `scheme://host:*` for
    /// every port.
    ///
    /// # Errors
    /// [`InvalidRule`] where `origin` is of another form.
    pub fn allow(mut self, origin: &str) -> Result<Self, InvalidRule> {
        let (text, any_port) = origin.strip_suffix(":*").map_or((origin, false), |text| (text, true));
        let parsed = Origin::parse(text.as_bytes()).ok_or(InvalidRule)?;
        let port = if any_port {
            None
        } else {
            // No port means that of the scheme; one that has none would match nothing, and has to say `:*`.
            Some(parsed.port().ok_or(InvalidRule)?)
        };
        if let Some(rules) = &mut self.rules {
            rules.push(Rule::new(Some(parsed.scheme), &parsed.authority, port));
        }
        Ok(self)
    }

    pub(super) const fn is_any(&self) -> bool {
        self.rules.is_none()
    }

    pub(super) fn allows(&self, origin: &Origin<'_>) -> bool {
        let Some(rules) = &self.rules else { return true };
        rules.iter().any(|rule| {
            rule.scheme
                .as_deref()
                .is_none_or(|scheme| scheme.eq_ignore_ascii_case(origin.scheme))
                && rule.is_host(&origin.authority)
                && rule.port.is_none_or(|port| origin.port() == Some(port))
        })
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self::loopback()
    }
}

/// A host or an origin to allow that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRule;

impl fmt::Display for InvalidRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of the form host, host:port or scheme://host:port")
    }
}

impl core::error::Error for InvalidRule {}

#[derive(Clone, Debug)]
struct Rule {
    /// `None` for any.
    scheme: Option<Box<str>>,
    host: Box<[u8]>,
    /// `None` for any.
    port: Option<u16>,
}

impl Rule {
    fn new(scheme: Option<&str>, authority: &Authority<'_>, port: Option<u16>) -> Self {
        Self {
            scheme: scheme.map(Box::from),
            host: authority.host.into(),
            port,
        }
    }

    fn is_host(&self, authority: &Authority<'_>) -> bool {
        // RFC 9110, 4.2.3: names of hosts are compared without regard to case.
        self.host.eq_ignore_ascii_case(authority.host)
    }
}

fn loopback(scheme: Option<&str>) -> Vec<Rule> {
    ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .map(|host| Rule {
            scheme: scheme.map(Box::from),
            host: host.as_bytes().into(),
            port: None,
        })
        .collect()
}

/// The value of `Host`: a name or address, and perhaps a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authority<'a> {
    /// With the brackets of an IPv6 address. ASCII, and as bytes since it is only compared: every request has one.
    host: &'a [u8],
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host[:port]`; no user, no path, no blanks (RFC 9110, 7.2).
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let find = |wanted| value.iter().position(|byte| *byte == wanted);
        let host_end = match value.first() {
            // The colons of an IPv6 address are none of a port.
            Some(b'[') => find(b']')? + 1,
            _ => find(b':').unwrap_or(value.len()),
        };
        let (host, rest) = value.split_at_checked(host_end)?;
        let port = match rest {
            [b':', digits @ ..] => Some(port(digits)?),
            [] => None,
            _ => return None,
        };
        is_host(host).then_some(Self { host, port })
    }

    /// Whether both name the same host and port.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port == other.port
    }
}

/// The number of a port: digits alone. An empty one is refused: parsers differ about it.
fn port(digits: &[u8]) -> Option<u16> {
    let add = |port: u16, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
        port.checked_mul(10)?.checked_add(digit)
    };
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}

/// Whether `host` could be a name or an address. Which one does not matter: it is only compared.
fn is_host(host: &[u8]) -> bool {
    let of_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    match host {
        [b'[', address @ .., b']'] => !address.is_empty() && address.iter().copied().all(of_address),
        name => !name.is_empty() && name.iter().copied().all(of_name),
    }
}

/// The value of `Origin` (RFC 6454, 7).
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    scheme: &'a str,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    /// Reads `scheme://host[:port]`. The opaque origin `null` is none.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(value).ok()?;
        // `null` ends here: any page can have it, by way of a sandboxed frame.
        let (scheme, rest) = text.split_once("://")?;
        let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let is_scheme = !scheme.is_empty() && scheme.bytes().all(of_scheme);
        is_scheme.then_some(Self {
            scheme,
            authority: Authority::parse(rest.as_bytes())?,
        })
    }

    /// The port, also where it is that of the scheme and left out.
    fn port(&self) -> Option<u16> {
        let of_scheme = || match self.scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        self.authority.port.or_else(of_scheme)
    }

    /// Whether this is a page of the very host that the request is addressed to.
    pub(super) fn is_of(&self, host: &Authority<'_>) -> bool {
        // Only what came over HTTP is a page of this host: `vscode-webview://localhost` is not.
        matches!(self.scheme, "http" | "https")
            && self.authority.host.eq_ignore_ascii_case(host.host)
            // Without a port in the host it is not known which is meant: a proxy may have changed the scheme.
            && (self.authority.port == host.port || host.port.is_some() && self.port() == host.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Authority<'_> {
        Authority::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_an_authority() {
        for text in [
            "localhost",
            "a.b-c_d",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:1",
            "[::ffff:1.2.3.4]:65535",
        ] {
            assert!(Authority::parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            "",
            ":",
            ":80",
            "a:b",
            "a:65536",
            "a:1:2",
            "[::1",
            "[]",
            "[::1]x",
            "[::1]:",
            "::1",
            "u@localhost",
            "localhost/",
            "local host",
            "localhost\0",
            "localhost:+80",
            "localhost:",
            "[evil.com]",
            "a,b",
            "ä",
        ] {
            // An empty port is legal in RFC 3986, sent by nobody, and read differently by different parsers.
            assert!(Authority::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn loopback_hosts_alone_by_default() {
        let hosts = Hosts::default();
        for text in ["localhost", "LocalHost:1", "127.0.0.1:8000", "[::1]:8000"] {
            assert!(hosts.allows(&host(text)), "{text}");
        }
        for text in [
            "evil.com",
            "localhost.evil.com",
            "localhost.",
            "127.0.0.1.evil.com",
            "127.0.0.2",
            "0.0.0.0",
            "[::]",
        ] {
            assert!(!hosts.allows(&host(text)), "{text}");
        }
        assert!(Hosts::dangerously_any().allows(&host("evil.com")));
    }

    /// Neither what ends with an allowed host, nor what begins with one, nor a part of one.
    #[test]
    fn a_host_is_allowed_as_a_whole() {
        let hosts = Hosts::default().allow("app.example").unwrap();
        let origins = Origins::default().allow("https://app.example").unwrap();
        let allowed = |text: &str| Origin::parse(text.as_bytes()).is_some_and(|origin| origins.allows(&origin));
        for text in [
            "evil-localhost",
            "evil.localhost",
            "xlocalhost",
            "localhosts",
            "localhost-evil",
            "ocalhost",
            "localhos",
            "1127.0.0.1",
            "127.0.0.11",
            "27.0.0.1",
            "[::11]",
            "[1::1]",
            "[:1]",
            "evil-app.example",
            "evil.app.example",
            "app.example.evil",
            "app.examples",
            "pp.example",
        ] {
            assert!(!hosts.allows(&host(text)), "{text}");
            assert!(!hosts.allows(&host(&alloc::format!("{text}:443"))), "{text}");
            for scheme in ["http", "https"] {
                assert!(!allowed(&alloc::format!("{scheme}://{text}")), "{scheme}://{text}");
            }
        }
        let own = |origin: &str| Origin::parse(origin.as_bytes()).unwrap().is_of(&host("app.example"));
        assert!(own("https://app.example") && !own("https://evil-app.example") && !own("https://app.example.evil"));
    }

    #[test]
    fn a_rule_with_a_port_means_that_port() {
        let hosts = Hosts::none()
            .allow("a.example:8443")
            .unwrap()
            .allow("b.example:443")
            .unwrap()
            .allow("c")
            .unwrap();
        for (text, allowed) in [
            ("a.example:8443", true),
            ("A.EXAMPLE:8443", true),
            ("a.example", false),
            ("a.example:443", false),
            ("b.example", true),
            ("b.example:80", false),
            ("c:7", true),
            ("localhost", false),
        ] {
            assert_eq!(hosts.allows(&host(text)), allowed, "{text}");
        }
        assert!(Hosts::none().allow("http://a").is_err());
    }

    #[test]
    fn origins() {
        let origins = Origins::default()
            .allow("https://app.example")
            .unwrap()
            .allow("http://b.example:*")
            .unwrap();
        let origins = origins.allow("vscode-webview://x:*").unwrap();
        let allowed = |text: &str| Origin::parse(text.as_bytes()).is_some_and(|origin| origins.allows(&origin));
        for text in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://[::1]:5",
            "https://app.example",
            "https://app.example:443",
            "http://b.example:99",
            "vscode-webview://x",
        ] {
            assert!(allowed(text), "{text}");
        }
        for text in [
            "null",
            "",
            "http://evil.com",
            "http://app.example",
            "https://app.example:8443",
            "https://b.example",
            "ftp://localhost",
            "http://localhost.evil.com",
            "http://localhost@evil.com",
            "http://localhost/",
            "file://",
            "//localhost",
            "ht tp://localhost",
            "http\0://localhost",
        ] {
            assert!(!allowed(text), "{text}");
        }
        for text in ["ht tp://x", "://x", "x"] {
            assert!(Origin::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Origins::none().allow("null").is_err());
        assert!(Origins::none().allow("app://x").is_err()); // no port is known for that scheme
    }

    #[test]
    fn the_servers_own_page() {
        let of = |origin: &str, at: &str| Origin::parse(origin.as_bytes()).unwrap().is_of(&host(at));
        assert!(of("https://a.example", "a.example"));
        assert!(of("https://a.example", "A.example:443"));
        assert!(of("http://a.example:80", "a.example:80"));
        assert!(of("http://a.example", "a.example:80"), "the port of the scheme");
        assert!(!of("http://a.example", "a.example:443"));
        assert!(!of("http://a.example:81", "a.example"));
        assert!(!of("http://b.example", "a.example"));
        assert!(!of("ext://a.example", "a.example"));
    }
}
