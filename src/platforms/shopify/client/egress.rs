//! The operator's outbound settings: an HTTP CONNECT proxy or none, and roots that are trusted in addition to the
//! compiled-in ones.
//!
//! Ignores ambient settings: no proxy variable and no certificate store of the operating system is used. The password
//! of the proxy is a secret: no `Debug`, `Display` or error shows it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup};

use super::meter;
use crate::outbound::tls;

/// The operator's outbound settings. The default is a direct connection with the compiled-in roots.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    pub proxy: Option<EgressProxy>,
    /// PEM certificates that are trusted in addition to Mozilla's.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// An HTTP proxy that is used for tunnels (CONNECT) only. `Display` omits user and password.
#[derive(Clone)]
pub struct EgressProxy {
    authority: String,
    authorization: Option<HeaderValue>,
}

/// The mistake in a proxy setting. `Display` is for the operator and continues after the name of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressProxyError {
    #[error("must begin with http:// (an HTTP CONNECT proxy; no other kind is used)")]
    Scheme,
    #[error("must be http://host:port or http://user:password@host:port, with nothing after the port")]
    Shape,
    #[error("must end in a port from 1 to 65535")]
    Port,
    #[error("must have user:password before the @; write characters such as @ : / % as %40 %3A %2F %25")]
    User,
}

impl Egress {
    pub(super) fn tls(&self) -> anyhow::Result<ClientConfig> {
        let mut config = tls::client(self.extra_roots_pem.as_deref())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::store(Arc::new(NoSessions));
        Ok(config)
    }
}

impl EgressProxy {
    /// Sets the password as a header: in the URL, it would show in every `Debug` of the client.
    pub(super) fn to_reqwest(&self) -> anyhow::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(self.to_string()).map_err(|_| anyhow::anyhow!("the proxy cannot be used"))?;
        Ok(match &self.authorization {
            Some(header) => proxy.custom_http_auth(header.clone()),
            None => proxy,
        })
    }

    pub const fn has_password(&self) -> bool {
        self.authorization.is_some()
    }
}

impl FromStr for EgressProxy {
    type Err = EgressProxyError;

    fn from_str(setting: &str) -> Result<Self, EgressProxyError> {
        let scheme = setting.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
        let rest = &setting[scheme.ok_or(EgressProxyError::Scheme)?.len()..];
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let (host, port) = authority.rsplit_once(':').ok_or(EgressProxyError::Port)?;
        if !is_host(host) {
            return Err(EgressProxyError::Shape);
        }
        let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        if !is_port {
            return Err(EgressProxyError::Port);
        }
        Ok(Self { authority: authority.to_owned(), authorization: user.map(basic).transpose()? })
    }
}

impl fmt::Display for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

impl fmt::Debug for EgressProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EgressProxy({self}, password: {})", if self.has_password() { "kept" } else { "none" })
    }
}

fn is_host(host: &str) -> bool {
    let is_name =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    is_name || bare.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok())
}

fn basic(user_and_password: &str) -> Result<HeaderValue, EgressProxyError> {
    let (user, password) = user_and_password.split_once(':').ok_or(EgressProxyError::User)?;
    let (user, password) = (percent_decoded(user)?, percent_decoded(password)?);
    if user.is_empty() || user.contains(&b':') {
        return Err(EgressProxyError::User);
    }
    let encoded = BASE64_STANDARD.encode([&user[..], b":", &password[..]].concat());
    let mut header = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(|_| EgressProxyError::User)?;
    header.set_sensitive(true);
    Ok(header)
}

fn percent_decoded(text: &str) -> Result<Vec<u8>, EgressProxyError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        decoded.push(match byte {
            b'%' => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(EgressProxyError::User),
            },
            b'@' | b'/' | b'?' | b'#' => return Err(EgressProxyError::User),
            _ if byte.is_ascii_control() || byte == b' ' => return Err(EgressProxyError::User),
            _ => byte,
        });
    }
    Ok(decoded)
}

/// Stores no TLS session, so that every connection presents its certificate again. TLS asks for a session just after
/// TCP is connected, which is how we time the TCP connection.
#[derive(Debug)]
struct NoSessions;

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        meter::note_handshake();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_is_parsed_and_its_password_never_shown() {
        for (setting, shown) in [
            ("http://proxy.acme.example:3128", "http://proxy.acme.example:3128"),
            ("HTTP://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://sam:c%40nary:x@proxy:3128", "http://proxy:3128"),
        ] {
            let proxy: EgressProxy = setting.parse().unwrap();
            assert_eq!(proxy.to_string(), shown);
            let egress = Egress { proxy: Some(proxy), extra_roots_pem: None };
            let client = super::super::ShopifyClient::new(&egress).unwrap();
            let printed = format!("{egress:?} {client:?} {:?}", egress.proxy.as_ref().unwrap().to_reqwest().unwrap());
            assert!(!printed.contains("nary") && !printed.contains("sam"), "{printed}");
        }
    }

    #[test]
    fn user_and_password_are_sent_as_basic() {
        let proxy: EgressProxy = "http://sam:c%40t:x@proxy:3128".parse().unwrap();
        assert_eq!(proxy.authorization.unwrap(), format!("Basic {}", BASE64_STANDARD.encode("sam:c@t:x")));
    }

    #[test]
    fn each_mistake_has_its_error_and_no_error_contains_the_password() {
        for (setting, expected) in [
            ("", EgressProxyError::Scheme),
            ("proxy:3128", EgressProxyError::Scheme),
            ("https://proxy:3128", EgressProxyError::Scheme),
            ("socks5://proxy:1080", EgressProxyError::Scheme),
            ("http://proxy", EgressProxyError::Port),
            ("http://proxy:0", EgressProxyError::Port),
            ("http://proxy:65536", EgressProxyError::Port),
            ("http://proxy:+80", EgressProxyError::Port),
            ("http://proxy:3128/path", EgressProxyError::Port),
            ("http://:3128", EgressProxyError::Shape),
            ("http://pro xy:3128", EgressProxyError::Shape),
            ("http://[::1:3128", EgressProxyError::Shape),
            ("http://canary@proxy:3128", EgressProxyError::User),
            ("http://sam:can@ary@proxy:3128", EgressProxyError::User),
            ("http://sam:canary%4@proxy:3128", EgressProxyError::User),
        ] {
            let error = setting.parse::<EgressProxy>().unwrap_err();
            assert_eq!(error, expected, "{setting}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn invalid_roots_are_rejected() {
        for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let egress = Egress { proxy: None, extra_roots_pem: Some(pem.into()) };
            assert!(egress.tls().is_err(), "{pem}");
        }
    }
}
