//! One log line and one count a request: method, route template, status, time, id. Never a query, a body or a header.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

/// The id of this request, on error pages, in logs, in the activity and in `X-Request-Id`. Ours: what a client sends is ignored.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The template of the route that answered, left by the route itself: the outermost layer does not see it otherwise.
#[derive(Clone, Debug)]
pub struct RouteTemplate(pub String);

/// Notes the template on the answer.
pub async fn name_route(request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(|path| RouteTemplate(path.as_str().to_owned()));
    let mut response = next.run(request).await;
    if let Some(template) = template {
        response.extensions_mut().insert(template);
    }
    response
}

/// Gives the request its id, and tells and counts the answer.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().simple().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, began) = (request.method().clone(), Instant::now());
    let mut response = next.run(request).await;
    let took = began.elapsed();
    let route = response.extensions().get::<RouteTemplate>().map_or("none", |route| route.0.as_str()).to_owned();
    let status = response.status().as_u16();
    tracing::info!(
        request_id = id,
        method = method.as_str(),
        route,
        status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    metrics::counter!("cartwright_http_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("cartwright_http_request_seconds", "route" => route).record(took.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}
