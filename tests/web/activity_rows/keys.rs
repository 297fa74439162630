//! The life of encryption keys, as operators manage them.

use std::sync::Arc;

use cartwright::{
    keys,
    vault::{KeyRing, Vault},
};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{Options, TestApp};

pub const PROVED: &[&str] = &["encryption_key_rotated", "encryption_key_forgotten"];

#[sqlx::test]
async fn key_rotation_and_retirement_events_are_atomic(pool: PgPool) {
    let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
    let ring = |lines: &str| KeyRing::parse(lines).expect("keys");
    let app = TestApp::start_under(pool, Options::default(), ring(&old)).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    proofs.execute("delete from unsaved_credentials").await;

    let vault = Vault::open_with(ring(&format!("{new}\n{old}")), app.app.pool.clone()).await.expect("a vault");
    let vault = Arc::new(vault);
    let rotate = async || drop(keys::rotate(&vault, &app.app.pool, |_, _| ()).await);
    // Batches commit separately, so that a rotation can be killed at any point; one event counts all of them. Without
    // the event, the old key is not retired, and the count of resealed secrets is kept for the run that writes it.
    let before = proofs.kept().await;
    proofs.refused("encryption_key_rotated", rotate).await;
    let after = proofs.kept().await;
    let differs = |table: &&String| before[*table] != after[*table];
    assert_eq!(before.keys().filter(differs).collect::<Vec<_>>(), ["carts", "vault_keys"]);
    let endings = |dump: &crate::support::dump::Dump| -> Vec<String> {
        let mut endings: Vec<_> =
            dump["vault_keys"].iter().map(|key| key.splitn(3, ',').last().expect("three parts").to_owned()).collect();
        // The order of the two keys in a dump depends on their ids.
        endings.sort();
        endings
    };
    assert_eq!((endings(&before), endings(&after)), (vec![",0)".into(); 2], vec![",0)".into(), ",1)".into()]));
    proofs.prove("encryption_key_rotated", rotate).await;
    let told: i64 = sqlx::query_scalar(
        "select (data ->> 'secrets')::bigint from audit_events where event = 'encryption_key_rotated'",
    )
    .fetch_one(&app.pool)
    .await
    .expect("one row");
    assert_eq!(told, 1, "the count of the run without an event");

    let (lost, third) = (ring(&new).active().name(), ring(&KeyRing::generate_line()));
    let forget = async || drop(keys::forget(&app.app.pool, Some(&third), &lost).await);
    proofs.prove("encryption_key_forgotten", forget).await;
    proofs.are(PROVED);
}
