//! What can be wrong with a transport.

use alloc::boxed::Box;
use core::fmt;

/// Why a transport cannot be as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The URL is none of `http` or `https` with a host.
    InvalidUrl,
    /// The URL has user information in it: it would be stored and shown. It belongs into the authorization.
    CredentialsInUrl,
    /// A header cannot have this name, or its value.
    InvalidHeader(Box<str>),
    /// A header, or a variable of the environment, is there twice: as a plain one and as a secret one.
    Twice(Box<str>),
    /// A header that carries credentials is not secret.
    NotSecret(Box<str>),
    /// The header `Authorization` beside the authorization.
    Authorization,
    /// This is missing, and what is there is of no use without it.
    Missing(Box<str>),
    /// TLS for a URL that is not `https`.
    TlsWithoutHttps,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl => f.write_str("not a http or https URL with a host"),
            Self::CredentialsInUrl => f.write_str("credentials do not belong into the URL"),
            Self::InvalidHeader(name) => write!(f, "{name:?} or its value cannot be a header"),
            Self::Twice(name) => write!(f, "{name:?} is both plain and secret"),
            Self::NotSecret(name) => write!(f, "the header {name:?} has to be a secret one"),
            Self::Authorization => f.write_str("the authorization is said by itself, and not as a header"),
            Self::Missing(what) => write!(f, "{what:?} is missing"),
            Self::TlsWithoutHttps => f.write_str("TLS is for https URLs"),
        }
    }
}

impl core::error::Error for TransportError {}
