//! The HTTP layer, and the only part that depends on how the server is served. Two faces on one frame: the pages for
//! people and the API for programs. This file lists every middleware layer of the frame and of the pages in order;
//! [`api`] lists its own.

pub mod admin;
pub mod api;
pub mod frame;
mod resume;
pub mod routes;
#[cfg(test)]
pub(crate) mod samples;

pub use crate::urls;
use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware,
    response::{IntoResponse, Redirect, Response},
};
use tower::ServiceBuilder;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
    csrf::CsrfLayer,
};

use self::{
    admin::{
        error,
        form::{self, FormReader},
        guard, session,
    },
    frame::{
        deadline::{self, Deadline},
        headers,
        host_check::{self, HostCheck},
        large_forms::LargeForms,
        stream, trace,
    },
};
use crate::app::App;

/// The router of the whole server: the pages and the API.
pub fn site(app: App) -> Router {
    let api = api::with_layers(api::v1::table::router(&app), &app);
    with_frame(with_page_layers(routes::router(&app), &app).merge(api), app)
}

/// Wraps routes of pages in all layers. Tests wrap a route of their own that panics.
pub fn with_layers(routes: Router<App>, app: App) -> Router {
    with_frame(with_page_layers(routes, &app), app)
}

/// Wraps endpoints of the API in all layers, for the same purpose.
pub fn with_api_layers(endpoints: Router<App>, app: App) -> Router {
    with_frame(api::with_layers(endpoints, &app), app)
}

/// The layers that pages and the API share, which a request passes from top to bottom.
fn with_frame(faces: Router<App>, app: App) -> Router {
    let host_check = HostCheck { app: app.clone(), refuse: refused_by_host_check };
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn(trace::trace))
        .layer(middleware::from_fn_with_state(app.clone(), headers::headers))
        .layer(
            CompressionLayer::new()
                // Level 3 makes a page a fifth smaller than level 1 for 0.1 ms more; level 6 takes twice the time.
                .quality(CompressionLevel::Precise(3))
                .compress_when(SizeAbove::new(1_024).and(is_whole)),
        )
        .layer(middleware::from_fn_with_state(host_check, host_check::gate));
    faces.layer(layers).with_state(app)
}

/// The layers of pages alone, which a request passes from top to bottom after those of the frame.
fn with_page_layers(routes: Router<App>, app: &App) -> Router<App> {
    let refuser = app.clone();
    let same_origin =
        CsrfLayer::new().with_rejection_response(move |_| error::bare(&refuser, &error::Error::CrossSite));
    let forms = FormReader { app: app.clone(), large_forms: LargeForms::default(), route_of: routes::form_route };
    let deadline = Deadline { within: deadline::REQUEST_TIMEOUT, timed_out: error::timed_out };
    let layers = ServiceBuilder::new()
        .layer(same_origin)
        .layer(middleware::from_fn_with_state(forms, form::receive))
        .layer(middleware::from_fn_with_state(app.clone(), session::session))
        .layer(middleware::from_fn_with_state(app.clone(), error::draw))
        .layer(middleware::from_fn_with_state(deadline, deadline::deadline))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(app.clone(), resume::resume));
    routes.fallback(not_found).layer(layers)
}

/// The response to a request that the host check refuses: one sentence, and a problem for the API.
fn refused_by_host_check(request: &Request, status: StatusCode, sentence: &'static str) -> Response {
    if api::answers(request.uri().path()) {
        return api::refused_by_host_check(request, status, sentence);
    }
    (status, sentence).into_response()
}

/// Whether a response is not streamed: a streamed page must not be buffered for compression.
fn is_whole(
    _: StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    !headers.contains_key(stream::UNBUFFERED)
}

/// Answers requests for paths that are not in the table. Unauthenticated clients learn nothing about paths behind the
/// sign-in. A trailing slash is removed if the path without it is a page.
async fn not_found(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    match request.extensions().get::<session::CurrentSession>().cloned() {
        Some(session) if session.user.is_none() && path.starts_with(urls::ADMIN) => {
            guard::to_sign_in(&app, &session, &request.into_parts().0)
        }
        Some(_) => match without_slash(&request) {
            Some(page) => Redirect::permanent(&page).into_response(),
            None => error::Error::NotFound.into_response(),
        },
        None => error::Error::NotFound.into_response(),
    }
}

fn without_slash(request: &Request) -> Option<String> {
    let (path, query) = (request.uri().path().strip_suffix('/')?, request.uri().query());
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD) && routes::find(&Method::GET, path).is_some();
    is_page.then(|| query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}
