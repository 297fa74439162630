//! Changes to the activity itself: dropping old months.

use cartwright::audit::{self, ActivityKeep};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{TestApp, dump::events};

pub const PROVED: &[&str] = &["activity_month_dropped"];

#[sqlx::test]
async fn months_of_the_activity(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let pool = &app.app.pool;
    proofs
        .execute(
            "insert into audit_events (id, at, actor_kind, actor_name, event, what)
             values (gen_random_uuid(), now() - interval '100 days', 'system', 'System', 'signed_out', 'people')",
        )
        .await;
    audit::make_months(pool).await.expect("the months");
    audit::link_new_rows(pool).await.expect("links");
    let drop_months = async || drop(audit::drop_old_months(pool, ActivityKeep::Months(1)).await);
    // Without `prove`, which counts rows that are added and ignores rows that are deleted.
    let before = proofs.kept().await;
    proofs.refused("activity_month_dropped", drop_months).await;
    assert_eq!(proofs.kept().await, before, "the month was dropped without its row");
    drop_months().await;
    assert_eq!(events(&app.pool).await, ["activity_month_dropped"]);
    proofs.done.push("activity_month_dropped");
    proofs.are(PROVED);
}
