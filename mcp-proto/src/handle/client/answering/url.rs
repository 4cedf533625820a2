//! Whether a user may be sent to a URL.

use crate::jsonrpc::ErrorObject;

/// Whether a user may be sent to this URL: by `https:`, or by `http:` to this machine.
///
/// 2025-11-25 and 2026-07-28, Elicitation, Safe URL Handling: servers "SHOULD use HTTPS URLs for non-development
/// environments", and clients "MUST handle URLs carefully": another scheme may start any program that the system has for it.
pub(super) fn check(url: &str) -> Result<(), ErrorObject> {
    let is_clean = !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = host_of(rest);
    let may_be_opened = match scheme {
        _ if !is_clean || host.is_empty() => false,
        scheme if scheme.eq_ignore_ascii_case("https") => true,
        scheme if scheme.eq_ignore_ascii_case("http") => is_this_machine(host),
        _ => false,
    };
    match may_be_opened {
        true => Ok(()),
        false => Err(ErrorObject::invalid_params(
            "the URL must be https:, or http: of this machine",
        )),
    }
}

/// The host in what follows `://`, without its port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<core::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        // RFC 6761, 6.3: all names under `localhost` are this machine.
        Err(_) => {
            let last = host.rsplit('.').next().unwrap_or_default();
            last.eq_ignore_ascii_case("localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_opened() {
        for url in [
            "https://example.org/x?y#z",
            "HTTPS://EXAMPLE.ORG",
            "https://user@example.org:8443/",
            "http://localhost:3000/",
            "http://app.localhost/",
            "http://127.0.0.9/",
            "http://[::1]:80/",
        ] {
            assert!(check(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "https://",
            "http://example.org/",
            "http://localhost.example.org/",
            "http://localhost@example.org/",
            "http://127.0.0.1.example.org/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "ftp://localhost/",
            "https:example.org",
            "https://exa mple.org",
            "https://localhost\\@example.org",
            "ms-settings://x",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
