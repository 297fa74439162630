//! Health checks: the change of the cart's status, its problem and its alert are in one transaction with the event.

use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, dump::tamper, routes::cart_of};

pub const PROVED: &[&str] = &["cart_needs_attention", "cart_not_connected", "cart_recovered", "secret_unreadable"];

#[sqlx::test]
async fn health_check_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let health = format!("/admin/ecommerce/shopify/{}/health", cart_of(&page.path));
    let says = |scenario| app.practice.stores().set("northwind-tea", scenario);
    let due = async || {
        tamper(&app.pool, "update cart_health set next_check_at = now()").await;
    };
    let sweep = async || drop(app.app.health.sweep().await);
    for (event, scenario) in [
        ("cart_needs_attention", Scenario::ScopesMissing(&["write_inventory"])),
        ("cart_not_connected", Scenario::Says(Canned::Unauthorized)),
        ("cart_recovered", Scenario::Well),
    ] {
        says(scenario);
        due().await;
        proofs.prove(event, sweep).await;
    }
    // Started by a user, a check is a connection test with an event of its own.
    for (event, scenario) in
        [("cart_not_connected", Scenario::Says(Canned::Unauthorized)), ("cart_recovered", Scenario::Well)]
    {
        says(scenario);
        let page = priya.visit(&health).await;
        proofs.prove(event, async || drop(page.press("Check now").await)).await;
    }
    tamper(&app.pool, "update carts set secret = '\\x00'").await;
    let notice = async || drop(app.app.connection_tests.find_unreadable_secrets().await);
    proofs.prove("secret_unreadable", notice).await;
    proofs.are(PROVED);
}
