//! What goes on while nobody looks: carts are checked, alerts are delivered, deeds for many carts are done, and what is over is swept up. Any number of processes may do it at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{alerts, app::App, ecommerce::shopify};

/// How often it looks for checks that are due, when it has none to do.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is over is swept up: unsaved secrets, old throttle windows.
const TIDY: Duration = Duration::from_mins(5);
/// How long it leaves a database alone that failed it.
const PAUSE: Duration = Duration::from_secs(5);

/// Works until it is told to stop; then what is being checked is recorded first.
pub async fn run(app: App, stop: CancellationToken) {
    let tidying = tokio::spawn(tidy(app.clone()));
    // What is in flight is leased: whoever goes on sends it again under the same id.
    let ecommerce = app.ecommerce.clone();
    let jobs = tokio::spawn(async move { ecommerce.work_on_jobs().await });
    let delivering = tokio::spawn(alerts::keep_delivering(app.alerts.clone()));
    while !stop.is_cancelled() {
        let pause = round(&app, &stop).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    tidying.abort();
    delivering.abort();
    jobs.abort();
}

/// One sweep, and how long to wait before the next.
async fn round(app: &App, stop: &CancellationToken) -> Duration {
    let lag = app.ecommerce.check_lag().await;
    if let Ok(lag) = &lag {
        metrics::gauge!("cartwright_check_lag_seconds").set(lag.as_secs_f64());
    }
    let swept = match lag {
        Ok(_) => app.ecommerce.sweep_until(stop).await,
        Err(error) => Err(error),
    };
    match swept {
        Ok(_) => LOOK,
        Err(error) => {
            tracing::warn!(%error, "carts could not be checked; the next try is in a few seconds");
            PAUSE
        }
    }
}

/// Sweeps up until the process ends. A failure is told once and tried again at the next round.
async fn tidy(app: App) {
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
        shopify::note_version_left(app.clock.now());
        if let Err(error) = app.sweep().await {
            tracing::warn!(%error, "sweeping up failed");
        }
    }
}
