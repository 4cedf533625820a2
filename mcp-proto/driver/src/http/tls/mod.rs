//! TLS by rustls, with the cryptography of ring.
//!
//! A configuration is made once, and shared by all that is accepted with it.

mod configs;

use std::io::Read;
use std::sync::{Arc, OnceLock};

use mcp_proto::rpc::CallError;
use mcp_proto::sessions::TlsFiles;
use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore, ServerConfig, WantsVerifier};

use super::options::{HttpOptions, HttpVersions};
pub use configs::{TlsConfigs, TlsPem};

/// For a server that shows `chain`, its own certificate first, and has the private `key` of it; both in PEM. Every
/// client is welcome.
///
/// # Errors
/// What is wrong with the PEM, the certificates or the key.
pub fn server_config(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let builder = server_builder()?.with_no_client_auth();
    let config = builder.with_single_cert(certificates(chain)?, private_key(key)?)?;
    Ok(Arc::new(config))
}

/// The same for a server that demands a certificate of its clients, issued by one of `authorities`, in PEM. A client
/// without one is turned away in the handshake.
///
/// A session (legacy era) belongs to the certificate that it was begun with: for any other it does not exist.
///
/// # Errors
/// What is wrong with the PEM, the certificates or the key.
pub fn server_config_for(authorities: &[u8], chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let roots = Arc::new(roots(authorities)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
    let verifier = verifier.map_err(|error| Error::General(error.to_string()))?;
    let builder = server_builder()?.with_client_cert_verifier(verifier);
    let config = builder.with_single_cert(certificates(chain)?, private_key(key)?)?;
    Ok(Arc::new(config))
}

/// For a client that trusts the servers whose certificates one of `authorities` has issued, in PEM, and no others.
///
/// # Errors
/// What is wrong with the PEM or the certificates.
pub fn client_config(authorities: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    Ok(Arc::new(client_builder(roots(authorities)?)?.with_no_client_auth()))
}

/// The same for a client that shows `chain` where a server asks for it, its own certificate first, and has the private
/// `key` of it; all in PEM.
///
/// # Errors
/// What is wrong with the PEM, the certificates or the key.
pub fn client_config_with(authorities: &[u8], chain: &[u8], key: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let builder = client_builder(roots(authorities)?)?;
    let config = builder.with_client_auth_cert(certificates(chain)?, private_key(key)?)?;
    Ok(Arc::new(config))
}

/// Options with a TLS configuration of their own, in place of [`standard`].
///
/// The protocols of ALPN are filled in by the options, where the configuration names none.
#[must_use]
pub fn with_config(mut options: HttpOptions, config: Arc<ClientConfig>) -> HttpOptions {
    options.extensions.insert(config);
    options
}

/// What clients use that have no configuration of their own: made when the first one asks, once in a process, and
/// shared by all.
///
/// It trusts the authorities that Mozilla does, as the package `webpki-roots` has them: those of the system would have
/// to be read from files and parsed, which blocks the thread, may fail, and differs from machine to machine. Who needs
/// them, or an authority of their own, brings a configuration.
#[expect(
    clippy::expect_used,
    reason = "whether ring has the versions of TLS is settled where it is chosen, and no input changes it"
)]
pub fn standard() -> &'static Arc<ClientConfig> {
    static STANDARD: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    STANDARD.get_or_init(|| {
        #[cfg(test)]
        tests::MADE.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let builder = client_builder(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
        Arc::new(builder.expect("ring has all that is needed").with_no_client_auth())
    })
}

/// The configuration that options ask for. Of the standard one there is one in a process for each choice of versions.
pub(crate) fn of(options: &HttpOptions) -> Arc<ClientConfig> {
    static STANDARD: [OnceLock<Arc<ClientConfig>>; 3] = [const { OnceLock::new() }; 3];
    match options.extensions.get::<Arc<ClientConfig>>() {
        // Whoever names protocols has chosen.
        Some(config) if !config.alpn_protocols.is_empty() => config.clone(),
        Some(config) => with_protocols(config, options.versions),
        None => {
            let make = || with_protocols(standard(), options.versions);
            // As many as there are choices; for one more it would be made each time.
            let made = STANDARD.get(options.versions as usize);
            made.map_or_else(make, |made| made.get_or_init(make).clone())
        }
    }
}

