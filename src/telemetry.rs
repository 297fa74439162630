//! What the operator sees: JSON logs, one line a request, and metrics with bounded labels. Never a body, a query, a header or a
//! secret; a log line has the method, the route's template, the status, the time and the request's id.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging to standard error as JSON lines. The libraries below us may log headers at trace, so they stay at warn.
pub fn start_logging(filter: &str) {
    let quiet = ["hyper", "hyper_util", "reqwest", "rustls", "h2", "sqlx"];
    let mut directives = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    for target in quiet {
        directives = directives.add_directive(format!("{target}=warn").parse().expect("a target and a level"));
    }
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // Told on standard error, which is what could not be written to: that would panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    tracing_subscriber::registry().with(directives).with(lines).try_init().ok();
}

/// Starts the metrics recorder; without one, as in tests, counting costs nothing.
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}
