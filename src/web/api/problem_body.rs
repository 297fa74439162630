//! Renders every answer of the API that is not a result as `application/problem+json` (RFC 9457): problems that handlers
//! and layers return, and bare statuses such as the router's 405.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    media::json,
    problem::{Problem, ProblemFacts, ProblemKind},
};
use crate::{
    app::App,
    clock,
    web::{
        frame::trace::{RequestId, RouteTemplate},
        urls,
    },
};

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request has no result. More members may be added.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A page of this server's help about this kind of problem. The part after `#` identifies the kind and never changes.
    #[schema(example = "https://orders.example.com/help/api#not-found")]
    r#type: String,
    /// The kind in words, the same for each problem of this kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// The id of the request, as in `X-Request-Id` and in the server's log.
    instance: String,
    /// The condition of the cart, named as on screen and in webhooks, such as `TOKEN_STOPPED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    /// The cart that the problem is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    cart: Option<String>,
    /// When the condition began.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Seconds after which the request is worth repeating.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// One entry per field that needs another value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldErrorBody>,
}

/// What is wrong with one field.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorBody {
    /// The name of the field in the body.
    field: &'static str,
    /// Identifies the mistake, such as `NAME_TAKEN`.
    class: &'static str,
    /// The sentence that the page shows at this field.
    message: String,
}

/// Middleware that renders problems and bare error statuses.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let reference = reference(&request);
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => {
            Problem::new(ProblemKind::of_status(status), "The API cannot answer this request.")
        }
        None => return response,
    };
    let mut rendered = with_body(&problem, &app.site.public_url.origin, &reference);
    if let Some(route) = response.extensions_mut().remove::<RouteTemplate>() {
        rendered.extensions_mut().insert(route);
    }
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

/// The response to a request that a layer of the frame refuses; its type is relative to this server.
pub fn bare(request: &Request, problem: &Problem) -> Response {
    with_body(problem, "", &reference(request))
}

fn reference(request: &Request) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn with_body(Problem(facts): &Problem, origin: &str, reference: &str) -> Response {
    log_failure(facts, reference);
    let body = ProblemBody {
        r#type: format!("{origin}{}", urls::api_help(facts.kind.slug())),
        title: facts.kind.title(),
        status: facts.kind.status().as_u16(),
        detail: facts.detail.clone(),
        instance: reference.to_owned(),
        class: facts.class,
        cart: facts.cart.map(|cart| cart.to_string()),
        since: facts.since.map(clock::utc_text),
        retry_after: facts.retry_after.map(whole_seconds),
        errors: facts
            .errors
            .iter()
            .map(|error| FieldErrorBody { field: error.field, class: error.class, message: error.message.clone() })
            .collect(),
    };
    let mut response = json(facts.kind.status(), &body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(wait) = facts.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if let Some(challenge) = &facts.challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
    }
    response
}

/// Whole seconds, rounded up and at least one.
fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX)
}

fn log_failure(facts: &ProblemFacts, reference: &str) {
    if let Some(cause) = &facts.cause {
        tracing::error!(
            request_id = reference,
            status = facts.kind.status().as_u16(),
            cause = format!("{cause:#}"),
            "a request to the API failed"
        );
    }
}
