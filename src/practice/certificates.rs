//! A certificate authority that is created at start and ends with the process; its key is never written to disk. It is
//! constrained to names under myshopify.com, so trusting it by mistake affects nothing else. Can also issue wrong
//! certificates on purpose.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

/// A deliberate mistake in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    WrongName,
    Expired,
    /// Not valid yet, as for a client whose clock is slow.
    NotYet,
    /// Not signed by any authority.
    SelfSigned,
    /// Signed by an untrusted authority, as by an inspecting proxy.
    UnknownIssuer,
}

type IssuedCertificate = HashMap<(String, Option<Flaw>), Arc<ServerConfig>>;

pub struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    /// Signs for [`Flaw::UnknownIssuer`]; its certificate is not published.
    stranger: Issuer<'static, KeyPair>,
    ca_pem: String,
    /// All leaf certificates share one key, because generating a key is expensive.
    leaf_key: KeyPair,
    made: Mutex<IssuedCertificate>,
}

impl Certificates {
    /// # Errors
    /// The system provides no randomness.
    pub fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "Practice store, not Shopify");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("myshopify.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1));
        let ca_pem = params.self_signed(&key)?.pem();
        let mut stranger = CertificateParams::default();
        stranger.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        stranger.distinguished_name.push(DnType::CommonName, "A stranger");
        let stranger = Issuer::new(stranger, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?);
        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self { stranger, issuer: Issuer::new(params, key), ca_pem, leaf_key, made: Mutex::default() })
    }

    /// The root certificate that a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The TLS configuration of this host, created on first use.
    ///
    /// # Errors
    /// The name is not valid in a certificate.
    pub fn server(&self, host: &str, flaw: Option<Flaw>) -> anyhow::Result<Arc<ServerConfig>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (host.to_owned(), flaw);
        if let Some(known) = made.get(&place) {
            return Ok(known.clone());
        }
        // a memory limit, not a policy: a test may visit ten thousand stores
        if made.len() >= 20_000 {
            made.clear();
        }
        let config = Arc::new(self.make(host, flaw).with_context(|| format!("making a certificate for {host}"))?);
        made.insert(place, config.clone());
        Ok(config)
    }

    fn make(&self, host: &str, flaw: Option<Flaw>) -> anyhow::Result<ServerConfig> {
        let name = if flaw == Some(Flaw::WrongName) { "somebody-else.myshopify.com" } else { host };
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        // otherwise it would be rcgen's default name, the same for a leaf and an issuer
        params.distinguished_name.push(DnType::CommonName, "Practice store");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let (first_year, last_year) = match flaw {
            Some(Flaw::Expired) => (2020, 2021),
            Some(Flaw::NotYet) => (2099, 2100),
            _ => (2020, 2100),
        };
        (params.not_before, params.not_after) = (date_time_ymd(first_year, 1, 1), date_time_ymd(last_year, 1, 1));
        let leaf = match flaw {
            Some(Flaw::SelfSigned) => params.self_signed(&self.leaf_key)?,
            Some(Flaw::UnknownIssuer) => params.signed_by(&self.leaf_key, &self.stranger)?,
            _ => params.signed_by(&self.leaf_key, &self.issuer)?,
        };
        let key = PrivateKeyDer::try_from(self.leaf_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_certificate_is_cached_and_each_authority_is_new() {
        let certificates = Certificates::new().unwrap();
        let first = certificates.server("practice-tea.myshopify.com", None).unwrap();
        let second = certificates.server("practice-tea.myshopify.com", None).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let flawed = certificates.server("practice-tea.myshopify.com", Some(Flaw::Expired)).unwrap();
        assert!(!Arc::ptr_eq(&first, &flawed));
        assert_ne!(certificates.ca_pem(), Certificates::new().unwrap().ca_pem());
    }
}
