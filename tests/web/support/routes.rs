//! The site's route table with its path parameters filled in: a cart, a test, a set-up link and a file that exist.

use axum::http::Method;
use cartwright::web::{
    admin::{assets, guard::Access},
    routes,
};
use cartwright::{
    api_keys::{ApiKeyName, KeyLifetime, KeyScopes, NewApiKey},
    audit::By,
    carts::{
        CartFilter,
        bulk::{BulkActionKind, BulkSelection},
    },
};

use super::{Browser, TestApp, cast::TOM};

/// A route with a concrete path.
#[derive(Clone, Debug)]
pub struct Door {
    pub method: Method,
    /// The path template of the route table.
    pub template: &'static str,
    pub path: String,
    pub access: Access,
}

impl Door {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    pub fn is_unsafe(&self) -> bool {
        self.method != Method::GET
    }
}

/// Values of the path parameters.
pub struct Blanks {
    pub cart: String,
    pub test: String,
    /// A test of a store that belongs to no cart.
    pub unsaved_test: String,
    pub code: String,
    /// Tom, a viewer.
    pub user: String,
    /// An API key.
    pub key: String,
    /// A bulk action on all carts that no worker processes.
    pub bulk: String,
}

impl Blanks {
    /// Connects a cart, tests another store and creates a set-up link.
    pub async fn make(app: &TestApp, priya: &Browser) -> Self {
        app.open_store("northwind-tea");
        Self::fill(app, priya, "Northwind Tea", "northwind-tea").await
    }

    /// The same with a second cart, where others exist already.
    pub async fn make_beside(app: &TestApp, priya: &Browser) -> Self {
        app.open_store("northwind-blanks");
        Self::fill(app, priya, "Northwind Blanks", "northwind-blanks").await
    }

    async fn fill(app: &TestApp, priya: &Browser, name: &str, handle: &str) -> Self {
        let page = app.connect(priya, name, handle).await;
        let cart = cart_of(&page.path);
        page.press("Test Connection").await;
        app.open_store("northwind-unsaved");
        app.fill_new(priya, "Northwind Unsaved", "northwind-unsaved").await.press("Test Connection").await;
        let code = app.app.accounts.make_set_up_link().await.expect("a link").to_cookie();
        let test = "select id::text from connection_tests where cart_id = $1::uuid limit 1";
        let test = sqlx::query_scalar(test).bind(&cart).fetch_one(&app.pool).await.expect("a test");
        let unsaved_test = "select id::text from connection_tests where store_host like 'northwind-unsaved%' limit 1";
        let unsaved_test = sqlx::query_scalar(unsaved_test).fetch_one(&app.pool).await.expect("a test");
        let user = app.user_id(&TOM).await;
        let all = BulkSelection::Matching { filter: CartFilter::All, search: None };
        let job = app.app.bulk_actions.start(By::operator(), BulkActionKind::Test, all).await.expect("a job");
        let bulk = job.expect("there are carts").to_string();
        let key = NewApiKey {
            name: ApiKeyName::parse("blanks").expect("a name"),
            scopes: KeyScopes::parse("carts:read").expect("a scope"),
            carts: None,
            networks: None,
            lifetime: KeyLifetime::DEFAULT,
        };
        let key = app.app.api_keys.create_as_operator(key).await.expect("a key").id.as_simple().to_string();
        Self { cart, test, unsaved_test, code, user, key, bulk }
    }
}

/// The id in a path such as `/admin/ecommerce/shopify/{cart}/general`.
#[track_caller]
pub fn cart_of(path: &str) -> String {
    let id = path.strip_prefix("/admin/ecommerce/shopify/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    assert_eq!(id.len(), 32, "no cart in {path}");
    id.to_owned()
}

/// All routes.
pub fn doors(blanks: &Blanks) -> Vec<Door> {
    let file = assets::app_css().trim_start_matches("/static/");
    let table: Vec<Door> = routes::table()
        .into_iter()
        .map(|route| {
            let test = if route.path.contains("/new/") { &blanks.unsaved_test } else { &blanks.test };
            let path = route.path.replace("{cart}", &blanks.cart).replace("{test}", test);
            let path = path.replace("{code}", &blanks.code).replace("{name}", file);
            let path =
                path.replace("{user}", &blanks.user).replace("{bulk}", &blanks.bulk).replace("{key}", &blanks.key);
            assert!(!path.contains('{'), "{path} has an unknown path parameter");
            Door { method: route.method, template: route.path, path, access: route.access }
        })
        .collect();
    assert!(table.len() > 20, "the table is empty");
    table
}
