//! The only way out to Shopify. A request is built of constants and one handle, so a secret can reach its own store and
//! nothing else. Stops false answers that want our memory, redirects that want our header, and ambient proxies; does not
//! stop a proxy that the operator chose from learning which store is asked. Refuses to know what an answer means.
//! Surprising: followed redirects would carry `x-shopify-access-token` to the other host, so none is ever followed.

mod egress;
mod failure;
mod lookup;
pub(super) mod meter;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use reqwest::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use reqwest::redirect;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

pub use egress::{Egress, EgressProxy, EgressProxyError};
pub use failure::Failure;
pub use meter::{Meter, Timings};

use super::API_VERSION;
use super::address::StoreAddress;
use super::credential::{AccessToken, ClientId, ClientSecret};
use super::text::{NAME_LIMIT, tame};

/// Longest body that is read: 256 KiB.
pub const LONGEST_BODY: usize = 256 * 1024;
/// Most headers that an answer may have.
const MOST_HEADERS: usize = 100;
/// Look-up, TCP and TLS together: 5 s.
const CONNECT: Duration = Duration::from_secs(5);
/// Most calls in flight in one process; the others wait within their own deadline.
const MOST_IN_FLIGHT: usize = 200;

const WE_ARE: &str = concat!("Cartwright/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

/// Calls Shopify. Cheap to clone; clones share the limit of calls in flight.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    in_flight: Arc<Semaphore>,
    through_proxy: bool,
}

/// What came back, before anybody judges it.
#[derive(Debug)]
pub struct Answer {
    pub head: Head,
    pub body: Body,
}

/// The few parts of an answer's head that we read.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub status: u16,
    /// `X-Request-Id`, for Shopify's support.
    pub request_id: Option<String>,
    /// `X-Shopify-API-Version`: the version that answered.
    pub api_version: Option<String>,
    /// `X-ShopId` was there: the store exists.
    pub has_shop_id: bool,
    pub is_json: bool,
    pub retry_after: Option<String>,
    /// Unjudged; never shown and never followed.
    pub(super) location: Option<String>,
}

/// An answer's body, or why there is none. `Debug` tells only its length: a body may hold a minted token.
#[derive(PartialEq, Eq)]
pub enum Body {
    Read(Vec<u8>),
    /// The status alone decides.
    NotNeeded,
    /// It had a `Content-Encoding`, although we asked for none.
    Encoded,
    TooLarge,
}

impl Client {
    /// A client that trusts the compiled-in roots and the operator's, and asks no proxy but the operator's.
    ///
    /// # Errors
    /// Extra roots that are no PEM certificates, or a TLS set-up that the build does not support.
    pub fn new(egress: &Egress) -> anyhow::Result<Self> {
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
        Ok(Self {
            http: builder.build().context("setting up calls to Shopify")?,
            in_flight: Arc::new(Semaphore::new(MOST_IN_FLIGHT)),
            through_proxy: egress.proxy.is_some(),
        })
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
        self.send(request, |status| matches!(status, 200 | 403), meter).await
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
        self.send(request, |status| matches!(status, 200 | 400 | 401 | 403), meter).await
    }

    /// How long Shopify takes to answer at all, over verified TLS and without any secret. Every name under myshopify.com has
    /// an address and a certificate, so the store need not exist.
    ///
    /// # Errors
    /// [`Failure`] where nothing answered, within 5 s for the connection and as much for the answer.
    pub async fn reach(&self) -> Result<Duration, Failure> {
        let began = Instant::now();
        let request =
            self.http.get("https://cartwright-doctor.myshopify.com/").header(USER_AGENT, WE_ARE).timeout(2 * CONNECT);
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
        let request = self.http.post(url).header(CONTENT_TYPE, kind).header(ACCEPT, JSON).header(USER_AGENT, WE_ARE);
        request.body(reqwest::Body::wrap(payload))
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        needs_body: fn(u16) -> bool,
        meter: &Meter,
    ) -> Result<Answer, Failure> {
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("through_proxy", &self.through_proxy).finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(bytes) => write!(f, "Read({} bytes)", bytes.len()),
            Self::NotNeeded => f.write_str("NotNeeded"),
            Self::Encoded => f.write_str("Encoded"),
            Self::TooLarge => f.write_str("TooLarge"),
        }
    }
}

