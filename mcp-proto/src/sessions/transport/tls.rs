//! The files of a TLS configuration.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::TransportError;

/// What a connection by TLS needs beside what is there for all: files in PEM, by their paths. What is in them is shown
/// and stored nowhere; they are read when a session is created, and again for the next one.
///
/// ```
/// use mcp_proto::sessions::TlsFiles;
///
/// let files = TlsFiles::default()
///     .trusting("/etc/mcp/ca.pem")
///     .identified_by("/etc/mcp/client.pem", "/etc/mcp/client.key");
/// let stored = r#"{"caFile":"/etc/mcp/ca.pem","certificateFile":"/etc/mcp/client.pem","keyFile":"/etc/mcp/client.key"}"#;
/// assert_eq!(serde_json::to_string(&files)?, stored);
/// assert_eq!(serde_json::from_str::<TlsFiles>(stored)?, files);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TlsFiles {
    ca: Option<String>,
    identity: Option<Identity>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Identity {
    certificate: String,
    key: String,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_file: Option<String>,
}

impl TlsFiles {
    /// Trusts the servers whose certificates one of the authorities in this file has issued, and no others.
    #[must_use]
    pub fn trusting(mut self, ca_file: impl Into<String>) -> Self {
        self.ca = Some(ca_file.into());
        self
    }

    /// Shows the certificate in the one file, with what it was issued by, where a server asks for it; its private key
    /// is in the other.
    #[must_use]
    pub fn identified_by(mut self, certificate_file: impl Into<String>, key_file: impl Into<String>) -> Self {
        self.identity = Some(Identity {
            certificate: certificate_file.into(),
            key: key_file.into(),
        });
        self
    }

    /// The file with the authorities that are trusted; those that are trusted anyway where `None`.
    pub fn ca_file(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The files with the certificate of this side, and with its private key.
    pub fn identity_files(&self) -> Option<(&str, &str)> {
        let identity = self.identity.as_ref();
        identity.map(|Identity { certificate, key }| (certificate.as_str(), key.as_str()))
    }
}

impl TryFrom<Stored> for TlsFiles {
    type Error = TransportError;

    fn try_from(stored: Stored) -> Result<Self, TransportError> {
        let identity = match (stored.certificate_file, stored.key_file) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(TransportError::Missing("keyFile".into())),
            (None, Some(_)) => return Err(TransportError::Missing("certificateFile".into())),
        };
        let ca = stored.ca_file;
        Ok(Self { ca, identity })
    }
}

impl From<TlsFiles> for Stored {
    fn from(files: TlsFiles) -> Self {
        let (certificate_file, key_file) = match files.identity {
            Some(Identity { certificate, key }) => (Some(certificate), Some(key)),
            None => (None, None),
        };
        Self {
            ca_file: files.ca,
            certificate_file,
            key_file,
        }
    }
}
