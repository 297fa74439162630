//! The site on a database of its own, built as `cartwright serve` builds it. Shopify is the practice store, reached
//! through settings that operators have too: an egress proxy and an extra certificate authority.

use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use cartwright::database::Pool;
use cartwright::{
    accounts::{AddError, BrowserSecret, Email, Fresh, NewUser, PersonName, Session},
    app::{App, Site},
    audit::By,
    config::PublicUrl,
    outbound::egress_addresses::EgressAddresses,
    platforms::shopify::client::{Egress, ShopifyClient},
    practice::{self, Practice, PracticeStore},
    proxies::TrustedProxies,
    vault::{KeyRing, Vault},
};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;

use super::{
    Answer, Browser, Page,
    cast::{PASSWORD, Person},
};

/// Origin of the site, unless a test sets another.
pub const ORIGIN: &str = "http://127.0.0.1:8080";

/// One metrics recorder per process, as in a server.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Serve as `https://orders.example.com`.
    pub https: bool,
    /// Practice mode: stores whose name begins with `practice-`.
    pub practice_mode: bool,
    /// Value of `CARTWRIGHT_TRUSTED_PROXIES`.
    pub trusted_proxies: &'static str,
    /// Value of `CARTWRIGHT_EGRESS_ADDRESSES`.
    pub egress_addresses: &'static str,
    /// `CARTWRIGHT_SUPPORT_ADDRESS` as a link.
    pub support: Option<&'static str>,
}

pub struct TestApp {
    /// The same database, connected as the owner, which has rights that the site lacks.
    pub pool: PgPool,
    pub app: App,
    pub practice: Practice,
    router: Router,
    origin: String,
    seen: Arc<Mutex<Vec<Answer>>>,
}

/// Connects as the runtime role: a statement that needs the owner's rights fails here as it would in production.
async fn runtime_pool(pool: &PgPool) -> Pool {
    const RUNTIME: &str = "cartwright_runtime";
    let granted = cartwright::database::roles::grant(&Pool::from(pool), RUNTIME).await;
    granted.expect("the tests' Postgres has the role: create role cartwright_runtime login");
    Pool::new([pool.connect_options().as_ref().clone().username(RUNTIME)])
}

pub fn expose(secret: &SecretString) -> &str {
    secret.expose_secret()
}

impl TestApp {
    pub async fn start(pool: PgPool) -> Self {
        Self::start_with(pool, Options::default()).await
    }

    pub async fn start_with(pool: PgPool, options: Options) -> Self {
        Self::start_under(pool, options, KeyRing::generate()).await
    }

    /// The same with this key ring.
    pub async fn start_under(pool: PgPool, options: Options, ring: KeyRing) -> Self {
        let stand_in = if options.practice_mode { practice::Options::newcomer() } else { practice::Options::test() };
        let practice = Practice::start(stand_in).await.expect("the practice store starts");
        let egress = Egress {
            proxy: Some(practice.proxy_url().parse().expect("a proxy's address")),
            extra_roots_pem: Some(practice.ca_pem().as_bytes().to_vec()),
        };
        let runtime = runtime_pool(&pool).await;
        let vault = Vault::open_with(ring, runtime.clone()).await.expect("a new key");
        let public_url = if options.https {
            let host = "orders.example.com".to_owned();
            PublicUrl { origin: format!("https://{host}"), host: Some(host), is_https: true }
        } else {
            PublicUrl { origin: ORIGIN.to_owned(), host: None, is_https: false }
        };
        let site = Site {
            product: "Order Time".to_owned(),
            support: options.support.map(str::to_owned),
            has_metrics_port: false,
            metrics: METRICS.get_or_init(cartwright::telemetry::start_metrics).clone(),
            practice: options.practice_mode.then(|| practice.stores().clone()),
            public_url,
            trusted_proxies: TrustedProxies::parse(options.trusted_proxies).expect("a list of proxies"),
            egress_addresses: EgressAddresses::parse(options.egress_addresses).expect("a list of public addresses"),
        };
        let origin = site.public_url.origin.clone();
        let app = App::new(runtime, vault, ShopifyClient::new(&egress).expect("a client"), site);
        let router = cartwright::web::site(app.clone());
        Self { pool, app, practice, router, origin, seen: Arc::default() }
    }

