//! Static files: their names are hashes, and they are cached permanently.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use super::headers::assert_headers;
use crate::support::TestApp;

#[sqlx::test]
async fn hashed_asset_is_cached_permanently(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let browser = app.browser();
    let page = browser.visit("/sign-in").await;
    let files = [
        ("link[rel=stylesheet]", "href", "text/css"),
        ("script", "src", "text/javascript"),
        ("link[rel=icon]", "href", "image/svg+xml"),
    ];
    for (css, attribute, kind) in files {
        let path = page.attribute(css, attribute).expect("a file");
        let answer = browser.knock(Method::GET, &path).send().await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()));
        assert_eq!(answer.header("set-cookie"), None, "a cached file must set no cookie");
        assert_headers(&answer, false);
    }
}
