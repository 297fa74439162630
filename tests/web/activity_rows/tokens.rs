//! Tokens that are refreshed in the background.

use cartwright::{carts::CartId, practice::Scenario};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, expose, routes::cart_of};

pub const PROVED: &[&str] = &["token_not_renewed", "token_renewed"];

#[sqlx::test]
async fn token_refresh_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    let store = app.open_store("northwind-b2b");
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", "Northwind Wholesale");
    page.fill("API URL", "northwind-b2b");
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", expose(&store.client_secret));
    let page = page.press("Save").await;
    let cart = CartId(cart_of(&page.path).parse().expect("an id"));
    let renew = async || drop(app.app.tokens.current(cart).await);
    app.practice.stores().set("northwind-b2b", Scenario::ConnectRefused);
    proofs.prove("token_not_renewed", renew).await;
    app.practice.stores().set("northwind-b2b", Scenario::Well);
    proofs.prove("token_renewed", renew).await;
    proofs.are(PROVED);
}
