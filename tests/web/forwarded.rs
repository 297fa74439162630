//! Whose word about a client's address counts, from both sides: a proxy that the operator named, and everybody else.

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::support::{
    Browser, Options, TestApp,
    cast::{PASSWORD, PRIYA},
};

/// Ours in these tests; the browsers of all others speak from elsewhere.
const PROXY: [u8; 4] = [10, 0, 0, 7];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

async fn start(pool: PgPool) -> TestApp {
    TestApp::start_with(pool, Options { trusted_proxies: "10.0.0.0/24", ..Options::default() }).await
}

/// A try with this password, and what was said on the way.
async fn sign_in(browser: &Browser, password: &str, forwarded: &str) -> StatusCode {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", PRIYA.email);
    page.fill("Password", password);
    let knock = page.knock("Sign in").header("x-forwarded-for", forwarded);
    // what proxies and clients say as well, and nobody here listens to
    let knock = knock.header("forwarded", "for=192.0.2.1").header("x-real-ip", "192.0.2.2");
    knock.header("x-forwarded-proto", "https").header("x-forwarded-host", "evil.example").send().await.status
}

async fn column(app: &TestApp, question: &'static str) -> Vec<Option<String>> {
    sqlx::query_scalar(question).fetch_all(&app.pool).await.expect("a column")
}

#[sqlx::test]
async fn through_our_proxy_the_client_is_who_it_names_last(pool: PgPool) {
    let app = start(pool).await;
    app.add(&PRIYA).await;
    let through = app.browser().from(PROXY);
    assert_eq!(sign_in(&through, PASSWORD, "192.0.2.9, 203.0.113.5, 10.0.0.8").await, StatusCode::SEE_OTHER);
    let client = [Some("203.0.113.5".to_owned())];
    assert_eq!(column(&app, "select ip from sessions").await, client);
    assert_eq!(column(&app, "select ip from audit_events where event = 'signed_in'").await, client);
}

#[sqlx::test]
async fn from_anybody_else_the_same_words_are_air(pool: PgPool) {
    let app = start(pool).await;
    app.add(&PRIYA).await;
    let stranger = app.browser().from(STRANGER);
    assert_eq!(sign_in(&stranger, PASSWORD, "203.0.113.5, 10.0.0.8").await, StatusCode::SEE_OTHER);
    let peer = [Some("198.51.100.7".to_owned())];
    assert_eq!(column(&app, "select ip from sessions").await, peer);
    assert_eq!(column(&app, "select ip from audit_events where event = 'signed_in'").await, peer);
}

/// The same person behind the same proxy: what the client wrote itself, further left, gives no new tries.
#[sqlx::test]
async fn behind_our_proxy_each_client_has_its_own_tries(pool: PgPool) {
    let app = start(pool).await;
    app.add(&PRIYA).await;
    let through = app.browser().from(PROXY);
    let mut told = Vec::new();
    for invented in 0..6 {
        told.push(sign_in(&through, "leaf kettle third steep", &format!("192.0.2.{invented}, 203.0.113.5")).await);
    }
    assert_eq!(told[..5], [StatusCode::UNPROCESSABLE_ENTITY; 5]);
    assert_eq!(told[5], StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sign_in(&through, PASSWORD, "203.0.113.6").await, StatusCode::SEE_OTHER, "another client");
}
