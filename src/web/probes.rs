//! For load balancers and monitors: alive, ready, metrics. No session, no store names.

use std::time::Duration;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Red after this long without an answer of the database: 2 s.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The process answers; says nothing of the database, so that nobody restarts us because of it.
pub async fn live() -> &'static str {
    "live\n"
}

/// The database answers as well.
pub async fn ready(State(app): State<App>) -> Response {
    let asked = tokio::time::timeout(READY_WITHIN, app.accounts.is_empty()).await;
    if matches!(asked, Ok(Ok(_))) {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], "the database is away\n").into_response()
    }
}

/// Prometheus text format; labels are route templates and classes, so their number is bounded.
pub async fn metrics(State(app): State<App>) -> Response {
    match &app.site.metrics {
        Some(recorder) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
