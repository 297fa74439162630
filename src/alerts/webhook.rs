//! Calls the webhook. A user chooses the host, so only addresses that the resolver allows are dialled, redirects are
//! not followed, and only the status of the answer is read. No proxy is used: it would resolve the names itself and
//! bypass the filter.

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, LOCATION, USER_AGENT};

use super::{CALL_TIMEOUT, SigningSecret, TrustedHosts, Untrusted, WebhookAddress, redirect_target::RedirectTarget};
use crate::outbound::{
    cause,
    resolver::{LookupError, PublicOnly},
    tls,
};

/// Timeout for DNS lookup, TCP and TLS together: 5 s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of headers in an answer.
const HEADERS_MAX: usize = 100;
/// 410 Gone: the receiver wants no more calls.
const GONE: u16 = 410;

const NOT_PUBLIC: &str = "has no public address";

const OUR_USER_AGENT: &str = concat!("Cartwright/", env!("CARGO_PKG_VERSION"));

/// Client for webhook calls. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct WebhookClient {
    http: reqwest::Client,
    trusted: TrustedHosts,
}

/// Result of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WebhookResponse {
    With(u16),
    /// A redirect, which is not followed, and its target.
    Redirect(u16, RedirectTarget),
    /// A failure: a phrase that continues a sentence starting with the host's name.
    Not(&'static str),
}

impl WebhookClient {
    pub fn new(trusted: &TrustedHosts, extra_roots_pem: Option<&[u8]>) -> anyhow::Result<Self> {
        let resolver = PublicOnly::new().but(&trusted.names());
        let mut config = tls::client(extra_roots_pem)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        let http = reqwest::Client::builder()
            .no_proxy()
            .https_only(true)
            .http1_only()
            .http1_max_headers(HEADERS_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tls_backend_preconfigured(config)
            .dns_resolver(resolver)
            .build()
            .context("setting up webhooks")?;
        Ok(Self { http, trusted: trusted.clone() })
    }

    /// Checks an address by its text, without a DNS lookup.
    ///
    /// # Errors
    /// [`Untrusted`] if the address must not be called.
    pub fn check(&self, address: &WebhookAddress) -> Result<(), Untrusted> {
        self.trusted.check(address)
    }

    /// Posts one signed message. Closes the connection without reading the body of the answer.
    pub async fn post(
        &self,
        address: &WebhookAddress,
        secret: &SigningSecret,
        id: &str,
        timestamp: i64,
        body: String,
    ) -> WebhookResponse {
        match self.check(address) {
            Err(Untrusted::PrivateName) => return WebhookResponse::Not(NOT_PUBLIC),
            Err(Untrusted::Port(_)) => return WebhookResponse::Not("was not called: this server calls port 443 only"),
            Ok(()) => {}
        }
        let request = self
            .http
            .post(address.expose())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, OUR_USER_AGENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", secret.sign(id, timestamp, &body))
            .body(body);
        match request.send().await {
            Ok(answer) => WebhookResponse::of(&answer, address),
            Err(error) => {
                if let Some(lookup) = cause::<LookupError>(&error) {
                    tracing::info!(host = address.host(), %lookup, "the webhook was not called");
                }
                WebhookResponse::Not(phrase(&error))
            }
        }
    }
}

impl WebhookResponse {
    fn of(answer: &reqwest::Response, asked: &WebhookAddress) -> Self {
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        match location.and_then(|location| RedirectTarget::read(location.to_str().ok()?, asked)) {
            Some(target) => Self::Redirect(status, target),
            None => Self::With(status),
        }
    }

    pub const fn is_success(&self) -> bool {
        matches!(self, Self::With(200..=299))
    }

    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::With(GONE))
    }

    /// Phrase that continues a sentence starting with the host's name.
    pub fn words(&self) -> String {
        match self {
            Self::Redirect(status, target) => format!("answered {status}: {}", target.words()),
            Self::With(status) => format!("answered {status}"),
            Self::Not(phrase) => (*phrase).to_owned(),
        }
    }
}

/// Classifies an error by the types of its causes, never by its message, which contains the address.
fn phrase(error: &reqwest::Error) -> &'static str {
    match cause::<LookupError>(error) {
        // One phrase for both, so that users cannot probe which names exist in our network. The log distinguishes them.
        Some(LookupError::Private | LookupError::NotFound) => return NOT_PUBLIC,
        Some(LookupError::Silent) => return "could not be looked up",
        None => {}
    }
    if error.is_timeout() {
        return "did not answer in 10 seconds";
    }
    match cause::<rustls::Error>(error) {
        Some(rustls::Error::InvalidCertificate(_)) => "showed a certificate that we do not trust",
        Some(_) => "did not agree on a secure connection",
        None if error.is_connect() => "could not be reached",
        None => "broke off before it had answered",
    }
}
