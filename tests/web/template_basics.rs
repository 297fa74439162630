//! The rules of every HTML page, on pages as they are served: of every route, for every role, and of errors.

use sqlx::PgPool;

use crate::support::{
    Answer, Browser, Options, TestApp,
    cast::VERA,
    kit::html_rules::violations,
    routes::{Blanks, doors},
};

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
        && answer.text().starts_with("<!doctype html>")
}

/// Requests every page, and errors of every kind.
async fn everywhere(app: &TestApp, browser: &Browser) {
    let vera = app.sign_in_as(&VERA).await;
    for door in doors(&Blanks::make(app, browser).await) {
        if door.is_unsafe() {
            browser.knock(door.method.clone(), &door.path).form(&[]).send().await;
        } else {
            for one in [browser, &app.browser(), &vera] {
                one.knock(door.method.clone(), &door.path).send().await;
            }
        }
    }
    for path in [
        "/nowhere",
        "/admin?x",
        "/admin/ecommerce?show=inactive",
        "/admin/ecommerce?q=none",
        "/admin/ecommerce/switch?to=off",
    ] {
        browser.visit(path).await;
    }
    let post = browser.knock(axum::http::Method::POST, "/admin/account");
    post.body("application/x-www-form-urlencoded", "a=%").send().await;
    let mut page = browser.visit("/admin/ecommerce/shopify/new").await;
    page.press("Save").await;
    page.choose("Client ID and Client secret");
    page.press("Test Connection").await;
    app.browser().visit("/sign-in").await.press("Sign in").await;
    let mut page = browser.visit("/admin/account").await;
    page.press("Change password").await;
    page.fill("Email", "priya");
    page.press("Save").await;
    let mut page = browser.visit("/admin/users/new").await.press("Add user").await;
    page.fill("Name", "Ana Ruiz");
    page.fill("Email", "ana@agency.example");
    page.press("Add user").await;
    let page = browser.visit("/admin/ecommerce").await.follow("Northwind Tea").await;
    let replacing = page.press("Replace token").await;
    let mut changed = browser.visit(&page.path).await;
    changed.fill("API URL", "northwind-b2b");
    changed.press("Save").await;
    changed.fill("API URL", "northwind-tea");
    changed.fill("Website Name", "Other name");
    changed.press("Save").await;
    replacing.press("Save").await;
}

#[sqlx::test]
async fn every_page_is_well_formed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    everywhere(&app, &priya).await;
    let pages: Vec<Answer> = app.answers().into_iter().filter(is_page).collect();
    assert!(pages.len() > 50, "only {} pages", pages.len());
    for status in [200, 400, 403, 404, 409, 415, 422] {
        let is_known = pages.iter().any(|answer| answer.status.as_u16() == status);
        assert!(is_known || status == 415, "no page with {status}");
    }
    for answer in pages {
        assert_eq!(violations(&answer.text()), [""; 0], "{} {}", answer.method, answer.path);
    }
}

#[sqlx::test]
async fn practice_mode_is_shown_on_every_page(pool: PgPool) {
    let app = TestApp::start_with(pool, Options { practice_mode: true, ..Options::default() }).await;
    let priya = app.priya_with_integration_on().await;
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await.press("Fill in practice-tea").await;
    assert_eq!(page.value("API URL"), "https://practice-tea.myshopify.com/admin", "{page}");
    assert!(!page.has_field("Access Token"), "{page}");
    page.check("Active");
    page.fill("Website Name", "Practice tea");
    let mut page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    page.check("Active");
    let page = page.press("Save").await;
    assert_eq!(page.all("p.status .badge"), ["Connected", "Practice"], "{page}");
    for path in ["/admin", "/admin/ecommerce", "/admin/ecommerce/add", "/help"] {
        let page = priya.visit(path).await;
        assert_eq!(violations(&page.html), [""; 0], "{path}");
        assert!(page.text(".practice-band").starts_with("Practice mode."), "{page}");
    }
}
