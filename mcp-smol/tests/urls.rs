//! URLs that nobody can be reached by.

use mcp_smol::{ConnectError, connect};

#[test]
fn urls_that_cannot_be_used_are_typed_errors() {
    let unsupported = |scheme: &str| Some(ConnectError::UnsupportedScheme(scheme.into()));
    for (url, error) in [
        (
            "https://localhost/mcp",
            unsupported("https").filter(|_| !cfg!(feature = "tls")),
        ),
        ("ftp://localhost/mcp", unsupported("ftp")),
        ("", Some(ConnectError::InvalidUrl)),
        ("/mcp", Some(ConnectError::InvalidUrl)),
        ("http://", Some(ConnectError::InvalidUrl)),
        ("http://localhost", None),
        ("HTTP://[::1]:8000/mcp?x=y", None),
    ] {
        assert_eq!(connect(url, drop).err(), error, "{url}");
    }
}
