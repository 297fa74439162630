//! The response: the few parts of the head that we read, and a body of limited size, so that a response cannot exhaust
//! our memory.

use std::fmt;

use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, LOCATION, PROXY_AUTHENTICATE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::super::text::{NAME_LIMIT, sanitize_foreign_text};
use super::{Failure, JSON};
use crate::clock::Clock;

/// Maximum length of a body that is read: 256 KiB.
pub const LONGEST_BODY: usize = 256 * 1024;

/// A response that is not interpreted yet.
#[derive(Debug)]
pub struct ShopifyResponse {
    pub head: ResponseHead,
    pub body: ReceivedBody,
}

/// The few parts of the head of a response that we read.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    pub status: u16,
    /// `X-Request-Id`, for Shopify's support.
    pub request_id: Option<String>,
    /// `X-Shopify-API-Version`: the version that answered.
    pub api_version: Option<String>,
    /// `X-ShopId` was present: the store exists.
    pub has_shop_id: bool,
    pub content: ContentType,
    /// Seconds to wait, from `Retry-After` in either of its forms; negative for a past date.
    pub retry_after: Option<f64>,
    /// The source of an authentication request, from `WWW-Authenticate` or `Proxy-Authenticate`.
    pub realm: Option<Realm>,
    /// A firewall answered with a challenge that only a browser can solve.
    pub is_challenge: bool,
    /// Not validated; never shown and never followed.
    pub(in super::super) location: Option<String>,
}

/// The type of a body, by its `Content-Type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentType {
    Json,
    /// HTML.
    Page,
    Other,
    /// The header is missing.
    #[default]
    Unnamed,
}

/// The source of an authentication request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    Shopify,
    /// Such as a company's proxy.
    SomebodyElse,
}

/// The body of a response, or why there is none. `Debug` shows only its length: a body may contain an issued token.
#[derive(PartialEq, Eq)]
pub enum ReceivedBody {
    Read(Vec<u8>),
    /// Not read: the status alone decides.
    NotNeeded,
    /// It had a `Content-Encoding`, although we accept none.
    Encoded,
    TooLarge,
}

impl fmt::Debug for ReceivedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(bytes) => write!(f, "Read({} bytes)", bytes.len()),
            Self::NotNeeded => f.write_str("NotNeeded"),
            Self::Encoded => f.write_str("Encoded"),
            Self::TooLarge => f.write_str("TooLarge"),
        }
    }
}

impl ResponseHead {
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let short = |name: &str, limit| {
            text(name).map(|value| sanitize_foreign_text(value, limit)).filter(|value| !value.is_empty())
        };
        if let Some(reason) = short("x-shopify-api-deprecated-reason", NAME_LIMIT) {
            tracing::warn!(reason, "Shopify calls a field that we use deprecated");
        }
        Self {
            status,
            request_id: short("x-request-id", 100),
            api_version: short("x-shopify-api-version", 20),
            has_shop_id: headers.contains_key("x-shopid"),
            content: text(CONTENT_TYPE.as_str()).map_or(ContentType::Unnamed, content_type),
            retry_after: short(RETRY_AFTER.as_str(), 64).and_then(|value| seconds(&value, text(DATE.as_str()))),
            realm: realm(headers),
            is_challenge: CHALLENGES.iter().any(|name| headers.contains_key(*name)),
            location: text(LOCATION.as_str()).map(str::to_owned),
        }
    }
}

/// Headers by which firewalls mark a challenge.
const CHALLENGES: [&str; 2] = ["cf-mitigated", "x-amzn-waf-action"];

fn content_type(value: &str) -> ContentType {
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "" => ContentType::Unnamed,
        JSON => ContentType::Json,
        _ if kind.starts_with("application/") && kind.ends_with("+json") => ContentType::Json,
        "text/html" | "application/xhtml+xml" => ContentType::Page,
        _ => ContentType::Other,
    }
}

/// `Retry-After` in seconds: a decimal number, or a date compared with the response's own `Date`, else with our clock.
fn seconds(value: &str, answered_at: Option<&str>) -> Option<f64> {
    if let Ok(number) = value.parse::<f64>() {
        return Some(number).filter(|number| number.is_finite());
    }
    let date = |text: &str| OffsetDateTime::parse(text, &Rfc2822).ok();
    let now = answered_at.and_then(date).unwrap_or_else(|| Clock::System.now());
    Some((date(value)? - now).as_seconds_f64())
}

fn realm(headers: &HeaderMap) -> Option<Realm> {
    let mut named = headers.get_all(WWW_AUTHENTICATE).iter().chain(headers.get_all(PROXY_AUTHENTICATE)).peekable();
    named.peek()?;
    let is_shopify = |value: &reqwest::header::HeaderValue| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("shopify"))
    };
    Some(if named.any(is_shopify) { Realm::Shopify } else { Realm::SomebodyElse })
}

pub(super) async fn read(mut response: reqwest::Response, through_proxy: bool) -> Result<ReceivedBody, Failure> {
    let mut encodings = response.headers().get_all(CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(ReceivedBody::Encoded);
    }
    if response.content_length().is_some_and(|length| length > LONGEST_BODY as u64) {
        return Ok(ReceivedBody::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error, through_proxy))? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Ok(ReceivedBody::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ReceivedBody::Read(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_counts_as_json() {
        for yes in ["application/json", "Application/JSON; charset=utf-8", "application/graphql-response+json"] {
            assert_eq!(content_type(yes), ContentType::Json, "{yes}");
        }
        for no in ["", "text/html", "text/json", "application/jsonp", "text/html; application/json"] {
            assert_ne!(content_type(no), ContentType::Json, "{no}");
        }
    }

    fn head(headers: &[(&'static str, &'static str)]) -> ResponseHead {
        let headers = headers.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, reqwest::header::HeaderValue::from_static(value))
        });
        ResponseHead::of(401, &headers.collect())
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        for (value, expected) in [
            ("120", Some(120.0)),
            (" 2.5 ", Some(2.5)),
            ("Wed, 21 Oct 2026 07:30:00 GMT", Some(120.0)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", Some(-60.0)),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
        ] {
            assert_eq!(head(&[date, ("retry-after", value)]).retry_after, expected, "{value}");
        }
        let by_our_clock = head(&[("retry-after", "Fri, 31 Dec 2199 23:59:59 GMT")]).retry_after;
        assert!(by_our_clock.is_some_and(|seconds| seconds > 1e9), "{by_our_clock:?}");
    }

    #[test]
    fn realm_is_shopify_or_foreign() {
        let realm = |headers: &[(&'static str, &'static str)]| head(headers).realm;
        let shopify = ("www-authenticate", "Basic Realm=\"Shopify API Authentication\"");
        assert_eq!(realm(&[shopify]), Some(Realm::Shopify));
        assert_eq!(realm(&[("www-authenticate", "Basic realm=\"Corporate Proxy\"")]), Some(Realm::SomebodyElse));
        assert_eq!(realm(&[("proxy-authenticate", "Negotiate")]), Some(Realm::SomebodyElse));
        assert_eq!(realm(&[("server", "cloudflare")]), None);
    }

    #[test]
    fn challenge_is_detected_by_its_header() {
        assert!(head(&[("cf-mitigated", "challenge")]).is_challenge);
        assert!(head(&[("x-amzn-waf-action", "captcha")]).is_challenge);
        assert!(!head(&[("server", "cloudflare")]).is_challenge);
    }
}
