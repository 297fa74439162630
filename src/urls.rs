//! Every URL of the server, for the pages and for what links to them from outside. The pattern of a route and the function that builds its addresses come from one literal, so
//! that they cannot differ.

use std::fmt::Display;

/// Defines a constant for each path, and for a path with parameters also the function that fills them in.
macro_rules! urls {
    ($($pattern:ident $($build:ident($($parameter:ident),+))? = $path:literal;)+) => {
        $(
            pub const $pattern: &str = $path;
            $(
                pub fn $build($($parameter: impl Display),+) -> String {
                    format!($path)
                }
            )?
        )+

        /// Each pattern with its addresses.
        #[cfg(test)]
        fn examples() -> Vec<(&'static str, Vec<String>)> {
            vec![$(($pattern, vec![$($build($(stringify!($parameter)),+))?])),+]
        }
    };
}

urls! {
    ROOT = "/";
    LIVE = "/-/live";
    READY = "/-/ready";
    METRICS = "/-/metrics";
    SECURITY_TXT = "/.well-known/security.txt";
    ASSET asset(name) = "/static/{name}";
    HELP = "/help";
    API_REFERENCE = "/help/api";
    SET_UP_LINK set_up_link(code) = "/set-up/{code}";
    SET_UP = "/set-up";
    SIGN_IN = "/sign-in";
    SIGN_OUT = "/sign-out";
    ADMIN = "/admin";
    ACCOUNT = "/admin/account";
    THEME = "/admin/account/theme";
    PASSWORD = "/admin/account/password";
    ACCOUNT_SESSIONS = "/admin/account/sessions";
    USERS = "/admin/users";
    NEW_USER = "/admin/users/new";
    USER user(user) = "/admin/users/{user}";
    USER_LINK user_link(user) = "/admin/users/{user}/link";
    USER_SESSIONS user_sessions(user) = "/admin/users/{user}/sessions";
    USER_DEACTIVATION user_deactivation(user) = "/admin/users/{user}/deactivation";
    USER_ACTIVATION user_activation(user) = "/admin/users/{user}/activation";
    API_KEYS = "/admin/api-keys";
    NEW_API_KEY = "/admin/api-keys/new";
    API_KEY api_key(key) = "/admin/api-keys/{key}";
    API_KEY_ROTATION api_key_rotation(key) = "/admin/api-keys/{key}/rotation";
    API_KEY_REVOCATION api_key_revocation(key) = "/admin/api-keys/{key}/revocation";
    ACTIVITY = "/admin/activity";
    ACTIVITY_CSV = "/admin/activity.csv";
    ALERTS = "/admin/alerts";
    ALERTS_SECRET = "/admin/alerts/secret";
    TEST_ALERTS = "/admin/alerts/trials";
    CARTS = "/admin/ecommerce";
    SWITCH = "/admin/ecommerce/switch";
    ADD_CART = "/admin/ecommerce/add";
    BULK_ACTIONS = "/admin/ecommerce/bulk";
    BULK_ACTION bulk_action(bulk) = "/admin/ecommerce/bulk/{bulk}";
    BULK_CANCELLATION bulk_cancellation(bulk) = "/admin/ecommerce/bulk/{bulk}/cancellation";
    NEW_CART = "/admin/ecommerce/shopify/new";
    NEW_CART_TESTS = "/admin/ecommerce/shopify/new/connection-tests";
    NEW_CART_TEST new_cart_test(test) = "/admin/ecommerce/shopify/new/connection-tests/{test}";
    CART_GENERAL cart_general(cart) = "/admin/ecommerce/shopify/{cart}/general";
    CART_TESTS cart_tests(cart) = "/admin/ecommerce/shopify/{cart}/connection-tests";
    CART_TEST cart_test(cart, test) = "/admin/ecommerce/shopify/{cart}/connection-tests/{test}";
    CART_ACTIVITY cart_activity(cart) = "/admin/ecommerce/shopify/{cart}/activity";
    CART_DIAGNOSTICS cart_diagnostics(cart) = "/admin/ecommerce/shopify/{cart}/diagnostics";
    CART_LOCATIONS cart_locations(cart) = "/admin/ecommerce/shopify/{cart}/locations";
    CART_HEALTH cart_health(cart) = "/admin/ecommerce/shopify/{cart}/health";
    CART_DISCONNECTION cart_disconnection(cart) = "/admin/ecommerce/shopify/{cart}/disconnection";
    CART_DELETION cart_deletion(cart) = "/admin/ecommerce/shopify/{cart}/deletion";
    API_OPENAPI = "/api/v1/openapi.json";
    API_OWN_KEY = "/api/v1/key";
    API_TOKEN api_token(cart) = "/api/v1/carts/{cart}/token";
    API_TOKEN_REFUSALS api_token_refusals(cart) = "/api/v1/carts/{cart}/token/refusals";
    API_CHECKS api_checks(cart) = "/api/v1/carts/{cart}/checks";
    API_CHANGES = "/api/v1/changes";
    API_CARTS = "/api/v1/carts";
    API_CART api_cart(cart) = "/api/v1/carts/{cart}";
    API_CART_SETTINGS api_cart_settings(cart) = "/api/v1/carts/{cart}/settings";
}

