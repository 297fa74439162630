//! Viewers can read everything and change nothing. The role is part of the route table, so the test walks the table.

use axum::http::{Method, StatusCode};
use cartwright::web::admin::guard::Access;
use sqlx::PgPool;

use crate::support::{
    Page, TestApp,
    cast::{PRIYA, VERA},
    dump::dump,
    routes::{Blanks, doors},
};

#[sqlx::test]
async fn viewer_is_refused_on_every_unsafe_route(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    let vera = app.sign_in_as(&VERA).await;
    // With her own form token, so that only the role can refuse her.
    let (_, _, fields) = vera.visit("/admin").await.submission("Sign out");
    app.practice.journal().clear();
    let before = dump(&app.pool).await;
    let mut walked = 0;
    for door in doors.iter().filter(|door| door.access == Access::Administrator) {
        walked += 1;
        let knock = vera.knock(door.method.clone(), &door.path);
        let knock = if door.is_unsafe() { knock.form(&fields) } else { knock };
        let answer = knock.send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}: {}", door.name(), answer.text());
        let page = Page::new(vera.clone(), answer);
        assert_eq!(page.h1(), "You cannot change this", "{}", door.name());
        assert!(page.text("main .lead").starts_with("Your role is Viewer. Ask an administrator"), "{page}");
    }
    assert!(walked >= 10, "only {walked} routes are for administrators");
    // The refusal is recorded in the activity and counted; nothing else is written.
    let mut after = dump(&app.pool).await;
    let mut told = after.insert("audit_events".into(), before["audit_events"].clone()).expect("the activity");
    told.retain(|row| !before["audit_events"].contains(row));
    assert!(!told.is_empty() && told.iter().all(|row| row.contains("was_refused")), "{told:?}");
    after.insert("throttle".into(), before["throttle"].clone());
    assert_eq!(after, before);
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn refusal_names_the_administrators(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.add(&PRIYA).await;
    let page = app.sign_in_as(&VERA).await.visit("/admin/ecommerce/shopify/new").await;
    assert_eq!(page.text("main .lead"), "Your role is Viewer. Ask an administrator: Priya Shah.");
    // The event names the refused page.
    let page: Option<String> = sqlx::query_scalar("select data->>'page' from audit_events where event = 'was_refused'")
        .fetch_one(&app.pool)
        .await
        .expect("the row");
    assert_eq!(page.as_deref(), Some("/admin/ecommerce/shopify/new"));
}

#[sqlx::test]
async fn viewer_sees_every_other_page_without_buttons(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    let vera = app.sign_in_as(&VERA).await;
    for door in doors.iter().filter(|door| door.access == Access::Viewer && door.method == Method::GET) {
        let page = vera.visit(&door.path).await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
        if page.headers["content-type"] != "text/html; charset=utf-8" {
            continue;
        }
        if door.template == "/admin/account" {
            // Her own account, which she may change.
            continue;
        }
        let said = page.all("p.viewer");
        assert_eq!(said, ["Your role is Viewer. You can look at everything here but not change it."], "{page}");
        let forms = page.document();
        let forms = forms.select(&scraper::Selector::parse("main form[method=post]").expect("a selector")).count();
        assert_eq!(forms, 0, "{page}");
    }
    let page = vera.visit("/admin/ecommerce").await;
    assert!(!page.has("a[href='/admin/ecommerce/add']"), "{page}");
    let page = page.follow("Northwind Tea").await;
    for label in ["Website Name", "API URL", "Access Token"] {
        assert!(page.all("dt").iter().any(|term| term == label), "{label} is missing in\n{page}");
        assert!(!page.has_field(label), "{page}");
    }
}
