//! What goes on while nobody looks: carts are checked, alerts are delivered, jobs on many carts are done, and what is over is
//! removed. Any number of processes may do it at once.

mod activity;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    alerts,
    app::App,
    audit::ActivityKeep,
    ecommerce::shopify,
    supervisor::{Heartbeat, supervise},
};

/// How often it looks for checks that are due, when it has none to do.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is over is removed: unsaved secrets, old throttle windows.
const TIDY: Duration = Duration::from_mins(5);
/// How long it leaves a database alone that failed it.
const PAUSE: Duration = Duration::from_secs(5);
/// Silence after which a loop is taken for dead; each step of a loop has deadlines that are far shorter.
const SILENCE: Duration = Duration::from_mins(1);
/// The same of the loops that wait for a mail server or remove many rows.
const LONG_SILENCE: Duration = Duration::from_mins(15);

/// Works until it is told to stop; then what is being checked is recorded first.
pub async fn run(app: App, keep: ActivityKeep, stop: CancellationToken) {
    let others = {
        let app = app.clone();
        tokio::spawn(async move {
            tokio::join!(
                supervise("tidy", LONG_SILENCE, |heartbeat| tidy(app.clone(), heartbeat)),
                supervise("activity", LONG_SILENCE, |heartbeat| activity::run(app.clone(), keep, heartbeat)),
                // What is in flight is leased: whoever goes on does it again.
                supervise("jobs", SILENCE, |heartbeat| {
                    let ecommerce = app.ecommerce.clone();
                    async move { ecommerce.work_on_jobs(&heartbeat).await }
                }),
                supervise("alerts", LONG_SILENCE, |heartbeat| alerts::keep_delivering(app.alerts.clone(), heartbeat)),
            )
        })
    };
    // The sweep may finish: what it has asked Shopify is recorded before the process ends.
    let finished = CancellationToken::new();
    let sweeping = supervise("sweep", SILENCE, |heartbeat| {
        let (app, stop, finished) = (app.clone(), stop.clone(), finished.clone());
        async move {
            sweep(&app, &stop, &heartbeat).await;
            finished.cancel();
            // whoever supervises us would start us again
            std::future::pending::<()>().await;
        }
    });
    tokio::select! {
        () = sweeping => {}
        () = finished.cancelled() => {}
    }
    others.abort();
}

/// Checks what is due until it is told to stop.
async fn sweep(app: &App, stop: &CancellationToken, heartbeat: &Heartbeat) {
    while !stop.is_cancelled() {
        heartbeat.beat();
        let pause = match app.ecommerce.sweep_until(stop, heartbeat).await {
            Ok(_) => {
                // seconds since the epoch, as Prometheus counts
                #[expect(clippy::cast_precision_loss, reason = "2^53 seconds are far away")]
                metrics::gauge!("cartwright_last_sweep_timestamp_seconds").set(app.clock.now().unix_timestamp() as f64);
                LOOK
            }
            Err(error) => {
                tracing::warn!(%error, "carts could not be checked; the next try is in a few seconds");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Removes what is over, until the process ends. A failure is told once and tried again at the next round.
async fn tidy(app: App, heartbeat: Heartbeat) {
    if shopify::note_version_left(app.clock.now()) {
        tracing::warn!(
            version = shopify::API_VERSION,
            ends = %shopify::API_VERSION_ENDS_AT.date(),
            "Shopify ends the API version that we use; plan for a newer Cartwright"
        );
    }
    let mut rounds = tokio::time::interval(TIDY);
    loop {
        rounds.tick().await;
        heartbeat.beat();
        shopify::note_version_left(app.clock.now());
        if let Err(error) = app.sweep().await {
            tracing::warn!(%error, "removing what is over failed");
        }
    }
}