/// What the paths of probes begin with.
pub const PROBES: &str = "/-/";
/// What the paths of the API begin with.
pub const API: &str = "/api/";
/// Matches every path of the API that no endpoint has.
pub const API_OTHER: &str = "/api/{*rest}";
/// The help about a kind of problem that the API answers with.
pub fn api_help(kind: impl Display) -> String {
    format!("/help/api#{kind}")
}
/// What the paths of static files begin with.
pub const ASSETS: &str = "/static/";
/// [`CARTS`] that need attention or are not connected.
pub const FAILING_CARTS: &str = "/admin/ecommerce?show=needs-attention";
/// [`SWITCH`] on the way to [`ADD_CART`].
pub const SWITCH_BEFORE_ADDING: &str = "/admin/ecommerce/switch?to=add";
/// [`SIGN_IN`] after signing out.
pub const SIGNED_OUT: &str = "/sign-in?ended=signed-out";
/// [`SET_UP`] after following a one-time link.
pub const SET_UP_FOLLOWED: &str = "/set-up?followed";
/// [`SET_UP`] after a sign-in whose correct password is too weak for the role.
pub const SET_UP_TOO_WEAK: &str = "/set-up?too-weak";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;

    use super::*;
    use crate::web::{api, routes};

    #[test]
    fn routes_serve_exactly_these_patterns() {
        let pages = routes::table().into_iter().map(|route| route.path);
        let served: BTreeSet<_> =
            pages.chain(api::v1::table::table().into_iter().map(|endpoint| endpoint.path)).collect();
        assert_eq!(served, examples().into_iter().map(|(pattern, _)| pattern).collect());
    }

    #[test]
    fn built_address_leads_to_the_route_of_its_pattern() {
        for (pattern, addresses) in examples().into_iter().filter(|(pattern, _)| !pattern.starts_with(API)) {
            for address in addresses {
                let methods = [Method::GET, Method::POST];
                let routes = methods.iter().filter_map(|method| routes::find(method, &address)).map(|route| route.path);
                let found: BTreeSet<_> = routes.collect();
                assert_eq!(found, BTreeSet::from([pattern]), "{address}");
            }
        }
    }

    #[test]
    fn constants_with_a_query_begin_with_their_path() {
        let with_query = [
            (FAILING_CARTS, CARTS),
            (SWITCH_BEFORE_ADDING, SWITCH),
            (SIGNED_OUT, SIGN_IN),
            (SET_UP_FOLLOWED, SET_UP),
            (SET_UP_TOO_WEAK, SET_UP),
        ];
        for (address, path) in with_query {
            assert_eq!(address.split_once('?').map(|(path, _)| path), Some(path));
        }
        assert!(ASSET.starts_with(ASSETS) && [LIVE, READY, METRICS].iter().all(|path| path.starts_with(PROBES)));
        assert!([API_OWN_KEY, API_OTHER].iter().all(|path| path.starts_with(API)));
    }
}
