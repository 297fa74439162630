//! Application state shared by the server, the commands and the tests: one handle per domain. No lower module depends
//! on it.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    accounts::Accounts,
    alerts::{self, Alerts, Transports},
    clock::Clock,
    config::PublicUrl,
    database::Pool,
    ecommerce::{Ecommerce, shopify::client::ShopifyClient},
    outbound::egress_addresses::EgressAddresses,
    proxies::TrustedProxies,
    vault::Vault,
};

/// Cheap to clone: every field is a pool, an `Arc` or a small value.
#[derive(Clone, Debug)]
pub struct App {
    pub pool: Pool,
    pub accounts: Accounts,
    pub ecommerce: Ecommerce,
    pub alerts: Alerts,
    pub vault: Arc<Vault>,
    pub clock: Clock,
    pub site: Arc<Site>,
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

impl App {
    pub fn new(pool: Pool, vault: Vault, client: ShopifyClient, site: Site) -> Self {
        let vault = Arc::new(vault);
        let house = alerts::SiteInfo {
            product: site.product.clone(),
            origin: site.public_url.origin.clone(),
            egress_addresses: site.egress_addresses.clone(),
        };
        let alerts = Alerts::new(pool.clone(), vault.clone(), house, &Transports::default(), Clock::System);
        Self {
            accounts: Accounts::new(pool.clone())
                .with_vault(vault.clone())
                .with_site(&site.product, site.public_url.host.as_deref().unwrap_or_default()),
            alerts: alerts.expect("the compiled-in roots are certificates"),
            ecommerce: Ecommerce::new(pool.clone(), vault.clone(), Arc::new(client), site.practices(), Clock::System),
            clock: Clock::System,
            site: Arc::new(site),
            vault,
            stop: CancellationToken::new(),
            pool,
        }
    }

    /// Applies the operator's alert transports: mail server, private host names allowed for webhooks, extra root
    /// certificates.
    pub fn with_alert_ways(mut self, ways: &Transports) -> anyhow::Result<Self> {
        self.alerts = self.alerts.with_ways(ways)?;
        Ok(self)
    }

    /// Sets the shutdown token. Once it is cancelled, the app reports that it is not ready for requests.
    #[must_use]
    pub fn stopped_by(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Deletes expired rows: draft secrets, tests of stores that were never saved, sessions, delivered alerts, throttle
    /// windows. Detects saved secrets that no longer open.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        self.ecommerce.delete_old_draft_secrets().await?;
        self.ecommerce.sweep_tests().await?;
        self.accounts.sweep_sessions().await?;
        self.alerts.sweep().await?;
        self.ecommerce.delete_old_bulk_actions().await?;
        let mut connection = self.pool.acquire().await?;
        crate::database::throttle::sweep(&mut connection).await?;
        drop(connection);
        self.ecommerce.find_unreadable_secrets().await?;
        self.ecommerce.end_shared_problems().await?;
        Ok(())
    }
}
