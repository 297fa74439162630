//! The table of all URLs: method, path, required access and handler, and for a form its page and whether it can be
//! rendered again. The router is built from this table with the guard applied to every route, and the tests iterate
//! over the same table.

use std::collections::HashSet;

use axum::{
    Router,
    handler::Handler,
    http::{Method, Uri},
    middleware,
    response::Redirect,
    routing::{MethodFilter, MethodRouter, on},
};

use super::{
    admin::{
        account, activity, alerts, api_keys, api_reference, assets,
        ecommerce::{
            add, bulk, carts,
            shopify::{
                self, deletion, disconnection,
                editor::submit::{connection_test, general, locations},
                health,
            },
            switch,
        },
        error::Error,
        form::{EDITOR_FORM_MAX_LEN, FormRoute, LONGEST, SIGN_IN_FORM_MAX_LEN},
        guard::{Access, guard},
        help, home, security_txt, set_up, sign_in, users,
    },
    frame::{probes, trace},
};
use crate::app::App;
use crate::web::urls;

/// One route of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// For a form: the page that contains it, a GET route of this table with the same parameters.
    pub page: &'static str,
    /// For a form: whether its handler renders it again from its fields, without saving, when `intent` is `load`. The
    /// other forms hold nothing that was typed except secrets.
    pub redraws: bool,
    /// Longest accepted form, in bytes.
    pub longest_form: usize,
    handler: MethodRouter<App>,
    /// Whether the handler queries on the connection that the session was read on.
    borrows: bool,
}

impl Route {
    /// Lets the handler use the session's connection. Not for a form: its body may take long to arrive, and no
    /// connection may be held meanwhile.
    fn borrowing(self) -> Self {
        Self { borrows: true, ..self }
    }

    const fn redraws(mut self) -> Self {
        self.redraws = true;
        self
    }

    /// Sets the page that contains the form, if it is not the form's own path.
    const fn on(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }

    const fn max_form_len(mut self, bytes: usize) -> Self {
        self.longest_form = bytes;
        self
    }

    /// The address of the page that contains the form, for an address of this route.
    pub fn page_of(&self, path: &str) -> String {
        page_of(self.path, self.page, path)
    }

    fn matches(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let is_same = self
            .path
            .split('/')
            .all(|name| parts.next().is_some_and(|part| name == part || (name.starts_with('{') && !part.is_empty())));
        is_same && parts.next().is_none()
    }
}

fn page_of(template: &str, page: &str, path: &str) -> String {
    let blanks: Vec<_> = template.split('/').zip(path.split('/')).filter(|(name, _)| name.starts_with('{')).collect();
    let fill = |part| blanks.iter().find(|(name, _)| *name == part).map_or(part, |(_, value)| *value);
    page.split('/').map(fill).collect::<Vec<_>>().join("/")
}

fn get<H: Handler<T, App>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route(Method::GET, path, access, on(MethodFilter::GET, handler))
}

fn post<H: Handler<T, App>, T: 'static>(path: &'static str, access: Access, handler: H) -> Route {
    route(Method::POST, path, access, on(MethodFilter::POST, handler))
}

