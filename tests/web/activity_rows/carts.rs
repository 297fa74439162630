//! The integration and its carts, as users change them.

use cartwright::audit::By;
use sqlx::PgPool;

use super::Proofs;
use crate::support::{Page, TestApp, dump::tamper, expose};

pub const INTEGRATION: &[&str] = &["integration_turned_on", "integration_turned_off"];

#[sqlx::test]
async fn integration_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let switch = async |on: bool| drop(app.app.integration.switch(By::operator(), on).await);
    proofs.prove("integration_turned_on", async || switch(true).await).await;
    proofs.prove("integration_turned_off", async || switch(false).await).await;
    proofs.are(INTEGRATION);
}

pub const PROVED: &[&str] = &[
    "cart_added",
    "credential_replaced",
    "tested",
    "cart_turned_on",
    "cart_turned_off",
    "cart_changed",
    "cart_overwritten",
    "secret_unreadable",
    "cart_disconnected",
    "cart_deleted",
];

#[sqlx::test]
async fn cart_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    let store = app.open_store("northwind-tea");
    let token = expose(&store.access_token).to_owned();
    let mut new = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    new.uncheck("Active");
    // A well-formed token that is not the store's.
    new.fill("Access Token", &format!("{}0000", &token[..token.len() - 4]));
    proofs.prove("cart_added", async || drop(new.press("Save").await)).await;
    let id: String =
        sqlx::query_scalar("select replace(id::text, '-', '') from carts").fetch_one(&app.pool).await.expect("a cart");
    let path = format!("/admin/ecommerce/shopify/{id}/general");
    // Consume a banner that is pending for the next page.
    priya.visit(&path).await;

    let mut replacing = priya.visit(&path).await.press("Replace token").await;
    replacing.fill("Access Token", &token);
    proofs.prove("credential_replaced", async || drop(replacing.press("Save").await)).await;
    let page = priya.visit(&path).await;
    proofs.prove("tested", async || drop(page.press("Test Connection").await)).await;

    let changed = async |change: fn(&mut Page)| {
        let mut page = priya.visit(&path).await;
        change(&mut page);
        page
    };
    let on = changed(|page| page.check("Active")).await;
    proofs.prove("cart_turned_on", async || drop(on.press("Save").await)).await;
    priya.visit(&path).await;
    let off = changed(|page| page.uncheck("Active")).await;
    proofs.prove("cart_turned_off", async || drop(off.press("Save").await)).await;
    priya.visit(&path).await;
    let renamed = changed(|page| page.fill("Website Name", "Northwind Tea London")).await;
    proofs.prove("cart_changed", async || drop(renamed.press("Save").await)).await;

    let stale = changed(|page| page.fill("Website Name", "Ours")).await;
    changed(|page| page.fill("Website Name", "Theirs")).await.press("Save").await;
    let conflict = stale.press("Save").await;
    assert_eq!(conflict.status, 409, "{conflict}");
    let deed = async || drop(conflict.press("Save the changes of this tab").await);
    proofs.prove("cart_overwritten", deed).await;
    let told = priya.visit("/admin/activity").await;
    assert!(told.all(".log .deed").contains(&"Saved over Priya Shah's changes to Ours".to_owned()), "{told}");

    tamper(&app.pool, "update carts set secret = '\\x00'").await;
    let page = priya.visit(&path).await;
    assert!(page.has_field("Access Token"), "{page}");
    let test = async || {
        let (_, action, mut fields) = page.submission("Test Connection");
        fields.retain(|(name, _)| name != "access_token");
        priya.knock(axum::http::Method::POST, &action).form(&fields).send().await;
    };
    proofs.prove("secret_unreadable", test).await;
    let page = priya.visit(&path).await.follow("Disconnect").await;
    proofs.prove("cart_disconnected", async || drop(page.press("Disconnect").await)).await;
    priya.visit(&path).await;
    let page = priya.visit(&path).await.follow("Delete cart").await;
    proofs.prove("cart_deleted", async || drop(page.press("Delete cart").await)).await;
    proofs.are(PROVED);
}
