//! Endpoints for load balancers and monitors: liveness, readiness, metrics. No session, no store names.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::web::urls;
use crate::{app::App, database::is_writable};

/// How long a probe waits for the database: 2 s.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// Liveness: the process answers. Does not check the database, so that a database outage restarts nothing.
pub async fn live() -> &'static str {
    "live\n"
}

/// Readiness: the database answers and is writable, and the server is not stopping.
pub async fn ready(State(app): State<App>) -> Response {
    let red = |why| (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], why).into_response();
    if app.stop.is_cancelled() {
        return red("stopping\n");
    }
    match tokio::time::timeout(READY_WITHIN, is_writable(&app.pool)).await {
        Ok(Ok(true)) => "ready\n".into_response(),
        Ok(Ok(false)) => red("the database is read-only\n"),
        Ok(Err(_)) | Err(_) => red("the database is away\n"),
    }
}

/// Reads the gauges that are sampled on each scrape: how long the oldest due check has waited, and the pool's
/// connections. A number that cannot be read is `NaN`, since an old one would look current.
async fn measure(app: &App) {
    let lag = tokio::time::timeout(READY_WITHIN, app.health.lag()).await;
    let lag = lag.ok().and_then(Result::ok).map_or(f64::NAN, |lag| lag.as_secs_f64());
    metrics::gauge!("cartwright_check_lag_seconds").set(lag);
    let usage = app.pool.usage();
    for (state, count) in [("in use", usage.in_use), ("idle", usage.idle), ("waited for", usage.waiting)] {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!("cartwright_database_connections", "state" => state).set(count);
    }
}

/// The metrics on the main port, unless the operator configured a separate port for them.
pub async fn metrics(State(app): State<App>) -> Response {
    if app.site.has_metrics_port { StatusCode::NOT_FOUND.into_response() } else { measured(State(app)).await }
}

/// Router of probes and metrics only, for a port that only monitors can reach.
pub fn router(app: App) -> Router {
    let routes = Router::new().route(urls::LIVE, get(live)).route(urls::READY, get(ready));
    routes.route(urls::METRICS, get(measured)).with_state(app)
}

/// The metrics in Prometheus text format. Labels are route templates and classes, so their number is bounded.
async fn measured(State(app): State<App>) -> Response {
    match &app.site.metrics {
        Some(recorder) => {
            measure(&app).await;
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
