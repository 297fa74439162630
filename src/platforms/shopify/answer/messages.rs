//! Maps the messages in `errors` to classes, for errors without a code. Matches in lower case; `errors` may be a
//! string, a list of strings, an object of either, or a list of GraphQL errors, of which only `message` is read.

use serde_json::Value;

use crate::causes::Class;

/// Substrings of messages and their classes; the first match decides.
const SENTENCES: [(&str, Class); 24] = [
    ("throttled", Class::RateLimited),
    ("too many requests", Class::RateLimited),
    ("calls per second", Class::RateLimited),
    ("ip address", Class::AddressRefused),
    ("allowlist", Class::AddressRefused),
    ("non-expiring access tokens", Class::TokenKindRefused),
    ("invalid api key or access token", Class::TokenRefused),
    ("unavailable shop", Class::StoreLocked),
    ("inactive shop", Class::StoreLocked),
    ("shop unavailable", Class::StoreLocked),
    ("shop inactive", Class::StoreLocked),
    ("shop is unavailable", Class::StoreLocked),
    ("shop is inactive", Class::StoreLocked),
    ("shop is currently unavailable", Class::StoreLocked),
    ("shop is not available", Class::StoreLocked),
    ("merchant approval", Class::NotAllowed),
    ("does not have access", Class::NotAllowed),
    ("access denied for", Class::NotAllowed),
    ("not approved to access", Class::NotAllowed),
    ("access scope", Class::NotAllowed),
    ("internal error", Class::ShopifyDown),
    ("internal server error", Class::ShopifyDown),
    ("went wrong on our end", Class::ShopifyDown),
    ("timed out", Class::ShopifyDown),
];

/// The class of the first known message.
pub(super) fn class(errors: &Value) -> Option<Class> {
    let texts = lower(errors);
    SENTENCES.into_iter().find(|(part, _)| texts.iter().any(|text| text.contains(part))).map(|(_, class)| class)
}

/// A bare "Access denied" in a GraphQL response. With status 403, the same words can refer to a permission or to an
/// address.
pub(super) fn denied(errors: &Value) -> Option<Class> {
    lower(errors).iter().any(|text| text.contains("access denied")).then_some(Class::NotAllowed)
}

fn lower(errors: &Value) -> Vec<String> {
    texts(errors).into_iter().map(str::to_lowercase).collect()
}

fn texts(errors: &Value) -> Vec<&str> {
    match errors {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => match map.get("message") {
            Some(Value::String(message)) => vec![message],
            _ => map.values().flat_map(texts).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
