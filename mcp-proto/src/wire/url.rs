//! URLs, as they may be shown.

use core::fmt;

/// Shows a URL without what may be secret in it: user information, query and fragment.
pub(crate) struct Redacted<'a>(pub(crate) &'a str);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", self.0));
        if !scheme.is_empty() {
            write!(f, "{scheme}://")?;
        }
        let authority = authority(self.0);
        // The last one: there may be others in the user information, which must not be taken for the host.
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let path = rest.get(authority.len()..).unwrap_or_default();
        let shown = path.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{host}{shown}")?;
        if shown.len() < path.len() {
            f.write_str("?…")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The part of a URL between its scheme and its path, user information included.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn nothing_secret_is_shown() {
        for (url, shown) in [
            ("http://localhost/mcp", "http://localhost/mcp"),
            (
                "https://me:secret@host:8443/a/b?token=secret#secret",
                "https://host:8443/a/b?…",
            ),
            ("http://a:secret@b@host", "http://host"),
            ("https://host?token=secret", "https://host?…"),
            ("https://host#secret", "https://host?…"),
            ("https://host/@user", "https://host/@user"),
            ("/mcp?token=secret", "/mcp?…"),
            ("", ""),
            ("://", ""),
        ] {
            assert_eq!(Redacted(url).to_string(), shown);
        }
    }
}
