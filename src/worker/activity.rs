//! Maintenance of the audit log: links new rows into its hash chain, creates monthly partitions in advance, drops
//! months that exceed the retention period, and reports the head of the chain once a day.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::{
    alerts::{self, Alert},
    app::App,
    audit::{self, ActivityKeep},
    database::{Pool, transaction},
    supervisor::Heartbeat,
};

/// Interval between runs that link new rows.
const LINK_INTERVAL: Duration = Duration::from_secs(3);
/// Interval between checks of the monthly partitions and of the daily head report. The first check is at start.
const UPKEEP_INTERVAL: Duration = Duration::from_hours(1);
/// Delay before the next try after a failure.
const RETRY_INTERVAL: Duration = Duration::from_mins(5);

/// Runs until the process ends. A failure is logged once and retried later.
pub(super) async fn run(app: App, keep: ActivityKeep, heartbeat: Heartbeat) {
    let mut rounds = tokio::time::interval(LINK_INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut link_at, mut upkeep_at) = (Instant::now(), Instant::now());
    loop {
        rounds.tick().await;
        heartbeat.beat();
        if Instant::now() >= link_at
            && let Err(error) = link(&app, &heartbeat).await
        {
            tracing::warn!(%error, "new rows of the activity could not be linked; the next try is in five minutes");
            link_at = Instant::now() + RETRY_INTERVAL;
        }
        if Instant::now() >= upkeep_at {
            upkeep_at = Instant::now() + UPKEEP_INTERVAL;
            if let Err(error) = keep_up(&app, keep).await {
                tracing::warn!(%error, "the months of the activity could not be looked after; the next try is in five minutes");
                upkeep_at = Instant::now() + RETRY_INTERVAL;
            }
        }
    }
}

async fn link(app: &App, heartbeat: &Heartbeat) -> sqlx::Result<()> {
    while audit::link_new_rows(&app.pool).await? > 0 {
        heartbeat.beat();
    }
    Ok(())
}

/// Creates and drops monthly partitions, and reports the head once a day.
pub(crate) async fn keep_up(app: &App, keep: ActivityKeep) -> sqlx::Result<()> {
    audit::make_months(&app.pool).await?;
    for dropped in audit::drop_old_months(&app.pool, keep).await? {
        tracing::info!(
            month = dropped.month,
            rows = dropped.rows,
            "dropped a month of the activity that was older than what is kept"
        );
    }
    if let Some(head) = report_head(&app.pool).await? {
        tracing::info!(
            head,
            "the head of the activity's hash chain; `cartwright activity verify --head` checks it later"
        );
    }
    Ok(())
}

/// Once a day across all processes, queues the head for the webhook and returns it.
async fn report_head(pool: &Pool) -> sqlx::Result<Option<String>> {
    transaction(pool, |work| {
        Box::pin(async move {
            let head = audit::claim_head_report(work).await?.map(|head| head.to_string());
            if let Some(head) = head.clone() {
                alerts::queue_for_webhook(work, &Alert::ActivityHead { head }).await?;
            }
            Ok(head)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(pool: &Pool, question: &'static str) -> Vec<String> {
        sqlx::query_scalar(question).fetch_all(pool).await.expect(question)
    }

    #[sqlx::test]
    async fn head_is_reported_once_a_day_and_to_the_webhook_alone(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        for statement in [
            "update alert_settings set email_on = true, email_addresses = '{ops@northwind.example}'",
            "insert into alert_webhooks (id, sealed_address, shown_address, host, secret, secret_ending)
             values (gen_random_uuid(), 'x', 'https://hooks.example/…', 'hooks.example', 'x', 'x')",
            "insert into audit_events (id, actor_kind, actor_name, event, what)
             values (gen_random_uuid(), 'system', 'System', 'signed_out', 'people')",
        ] {
            sqlx::query(statement).execute(&pool).await.expect(statement);
        }
        assert_eq!(report_head(&pool).await.expect("asked"), None, "nothing is linked yet");
        audit::link_new_rows(&pool).await.expect("linked");
        let head = report_head(&pool).await.expect("asked").expect("a head");
        assert_eq!(report_head(&pool).await.expect("asked"), None, "the second process of this day");
        assert_eq!(text(&pool, "select channel from alert_deliveries").await, ["webhook"]);
        assert_eq!(
            text(&pool, "select data ->> 'type' || ' ' || (data ->> 'head') from alerts").await,
            [format!("activity.head {head}")]
        );
        sqlx::query("update audit_head_reports set reported_at = now() - interval '25 hours'")
            .execute(&pool)
            .await
            .expect("a day");
        assert_eq!(report_head(&pool).await.expect("asked"), Some(head));
    }
}
