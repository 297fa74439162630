//! The face of the server for programs: JSON, keys instead of sessions, and problem documents (RFC 9457) instead of error
//! pages. Stands on the same frame as the pages and calls the same domain operations. No cookie is read or set here.

pub mod caller;
pub mod conditional;
mod guard;
mod key_in_address;
mod limits;
pub mod media;
pub mod parameters;
pub mod problem;
mod problem_body;
pub mod request_body;
pub mod v1;

use axum::{Router, extract::Request, http::StatusCode, middleware, response::Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use self::problem::{Problem, ProblemKind};
use super::{frame::trace, urls};
use crate::app::App;

/// Whether the API answers for this path, and not the pages.
pub fn answers(path: &str) -> bool {
    path.starts_with(urls::API)
}

/// Wraps endpoints in the layers of the API, which a request passes from top to bottom after those of the frame. The
/// guard and the deadline are applied per endpoint, by the table. Tests wrap an endpoint of their own that panics.
pub fn with_layers(endpoints: Router<App>, app: &App) -> Router<App> {
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(app.clone(), problem_body::render))
        .layer(middleware::from_fn_with_state(app.clone(), key_in_address::refuse))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn(trace::name_route));
    let rest = axum::routing::any(not_found);
    endpoints.route(urls::API, rest.clone()).route(urls::API_OTHER, rest).layer(layers)
}

async fn not_found() -> Problem {
    Problem::new(ProblemKind::NotFound, "The API has nothing at this path. /api/v1/openapi.json lists what it has.")
}

/// The response to a request that the frame refuses before the API's own layers.
pub fn refused_by_host_check(request: &Request, status: StatusCode, sentence: &'static str) -> Response {
    let kind = ProblemKind::of_status(status);
    problem_body::bare(request, &Problem::new(kind, sentence.trim_end()))
}
