//! What came back: the few parts of a head that we read, and a body with an end. Stops answers that want our memory.

use std::fmt;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};

use super::super::text::{NAME_LIMIT, tame};
use super::{Failure, JSON};

/// Longest body that is read: 256 KiB.
pub const LONGEST_BODY: usize = 256 * 1024;

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
    pub(in super::super) location: Option<String>,
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
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
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

pub(super) async fn read(mut response: reqwest::Response, through_proxy: bool) -> Result<Body, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
