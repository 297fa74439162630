//! TLS client configuration: versions 1.2 and 1.3, Mozilla's compiled-in roots and the operator's extra roots. The
//! certificate store of the operating system is never used.

use std::sync::Arc;

use anyhow::{Context, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Builds the client configuration.
///
/// # Errors
/// The extra roots are not PEM certificates.
pub fn client(extra_roots_pem: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    for certificate in extra_roots(extra_roots_pem)? {
        roots.add(certificate).context("a certificate among the extra roots cannot be used")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .context("setting up TLS 1.2 and 1.3")?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Parses the operator's extra root certificates.
///
/// # Errors
/// `pem` is not PEM, or contains no certificate.
pub fn extra_roots(pem: Option<&[u8]>) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let Some(pem) = pem else { return Ok(Vec::new()) };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|_| anyhow::anyhow!("the extra roots are not PEM"))?;
    ensure!(!certificates.is_empty(), "the extra roots hold no PEM certificate");
    Ok(certificates)
}
