//! Application state shared by the server, the commands and the tests: one handle per noun. No lower module depends
//! on it.

use std::{ops::Deref, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::Accounts,
    alerts::{self, Alerts, Transports},
    api_keys::ApiKeys,
    carts::{
        self, Carts, Changes, ConnectionTests, DraftSecrets, Integration, SearchTurns, StoreLocations, Tokens,
        bulk::BulkActions, health::Health,
    },
    clock::Clock,
    config::PublicUrl,
    database::Pool,
    outbound::egress_addresses::EgressAddresses,
    platforms::shopify::client::ShopifyClient,
    proxies::TrustedProxies,
    vault::Vault,
};

/// All handles behind one pointer: each layer of each waiting request holds a clone.
#[derive(Clone, Debug)]
pub struct App(Arc<AppHandles>);

/// The fields of [`App`].
#[derive(Clone, Debug)]
pub struct AppHandles {
    pub pool: Pool,
    pub accounts: Accounts,
    pub api_keys: ApiKeys,
    pub carts: Carts,
    pub connection_tests: ConnectionTests,
    pub draft_secrets: DraftSecrets,
    pub health: Health,
    pub tokens: Tokens,
    pub changes: Changes,
    pub locations: StoreLocations,
    pub bulk_actions: BulkActions,
    pub integration: Integration,
    pub search_turns: SearchTurns,
    pub shopify: Arc<ShopifyClient>,
    pub alerts: Alerts,
    pub vault: Arc<Vault>,
    pub clock: Clock,
    pub site: Arc<Site>,
    /// Running tests, checks and token refreshes.
    pub tasks: TaskTracker,
    /// Cancelled when the process must stop.
    pub stop: CancellationToken,
}

/// Facts about this installation that pages show.
#[derive(Debug)]
pub struct Site {
    /// `PRODUCT_NAME`.
    pub product: String,
    pub public_url: PublicUrl,
    pub trusted_proxies: TrustedProxies,
    /// `EGRESS_ADDRESSES`: the public addresses that calls to Shopify come from.
    pub egress_addresses: EgressAddresses,
    pub support: Option<String>,
    pub metrics: Option<PrometheusHandle>,
    /// Whether metrics are served on a separate port instead of with the pages.
    pub has_metrics_port: bool,
    /// The practice stores, if practice mode is on.
    #[cfg(feature = "practice")]
    pub practice: Option<crate::practice::Stores>,
}

impl Site {
    /// Whether practice mode is on.
    pub fn practices(&self) -> bool {
        #[cfg(feature = "practice")]
        return self.practice.is_some();
        #[cfg(not(feature = "practice"))]
        false
    }
}

impl Deref for App {
    type Target = AppHandles;

    fn deref(&self) -> &AppHandles {
        &self.0
    }
}

impl App {
    pub fn new(pool: Pool, vault: Vault, client: ShopifyClient, site: Site) -> Self {
        let (vault, shopify) = (Arc::new(vault), Arc::new(client));
        let house = alerts::SiteInfo {
            product: site.product.clone(),
            origin: site.public_url.origin.clone(),
            egress_addresses: site.egress_addresses.clone(),
        };
        let alerts = Alerts::new(pool.clone(), vault.clone(), house, &Transports::default(), Clock::System);
        let handles = carts::open(pool.clone(), vault.clone(), shopify.clone(), site.practices(), Clock::System);
        Self(Arc::new(AppHandles {
            accounts: Accounts::new(pool.clone())
                .with_vault(vault.clone())
                .with_site(&site.product, site.public_url.host.as_deref().unwrap_or_default()),
            api_keys: ApiKeys::new(pool.clone()),
            alerts: alerts.expect("the compiled-in roots are certificates"),
            carts: handles.carts,
            connection_tests: handles.connection_tests,
            draft_secrets: handles.draft_secrets,
            health: handles.health,
            tokens: handles.tokens,
            changes: handles.changes,
            locations: handles.locations,
            bulk_actions: handles.bulk_actions,
            integration: handles.integration,
            search_turns: handles.search_turns,
            tasks: handles.tasks,
            shopify,
            clock: Clock::System,
            site: Arc::new(site),
            vault,
            stop: CancellationToken::new(),
            pool,
        }))
    }

    /// Applies the operator's alert transports: mail server, private host names allowed for webhooks, extra root
    /// certificates.
    pub fn with_alert_ways(mut self, ways: &Transports) -> anyhow::Result<Self> {
        let alerts = self.alerts.clone().with_ways(ways)?;
        Arc::make_mut(&mut self.0).alerts = alerts;
        Ok(self)
    }

    /// Sets the shutdown token. Once it is cancelled, the app reports that it is not ready for requests.
    #[must_use]
    pub fn stopped_by(mut self, stop: CancellationToken) -> Self {
        Arc::make_mut(&mut self.0).stop = stop;
        self
    }

    /// Replaces the clock of the pages.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        Arc::make_mut(&mut self.0).clock = clock;
        self
    }

    /// Waits for running tests, so that a shutdown loses no result. They end within 15 s; a shutdown with less time
    /// stops waiting.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Deletes expired rows: draft secrets, tests of stores that were never saved, sessions, delivered alerts, throttle
    /// windows, old changes. Detects saved secrets whose key is missing, records repeated hand-outs of tokens in the
    /// audit log, and queues the alerts about API keys that end soon.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        self.draft_secrets.delete_old().await?;
        self.connection_tests.delete_old().await?;
        self.accounts.sweep_sessions().await?;
        self.alerts.sweep().await?;
        self.api_keys.notify_ending_soon().await?;
        self.bulk_actions.delete_old().await?;
        self.tokens.record_uses().await?;
        self.changes.delete_old().await?;
        let mut connection = self.pool.acquire().await?;
        crate::database::throttle::sweep(&mut connection).await?;
        drop(connection);
        self.connection_tests.find_unreadable_secrets().await?;
        self.health.end_shared_problems().await?;
        Ok(())
    }
}
