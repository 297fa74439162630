//! What every page must have: one h1, valid references, nothing inline, and `Error:` in the title after a refused form.

use std::collections::BTreeSet;

use sqlx::PgPool;

use crate::support::{
    Answer, Browser, Options, Page, TestApp,
    cast::VERA,
    routes::{Blanks, doors},
};

#[track_caller]
fn assert_well_made(page: &Page) {
    let document = page.document();
    let select = |css: &str| scraper::Selector::parse(css).expect("a selector");
    for (css, times) in [("h1", 1), ("head > title", 1), ("main", 1), ("html[lang=en]", 1)] {
        assert_eq!(document.select(&select(css)).count(), times, "{css} in {page}");
    }
    assert!(!page.h1().is_empty() && page.title().ends_with(" – Order Time"), "{page}");
    let mut ids = BTreeSet::new();
    for element in document.select(&select("[id]")) {
        let id = element.attr("id").expect("an id");
        assert!(ids.insert(id.to_owned()), "{id} twice in {page}");
    }
    for attribute in ["for", "form", "aria-describedby", "aria-labelledby", "aria-controls", "data-show"] {
        for element in document.select(&select(&format!("[{attribute}]"))) {
            for id in element.attr(attribute).expect("an id").split_whitespace() {
                assert!(ids.contains(id), "{attribute}={id} has no target in {page}");
            }
        }
    }
    for link in document.select(&select("a[href^='#']")) {
        assert!(
            ids.contains(&link.attr("href").expect("a link")[1..]),
            "{:?} leads nowhere in {page}",
            link.attr("href")
        );
    }
    for element in document.tree.nodes().filter_map(scraper::ElementRef::wrap) {
        let name = element.value().name();
        assert!(name != "style" && (name != "script" || element.attr("src").is_some()), "inline <{name}> in {page}");
        for (attribute, value) in element.value().attrs() {
            assert!(attribute != "style" && !attribute.starts_with("on"), "{attribute}={value} in {page}");
            assert!(!value.trim_start().to_lowercase().starts_with("javascript:"), "{attribute}={value} in {page}");
        }
    }
    for field in document.select(&select("input:not([type=hidden]), textarea")) {
        let id = field.attr("id").unwrap_or_default();
        let labelled = document.select(&select(&format!("label[for='{id}']"))).next().is_some();
        let wrapped =
            field.ancestors().filter_map(scraper::ElementRef::wrap).any(|node| node.value().name() == "label");
        assert!(labelled || wrapped || field.attr("aria-label").is_some(), "{id} has no label in {page}");
    }
    for link in document.select(&select("a[target=_blank]")) {
        assert_eq!(link.attr("rel"), Some("noopener noreferrer"), "{page}");
    }
    for form in document.select(&select("form")) {
        let is_post = form.attr("method") == Some("post");
        let has_token = form.select(&select("input[name=csrf][value]")).any(|one| one.attr("value") != Some(""));
        assert_eq!(is_post, has_token, "a form without its token, or a token in a URL, in {page}");
    }
    let is_refused = page.has("[aria-invalid=true]") || page.has(".summary");
    assert_eq!(page.title().starts_with("Error: "), is_refused, "{page}");
    for complaint in document.select(&select("[aria-invalid=true]")) {
        let described = complaint.attr("aria-describedby").unwrap_or_default();
        assert!(described.split(' ').any(|id| id.ends_with("-e")), "{described} in {page}");
    }
}

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
        assert_well_made(&Page::new(priya.clone(), answer));
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
        assert_well_made(&page);
        assert!(page.text(".practice-band").starts_with("Practice mode."), "{page}");
    }
}