    /// The same with these alert transports.
    pub fn with_alert_ways(self, ways: &cartwright::alerts::Transports) -> Self {
        let app = self.app.with_alert_ways(ways).expect("transports");
        Self { router: cartwright::web::site(app.clone()), app, ..self }
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), &self.origin, self.seen.clone())
    }

    /// A browser at a replica with this clock.
    pub fn with_clock(&self, clock: cartwright::clock::Clock) -> Browser {
        let router = cartwright::web::site(self.app.clone().with_clock(clock));
        Browser::new(router, &self.origin, self.seen.clone())
    }

    /// A browser at other routes with the same layers.
    pub fn browser_at(&self, router: Router) -> Browser {
        Browser::new(router, &self.origin, self.seen.clone())
    }

    /// Creates the user if needed and signs them in through the page, in a new browser.
    pub async fn sign_in_as(&self, person: &Person) -> Browser {
        self.add(person).await;
        let browser = self.browser();
        let mut page = browser.visit("/sign-in").await;
        page.fill("Email address", person.email);
        page.fill("Password", PASSWORD);
        let page = page.press("Sign in").await;
        assert_eq!(page.h1(), "Admin", "{} is not signed in:\n{page}", person.name);
        browser
    }

    /// Returns the proof, from the session, that the password was entered in this browser within ten minutes.
    pub async fn fresh(&self, browser: &Browser) -> Fresh {
        let cookie = browser.cookies().remove("cartwright").expect("a session");
        let secret = BrowserSecret::from_cookie(&cookie).expect("a session's id");
        match self.app.accounts.session(&secret, false).await.expect("an answer") {
            Session::Live { fresh: Some(fresh), .. } => fresh,
            other => panic!("no fresh session: {other:?}"),
        }
    }

    /// Creates an account for the user, unless it exists.
    pub async fn add(&self, person: &Person) {
        let new = NewUser {
            email: Email::parse(person.email).expect("an address"),
            name: PersonName::parse(person.name).expect("a name"),
            role: person.role,
            password: PASSWORD.into(),
        };
        match self.app.accounts.add(By::operator(), new).await {
            Ok(_) | Err(AddError::EmailTaken) => {}
            Err(error) => panic!("no account for {}: {error}", person.name),
        }
    }

    /// The user's id as in URLs; creates the user if needed.
    pub async fn user_id(&self, person: &Person) -> String {
        self.add(person).await;
        let id: uuid::Uuid = sqlx::query_scalar("select id from users where email = $1")
            .bind(person.email)
            .fetch_one(&self.pool)
            .await
            .expect("an account");
        id.simple().to_string()
    }

    /// Opens a store with new secrets that behaves normally.
    pub fn open_store(&self, handle: &str) -> Arc<PracticeStore> {
        self.practice.stores().put(handle, PracticeStore::sample(handle))
    }

    /// Every response of the site so far.
    pub fn answers(&self) -> Vec<Answer> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// Asserts that neither Shopify nor any other host was called.
    #[track_caller]
    pub fn assert_nothing_was_called(&self) {
        let (requests, connections) = (self.practice.journal().requests(), self.practice.journal().connections());
        assert!(requests.is_empty() && connections.is_empty(), "unexpected calls: {connections:?}");
    }
}

/// Common first steps of tests.
impl TestApp {
    /// Priya, with the integration on.
    pub async fn priya_with_integration_on(&self) -> Browser {
        let priya = self.sign_in_as(&super::cast::PRIYA).await;
        self.app.integration.switch(By::operator(), true).await.expect("switch page");
        priya
    }

    /// The form of a new cart, filled in for this store and not submitted.
    pub async fn fill_new(&self, browser: &Browser, name: &str, handle: &str) -> Page {
        let store = self.practice.stores().find(handle).expect("an open store");
        let mut page = browser.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", name);
        page.fill("API URL", handle);
        page.fill("Access Token", expose(&store.access_token));
        page
    }

    /// Tests and saves an active cart; returns the page after it.
    pub async fn connect(&self, browser: &Browser, name: &str, handle: &str) -> Page {
        let mut page = self.fill_new(browser, name, handle).await.press("Test Connection").await;
        page.check("Active");
        let page = page.press("Save").await;
        assert_eq!(page.status, 200, "{page}");
        page
    }

    /// Saves a cart without a test; returns the page after it.
    pub async fn draft(&self, browser: &Browser, name: &str, handle: &str) -> Page {
        let mut page = self.fill_new(browser, name, handle).await;
        page.uncheck("Active");
        let page = page.press("Save").await;
        assert_eq!(page.status, 200, "{page}");
        page
    }
}
