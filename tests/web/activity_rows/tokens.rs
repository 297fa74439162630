//! Tokens that are refreshed in the background.

use std::time::Duration;

use cartwright::{
    api_keys::Scope,
    audit::{Actor, By, Origin},
    carts::{CartId, token_issue::RefusedToken},
    practice::Scenario,
};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, dump::tamper, expose, routes::cart_of};

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

pub const HANDED: &[&str] = &["token_handed_out", "token_handed_out_again", "token_refusal_reported"];

#[sqlx::test]
async fn hand_out_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let cart = CartId(cart_of(&page.path).parse().expect("an id"));
    let key = app.program(&[Scope::TokensIssue]).await.id;
    let by = By { actor: Actor::Program { key, name: "sync-prod".into() }, origin: Origin::default() };
    // Counted as a hand-out only with its event, and no token leaves without it.
    let issue = async || drop(app.app.tokens.issue(&by, cart, Duration::ZERO).await);
    proofs.prove("token_handed_out", issue).await;
    tamper(&app.pool, "update token_uses set minute = minute - interval '2 minutes', times = times + 3").await;
    proofs.prove("token_handed_out_again", async || drop(app.app.tokens.record_uses().await)).await;
    let refused = RefusedToken { token_id: "0".repeat(32), status: 401, request_id: None };
    let report = async || drop(app.app.tokens.report_refusal(&by, cart, refused.clone()).await);
    proofs.prove("token_refusal_reported", report).await;
    proofs.are(HANDED);
}
