//! Why no response was received, decided by the types of an error's causes and never by its text, which may contain an
//! address. Never blames a credential, because Shopify did not answer.

use std::io;

use rustls::CertificateError;

use crate::causes::Class;
use crate::outbound::{cause, resolver::LookupError};

/// No complete response was received. Holds no address, header or body, so it may be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {remark}", class.as_str())]
pub struct Failure {
    pub class: Class,
    /// A short phrase written by us.
    pub remark: &'static str,
}

impl Failure {
    pub(super) const fn ours(remark: &'static str) -> Self {
        Self { class: Class::OurBug, remark }
    }

    pub(super) fn of(error: &reqwest::Error, through_proxy: bool) -> Self {
        let fails = |class, remark| Self { class, remark };
        if let Some(lookup) = cause::<LookupError>(error) {
            return fails(Class::NetworkDns, lookup_remark(*lookup));
        }
        match cause::<rustls::Error>(error) {
            Some(tls) if error.is_connect() => return fails(Class::TlsUntrusted, tls_remark(tls)),
            // The certificate was accepted and the token may have been sent: the connection broke, trust is not the
            // problem.
            Some(_) => return fails(Class::NetworkUnreachable, "the secure connection broke off"),
            None => {}
        }
        if is_not_http(error) {
            return fails(Class::NotShopify, "not an HTTP answer");
        }
        if error.is_timeout() {
            return fails(Class::NetworkTimeout, "no connection in time");
        }
        let remark = if error.is_connect() { connect_remark(error, through_proxy) } else { broken_remark(error) };
        fails(Class::NetworkUnreachable, remark)
    }
}

/// A malformed or endless head, or invalid chunks.
fn is_not_http(error: &reqwest::Error) -> bool {
    let malformed = cause::<hyper::Error>(error).is_some_and(hyper::Error::is_parse);
    let is_bad_chunk = |io: &io::Error| matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
    malformed || (!error.is_connect() && cause::<io::Error>(error).is_some_and(is_bad_chunk))
}

const fn lookup_remark(error: LookupError) -> &'static str {
    match error {
        LookupError::NotFound => "no address found",
        LookupError::Silent => "the name server did not answer",
        LookupError::Private => "resolves to a private address",
    }
}

/// A proxy's refusal of a tunnel has no I/O cause; every other failure has one.
fn connect_remark(error: &reqwest::Error, through_proxy: bool) -> &'static str {
    let io = cause::<io::Error>(error).map(io::Error::kind);
    match (through_proxy, io) {
        (true, _) if error.is_dns() => "the proxy's name could not be looked up",
        (true, None) => "refused by the proxy",
        (true, Some(io::ErrorKind::ConnectionRefused)) => "the proxy could not be reached",
        (false, Some(io::ErrorKind::ConnectionRefused)) => "connection refused",
        (_, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)) => "connection reset",
        (_, Some(io::ErrorKind::UnexpectedEof)) => "closed during the TLS handshake",
        _ => "no connection",
    }
}

fn broken_remark(error: &reqwest::Error) -> &'static str {
    match cause::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "connection reset",
        _ => "closed before the answer was complete",
    }
}

const fn tls_remark(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not yet in force"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name"
            }
            CertificateError::UnknownIssuer => "the certificate's issuer is not known",
            _ => "the certificate was not accepted",
        },
        rustls::Error::PeerIncompatible(_) | rustls::Error::AlertReceived(_) => "no common TLS version or cipher",
        _ => "the TLS handshake failed",
    }
}
