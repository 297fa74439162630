//! Conditional requests (RFC 9110, section 13): an entity tag for each result that can be read again, 304 for one that the
//! client has, and `If-Match` on every write, so that no change is lost.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    media,
    problem::{Problem, ProblemKind},
};

/// Bytes of the digest in an entity tag.
const TAG_BYTES: usize = 16;

/// A result with its entity tag. A digest of the body, so that the tag changes exactly when the body does.
#[derive(Debug)]
pub struct TaggedJson {
    body: Vec<u8>,
    tag: HeaderValue,
}

impl TaggedJson {
    pub fn of(body: &impl Serialize) -> Self {
        let body = media::to_bytes(body);
        let digest = Sha256::digest(&body);
        let hex = digest.iter().take(TAG_BYTES).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let tag = HeaderValue::from_str(&format!("\"{hex}\"")).expect("hex digits in quotes");
        Self { body, tag }
    }

    /// The response to a read: 304 without a body if the client has this body.
    pub fn read(self, headers: &HeaderMap) -> Response {
        let known = tags(headers, &header::IF_NONE_MATCH).any(|tag| weakly_same(&tag, &self.tag));
        let mut response =
            if known { StatusCode::NOT_MODIFIED.into_response() } else { media::of_bytes(StatusCode::OK, self.body) };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("authorization, accept-encoding"));
        response
    }

    /// The response to a write: the new state with its tag.
    pub fn written(self, status: StatusCode) -> Response {
        let mut response = media::of_bytes(status, self.body);
        response.headers_mut().insert(header::ETAG, self.tag);
        response
    }

    /// Checks that the client saw this state before it changes it.
    ///
    /// # Errors
    /// 412 if it saw another.
    pub fn demand_match(&self, IfMatch(tags): &IfMatch) -> Result<(), Problem> {
        if tags.iter().any(|tag| tag == "*" || tag.as_bytes() == self.tag.as_bytes()) {
            return Ok(());
        }
        Err(changed_meanwhile())
    }
}

/// The entity tags of `If-Match`, which every write needs.
#[derive(Clone, Debug)]
pub struct IfMatch(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Err(Problem::new(
                ProblemKind::PreconditionRequired,
                "Read the cart first, and send its ETag in If-Match, so that no change of another user is lost.",
            ));
        }
        Ok(Self(tags(&parts.headers, &header::IF_MATCH).collect()))
    }
}

/// The answer to a write of a state that the client did not see.
pub fn changed_meanwhile() -> Problem {
    Problem::new(
        ProblemKind::PreconditionFailed,
        "The cart is not as it was when you read it. Read it again, and repeat the change if it still applies.",
    )
}

/// Parses a header that lists entity tags. Our tags contain no comma.
fn tags<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = String> + use<'a> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned())
}

/// Weak comparison: the marks `W/` do not count.
fn weakly_same(asked: &str, ours: &HeaderValue) -> bool {
    asked == "*" || asked.strip_prefix("W/").unwrap_or(asked).as_bytes() == ours.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a header's value"))])
    }

    fn tag(tagged: &TaggedJson) -> String {
        tagged.tag.to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn known_body_is_not_sent_again() {
        let tag = tag(&TaggedJson::of(&1));
        for (asked, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"other\", {tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (String::new(), 200),
        ] {
            let response = TaggedJson::of(&1).read(&with(header::IF_NONE_MATCH, &asked));
            assert_eq!(response.status().as_u16(), status, "{asked}");
            assert_eq!(response.headers()[header::ETAG], tag);
        }
        assert_eq!(TaggedJson::of(&2).read(&with(header::IF_NONE_MATCH, &tag)).status(), StatusCode::OK);
    }

    #[test]
    fn write_needs_the_exact_tag() {
        let tagged = TaggedJson::of(&1);
        let tag = tag(&tagged);
        let asked = |value: &str| IfMatch(tags(&with(header::IF_MATCH, value), &header::IF_MATCH).collect());
        for matching in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            assert!(tagged.demand_match(&asked(&matching)).is_ok(), "{matching}");
        }
        for other in [format!("W/{tag}"), "\"other\"".to_owned(), String::new(), tag.trim_matches('"').to_owned()] {
            assert!(tagged.demand_match(&asked(&other)).is_err(), "{other}");
        }
    }
}
