//! The HTTP client for Shopify; no other code calls Shopify. A request is built from constants and one handle, so a
//! secret can reach only its own store. Does not interpret responses.
//!
//! Protects against responses that exhaust memory, redirects that would receive the token header, and ambient proxies;
//! does not hide from the operator's own proxy which store is called. Redirects are never followed, because they would
//! carry `x-shopify-access-token` to the other host.

mod egress;
mod failure;
mod lookup;
pub(super) mod meter;
mod payload;
mod received;

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::redirect;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

pub use egress::{Egress, EgressProxy, EgressProxyError};
pub use failure::Failure;
pub use meter::{CallTimer, Timings};
use payload::Payload;
use received::read;
pub use received::{ContentType, LONGEST_BODY, Realm, ReceivedBody, ResponseHead, ShopifyResponse};

use super::API_VERSION;
use super::address::StoreAddress;
use super::credential::{AccessToken, ClientId, ClientSecret};

/// Maximum number of headers of a response.
const HEADERS_MAX: usize = 100;
/// Timeout of DNS lookup, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum calls in flight per process; further calls wait within their own deadline.
const CALL_CONCURRENCY: usize = 200;

const OUR_USER_AGENT: &str = concat!("Cartwright/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

fn build(egress: &Egress) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .https_only(true)
        .http1_only()
        .http1_max_headers(HEADERS_MAX)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .tls_backend_preconfigured(egress.tls()?);
    let builder = match &egress.proxy {
        Some(proxy) => builder.proxy(proxy.to_reqwest()?),
        None => builder.dns_resolver(lookup::TimedResolver::default()),
    };
    builder.build().context("setting up calls to Shopify")
}

/// Calls Shopify. Cheap to clone; clones share the limit of calls in flight.
#[derive(Clone)]
pub struct ShopifyClient {
    http: Arc<RwLock<reqwest::Client>>,
    in_flight: Arc<Semaphore>,
    through_proxy: bool,
}

impl ShopifyClient {
    /// Creates a client that trusts the compiled-in roots and the operator's, and uses no proxy other than the
    /// operator's.
    ///
    /// # Errors
    /// Extra roots that are not PEM certificates, or a TLS configuration that the build does not support.
    pub fn new(egress: &Egress) -> anyhow::Result<Self> {
        Ok(Self {
            http: Arc::new(RwLock::new(build(egress)?)),
            in_flight: Arc::new(Semaphore::new(CALL_CONCURRENCY)),
            through_proxy: egress.proxy.is_some(),
        })
    }

    /// Reloads the operator's roots. Calls in flight continue.
    ///
    /// # Errors
    /// As [`ShopifyClient::new`]; the previous roots stay in use.
    pub fn reload(&self, egress: &Egress) -> anyhow::Result<()> {
        let http = build(egress)?;
        *self.http.write().expect("the lock is never poisoned") = http;
        Ok(())
    }

    fn http(&self) -> reqwest::Client {
        self.http.read().expect("the lock is never poisoned").clone()
    }

    /// Runs one of our GraphQL documents in a store.
    ///
    /// # Errors
    /// [`Failure`] if no complete response was received. The caller sets the deadline.
    pub async fn graphql(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        meter: &CallTimer,
    ) -> Result<ShopifyResponse, Failure> {
        self.graphql_with(address, token, document, &serde_json::Value::Null, meter).await
    }

    /// Same as `graphql`, with the document's variables; `null` for none.
    ///
    /// # Errors
    /// [`Failure`] if no complete response was received. The caller sets the deadline.
    pub async fn graphql_with(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        variables: &serde_json::Value,
        meter: &CallTimer,
    ) -> Result<ShopifyResponse, Failure> {
        let request = self.query(address, token, document, variables, meter)?;
        self.send(request, meter).await
    }

    /// Exchanges an app's Client ID and Client secret for a token of 24 hours.
    ///
    /// # Errors
    /// [`Failure`] if no complete response was received. The caller sets the deadline.
    pub async fn exchange(
        &self,
        address: &StoreAddress,
        id: &ClientId,
        secret: &ClientSecret,
        meter: &CallTimer,
    ) -> Result<ShopifyResponse, Failure> {
        let url = format!("https://{}/admin/oauth/access_token", address.host());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.secret().expose_secret()),
        ];
        let body = serde_urlencoded::to_string(form).map_err(|_| Failure::ours("form"))?;
        let request = self.post(url, "application/x-www-form-urlencoded", body, meter);
        self.send(request, meter).await
    }

    /// Measures how long Shopify takes to respond, over verified TLS and without any secret. Every name under
    /// myshopify.com has an address and a certificate, so the store need not exist.
    ///
    /// # Errors
    /// [`Failure`] if nothing responded, within 5 s for the connection and 10 s in all.
    pub async fn reach(&self) -> Result<Duration, Failure> {
        let began = Instant::now();
        let request = self
            .http()
            .get("https://cartwright-doctor.myshopify.com/")
            .header(USER_AGENT, OUR_USER_AGENT)
            .timeout(2 * CONNECT_TIMEOUT);
        request.send().await.map_err(|error| Failure::of(&error, self.through_proxy))?;
        Ok(began.elapsed())
    }

    fn query(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        variables: &serde_json::Value,
        meter: &CallTimer,
    ) -> Result<reqwest::RequestBuilder, Failure> {
        let url = format!("https://{}/admin/api/{API_VERSION}/graphql.json", address.host());
        let mut value = HeaderValue::from_str(token.secret().expose_secret()).map_err(|_| Failure::ours("token"))?;
        value.set_sensitive(true);
        let body = match variables {
            serde_json::Value::Null => serde_json::json!({ "query": document }),
            variables => serde_json::json!({ "query": document, "variables": variables }),
        };
        let body = body.to_string();
        Ok(self.post(url, JSON, body, meter).header("x-shopify-access-token", value))
    }

    fn post(&self, url: String, kind: &'static str, body: String, meter: &CallTimer) -> reqwest::RequestBuilder {
        let payload = Payload { bytes: Some(Bytes::from(body)), meter: meter.clone() };
        let request =
            self.http().post(url).header(CONTENT_TYPE, kind).header(ACCEPT, JSON).header(USER_AGENT, OUR_USER_AGENT);
        request.body(reqwest::Body::wrap(payload))
    }

    async fn send(&self, request: reqwest::RequestBuilder, meter: &CallTimer) -> Result<ShopifyResponse, Failure> {
        let _place = self.in_flight.acquire().await.map_err(|_| Failure::ours("closed"))?;
        meter.begin(self.through_proxy);
        let sent = meter.scope(request.send()).await;
        let response = sent.map_err(|error| Failure::of(&error, self.through_proxy))?;
        let head = ResponseHead::of(response.status().as_u16(), response.headers());
        meter.note_head(&head);
        let body =
            if needs_body(head.status) { read(response, self.through_proxy).await? } else { ReceivedBody::NotNeeded };
        meter.note_end();
        Ok(ShopifyResponse { head, body })
    }
}

/// Whether the body says more than the status: data, or who refused and why.
const fn needs_body(status: u16) -> bool {
    matches!(status, 200 | 400..=428 | 431..=499)
}

impl fmt::Debug for ShopifyClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("through_proxy", &self.through_proxy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
