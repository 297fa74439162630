//! Headers of every response, errors and redirects included. Stops markup in a foreign name from running (a shop may be
//! called `<script>`), other sites from framing or reading our pages, and shared caches from keeping them. OWASP ASVS
//! 5.0, V3.4.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::app::App;
use crate::web::urls;

/// Forbids everything, then allows our own files. Nothing is inline, so no nonce is needed. Trusted Types: one policy,
/// ours.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types app";

/// `strict-origin` sends no path anywhere, not even into our own log, where it could expose a one-time link. Not
/// `no-referrer`, under which browsers send `Origin: null` with form posts, which the same-origin check would refuse.
const FIXED: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "strict-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Two years; sent only if the public address is https (RFC 6797).
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

pub async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let may_be_indexed = request.uri().path() == urls::SIGN_IN;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if may_be_indexed {
        headers.remove("x-robots-tag");
    }
    if app.site.public_url.is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT_SECURITY));
    }
    // Assets with a hash in their name set their own value.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
