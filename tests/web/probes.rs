//! What load balancers and users see in normal operation and while the database is unavailable.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{Page, TestApp, dump::tamper, expose};

#[sqlx::test]
async fn probes_and_metrics_respond(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-secret-name");
    app.connect(&priya, "Northwind Tea", "northwind-secret-name").await;
    let monitor = app.browser();
    for (path, text) in [("/-/live", "live\n"), ("/-/ready", "ready\n")] {
        let answer = monitor.knock(Method::GET, path).send().await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, text));
        assert_eq!(answer.header("set-cookie"), None);
    }
    let metrics = monitor.knock(Method::GET, "/-/metrics").send().await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = metrics.text();
    assert!(
        text.contains("cartwright_http_requests_total{route=\"/admin/ecommerce/shopify/new\",status=\"303\"}"),
        "{text}"
    );
    for never in ["northwind", "Northwind", "priya", "myshopify"] {
        assert!(!text.contains(never), "{never} in\n{text}");
    }
}

#[sqlx::test]
async fn a_database_that_is_away_is_reported_and_input_is_kept(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let mut page = app.fill_new(&priya, "Northwind <Tea>", "northwind-tea").await;
    page.check("Active");
    let token = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    app.app.pool.close().await;

    let began = Instant::now();
    let monitor = app.browser();
    assert_eq!(monitor.knock(Method::GET, "/-/live").send().await.status, StatusCode::OK);
    let ready = monitor.knock(Method::GET, "/-/ready").send().await;
    assert_eq!((ready.status, ready.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("5")));
    assert_eq!(app.browser().visit("/sign-in").await.h1(), "Sign in", "the sign-in page needs no database");
    let style = page.attribute("link[rel=stylesheet]", "href").expect("a style sheet");
    for path in ["/-/live", &style] {
        let answer = priya.knock(Method::GET, path).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path} needs no session");
    }
    let looked = priya.visit("/admin/ecommerce").await;
    assert_eq!(
        (looked.status, looked.h1().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "Order Time is busy"),
        "{looked}"
    );
    assert_eq!(looked.text("main .lead"), "We could not reach our own database, so nothing was saved.");
    for button in ["Save", "Test Connection"] {
        let busy = page.press(button).await;
        assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE, "{busy}");
        assert_eq!(busy.headers.get("retry-after").expect("retry-after"), "5");
        assert_eq!(
            busy.text("main .lead"),
            "We could not reach our own database, so nothing was saved. What you typed is still here."
        );
        assert!(!busy.html.contains(&token), "{busy}");
        let (method, action, fields) = busy.submission("Try again");
        let (_, expected_action, mut expected) = page.submission(button);
        expected.retain(|(name, _)| !["csrf", "access_token", "client_secret"].contains(&name.as_str()));
        let typed: Vec<_> = fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
        assert_eq!((method, action, typed), (Method::POST, expected_action, expected), "{button}");
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[sqlx::test]
async fn retry_after_a_database_failure_saves_the_form(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    // Unavailable for this one request: the sessions table is missing.
    tamper_quietly(&app, "alter table sessions rename to sessions_away").await;
    let broken = page.press("Save").await;
    tamper_quietly(&app, "alter table sessions_away rename to sessions").await;
    assert!(broken.status.is_server_error(), "{broken}");
    assert!(!broken.html.contains("relation"), "the page shows a database error: {broken}");
    let page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
}

async fn tamper_quietly(app: &TestApp, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.pool).await.expect("the statement");
}

#[sqlx::test]
async fn internal_error_page_has_a_reference_and_no_cause(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    tamper_quietly(&app, "alter table carts rename to carts_away").await;
    let answer = priya.knock(Method::GET, "/admin/ecommerce").send().await;
    let id = answer.header("x-request-id").expect("an id").to_owned();
    let page = Page::new(priya, answer);
    assert_eq!(
        (page.status, page.h1().as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "There is a problem with Order Time"),
        "{page}"
    );
    assert_eq!(page.text("main code"), id);
    for cause in ["carts_away", "relation", "sqlx", "postgres", "panicked"] {
        assert!(!page.html.to_lowercase().contains(cause), "{cause}: {page}");
    }
    tamper_quietly(&app, "alter table carts_away rename to carts").await;
}

#[sqlx::test]
async fn old_form_offers_a_reload_without_the_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let token = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    // Signed out and in again in another tab: the form's token belongs to the old session.
    tamper(&app.pool, "delete from sessions").await;
    let again = app.sign_in_as(&crate::support::cast::PRIYA).await;
    priya.put_cookie("cartwright", &again.cookies()["cartwright"]);
    let old = page.press("Save").await;
    assert_eq!((old.status, old.h1().as_str()), (StatusCode::FORBIDDEN, "This page was open too long"), "{old}");
    assert_eq!(
        old.text("main .lead"),
        "For security, load it again. What you typed is kept, but no password and no token: enter those again."
    );
    assert!(!old.html.contains(&token));
    let mut page = old.press("Load again").await;
    assert_eq!(
        (page.value("Website Name").as_str(), page.value("Access Token").as_str()),
        ("Northwind Tea", ""),
        "{page}"
    );
    page.fill("Access Token", &token);
    assert_eq!(page.press("Save").await.status, StatusCode::OK);
}