impl Head {
    fn of(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let short = |name: &str, limit| text(name).map(|value| tame(value, limit)).filter(|value| !value.is_empty());
        if let Some(reason) = short("x-shopify-api-deprecated-reason", NAME_LIMIT) {
            tracing::warn!(reason, "Shopify calls a field that we use deprecated");
        }
        Self {
            status,
            request_id: short("x-request-id", 100),
            api_version: short("x-shopify-api-version", 20),
            has_shop_id: headers.contains_key("x-shopid"),
            is_json: text(CONTENT_TYPE.as_str()).is_some_and(is_json),
            retry_after: short(RETRY_AFTER.as_str(), 20),
            location: text(LOCATION.as_str()).map(str::to_owned),
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == JSON || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn read(mut response: reqwest::Response, through_proxy: bool) -> Result<Body, Failure> {
    let mut encodings = response.headers().get_all(CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(Body::Encoded);
    }
    if response.content_length().is_some_and(|length| length > LONGEST_BODY as u64) {
        return Ok(Body::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error, through_proxy))? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Ok(Body::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Body::Read(body))
}

/// A request's body that notes when it is first asked for: the moment when TLS stands.
struct Payload {
    bytes: Option<Bytes>,
    meter: Meter,
}

impl hyper::body::Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.meter.note_connected();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> AccessToken {
        AccessToken::parse(&format!("shpat_{}", "c4na".repeat(8))).unwrap().0
    }

    fn address() -> StoreAddress {
        StoreAddress::from_handle("northwind-tea").unwrap()
    }

    /// Asks nobody: nothing listens on the discard port.
    fn through_nothing() -> Client {
        let proxy = "http://127.0.0.1:9".parse().unwrap();
        Client::new(&Egress { proxy: Some(proxy), extra_roots_pem: None }).unwrap()
    }

    #[test]
    fn proxies_of_the_environment_are_not_taken_in() {
        let usual = reqwest::Client::builder().tls_backend_preconfigured(Egress::default().tls().unwrap());
        assert!(format!("{:?}", usual.build().unwrap()).contains("proxies"), "the control takes them in");
        let ours = Client::new(&Egress::default()).unwrap();
        assert!(!format!("{:?}", ours.http).contains("proxies"));
    }

    #[test]
    fn a_request_prints_neither_token_nor_body() {
        let client = through_nothing();
        let request =
            client.query(&address(), &token(), "query X { x }", &serde_json::Value::Null, &Meter::default()).unwrap();
        let printed = format!("{request:?} {:?}", request.try_clone());
        assert!(printed.contains("Sensitive") && !printed.contains("c4na"), "{printed}");
    }

    #[tokio::test]
    async fn a_call_beyond_the_limit_waits_for_a_place() {
        let client = through_nothing();
        let places = client.in_flight.acquire_many(u32::try_from(MOST_IN_FLIGHT).unwrap()).await.unwrap();
        let (address, token, meter) = (address(), token(), Meter::default());
        let mut call = Box::pin(client.graphql(&address, &token, "query X { x }", &meter));
        assert!(futures_util::poll!(call.as_mut()).is_pending());
        assert!(meter.timings() == Timings::default(), "nothing has begun");
        drop(places);
        assert!(call.await.is_err());
    }

    #[test]
    fn only_json_counts_as_json() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/graphql-response+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["", "text/html", "text/json", "application/jsonp", "text/html; application/json"] {
            assert!(!is_json(no), "{no}");
        }
    }
}
