//! Background tasks: health checks, alert delivery, bulk actions, clean-up. Safe to run in several processes.

mod activity;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    alerts,
    app::App,
    audit::ActivityKeep,
    platforms::shopify,
    supervisor::{Heartbeat, supervise},
};

/// Pause between polls when no check is due.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Interval between clean-ups of expired rows such as draft secrets and old throttle windows.
const CLEAN_UP_INTERVAL: Duration = Duration::from_mins(5);
/// Pause after a database error.
const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// Time without a heartbeat after which a loop counts as dead. Each step of a loop has a far shorter deadline.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_mins(1);
/// The same timeout for loops that wait for a mail server or delete many rows.
const LONG_HEARTBEAT_TIMEOUT: Duration = Duration::from_mins(15);

/// Runs all tasks until `stop` is cancelled. Results of checks in progress are recorded before it returns.
pub async fn run(app: App, keep: ActivityKeep, stop: CancellationToken) {
    let others = {
        let app = app.clone();
        tokio::spawn(async move {
            tokio::join!(
                supervise("tidy", LONG_HEARTBEAT_TIMEOUT, |heartbeat| clean_up(app.clone(), heartbeat)),
                supervise("activity", LONG_HEARTBEAT_TIMEOUT, |heartbeat| activity::run(app.clone(), keep, heartbeat)),
                // Items in progress are leased, so another process repeats them after an abort.
                supervise("jobs", HEARTBEAT_TIMEOUT, |heartbeat| {
                    let bulk_actions = app.bulk_actions.clone();
                    async move { bulk_actions.run(&heartbeat).await }
                }),
                supervise("alerts", LONG_HEARTBEAT_TIMEOUT, |heartbeat| alerts::keep_delivering(
                    app.alerts.clone(),
                    heartbeat
                )),
            )
        })
    };
    // The sweep is allowed to finish, so that checks that have already called Shopify are recorded before the process
    // ends.
    let finished = CancellationToken::new();
    let sweeping = supervise("sweep", HEARTBEAT_TIMEOUT, |heartbeat| {
        let (app, stop, finished) = (app.clone(), stop.clone(), finished.clone());
        async move {
            sweep(&app, &stop, &heartbeat).await;
            finished.cancel();
            // Returning would make the supervisor restart the sweep.
            std::future::pending::<()>().await;
        }
    });
    tokio::select! {
        () = sweeping => {}
        () = finished.cancelled() => {}
    }
    others.abort();
}

/// Runs due checks until `stop` is cancelled.
async fn sweep(app: &App, stop: &CancellationToken, heartbeat: &Heartbeat) {
    while !stop.is_cancelled() {
        heartbeat.beat();
        let pause = match app.health.sweep_until(stop, heartbeat).await {
            Ok(_) => {
                // Seconds since the Unix epoch, as is usual in Prometheus.
                #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 seconds")]
                metrics::gauge!("cartwright_last_sweep_timestamp_seconds").set(app.clock.now().unix_timestamp() as f64);
                POLL_INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, "carts could not be checked; the next try is in a few seconds");
                RESTART_PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Deletes expired rows until the process ends. A failure is logged and retried at the next interval.
async fn clean_up(app: App, heartbeat: Heartbeat) {
    if shopify::record_version_left(app.clock.now()) {
        tracing::warn!(
            version = shopify::API_VERSION,
            ends = %shopify::API_VERSION_ENDS_AT.date(),
            "Shopify ends the API version that we use; plan for a newer Cartwright"
        );
    }
    let mut rounds = tokio::time::interval(CLEAN_UP_INTERVAL);
    loop {
        rounds.tick().await;
        heartbeat.beat();
        shopify::record_version_left(app.clock.now());
        if let Err(error) = app.sweep().await {
            tracing::warn!(%error, "deleting expired rows failed");
        }
    }
}
