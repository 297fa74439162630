//! URLs with unknown query parameters, with a trailing slash, and of form targets that are loaded with GET.

use axum::http::{Method, StatusCode};
use cartwright::web::routes::find_post;
use sqlx::PgPool;

use crate::support::{
    Browser, TestApp,
    routes::{Blanks, Door, doors},
};

async fn inside(pool: PgPool) -> (TestApp, Browser, Vec<Door>) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    (app, priya, doors)
}

#[sqlx::test]
async fn every_page_ignores_unknown_parameters(pool: PgPool) {
    let (_app, priya, doors) = inside(pool).await;
    let known = ["show", "q", "after", "before", "id", "sort", "at", "cart", "person", "what", "older", "newer"];
    let bad: Vec<_> = known.iter().map(|name| format!("{name}=%27%00%ff&{name}=2")).collect();
    for door in doors.iter().filter(|door| !door.is_unsafe()) {
        let plain = priya.knock(Method::GET, &door.path).send().await.status;
        for query in ["utm_source=mail&utm_source=x", "fbclid", "=&&%zz", &bad.join("&")] {
            let answer = priya.knock(Method::GET, &format!("{}?{query}", door.path)).send().await;
            assert_eq!(answer.status, plain, "{}?{query}: {}", door.path, answer.text());
        }
    }
}

#[sqlx::test]
async fn trailing_slash_redirects_to_the_page_without_it(pool: PgPool) {
    let (app, priya, doors) = inside(pool).await;
    let stranger = app.browser();
    for door in doors.iter().filter(|door| !door.is_unsafe() && door.path.starts_with("/admin")) {
        let path = format!("{}/?x=1", door.path);
        let answer = priya.knock(Method::GET, &path).send().await;
        assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!(answer.location(), format!("{}?x=1", door.path));
        let answer = stranger.knock(Method::GET, &path).send().await;
        assert!(answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/sign-in?"), "{answer:?}");
    }
    for path in ["/sign-in/", "/help/"] {
        assert_eq!(stranger.knock(Method::GET, path).send().await.location(), path.trim_end_matches('/'));
    }
    for path in ["/nowhere/", "/admin/nowhere/", "/admin/ecommerce/shopify/"] {
        assert_eq!(priya.knock(Method::GET, path).send().await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = priya.knock(Method::POST, "/admin/account/").form(&[]).send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "a form is not redirected");
}

#[sqlx::test]
async fn get_of_a_form_target_leads_to_its_page(pool: PgPool) {
    let (app, priya, doors) = inside(pool).await;
    let is_page = |template: &str| doors.iter().any(|door| !door.is_unsafe() && door.template == template);
    let mut seen = 0;
    for door in doors.iter().filter(|door| door.is_unsafe() && !is_page(door.template)) {
        let route = find_post(&door.path).expect("the route");
        let answer = priya.knock(Method::GET, &door.path).send().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", door.name());
        assert_eq!(answer.location(), route.page_of(&door.path), "{}", door.name());
        let page = priya.visit(&door.path).await;
        assert_eq!(page.status, StatusCode::OK, "{}: {page}", door.name());
        let answer = app.browser().knock(Method::GET, &door.path).send().await;
        assert!(answer.location().starts_with("/sign-in"), "{}", door.name());
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

#[sqlx::test]
async fn reloaded_test_of_a_new_cart_shows_its_result(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let path = "/admin/ecommerce/shopify/new/connection-tests";
    assert_eq!(priya.visit(path).await.path, "/admin/ecommerce/shopify/new");
    app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let page = priya.visit(path).await;
    assert!(page.path.starts_with(&format!("{path}/")), "{page}");
    assert_eq!(page.class(), "CONNECTED");
    assert!(page.value("API URL").contains("northwind-tea"), "{page}");
    assert!(page.text("#editor").contains("Token received"), "{page}");
}
