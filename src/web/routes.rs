//! Every URL: method, path, who may come in, handler. The router is folded from this table with the guard in the fold, and the
//! same table is what the tests knock at.

use std::collections::HashSet;

use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware,
    response::Redirect,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{
    admin::{
        account, activity, alerts,
        ecommerce::{
            add, bulk, carts,
            shopify::{self, connection_test, deletion, disconnection, general, health, locations},
            switch,
        },
        home, users,
    },
    assets,
    error::Error,
    guard::{Access, guard},
    help, probes, set_up, sign_in, trace,
};
use crate::app::App;

/// One line of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    handler: MethodRouter<App>,
    /// Whether its handler asks on the connection that the session was read on.
    borrows: bool,
}

impl Route {
    /// Not for a form: it may take its time to arrive, and meanwhile nobody holds a connection.
    fn borrowing(self) -> Self {
        Self { borrows: true, ..self }
    }
}

fn get<H: Handler<T, App>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    Route { method: Method::GET, path, access, handler: on(MethodFilter::GET, handler), borrows: false }
}

fn post<H: Handler<T, App>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    Route { method: Method::POST, path, access, handler: on(MethodFilter::POST, handler), borrows: false }
}

/// The whole table.
pub fn table() -> Vec<Route> {
    use Access::{Administrator, Open, Viewer};
    vec![
        get("/", Open, async || Redirect::to("/admin")),
        get("/-/live", Open, probes::live),
        get("/-/ready", Open, probes::ready),
        get("/-/metrics", Open, probes::metrics),
        get("/static/{name}", Open, assets::show),
        get("/help", Open, help::show),
        get("/set-up/{code}", Open, set_up::show),
        post("/set-up/{code}", Open, set_up::create),
        get("/sign-in", Open, sign_in::show),
        post("/sign-in", Open, sign_in::create),
        post("/sign-out", Viewer, sign_in::destroy),
        get("/admin", Viewer, home::show),
        get("/admin/account", Viewer, account::show),
        post("/admin/account", Viewer, account::update),
        post("/admin/account/theme", Viewer, account::update_theme),
        post("/admin/account/password", Viewer, account::password::update),
        post("/admin/account/sessions", Viewer, account::sessions::destroy),
        get("/admin/users", Administrator, users::list),
        get("/admin/users/new", Administrator, users::new),
        post("/admin/users/new", Administrator, users::create),
        get("/admin/users/{user}", Administrator, users::edit),
        post("/admin/users/{user}", Administrator, users::update),
        post("/admin/users/{user}/link", Administrator, users::link::create),
        post("/admin/users/{user}/sessions", Administrator, users::sessions::destroy),
        get("/admin/users/{user}/deactivation", Administrator, users::deactivation::new),
        post("/admin/users/{user}/deactivation", Administrator, users::deactivation::create),
        post("/admin/users/{user}/activation", Administrator, users::activation::create),
        get("/admin/activity", Viewer, activity::list),
        get("/admin/activity.csv", Viewer, activity::export),
        get("/admin/alerts", Administrator, alerts::show),
        post("/admin/alerts", Administrator, alerts::update),
        post("/admin/alerts/secret", Administrator, alerts::secret::create),
        post("/admin/alerts/trials", Administrator, alerts::trial::create),
        get("/admin/ecommerce", Viewer, carts::list).borrowing(),
        get("/admin/ecommerce/switch", Administrator, switch::edit),
        post("/admin/ecommerce/switch", Administrator, switch::update),
        get("/admin/ecommerce/add", Administrator, add::show),
        post("/admin/ecommerce/bulk", Administrator, bulk::create),
        get("/admin/ecommerce/bulk/{bulk}", Viewer, bulk::show),
        post("/admin/ecommerce/bulk/{bulk}/cancellation", Administrator, bulk::destroy),
        get("/admin/ecommerce/shopify/new", Administrator, general::new),
        post("/admin/ecommerce/shopify/new", Administrator, general::create),
        post("/admin/ecommerce/shopify/new/connection-tests", Administrator, connection_test::create_new),
        get("/admin/ecommerce/shopify/new/connection-tests/{test}", Administrator, connection_test::show_new),
        get("/admin/ecommerce/shopify/{cart}/general", Viewer, general::edit),
        post("/admin/ecommerce/shopify/{cart}/general", Administrator, general::update),
        post("/admin/ecommerce/shopify/{cart}/connection-tests", Administrator, connection_test::create),
        get("/admin/ecommerce/shopify/{cart}/connection-tests/{test}", Viewer, connection_test::show),
        get("/admin/ecommerce/shopify/{cart}/activity", Viewer, shopify::activity::list),
        get("/admin/ecommerce/shopify/{cart}/diagnostics", Viewer, shopify::diagnostics::show),
        get("/admin/ecommerce/shopify/{cart}/locations", Administrator, locations::list),
        get("/admin/ecommerce/shopify/{cart}/health", Viewer, health::show),
        post("/admin/ecommerce/shopify/{cart}/health", Administrator, health::create),
        get("/admin/ecommerce/shopify/{cart}/disconnection", Administrator, disconnection::new),
        post("/admin/ecommerce/shopify/{cart}/disconnection", Administrator, disconnection::create),
        get("/admin/ecommerce/shopify/{cart}/deletion", Administrator, deletion::new),
        post("/admin/ecommerce/shopify/{cart}/deletion", Administrator, deletion::create),
    ]
}

/// Folds the table into a router; a method that a path does not have is refused behind the same guard.
pub fn router(app: &App) -> Router<App> {
    let mut router: Router<App> = Router::new();
    let mut known = HashSet::new();
    for Route { path, access, handler, borrows, .. } in table() {
        // Once a path, and inside of the guard: a stranger is not told which addresses there are.
        let handler = if known.insert(path) { handler.fallback(async || Error::NotPossible) } else { handler };
        let guarded = handler.layer(middleware::from_fn_with_state((app.clone(), access, borrows), guard));
        router = router.route(path, guarded);
    }
    router.layer(middleware::from_fn(trace::name_route))
}
