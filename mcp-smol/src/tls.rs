//! TLS by rustls, with the cryptography of ring.
//!
//! A configuration is made once, and shared by all that is accepted with it.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ConfigBuilder, Error, RootCertStore, ServerConfig, WantsVerifier};

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

fn server_builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// The cryptography of ring, whatever else there is in the process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Certificates that others are trusted by.
fn roots(authorities: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
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