fn with_protocols(config: &ClientConfig, versions: HttpVersions) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = versions.protocols(cfg!(feature = "http2"));
    Arc::new(config)
}

/// The most bytes that a file may hold: longer ones are none of certificates or a key.
const MOST: usize = 1 << 20;

/// The configurations of clients that transports have made of files.
pub type ClientConfigs = TlsConfigs<Arc<ClientConfig>>;

impl ClientConfigs {
    /// Has the options use these files. Reading them blocks, and is left to a thread that may be.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn apply(&self, options: HttpOptions, files: &TlsFiles) -> Result<HttpOptions, CallError> {
        Ok(with_config(options, self.load(files, read, of_files)?))
    }
}

/// What the file at `path` holds.
fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let mut held = Vec::new();
    let file = std::fs::File::open(path)?;
    // One more than may be: a longer file is refused, and not cut.
    match file.take(MOST as u64 + 1).read_to_end(&mut held)? {
        length if length > MOST => Err(std::io::ErrorKind::FileTooLarge.into()),
        _ => Ok(held),
    }
}

/// For a client that has files of its own: where those name no authorities, it trusts those of [`standard`].
fn of_files(pem: &TlsPem) -> Result<Arc<ClientConfig>, Error> {
    let roots = match &pem.authorities {
        Some(authorities) => roots(authorities)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let builder = client_builder(roots)?;
    let config = match &pem.identity {
        Some((chain, key)) => builder.with_client_auth_cert(certificates(chain)?, private_key(key)?)?,
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn client_builder(roots: RootCertStore) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots))
}

fn server_builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// The cryptography of ring, whatever else there is in the process.
fn provider() -> Arc<CryptoProvider> {
    // Not the default of the process: there may be none, or that of whoever came first.
    Arc::new(ring::default_provider())
}

/// Certificates that others are trusted by.
fn roots(authorities: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        // All or none: the one that cannot be read may be the one that is needed.
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(not_pem)
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(not_pem)
}

fn not_pem(error: pem::Error) -> Error {
    Error::General(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often the standard configuration was made.
    pub(super) static MADE: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn the_standard_configuration_is_made_once_for_any_number_of_clients() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        drop(of(&HttpOptions::default()));
                    }
                });
            }
        });
        assert_eq!(MADE.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn clients_of_the_same_versions_share_a_configuration() {
        for versions in [HttpVersions::Negotiated, HttpVersions::Http1, HttpVersions::Http2] {
            let options = HttpOptions {
                versions,
                ..HttpOptions::default()
            };
            let config = of(&options);
            assert!(Arc::ptr_eq(&config, &of(&options.clone())), "{versions:?}");
            assert_eq!(config.alpn_protocols, versions.protocols(cfg!(feature = "http2")));
        }
    }

    #[test]
    fn a_configuration_of_the_options_is_used_with_the_protocols_that_they_allow() {
        let names = |options: &HttpOptions| of(options).alpn_protocols.clone();
        let http2 = if cfg!(feature = "http2") {
            vec![b"h2".to_vec()]
        } else {
            Vec::new()
        };
        let http1 = vec![b"http/1.1".to_vec()];
        let mut options = HttpOptions::default();
        assert_eq!(names(&options), [http2.clone(), http1.clone()].concat());
        options.versions = HttpVersions::Http1;
        assert_eq!(names(&options), http1);
        options.versions = HttpVersions::Http2;
        assert_eq!(names(&options), http2);
        let mut own = ClientConfig::clone(standard());
        own.alpn_protocols = vec![b"own".to_vec()];
        let own = Arc::new(own);
        assert!(Arc::ptr_eq(&of(&with_config(options, own.clone())), &own));
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_and_not_cut() {
        let path = std::env::temp_dir().join(format!("mcp-driver-too-long-{}.pem", std::process::id()));
        let name = path.to_str().unwrap();
        std::fs::write(&path, vec![b'\n'; MOST]).unwrap();
        assert_eq!(read(name).map(|held| held.len()).ok(), Some(MOST));
        std::fs::write(&path, vec![b'\n'; MOST + 1]).unwrap();
        let outcome = read(name);
        std::fs::remove_file(&path).unwrap();
        let length = outcome.map(|held| held.len()).map_err(|error| error.kind());
        assert_eq!(length, Err(std::io::ErrorKind::FileTooLarge));
    }
}
