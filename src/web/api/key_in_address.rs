//! Refuses a request whose address contains a key: addresses are written to logs and histories, so the key counts as known
//! to others. The log says which key, never its text.

use axum::{
    extract::{Request, State},
    http::Uri,
    middleware::Next,
    response::Response,
};

use super::problem::{Problem, ProblemKind};
use crate::{
    app::App,
    web::frame::client_address::{client_address, origin},
};

/// What every key begins with.
const KEY_PREFIX: &str = "cwk_";
/// The query parameter of RFC 6750, section 2.3, which is not supported.
const ACCESS_TOKEN: &str = "access_token";

/// Middleware that refuses such a request, and logs the key as compromised.
pub async fn refuse(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(found) = find(request.uri()) else { return Ok(next.run(request).await) };
    let client = client_address(&app, &request);
    let from = origin(&app, &request);
    let known = app.api_keys.authenticate(&found, client).await?;
    tracing::warn!(
        request_id = from.request_id,
        client = from.ip,
        api_key = known.as_ref().map(|key| key.id.to_string()),
        api_key_name = known.as_ref().map(|key| key.name.as_str()),
        "an API key was sent in an address and counts as compromised; rotate it"
    );
    Err(Problem::new(
        ProblemKind::KeyInAddress,
        "Addresses are kept in logs, so this key counts as known to others. Revoke it, make a new one, and send it in the \
         header Authorization: Bearer.",
    ))
}

/// The text in an address that is or replaces a key.
fn find(uri: &Uri) -> Option<String> {
    let in_path = uri.path().split('/').find(|part| part.starts_with(KEY_PREFIX)).map(str::to_owned);
    let pairs =
        serde_urlencoded::from_str::<Vec<(String, String)>>(uri.query().unwrap_or_default()).unwrap_or_default();
    let is_key = |text: &str| text.contains(KEY_PREFIX);
    let in_query = pairs.into_iter().find_map(|(name, value)| match (is_key(&name), is_key(&value)) {
        (true, _) => Some(name),
        (_, true) => Some(value),
        _ => (name == ACCESS_TOKEN).then_some(value),
    });
    in_path.or(in_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_found_wherever_an_address_can_hold_one() {
        for with_key in [
            "/api/v1/carts?key=cwk_x",
            "/api/v1/carts?limit=5&cwk_x",
            "/api/v1/carts?key=Bearer%20cwk%5fx",
            "/api/v1/carts?access_token=x",
            "/api/v1/carts/cwk_x",
        ] {
            assert!(find(&with_key.parse().unwrap()).is_some(), "{with_key}");
        }
        for without in ["/api/v1/carts", "/api/v1/carts?after=x&limit=5", "/api/v1/carts/xcwk"] {
            assert!(find(&without.parse().unwrap()).is_none(), "{without}");
        }
    }
}
