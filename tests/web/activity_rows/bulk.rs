//! Bulk actions: the action and its event, and each cart's item and its event. An item without its event stays open and
//! is processed again when its lease ends.

use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, dump::tamper};

pub const PROVED: &[&str] = &["bulk_started", "bulk_cancelled", "tested", "secret_unreadable", "cart_turned_off"];

const TEST: &str = "Test the selected carts";

#[sqlx::test]
async fn bulk_action_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let work = async || drop(app.app.bulk_actions.drain().await);
    let ticked = async || {
        let mut list = priya.visit("/admin/ecommerce").await;
        list.check("All carts, on every page");
        list
    };

    let list = ticked().await;
    proofs.prove("bulk_started", async || drop(list.press(TEST).await)).await;
    proofs.prove("tested", work).await;

    let page = ticked().await.press(TEST).await;
    proofs.prove("bulk_cancelled", async || drop(page.press("Stop").await)).await;

    ticked().await.press("Turn off the selected carts").await.press("Turn off").await;
    proofs.prove("cart_turned_off", work).await;

    ticked().await.press(TEST).await;
    tamper(&app.pool, "update carts set secret = '\\x00'").await;
    proofs.prove("secret_unreadable", work).await;
    proofs.are(PROVED);
}
