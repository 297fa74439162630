//! `X-Forwarded-For` from a trusted proxy and from any other peer.

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::support::{
    Browser, Options, TestApp,
    cast::{PASSWORD, PRIYA},
};

/// The trusted proxy; all other browsers connect from other addresses.
const PROXY: [u8; 4] = [10, 0, 0, 7];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

async fn start(pool: PgPool) -> TestApp {
    TestApp::start_with(pool, Options { trusted_proxies: "10.0.0.0/24", ..Options::default() }).await
}

/// Signs in with this password through a proxy that sends this `X-Forwarded-For`.
async fn sign_in(browser: &Browser, password: &str, forwarded: &str) -> StatusCode {
    let mut page = browser.visit("/sign-in").await;
    page.fill("Email address", PRIYA.email);
    page.fill("Password", password);
    let knock = page.knock("Sign in").header("x-forwarded-for", forwarded);
    // Other forwarding headers, which are ignored.
    let knock = knock.header("forwarded", "for=192.0.2.1").header("x-real-ip", "192.0.2.2");
    knock.header("x-forwarded-proto", "https").header("x-forwarded-host", "evil.example").send().await.status
}

async fn column(app: &TestApp, question: &'static str) -> Vec<Option<String>> {
    sqlx::query_scalar(question).fetch_all(&app.pool).await.expect("a column")
}

#[sqlx::test]
async fn trusted_proxy_names_the_client_in_the_last_entry(pool: PgPool) {
    let app = start(pool).await;
    app.add(&PRIYA).await;
    let through = app.browser().from(PROXY);
    assert_eq!(sign_in(&through, PASSWORD, "192.0.2.9, 203.0.113.5, 10.0.0.8").await, StatusCode::SEE_OTHER);
    let client = [Some("203.0.113.5".to_owned())];
    assert_eq!(column(&app, "select ip from sessions").await, client);
    assert_eq!(column(&app, "select ip from audit_events where event = 'signed_in'").await, client);
}

#[sqlx::test]
async fn forwarded_header_of_another_peer_is_ignored(pool: PgPool) {
    let app = start(pool).await;
    app.add(&PRIYA).await;
    let stranger = app.browser().from(STRANGER);
    assert_eq!(sign_in(&stranger, PASSWORD, "203.0.113.5, 10.0.0.8").await, StatusCode::SEE_OTHER);
    let peer = [Some("198.51.100.7".to_owned())];
    assert_eq!(column(&app, "select ip from sessions").await, peer);
    assert_eq!(column(&app, "select ip from audit_events where event = 'signed_in'").await, peer);
}

/// Entries that a client adds further left do not give it new attempts.
#[sqlx::test]
async fn clients_behind_the_proxy_are_throttled_separately(pool: PgPool) {
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
