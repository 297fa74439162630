//! API keys that an administrator or the operator makes, rotates and revokes.

use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, cast::PRIYA};

pub const PROVED: &[&str] = &["api_key_made", "api_key_rotated", "api_key_revoked"];

#[sqlx::test]
async fn api_key_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.sign_in_as(&PRIYA).await;
    let mut page = priya.visit("/admin/api-keys/new").await;
    page.fill("Name", "sync-prod");
    proofs.prove("api_key_made", async || drop(page.press("Make key").await)).await;
    let page = priya.visit("/admin/api-keys").await.follow("sync-prod").await;
    proofs.prove("api_key_rotated", async || drop(page.press("Rotate").await)).await;
    let page = page.follow("Revoke").await;
    proofs.prove("api_key_revoked", async || drop(page.press("Revoke key").await)).await;
    let live = app.app.api_keys.list().await.expect("keys")[0].id;
    let as_operator = async || drop(app.app.api_keys.revoke_as_operator(live).await);
    proofs.prove("api_key_revoked", as_operator).await;
    proofs.are(PROVED);
}
