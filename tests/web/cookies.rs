//! The session cookie and the pre-session form cookie, over https and on loopback.

use axum::http::Method;
use sqlx::PgPool;

use crate::support::{Answer, Options, TestApp, cast::PASSWORD, cast::PRIYA};

/// Name and attributes of each cookie that a response sets, without values.
fn set_cookies(answer: &Answer) -> Vec<(String, Vec<String>)> {
    answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| {
            let mut parts = line.to_str().expect("ASCII").split("; ");
            let name = parts.next().and_then(|pair| pair.split_once('=')).expect("a name").0.to_owned();
            let mut attributes: Vec<String> = parts.map(str::to_owned).collect();
            attributes.sort();
            (name, attributes)
        })
        .collect()
}

fn attributes(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

async fn cookies_of_a_visit(app: &TestApp) -> [Vec<(String, Vec<String>)>; 3] {
    app.add(&PRIYA).await;
    let browser = app.browser();
    let first = browser.knock(Method::GET, "/sign-in").send().await;
    let mut page = crate::support::Page::new(browser, first.clone());
    page.fill("Email address", PRIYA.email);
    page.fill("Password", PASSWORD);
    let signed_in = page.knock("Sign in").send().await;
    assert_eq!(signed_in.location(), "/admin", "{}", signed_in.text());
    let browser = app.sign_in_as(&PRIYA).await;
    let signed_out = browser.visit("/admin").await.knock("Sign out").send().await;
    assert_eq!(signed_out.header("clear-site-data"), Some("\"cache\", \"storage\""));
    [first, signed_in, signed_out].map(|answer| set_cookies(&answer))
}

#[sqlx::test]
async fn cookies_over_https_are_bound_to_the_host(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { https: true, ..Options::default() }).await;
    let [first, signed_in, signed_out] = cookies_of_a_visit(&app).await;
    let kept = attributes(&["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
    let gone = attributes(&["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Strict", "Secure"]);
    assert_eq!(first, [("__Host-cartwright-form".to_owned(), kept.clone())]);
    let known = attributes(&["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Strict", "Secure"]);
    assert_eq!(
        signed_in,
        [
            ("__Host-cartwright".to_owned(), kept),
            ("__Host-cartwright-form".to_owned(), gone.clone()),
            ("__Host-cartwright-device".to_owned(), known)
        ]
    );
    assert_eq!(signed_out, [("__Host-cartwright".to_owned(), gone)]);
}

#[sqlx::test]
async fn cookies_on_loopback_have_no_host_prefix(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let [first, signed_in, signed_out] = cookies_of_a_visit(&app).await;
    let kept = attributes(&["HttpOnly", "Path=/", "SameSite=Strict"]);
    let gone = attributes(&["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Strict"]);
    assert_eq!(first, [("cartwright-form".to_owned(), kept.clone())]);
    let known = attributes(&["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Strict"]);
    assert_eq!(
        signed_in,
        [
            ("cartwright".to_owned(), kept),
            ("cartwright-form".to_owned(), gone.clone()),
            ("cartwright-device".to_owned(), known)
        ]
    );
    assert_eq!(signed_out, [("cartwright".to_owned(), gone)]);
}

#[sqlx::test]
async fn unprefixed_cookies_are_ignored_over_https(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { https: true, ..Options::default() }).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let id = priya.cookies().remove("__Host-cartwright").expect("a session");
    let other = app.browser();
    other.put_cookie("cartwright", &id);
    assert_eq!(other.visit("/admin").await.h1(), "Sign in");
    other.put_cookie("__Host-cartwright", &id);
    assert_eq!(other.visit("/admin").await.h1(), "Admin");
}

#[sqlx::test]
async fn only_a_page_with_a_form_for_new_visitors_sets_a_cookie(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    for answer in [
        priya.knock(Method::GET, "/admin").send().await,
        priya.knock(Method::GET, "/admin/nowhere").send().await,
        app.browser().knock(Method::GET, "/admin").send().await,
        app.browser().knock(Method::GET, "/sign-in").header("sec-fetch-site", "cross-site").send().await,
    ] {
        assert_eq!(set_cookies(&answer), [], "{}", answer.path);
    }
    assert_eq!(set_cookies(&app.browser().knock(Method::GET, "/sign-in").send().await).len(), 1);
}