const fn route(method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Route {
    Route { method, path, access, page: path, redraws: false, longest_form: LONGEST, handler, borrows: false }
}

fn find_exactly(method: &Method, template: &str) -> Option<Route> {
    table().into_iter().find(|route| route.method == *method && route.path == template)
}

/// The route of a form with this action.
pub fn find_post(path: &str) -> Option<Route> {
    find(&Method::POST, path)
}

/// How the route with this path accepts its form.
pub fn form_route(path: &str) -> FormRoute {
    let default = FormRoute { longest_form: LONGEST, redraws: false };
    find_post(path).map_or(default, |Route { longest_form, redraws, .. }| FormRoute { longest_form, redraws })
}

/// The route of this method and path; of two that match, the one with fewer parameters, as in the router.
pub fn find(method: &Method, path: &str) -> Option<Route> {
    let matching = table().into_iter().filter(|route| route.method == *method && route.matches(path));
    matching.min_by_key(|route| route.path.matches('{').count())
}

/// All routes.
pub fn table() -> Vec<Route> {
    use Access::{Administrator, Open, Viewer};
    vec![
        get(urls::ROOT, Open, async || Redirect::to(urls::ADMIN)),
        get(urls::LIVE, Open, probes::live),
        get(urls::READY, Open, probes::ready),
        get(urls::METRICS, Open, probes::metrics),
        get(urls::SECURITY_TXT, Open, security_txt::show),
        get(urls::ASSET, Open, assets::show),
        get(urls::HELP, Open, help::show),
        get(urls::API_REFERENCE, Open, api_reference::show),
        get(urls::SET_UP_LINK, Open, set_up::open),
        get(urls::SET_UP, Open, set_up::show),
        post(urls::SET_UP, Open, set_up::create).redraws(),
        get(urls::SIGN_IN, Open, sign_in::show),
        post(urls::SIGN_IN, Open, sign_in::create).redraws().max_form_len(SIGN_IN_FORM_MAX_LEN),
        post(urls::SIGN_OUT, Viewer, sign_in::destroy).on(urls::ADMIN),
        get(urls::ADMIN, Viewer, home::show),
        get(urls::ACCOUNT, Viewer, account::show),
        post(urls::ACCOUNT, Viewer, account::update).redraws(),
        post(urls::THEME, Viewer, account::update_theme).on(urls::ADMIN),
        post(urls::PASSWORD, Viewer, account::password::update).on(urls::ACCOUNT),
        post(urls::ACCOUNT_SESSIONS, Viewer, account::sessions::destroy).on(urls::ACCOUNT),
        get(urls::USERS, Administrator, users::list),
        get(urls::NEW_USER, Administrator, users::new),
        post(urls::NEW_USER, Administrator, users::create).redraws(),
        get(urls::USER, Administrator, users::edit),
        post(urls::USER, Administrator, users::update).redraws(),
        post(urls::USER_LINK, Administrator, users::link::create).on(urls::USER),
        post(urls::USER_SESSIONS, Administrator, users::sessions::destroy).on(urls::USER),
        get(urls::USER_DEACTIVATION, Administrator, users::deactivation::new),
        post(urls::USER_DEACTIVATION, Administrator, users::deactivation::create),
        post(urls::USER_ACTIVATION, Administrator, users::activation::create).on(urls::USER),
        get(urls::API_KEYS, Administrator, api_keys::list),
        get(urls::NEW_API_KEY, Administrator, api_keys::new),
        post(urls::NEW_API_KEY, Administrator, api_keys::create).redraws().max_form_len(EDITOR_FORM_MAX_LEN),
        get(urls::API_KEY, Administrator, api_keys::show),
        post(urls::API_KEY_ROTATION, Administrator, api_keys::rotation::create).on(urls::API_KEY),
        get(urls::API_KEY_REVOCATION, Administrator, api_keys::revocation::new),
        post(urls::API_KEY_REVOCATION, Administrator, api_keys::revocation::create),
        get(urls::ACTIVITY, Viewer, activity::list),
        get(urls::ACTIVITY_CSV, Viewer, activity::export),
        get(urls::ALERTS, Administrator, alerts::show),
        post(urls::ALERTS, Administrator, alerts::update).redraws(),
        post(urls::ALERTS_SECRET, Administrator, alerts::secret::create).on(urls::ALERTS),
        post(urls::TEST_ALERTS, Administrator, alerts::test_alerts::create).on(urls::ALERTS),
        get(urls::CARTS, Viewer, carts::list).borrowing(),
        get(urls::SWITCH, Administrator, switch::edit),
        post(urls::SWITCH, Administrator, switch::update).redraws(),
        get(urls::ADD_CART, Administrator, add::show),
        post(urls::BULK_ACTIONS, Administrator, bulk::create).redraws().on(urls::CARTS),
        get(urls::BULK_ACTION, Viewer, bulk::show),
        post(urls::BULK_CANCELLATION, Administrator, bulk::destroy).on(urls::BULK_ACTION),
        get(urls::NEW_CART, Administrator, general::new),
        post(urls::NEW_CART, Administrator, general::create).redraws(),
        get(urls::NEW_CART_TESTS, Administrator, connection_test::list_new),
        post(urls::NEW_CART_TESTS, Administrator, connection_test::create_new).redraws().on(urls::NEW_CART),
        get(urls::NEW_CART_TEST, Administrator, connection_test::show_new),
        get(urls::CART_GENERAL, Viewer, general::edit),
        post(urls::CART_GENERAL, Administrator, general::update).redraws().max_form_len(EDITOR_FORM_MAX_LEN),
        post(urls::CART_TESTS, Administrator, connection_test::create)
            .redraws()
            .max_form_len(EDITOR_FORM_MAX_LEN)
            .on(urls::CART_GENERAL),
        get(urls::CART_TEST, Viewer, connection_test::show),
        get(urls::CART_ACTIVITY, Viewer, shopify::activity::list),
        get(urls::CART_DIAGNOSTICS, Viewer, shopify::diagnostics::show),
        post(urls::CART_LOCATIONS, Administrator, locations::create).on(urls::CART_GENERAL),
        get(urls::CART_HEALTH, Viewer, health::show),
        post(urls::CART_HEALTH, Administrator, health::create),
        get(urls::CART_DISCONNECTION, Administrator, disconnection::new),
        post(urls::CART_DISCONNECTION, Administrator, disconnection::create),
        get(urls::CART_DELETION, Administrator, deletion::new),
        post(urls::CART_DELETION, Administrator, deletion::create),
    ]
}

/// Builds the router from the table. A method that a path does not have is refused behind the same guard. The exception
/// is GET on a form's address, which browsers may reload or restore: it redirects to the page that contains the form.
pub fn router(app: &App) -> Router<App> {
    let mut router: Router<App> = Router::new();
    let mut known = HashSet::new();
    for Route { path, access, handler, borrows, .. } in table() {
        // Add the 405 fallback once per path, inside the guard, so unauthenticated clients cannot probe for routes.
        let handler = if known.insert(path) { handler.fallback(async || Error::NotPossible) } else { handler };
        router = router.route(path, guarded(app, handler, access, borrows));
    }
    for route in table().into_iter().filter(|route| find_exactly(&Method::GET, route.path).is_none()) {
        let (path, page) = (route.path, route.page);
        let to_page = move |uri: Uri| async move { Redirect::to(&page_of(path, page, uri.path())) };
        router = router.route(path, guarded(app, on(MethodFilter::GET, to_page), route.access, false));
    }
    router.layer(middleware::from_fn(trace::name_route))
}

fn guarded(app: &App, handler: MethodRouter<App>, access: Access, borrows: bool) -> MethodRouter<App> {
    handler.layer(middleware::from_fn_with_state((app.clone(), access, borrows), guard))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanks(path: &str) -> Vec<&str> {
        path.split('/').filter(|part| part.starts_with('{')).collect()
    }

    #[test]
    fn every_form_names_a_page_of_the_table() {
        let table = table();
        let is_page = |path: &str| table.iter().any(|route| route.method == Method::GET && route.path == path);
        for route in table.iter().filter(|route| route.method == Method::POST) {
            assert!(is_page(route.page), "{}: name its page with `on`", route.path);
            let known = blanks(route.path);
            assert!(blanks(route.page).iter().all(|blank| known.contains(blank)), "{}", route.path);
        }
    }

    #[test]
    fn path_finds_its_route_and_the_page_of_its_form() {
        let page = |path: &str| find_post(path).map(|route| route.page_of(path));
        let of_new = "/admin/ecommerce/shopify/new/connection-tests";
        assert_eq!(page(of_new).as_deref(), Some("/admin/ecommerce/shopify/new"));
        let of_cart = "/admin/ecommerce/shopify/abc/connection-tests";
        assert_eq!(page(of_cart).as_deref(), Some("/admin/ecommerce/shopify/abc/general"));
        assert_eq!(page("/admin/users/new").as_deref(), Some("/admin/users/new"));
        assert_eq!(page("/admin/users/abc/link").as_deref(), Some("/admin/users/abc"));
        for path in ["/admin/users", "/admin/users/", "/admin/users/a/b", "/nowhere", ""] {
            assert_eq!(page(path), None, "{path}");
        }
    }
}
