//! Shared fixture of the benchmarks: a private Postgres cluster in a temporary folder and the site in this process,
//! with the layers, pool and log formatting of `serve`. Log output is discarded.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use cartwright::database::Pool;
use cartwright::{
    accounts::{Accounts, BrowserSecret, DeviceCookie, Email, NewUser, PersonName, Role},
    app::{App, Site},
    audit::{Actor, Authority, By, Origin},
    carts::Visitor,
    config::PublicUrl,
    database::{
        self,
        embedded::{Embedded, SearchPaths},
    },
    platforms::shopify::client::{Egress, ShopifyClient},
    practice::Practice,
    vault::{KeyRing, Vault},
    web,
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A private cluster; [`Ground::close`] stops it.
pub struct Ground {
    embedded: Embedded,
    folder: TempDir,
}

pub fn places() -> SearchPaths {
    SearchPaths { pg_bin: std::env::var_os("PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") }
}

impl Ground {
    pub async fn open() -> anyhow::Result<Self> {
        Self::in_folder(tempfile::tempdir()?).await
    }

    pub async fn in_folder(folder: TempDir) -> anyhow::Result<Self> {
        let embedded = database::embedded::start(folder.path(), &places()).await?;
        Ok(Self { embedded, folder })
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn options(&self) -> PgConnectOptions {
        self.embedded.owner_options()
    }

    /// Path of a client program that ships with the Postgres server programs, if present.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.embedded.program(name)).filter(|program| program.exists())
    }

    /// Creates and migrates a schema of this name; the pool has the settings of `serve`.
    pub async fn schema(&self, name: &str) -> anyhow::Result<Pool> {
        let maker = cartwright::database::Pool::new([self.options()]);
        maker.execute(AssertSqlSafe(format!("create schema {name}"))).await?;
        maker.close().await;
        let pool = cartwright::database::Pool::new([self.options().options([("search_path", name)])]);
        database::migrate::migrate(&pool).await?;
        Ok(pool)
    }

    pub async fn close(self) -> anyhow::Result<TempDir> {
        self.embedded.stop().await?;
        Ok(self.folder)
    }
}

/// Egress settings that lead to the Shopify stand-in.
pub fn way_to(practice: &Practice) -> anyhow::Result<Egress> {
    let roots = practice.ca_pem().as_bytes().to_vec();
    Ok(Egress { proxy: Some(practice.proxy_url().parse()?), extra_roots_pem: Some(roots) })
}

/// The site, served on loopback.
pub struct Served {
    pub app: App,
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<tokio::time::Instant>,
}

impl Served {
    pub async fn start(pool: Pool, egress: &Egress) -> anyhow::Result<Self> {
        Self::start_under(KeyRing::generate(), pool, egress).await
    }

    /// Starts the site with this key ring, as another process on the same tables.
    pub async fn start_under(ring: KeyRing, pool: Pool, egress: &Egress) -> anyhow::Result<Self> {
        log_to_nowhere();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let site = Site {
            product: "Order Time".into(),
            public_url: PublicUrl { origin: format!("http://{address}"), host: None, is_https: false },
            trusted_proxies: cartwright::proxies::TrustedProxies::default(),
            egress_addresses: cartwright::outbound::egress_addresses::EgressAddresses::default(),
            support: None,
            has_metrics_port: false,
            metrics: cartwright::telemetry::start_metrics(),
            practice: None,
        };
        let vault = Vault::open_with(ring, pool.clone()).await?;
        let app = App::new(pool, vault, ShopifyClient::new(egress)?, site);
        let (stop, stopped) = oneshot::channel();
        let router = web::site(app.clone());
        let serving = tokio::spawn(web::frame::server::serve(listener, router, async {
            stopped.await.ok();
            let now = tokio::time::Instant::now();
            web::frame::server::Stopping { drained: now, deadline: now + std::time::Duration::from_secs(8) }
        }));
        Ok(Self { app, address, stop, serving })
    }

    /// Adds an administrator and signs them in.
    pub async fn administrator(&self, number: usize) -> anyhow::Result<Administrator> {
        let (email, password) = (format!("admin{number}@example.com"), "four plain random words");
        administrator(&self.app.accounts, &email, password).await
    }

    pub async fn close(self) {
        self.stop.send(()).ok();
        self.serving.await.ok();
        self.app.finish().await;
        self.app.pool.close().await;
    }
}

/// A signed-in administrator.
pub struct Administrator {
    pub visitor: Visitor,
    pub secret: BrowserSecret,
}

impl Administrator {
    pub fn cookies(&self) -> String {
        format!("cartwright={}", self.secret.to_cookie())
    }
}

async fn administrator(accounts: &Accounts, email: &str, password: &str) -> anyhow::Result<Administrator> {
    let new = NewUser {
        email: Email::parse(email)?,
        name: PersonName::parse("Sam Lee")?,
        role: Role::Administrator,
        password: SecretString::from(password),
    };
    let id = accounts.add(By::operator(), new).await?;
    let origin = Origin { ip: Some("127.0.0.1".into()), ..Origin::default() };
    let stranger = By::stranger(origin.clone());
    let secret =
        accounts.sign_in(stranger, email, SecretString::from(password), &DeviceCookie::default(), None).await?;
    let (name, email) = ("Sam Lee".into(), email.to_owned());
    let actor = Actor::Person { id, name, email, authority: Authority::Session(secret.hash()) };
    Ok(Administrator { visitor: Visitor::in_session(By { actor, origin }, secret.hash()), secret })
}

/// Installs a subscriber that formats every log line, as `serve` does, and discards it.
fn log_to_nowhere() {
    use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let filter = EnvFilter::new("info,sqlx=warn,hyper=warn,reqwest=warn,rustls=warn");
    tracing_subscriber::registry().with(filter).with(lines.with_writer(std::io::sink)).try_init().ok();
}

/// Inserts this many carts. Three of them are inactive, and `failing` of every five are not connected.
pub async fn fill(pool: &Pool, carts: i32, failing: i32) -> anyhow::Result<()> {
    let mut connection = pool.servers()[0].connect().await?;
    // Filling is not measured and takes longer than the statement timeout of a page.
    connection.execute("set statement_timeout = 0").await?;
    sqlx::query(
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, credential_kind, secret,
             secret_ending, secret_added_by, secret_added_at, credential_fingerprint, token_fingerprint, passed_at, shop_id,
             shop_name, last_class, last_title, last_checked_at, failing_since, updated_by)
         select gen_random_uuid(), gen_random_uuid(), 'shopify', 'Shop ' || md5(n::text) || n, 'shop-' || n || '.myshopify.com',
             n > 3, case when n <= 3 then 'inactive' when n % 5 < $2 then 'not-connected' else 'connected' end,
             'access_token', decode(repeat('00', 75), 'hex'), 'a1b2', 'Sam Lee', now(), decode(md5('c' || n), 'hex'),
             decode(md5('t' || n), 'hex'), now(), n::text, 'Shop ' || n,
             case when n % 5 < $2 then 'TOKEN_REFUSED' else 'CONNECTED' end,
             case when n % 5 < $2 then 'Shopify did not accept the access token' end,
             now() - make_interval(mins => n % 60), case when n % 5 < $2 then now() - interval '2 hours' end, 'Sam Lee'
         from generate_series(1, $1) n",
    )
    .bind(carts)
    .bind(failing)
    .execute(&mut connection)
    .await
    .context("inserting carts")?;
    // Thirty checks per cart, no two histories alike, one check in fifty failed.
    connection
        .execute(
            "update cart_health set last_checked_at = now() - interval '5 minutes', recent = (
                 select decode(string_agg(lpad(to_hex(extract(epoch from now())::bigint - 900 * (30 - k)), 8, '0')
                     || case when (k * 7 + n) % 50 = 0 then '10ffffff' else '00' || lpad(to_hex(150 + (k * 37 + n * 13) % 90), 6, '0') end,
                     '' order by k), 'hex') from generate_series(0, 29) k)
             from (select id, row_number() over (order by id) n from carts) c where c.id = cart_id",
        )
        .await?;
    connection.execute("update ecommerce_integration set is_active = true").await?;
    // Autovacuum does the same within about a minute.
    connection.execute("vacuum analyze carts, cart_health, cart_search").await?;
    connection.close().await?;
    Ok(())
}
