//! Forms: 16 KiB, every field once and known, and a token that this browser was given. A handler that wants a form gets it only
//! with the token checked, so that none can forget it (ASVS 3.5.1).

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::ecommerce::shopify::blot;

use super::{
    error::{Again, Desk, Error},
    session::Session,
};

/// Longest form, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// Longest time that a form may take to arrive: 8 s.
const BODY_TIMEOUT: Duration = Duration::from_secs(8);
/// Never drawn again, never kept.
const SECRETS: [&str; 6] = ["csrf", "password", "current_password", "new_password", "access_token", "client_secret"];

/// A form with nothing but its token: a button.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A form whose token was right.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let is_form = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.to_str().is_ok_and(|kind| {
                kind.split(';')
                    .next()
                    .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
            })
        });
        if !is_form {
            return Err(Error::UnreadableForm(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let session = request.extensions().get::<Session>().cloned();
        let desk = request.extensions().get::<Desk>().cloned().unwrap_or_default();
        let action = request.uri().path().to_owned();
        let body = match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await {
            Ok(body) => body.map_err(|refused| Error::UnreadableForm(refused.status()))?,
            Err(_) => return Err(Error::UnreadableForm(StatusCode::REQUEST_TIMEOUT)),
        };
        if body.len() > LONGEST {
            return Err(Error::UnreadableForm(StatusCode::PAYLOAD_TOO_LARGE));
        }
        if !is_text(&body) {
            return Err(Error::UnreadableForm(StatusCode::BAD_REQUEST));
        }
        let malformed = |_| Error::UnreadableForm(StatusCode::BAD_REQUEST);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).map_err(malformed)?;
        desk.keep(again(action, &pairs));
        let token = pairs.iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.as_str());
        if !session.zip(token).is_some_and(|(session, token)| session.browser.made(token)) {
            return Err(Error::OldForm);
        }
        // Unknown and doubled fields are refused by the form's own type.
        let rest: Vec<_> = pairs.iter().filter(|(name, _)| name != "csrf").collect();
        if rest.len() + 1 != pairs.len() {
            return Err(Error::UnreadableForm(StatusCode::BAD_REQUEST));
        }
        let rest = zeroize::Zeroizing::new(serde_urlencoded::to_string(joined(rest))?);
        serde_urlencoded::from_str(&rest).map(Self).map_err(malformed)
    }
}

/// A field whose name ends in `[]` may come several times, as ticked boxes do: its values are one, with a blank between them.
fn joined(pairs: Vec<&(String, String)>) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        match joined.iter_mut().find(|(known, _)| known == name && name.ends_with("[]")) {
            Some((_, values)) => {
                values.push(' ');
                values.push_str(value);
            }
            None => joined.push((name.clone(), value.clone())),
        }
    }
    joined
}

/// Whether every `%` has its two digits and what they stand for is UTF-8. The decoder below would mend it in silence, and a name
/// would be saved that nobody typed.
fn is_text(body: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = zeroize::Zeroizing::new(Vec::with_capacity(body.len()));
    let mut bytes = body.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let Some((high, low)) = digit(bytes.next()).zip(digit(bytes.next())) else { return false };
        decoded.push(u8::try_from(high * 16 + low).expect("two hex digits are a byte"));
    }
    std::str::from_utf8(&decoded).is_ok()
}

fn again(action: String, pairs: &[(String, String)]) -> Again {
    let harmless = pairs.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
    // A secret may stand in a field that is none, such as an address with a password in it.
    let fields = harmless.map(|(name, value)| (name.clone(), blot(value))).collect();
    Again { action, fields }
}

/// What a form held, for a page that only offers to send it again. Nothing is done with it, so its token is not asked for.
pub async fn typed(request: Request) -> Option<Again> {
    let action = request.uri().path().to_owned();
    let body =
        tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(request.into_body(), LONGEST)).await.ok()?.ok()?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).ok()?;
    Some(again(action, &pairs))
}

/// A query string; unknown or doubled parameters are a plain 400.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|_| Error::UnreadableForm(StatusCode::BAD_REQUEST))
    }
}

/// The `{…}` of a path; one that cannot be read leads nowhere.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Error::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_that_says_so_may_come_twice() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let sent = [pair("at[]", "1"), pair("name", "a"), pair("at[]", "2"), pair("name", "b")];
        let expected = [pair("at[]", "1 2"), pair("name", "a"), pair("name", "b")];
        assert_eq!(joined(sent.iter().collect()), expected);
    }

    #[test]
    fn only_whole_escapes_of_utf8_are_text() {
        for body in ["", "a=b&c=%41+%c3%a9", "a=%00", "é=é"] {
            assert!(is_text(body.as_bytes()), "{body}");
        }
        for body in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=%c0%af", b"a=%ed%a0%80", b"a=\xff", b"a=%+1"] {
            assert!(!is_text(body), "{}", body.escape_ascii());
        }
    }
}
