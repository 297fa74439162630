//! Reads the response to a token exchange: a Client ID and Client secret for a token of 24 hours. A refusal names its
//! reason, and a known name decides whatever the status, because sources disagree about the statuses. The same names
//! come as JSON or in the title of an HTML page.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::{FailedAnswer, NOT_OUR_SHAPE, json, refusal::refused};
use crate::causes::{Class, UNKNOWN_CLIENT_ID};
use crate::platforms::shopify::address::StoreAddress;
use crate::platforms::shopify::client::{ReceivedBody, ShopifyResponse};
use crate::platforms::shopify::credential::AccessToken;

/// Lifetime of an issued token in seconds if Shopify names none: one hour, the shortest plausible.
const TOKEN_LIFETIME_DEFAULT: u64 = 3600;
/// Maximum lifetime of an issued token in seconds: one day.
const TOKEN_LIFETIME_MAX: u64 = 86_400;

/// A token that Shopify issued to us.
#[derive(Debug)]
pub struct IssuedToken {
    pub token: AccessToken,
    pub lives: Duration,
}

/// Reads the response to a token exchange. The granted scopes in it are only a hint and are not read.
///
/// # Errors
/// The finding that the response amounts to.
pub fn exchanged(asked: &StoreAddress, answer: &ShopifyResponse) -> Result<IssuedToken, FailedAnswer> {
    if let Some(refusal) = refused_by_name(answer) {
        return Err(refusal);
    }
    if let Some(refusal) = refused(asked, answer) {
        // No token was sent: a 401 is about the Client ID and Client secret.
        let class = if refusal.class == Class::TokenRefused { Class::CcRefused } else { refusal.class };
        return Err(FailedAnswer { class, ..refusal });
    }
    let typed: TokenResponse =
        serde_json::from_value(json(answer)?).map_err(|_| FailedAnswer::foreign(NOT_OUR_SHAPE))?;
    let token =
        AccessToken::issued(SecretString::from(typed.access_token)).ok_or(FailedAnswer::foreign(NOT_OUR_SHAPE))?;
    let seconds = typed.expires_in.as_ref().and_then(Value::as_u64).filter(|seconds| *seconds > 0);
    Ok(IssuedToken {
        token,
        lives: Duration::from_secs(seconds.unwrap_or(TOKEN_LIFETIME_DEFAULT).min(TOKEN_LIFETIME_MAX)),
    })
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    expires_in: Option<Value>,
}

/// The error names of Shopify and RFC 6749, with their classes. `invalid_request` was observed for apps that are not
/// installed.
const NAMES: [(&str, Class); 12] = [
    ("shop_not_permitted", Class::CcWrongOrg),
    ("app_not_installed", Class::CcNotInstalled),
    ("invalid_request", Class::CcNotInstalled),
    (UNKNOWN_CLIENT_ID, Class::CcRefused),
    ("invalid_client", Class::CcRefused),
    ("unauthorized_client", Class::CcRefused),
    ("access_denied", Class::CcRefused),
    ("invalid_grant", Class::CcRefused),
    ("invalid_scope", Class::CcRefused),
    // We send only one grant type, so this is a bug of ours.
    ("unsupported_grant_type", Class::OurBug),
    ("temporarily_unavailable", Class::ShopifyDown),
    ("server_error", Class::ShopifyDown),
];

/// Statuses that say more than an unknown error name.
const fn is_specific_status(status: u16) -> bool {
    matches!(status, 402..=408 | 411 | 413..=415 | 423)
}

fn refused_by_name(answer: &ShopifyResponse) -> Option<FailedAnswer> {
    let status = answer.head.status;
    if !matches!(status, 200 | 400..=428 | 431..=499) {
        return None;
    }
    let name = json_error(answer).or_else(|| html_error(answer))?;
    let known = NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, class)| class);
    let class = known.or_else(|| (!is_specific_status(status)).then_some(Class::CcRefused))?;
    Some(FailedAnswer { error_name: Some(name).filter(|name| !name.is_empty()), ..FailedAnswer::of(class) })
}

/// The description of an unknown Client ID; observed once under the name `invalid_request`.
const NO_SUCH_APP: &str = "could not find shopify api application";

fn json_error(answer: &ShopifyResponse) -> Option<String> {
    let body = json(answer).ok().filter(|body| body.get("access_token").is_none())?;
    let text = |field: &str| body.get(field).and_then(Value::as_str);
    let name = name(text("error")?)?;
    let is_unknown = text("error_description").is_some_and(|text| text.to_ascii_lowercase().contains(NO_SUCH_APP));
    Some(if is_unknown { UNKNOWN_CLIENT_ID.to_owned() } else { name })
}

/// Finds the error name in a page titled `400 - Oauth error {name}`, in any case.
fn html_error(answer: &ShopifyResponse) -> Option<String> {
    let ReceivedBody::Read(bytes) = &answer.body else { return None };
    let page = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let (_, after) = page.split_once("- oauth error ")?;
    let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(after.len());
    let name = name(&after[..end])?;
    Some(if page.contains(NO_SUCH_APP) { UNKNOWN_CLIENT_ID.to_owned() } else { name })
}

/// Maximum length of a word of an error name, in bytes: shorter than the digits of any of Shopify's secrets.
const ERROR_NAME_MAX_LEN: usize = 24;

/// Sanitizes an error name for display: words of lower-case letters and digits, joined by `_`, at most 64 bytes; `None`
/// for blank text.
fn name(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let words =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| (1..=ERROR_NAME_MAX_LEN).contains(&word.len()));
    let mut name = words.collect::<Vec<_>>().join("_");
    name.truncate(64);
    (!lower.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
