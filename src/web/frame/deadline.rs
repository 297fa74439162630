//! The deadline of a request, up to the headers of its response. A streamed test responds at once and ends by its own
//! timeout.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

/// Longest time until a response's headers: 12 s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

/// Middleware that ends requests that exceed the deadline; `timed_out` makes the response.
pub async fn deadline(State(timed_out): State<fn() -> Response>, request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await.unwrap_or_else(|_| timed_out())
}
