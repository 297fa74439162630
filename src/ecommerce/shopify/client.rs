//! The only way out to Shopify. A request is built of constants and one handle, so a secret can reach its own store and
//! nothing else. Stops false answers that want our memory, redirects that want our header, and ambient proxies; does not
//! stop a proxy that the operator chose from learning which store is asked. Refuses to know what an answer means.
//! Surprising: followed redirects would carry `x-shopify-access-token` to the other host, so none is ever followed.

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
pub use meter::{Meter, Timings};
use payload::Payload;
use received::read;
pub use received::{Answer, Body, ContentType, Head, LONGEST_BODY, Realm};

use super::API_VERSION;
use super::address::StoreAddress;
use super::credential::{AccessToken, ClientId, ClientSecret};

/// Most headers that an answer may have.
const MOST_HEADERS: usize = 100;
/// Look-up, TCP and TLS together: 5 s.
const CONNECT: Duration = Duration::from_secs(5);
/// Most calls in flight in one process; the others wait within their own deadline.
const MOST_IN_FLIGHT: usize = 200;

const WE_ARE: &str = concat!("Cartwright/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

fn build(egress: &Egress) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .https_only(true)
        .http1_only()
        .http1_max_headers(MOST_HEADERS)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT)
        .tls_backend_preconfigured(egress.tls()?);
    let builder = match &egress.proxy {
        Some(proxy) => builder.proxy(proxy.to_reqwest()?),
        None => builder.dns_resolver(lookup::Timed::default()),
    };
    builder.build().context("setting up calls to Shopify")
}

/// Calls Shopify. Cheap to clone; clones share the limit of calls in flight.
#[derive(Clone)]
pub struct Client {
    http: Arc<RwLock<reqwest::Client>>,
    in_flight: Arc<Semaphore>,
    through_proxy: bool,
}

impl Client {
    /// A client that trusts the compiled-in roots and the operator's, and asks no proxy but the operator's.
    ///
    /// # Errors
    /// Extra roots that are no PEM certificates, or a TLS set-up that the build does not support.
    pub fn new(egress: &Egress) -> anyhow::Result<Self> {
        Ok(Self {
            http: Arc::new(RwLock::new(build(egress)?)),
            in_flight: Arc::new(Semaphore::new(MOST_IN_FLIGHT)),
            through_proxy: egress.proxy.is_some(),
        })
    }

    /// Trusts the operator's roots as they are now. Calls in flight go on.
    ///
    /// # Errors
    /// As [`Client::new`]; what was trusted before stays so.
    pub fn reload(&self, egress: &Egress) -> anyhow::Result<()> {
        let http = build(egress)?;
        *self.http.write().expect("no panic while it is locked") = http;
        Ok(())
    }

    fn http(&self) -> reqwest::Client {
        self.http.read().expect("no panic while it is locked").clone()
    }

    /// Runs one of our documents in a store.
    ///
    /// # Errors
    /// [`Failure`] where no whole answer came back. The caller sets the deadline.
    pub async fn graphql(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        meter: &Meter,
    ) -> Result<Answer, Failure> {
        self.graphql_with(address, token, document, &serde_json::Value::Null, meter).await
    }

    /// The same with the document's variables; `null` for none.
    ///
    /// # Errors
    /// [`Failure`] where no whole answer came back. The caller sets the deadline.
    pub async fn graphql_with(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        variables: &serde_json::Value,
        meter: &Meter,
    ) -> Result<Answer, Failure> {
        let request = self.query(address, token, document, variables, meter)?;
        self.send(request, meter).await
    }

    /// Asks for a token of 24 hours in exchange for an app's Client ID and Client secret.
    ///
    /// # Errors
    /// [`Failure`] where no whole answer came back. The caller sets the deadline.
    pub async fn exchange(
        &self,
        address: &StoreAddress,
        id: &ClientId,
        secret: &ClientSecret,
        meter: &Meter,
    ) -> Result<Answer, Failure> {
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

    /// How long Shopify takes to answer at all, over verified TLS and without any secret. Every name under myshopify.com has
    /// an address and a certificate, so the store need not exist.
    ///
    /// # Errors
    /// [`Failure`] where nothing answered, within 5 s for the connection and as much for the answer.
    pub async fn reach(&self) -> Result<Duration, Failure> {
        let began = Instant::now();
        let request =
            self.http().get("https://cartwright-doctor.myshopify.com/").header(USER_AGENT, WE_ARE).timeout(2 * CONNECT);
        request.send().await.map_err(|error| Failure::of(&error, self.through_proxy))?;
        Ok(began.elapsed())
    }

    fn query(
        &self,
        address: &StoreAddress,
        token: &AccessToken,
        document: &str,
        variables: &serde_json::Value,
        meter: &Meter,
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

    fn post(&self, url: String, kind: &'static str, body: String, meter: &Meter) -> reqwest::RequestBuilder {
        let payload = Payload { bytes: Some(Bytes::from(body)), meter: meter.clone() };
        let request = self.http().post(url).header(CONTENT_TYPE, kind).header(ACCEPT, JSON).header(USER_AGENT, WE_ARE);
        request.body(reqwest::Body::wrap(payload))
    }

    async fn send(&self, request: reqwest::RequestBuilder, meter: &Meter) -> Result<Answer, Failure> {
        let _place = self.in_flight.acquire().await.map_err(|_| Failure::ours("closed"))?;
        meter.begin(self.through_proxy);
        let sent = meter.scope(request.send()).await;
        let response = sent.map_err(|error| Failure::of(&error, self.through_proxy))?;
        let head = Head::of(response.status().as_u16(), response.headers());
        meter.note_head(&head);
        let body = if needs_body(head.status) { read(response, self.through_proxy).await? } else { Body::NotNeeded };
        meter.note_end();
        Ok(Answer { head, body })
    }
}

/// Whether the body says more than the status: data, or whose refusal it is and why.
const fn needs_body(status: u16) -> bool {
    matches!(status, 200 | 400..=428 | 431..=499)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("through_proxy", &self.through_proxy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
