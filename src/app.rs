//! One handle a noun, built once, for the server, the commands and the tests. Nothing below knows it.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    accounts::Accounts,
    alerts::{self, Alerts, Ways},
    clock::Clock,
    config::PublicUrl,
    database::Pool,
    ecommerce::{Ecommerce, shopify::client::Client},
    outbound::egress_addresses::EgressAddresses,
    proxies::TrustedProxies,
    vault::Vault,
};

/// Cheap to clone: every handle is a pool or an `Arc`.
#[derive(Clone, Debug)]
pub struct App {
    pub pool: Pool,
    pub accounts: Accounts,
    pub ecommerce: Ecommerce,
    pub alerts: Alerts,
    pub vault: Arc<Vault>,
    pub clock: Clock,
    pub site: Arc<Site>,
    /// Cancelled when the process was told to stop.
    pub stop: CancellationToken,
}

/// What the pages are told of the installation.
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
    /// Whether metrics are answered on a port of their own, and not among the pages.
    pub has_metrics_port: bool,
    /// The stores of the practice mode, where it is on.
    #[cfg(feature = "practice")]
    pub practice: Option<crate::practice::Stores>,
}

impl Site {
    /// Whether the practice store is on.
    pub fn practices(&self) -> bool {
        #[cfg(feature = "practice")]
        return self.practice.is_some();
        #[cfg(not(feature = "practice"))]
        false
    }
}

impl App {
    pub fn new(pool: Pool, vault: Vault, client: Client, site: Site) -> Self {
        let vault = Arc::new(vault);
        let house = alerts::House {
            product: site.product.clone(),
            origin: site.public_url.origin.clone(),
            egress_addresses: site.egress_addresses.clone(),
        };
        let alerts = Alerts::new(pool.clone(), vault.clone(), house, &Ways::default(), Clock::System);
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

    /// The same with the operator's ways out for alerts: a mail server, private names that webhooks may have, extra roots.
    pub fn with_alert_ways(mut self, ways: &Ways) -> anyhow::Result<Self> {
        self.alerts = self.alerts.with_ways(ways)?;
        Ok(self)
    }

    /// The same, not ready for requests any more once `stop` is cancelled.
    #[must_use]
    pub fn stopped_by(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Removes what is over: unsaved secrets, tests of stores that were never saved, sessions, alerts that were told, throttle
    /// windows. Notices saved secrets that do not open any more.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        self.ecommerce.sweep_unsaved().await?;
        self.ecommerce.sweep_tests().await?;
        self.accounts.sweep_sessions().await?;
        self.alerts.sweep().await?;
        self.ecommerce.sweep_jobs().await?;
        let mut connection = self.pool.acquire().await?;
        crate::database::throttle::sweep(&mut connection).await?;
        drop(connection);
        self.ecommerce.notice_unreadable().await?;
        self.ecommerce.end_shared_problems().await?;
        Ok(())
    }
}
