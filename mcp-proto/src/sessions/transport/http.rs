//! Streamable HTTP.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Secret, TlsFiles, TransportError, TransportTimeouts, mode};
use crate::client::Mode;
use crate::wire::url::{Redacted, authority};

/// Headers that carry credentials, whatever is in them.
const CREDENTIALS: [&str; 3] = ["cookie", "proxy-authorization", "x-api-key"];

/// A server behind a URL, by Streamable HTTP.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", rename_all = "camelCase")]
#[non_exhaustive]
pub struct HttpTransport {
    url: String,
    authorization: Authorization,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_headers: BTreeMap<String, Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<TlsFiles>,
    /// Which eras its client speaks, and which revision it proposes; what resolves it says so where `None`. Stored as
    /// `"auto"`, `"modern"`, `"legacy"` (the latest legacy revision) or the name of a revision.
    #[serde(with = "mode", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How long each phase may take.
    #[serde(skip_serializing_if = "TransportTimeouts::is_default")]
    pub timeouts: TransportTimeouts,
}

/// How requests are authorized. There is no default: that there is none has to be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Authorization {
    /// Not at all, or by what the secret headers say.
    None,
    /// By a bearer token (RFC 6750).
    Bearer(Secret),
}

/// As it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Unchecked {
    url: String,
    #[serde(deserialize_with = "authorization")]
    authorization: Authorization,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    secret_headers: BTreeMap<String, Secret>,
    #[serde(default)]
    tls: Option<TlsFiles>,
    #[serde(default, with = "mode")]
    mode: Option<Mode>,
    #[serde(default)]
    timeouts: TransportTimeouts,
}

impl HttpTransport {
    /// The server at `url`.
    ///
    /// # Errors
    /// [`TransportError::InvalidUrl`], [`TransportError::CredentialsInUrl`].
    pub fn new(url: impl Into<String>, authorization: Authorization) -> Result<Self, TransportError> {
        let url = url.into();
        check_url(&url)?;
        check_bearer(&authorization)?;
        Ok(Self {
            url,
            authorization,
            headers: BTreeMap::new(),
            secret_headers: BTreeMap::new(),
            tls: None,
            mode: None,
            timeouts: TransportTimeouts::default(),
        })
    }

    /// Adds a header to every request, that may be shown and stored. Headers of the protocol win over it.
    ///
    /// # Errors
    /// [`TransportError`]: it cannot be a header, is a secret one already, or ought to be.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Result<Self, TransportError> {
        let (name, value) = (check_name(name)?, value.into());
        if CREDENTIALS.contains(&name.as_str()) {
            return Err(TransportError::NotSecret(name.into()));
        }
        if !is_value(&value) {
            return Err(TransportError::InvalidHeader(name.into()));
        }
        if self.secret_headers.contains_key(&name) {
            return Err(TransportError::Twice(name.into()));
        }
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Adds a header to every request, that is shown and stored nowhere but for its name.
    ///
    /// # Errors
    /// [`TransportError`]: it cannot be a header, or is a plain one already.
    pub fn secret_header(mut self, name: &str, value: Secret) -> Result<Self, TransportError> {
        let name = check_name(name)?;
        if !value.reveal().is_none_or(is_value) {
            return Err(TransportError::InvalidHeader(name.into()));
        }
        if self.headers.contains_key(&name) {
            return Err(TransportError::Twice(name.into()));
        }
        self.secret_headers.insert(name, value);
        Ok(self)
    }

    /// Connects with these files for TLS, in place of what there is for all transports.
    ///
    /// # Errors
    /// [`TransportError::TlsWithoutHttps`].
    pub fn tls(mut self, files: TlsFiles) -> Result<Self, TransportError> {
        if !has_scheme(&self.url, "https") {
            return Err(TransportError::TlsWithoutHttps);
        }
        self.tls = Some(files);
        Ok(self)
    }

    /// The files for TLS, where it has some of its own.
    pub fn tls_files(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// The URL. A query of it may be secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How requests are authorized.
    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// The headers that may be shown, by their names in small letters.
    pub fn headers(&self) -> &BTreeMap<String, String> {
        &self.headers
    }

    /// The secret headers, by their names in small letters.
    pub fn secret_headers(&self) -> &BTreeMap<String, Secret> {
        &self.secret_headers
    }
}

/// What is there in place of an authorization may well be a secret, and stays out of the error.
fn authorization<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Authorization, D::Error> {
    let authorization = Authorization::deserialize(deserializer);
    authorization.map_err(|_| D::Error::custom("the authorization has to be \"none\" or {\"bearer\": …}"))
}

impl TryFrom<Unchecked> for HttpTransport {
    type Error = TransportError;

    fn try_from(stored: Unchecked) -> Result<Self, TransportError> {
        let mut transport = Self::new(stored.url, stored.authorization)?;
        for (name, value) in stored.headers {
            transport = transport.header(&name, value)?;
        }
        for (name, value) in stored.secret_headers {
            transport = transport.secret_header(&name, value)?;
        }
        if let Some(files) = stored.tls {
            transport = transport.tls(files)?;
        }
        transport.mode = stored.mode;
        transport.timeouts = stored.timeouts;
        Ok(transport)
    }
}

/// Shows the URL without its query.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("url", &Redacted(&self.url))
            .field("authorization", &self.authorization)
            .field("headers", &self.headers)
            .field("secret_headers", &self.secret_headers)
            .field("tls", &self.tls)
            .field("mode", &self.mode)
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

fn check_url(url: &str) -> Result<(), TransportError> {
    let is_http = has_scheme(url, "http") || has_scheme(url, "https");
    let authority = authority(url);
    let is_text = url.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_http || authority.is_empty() || !is_text {
        return Err(TransportError::InvalidUrl);
    }
    // It would be shown and stored with the URL.
    if authority.contains('@') {
        return Err(TransportError::CredentialsInUrl);
    }
    Ok(())
}

fn has_scheme(url: &str, name: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(name))
}

fn check_bearer(authorization: &Authorization) -> Result<(), TransportError> {
    match authorization {
        Authorization::Bearer(token) if !token.reveal().is_none_or(is_value) => {
            Err(TransportError::InvalidHeader("authorization".into()))
        }
        _ => Ok(()),
    }
}

/// The name of a header in small letters (RFC 9110, 5.6.2: a token).
fn check_name(name: &str) -> Result<String, TransportError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(TransportError::InvalidHeader(name.into()));
    }
    let name = name.to_ascii_lowercase();
    // It has a place of its own, where it is shown and stored nowhere.
    if name == "authorization" {
        return Err(TransportError::Authorization);
    }
    Ok(name)
}

/// Whether a text can be the value of a header.
fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
