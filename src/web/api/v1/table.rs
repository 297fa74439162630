//! The table of all endpoints: method, path, what the caller needs, and handler. The router and the OpenAPI document are
//! built from it, and the tests iterate over it.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, http::Method, middleware};
use utoipa_axum::routes;

pub use super::endpoint::{ApiEndpoint, EndpointAccess};
use super::{
    carts, changes, checks, key,
    openapi::{self, ApiDocument},
    token,
};
use crate::{
    api_keys::Scope,
    app::App,
    carts::changes::WAIT_MAX,
    platforms::shopify::connection_test::CHECK_TIMEOUT,
    web::{
        api::{
            guard::{EndpointGuard, guard},
            limits::KeyLimits,
            problem,
        },
        frame::deadline::{self, Deadline, REQUEST_TIMEOUT},
        urls,
    },
};

/// Deadline of an endpoint that tests a connection: the test, and as much as another endpoint has.
const CHECK_DEADLINE: Duration = CHECK_TIMEOUT.saturating_add(REQUEST_TIMEOUT);
/// Deadline of an endpoint that waits for news.
const POLL_DEADLINE: Duration = WAIT_MAX.saturating_add(REQUEST_TIMEOUT);

/// All endpoints.
pub fn table() -> Vec<ApiEndpoint> {
    use EndpointAccess::{AnyKey, Open};
    const READ: EndpointAccess = EndpointAccess::Scope(Scope::CartsRead);
    const WRITE: EndpointAccess = EndpointAccess::Scope(Scope::CartsWrite);
    const CHECK: EndpointAccess = EndpointAccess::Scope(Scope::CartsCheck);
    const ISSUE: EndpointAccess = EndpointAccess::Scope(Scope::TokensIssue);
    let get = |path, access, handler| ApiEndpoint::new(Method::GET, path, access, handler);
    let post = |path, access, handler| ApiEndpoint::new(Method::POST, path, access, handler);
    let patch = |path, access, handler| ApiEndpoint::new(Method::PATCH, path, access, handler);
    let delete = |path, access, handler| ApiEndpoint::new(Method::DELETE, path, access, handler);
    vec![
        get(urls::API_OPENAPI, Open, routes!(openapi::show)),
        get(urls::API_OWN_KEY, AnyKey, routes!(key::show)),
        get(urls::API_CARTS, READ, routes!(carts::list::list)),
        post(urls::API_CARTS, WRITE, routes!(carts::saving::create)),
        get(urls::API_CART, READ, routes!(carts::show)),
        patch(urls::API_CART, WRITE, routes!(carts::saving::update)).within(carts::saving::CHANGE_TIMEOUT),
        delete(urls::API_CART, WRITE, routes!(carts::deletion::destroy)),
        get(urls::API_CART_SETTINGS, READ, routes!(carts::settings::show)),
        post(urls::API_TOKEN, ISSUE, routes!(token::create)),
        post(urls::API_TOKEN_REFUSALS, ISSUE, routes!(token::report)),
        post(urls::API_CHECKS, CHECK, routes!(checks::create)).within(CHECK_DEADLINE),
        get(urls::API_CHANGES, READ, routes!(changes::list)).within(POLL_DEADLINE),
    ]
}

/// Builds the router from the table, with guard and deadline around each handler. A method that a path does not have is
/// answered with 405 and `Allow` before any key is looked at: the table is public.
pub fn router(app: &App) -> Router<App> {
    let limits = Arc::new(KeyLimits::default());
    let mut router = Router::new();
    for endpoint in table() {
        let checks = EndpointGuard {
            app: app.clone(),
            limits: limits.clone(),
            access: endpoint.access,
            parameters: endpoint.parameters(),
        };
        let deadline = Deadline { within: endpoint.within, timed_out: problem::timed_out };
        let guarded = endpoint
            .handler
            .route_layer(middleware::from_fn_with_state(checks, guard))
            .route_layer(middleware::from_fn_with_state(deadline, deadline::deadline));
        router = router.route(endpoint.path, guarded);
    }
    router.layer(Extension(ApiDocument::of(&table())))
}
