//! The exact headers of every response: pages, redirects, refusals, files, streams and errors.

use axum::{
    Router,
    http::{Method, StatusCode, header},
    routing::get,
};
use sqlx::PgPool;

use crate::support::{
    Answer, Browser, Options, TestApp,
    routes::{Blanks, doors},
};

const EXACT: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types app",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)"),
];

#[track_caller]
pub fn assert_headers(answer: &Answer, is_https: bool) {
    let what = format!("{} {} ({})", answer.method, answer.path, answer.status);
    for (name, value) in EXACT {
        let all: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(all, [value], "{name} of {what}");
    }
    let is_file = answer.path.starts_with("/static/") && answer.status.is_success();
    let kept = if is_file { "public, max-age=31536000, immutable" } else { "no-store" };
    assert_eq!(answer.header("cache-control"), Some(kept), "{what}");
    let transport = is_https.then_some("max-age=63072000; includeSubDomains");
    assert_eq!(answer.header("strict-transport-security"), transport, "{what}");
    assert_eq!(answer.header("x-robots-tag"), (!answer.path.starts_with("/sign-in")).then_some("noindex"), "{what}");
    for name in answer.headers.keys().map(header::HeaderName::as_str) {
        let tells = ["server", "x-powered-by", "via", "refresh", "x-aspnet-version"].contains(&name);
        // The page of a running bulk action refreshes itself; no other page does.
        let loads_itself = name == "refresh" && answer.path.contains("/bulk/") && answer.header(name) == Some("2");
        assert!((!tells || loads_itself) && !name.starts_with("access-control-"), "{name} of {what}");
    }
    match answer.header("content-type") {
        Some(kind) if kind.starts_with("text/") || kind.contains("xml") || kind.contains("json") => {
            assert!(kind.ends_with("charset=utf-8"), "{kind} of {what}");
        }
        Some(kind) => panic!("{kind} of {what}"),
        None => assert!(answer.body.is_empty(), "{what} has a body without a type"),
    }
}

/// Requests at least one response of every kind.
async fn all_sorts(app: &TestApp, priya: &Browser) {
    let stranger = app.browser();
    for door in doors(&Blanks::make(app, priya).await) {
        for browser in [priya, &stranger] {
            for method in [door.method.clone(), Method::HEAD, Method::PUT, Method::TRACE] {
                let knock = browser.knock(method, &door.path).header("origin", "https://evil.example");
                knock.clone().without("sec-fetch-site").send().await;
                knock.without("origin").header("accept-encoding", "gzip").send().await;
            }
        }
    }
    for path in ["//admin", "/admin;x", "/nowhere", "/admin/nowhere", "/static/app.css", "/static/"] {
        priya.knock(Method::GET, path).send().await;
    }
    priya.knock(Method::GET, "/admin").header("host", "evil.example").send().await;
    let form = |body: Vec<u8>| priya.knock(Method::POST, "/sign-in").body("application/x-www-form-urlencoded", body);
    for body in [vec![b'x'; 150_000], b"email=%ff".to_vec(), b"csrf=x".to_vec(), Vec::new()] {
        form(body).send().await;
    }
    priya.knock(Method::POST, "/sign-in").body("application/json", "{}").send().await;
    // A streamed test, complete and partial.
    let page = app.fill_new(priya, "Streamed", "northwind-unsaved").await;
    page.knock("Test Connection").send().await;
    page.knock("Test Connection").header("x-partial", "1").send().await;
    page.knock("Test Connection").header("accept-encoding", "gzip").send().await;
}

#[sqlx::test]
async fn every_response_has_all_headers_on_loopback(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    all_sorts(&app, &priya).await;
    // The database becomes unavailable.
    app.app.pool.close().await;
    for path in ["/admin", "/-/ready", "/-/live", "/sign-in"] {
        priya.knock(Method::GET, path).send().await;
    }
    let answers = app.answers();
    for status in [200, 303, 400, 401, 403, 404, 405, 409, 413, 415, 421, 422, 503] {
        let is_known = answers.iter().any(|answer| answer.status.as_u16() == status);
        assert!(is_known || [401, 422].contains(&status), "no answer with {status} was seen");
    }
    for answer in &answers {
        assert_headers(answer, false);
    }
}

#[sqlx::test]
async fn every_response_has_all_headers_over_https(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { https: true, ..Options::default() }).await;
    let priya = app.priya_with_integration_on().await;
    all_sorts(&app, &priya).await;
    assert!(app.answers().len() > 100);
    for answer in &app.answers() {
        assert_headers(answer, true);
    }
}

/// F23: a panic in a handler gives a page with a reference and all headers, and the next request succeeds.
async fn a_panic_is_a_page(pool: PgPool, https: bool) {
    let app = TestApp::start_with(pool, Options { https, ..Options::default() }).await;
    let bug = async || -> &'static str { panic!("a secret panic message") };
    let routes = Router::new().route("/panic", get(bug).post(bug)).route("/well", get(async || "well"));
    let browser = app.browser_at(cartwright::web::with_layers(routes, app.app.clone()));
    for method in [Method::GET, Method::POST] {
        for _ in 0..20 {
            let answer = browser.knock(method.clone(), "/panic").send().await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
            assert_headers(&answer, https);
            let id = answer.header("x-request-id").expect("a reference").to_owned();
            assert!(answer.text().contains(&id) && !answer.text().contains("word of the code"));
        }
    }
    assert_eq!(browser.knock(Method::GET, "/well").send().await.text(), "well");
}

#[sqlx::test]
async fn a_handler_that_panics_gives_an_error_page(pool: PgPool) {
    a_panic_is_a_page(pool, false).await;
}

#[sqlx::test]
async fn a_handler_that_panics_gives_an_error_page_over_https(pool: PgPool) {
    a_panic_is_a_page(pool, true).await;
}

/// No response is 304: pages are not cached, and files with a hash in their name are never requested twice.
#[sqlx::test]
async fn conditional_requests_never_give_304(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    for path in ["/sign-in", cartwright::web::admin::assets::app_css()] {
        let knock = browser.knock(Method::GET, path).header("if-none-match", "*");
        let answer = knock.header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT").send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!answer.body.is_empty());
        assert_headers(&answer, false);
    }
}

#[sqlx::test]
async fn stream_is_neither_compressed_nor_buffered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let answer = page.knock("Test Connection").header("accept-encoding", "gzip").send().await;
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert_eq!((answer.header("content-encoding"), answer.header("content-length")), (None, None));
    // Control: another page is compressed.
    let packed =
        priya.knock(Method::GET, "/admin/ecommerce/shopify/new").header("accept-encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() * 3 < 12 * 1024 * 3, "{} bytes", packed.body.len());
}

#[sqlx::test]
async fn each_response_has_a_new_reference(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/sign-in", "/nowhere", "//x", "/admin", "/-/live"] {
        let answer = browser.knock(Method::GET, path).header("x-request-id", "mine").send().await;
        let id = answer.header("x-request-id").expect("a reference").to_owned();
        assert_eq!(id.len(), 32, "{id}");
        assert!(ids.insert(id));
    }
}
