//! The deadline of a request, up to the headers of its response. A streamed test responds at once and ends by its own
//! timeout. An endpoint that waits longer on purpose states its own deadline.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

/// Longest time until a response's headers, unless a route states another: 12 s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

/// Ends requests that exceed `within`; `timed_out` makes the response.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    pub within: Duration,
    pub timed_out: fn() -> Response,
}

/// Middleware that applies a [`Deadline`].
pub async fn deadline(
    State(Deadline { within, timed_out }): State<Deadline>,
    request: Request,
    next: Next,
) -> Response {
    tokio::time::timeout(within, next.run(request)).await.unwrap_or_else(|_| timed_out())
}
