//! Tests of a saved connection that a program starts.

use axum::http::Method;
use cartwright::{
    api_keys::Scope,
    practice::{Canned, Scenario},
};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{
    Answer, TestApp,
    api::Program,
    dump::{events, tamper},
    routes::cart_of,
};

async fn check(program: &Program, cart: &str) -> Answer {
    program.knock(Method::POST, &format!("/api/v1/carts/{cart}/checks")).send().await
}

#[sqlx::test]
async fn check_of_a_program_answers_with_its_result_and_turns_the_status(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let program = app.program(&[Scope::CartsCheck]).await;
    let good = check(&program, &cart).await;
    assert_eq!(good.status, 200, "{}", good.text());
    let body = good.json();
    assert_eq!((&body["outcome"], &body["class"]), (&json!("connected"), &json!("CONNECTED")));
    assert!(body["checks"].as_array().is_some_and(|checks| checks.len() >= 5), "{body}");
    assert_eq!(body["checks"][0]["state"], "passed");

    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    let bad = check(&program, &cart).await.json();
    assert_eq!((&bad["outcome"], &bad["class"]), (&json!("not-connected"), &json!("TOKEN_STOPPED")));
    let status: String = sqlx::query_scalar("select status from carts").fetch_one(&app.pool).await.expect("a cart");
    assert_eq!(status, "not-connected");
    let author: String =
        sqlx::query_scalar("select actor_name from audit_events where event = 'tested' order by at desc limit 1")
            .fetch_one(&app.pool)
            .await
            .expect("the event");
    assert_eq!(author, "sync-prod");
}

#[sqlx::test]
async fn check_that_is_not_sent_is_a_problem(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let program = app.program(&[Scope::CartsCheck]).await;
    check(&program, &cart).await;
    tamper(&app.pool, "update throttle set remaining = 0 where kind = 'store_test'").await;
    let problem = check(&program, &cart).await.problem(429, "too-many-requests");
    assert_eq!(problem["class"], "TEST_LIMIT");
    priya.visit(&format!("/admin/ecommerce/shopify/{cart}/disconnection")).await.press("Disconnect").await;
    check(&program, &cart).await.problem(409, "not-active");
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "tested").count(), 2);
}
