//! One handle a noun, built once, for the server, the commands and the tests. Nothing below knows it.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;

use crate::{
    accounts::Accounts,
    clock::Clock,
    config::PublicUrl,
    ecommerce::{Ecommerce, shopify::client::Client},
    vault::Vault,
};

/// Cheap to clone: every handle is a pool or an `Arc`.
#[derive(Clone, Debug)]
pub struct App {
    pub pool: PgPool,
    pub accounts: Accounts,
    pub ecommerce: Ecommerce,
    pub clock: Clock,
    pub site: Arc<Site>,
}

/// What the pages are told of the installation.
#[derive(Debug)]
pub struct Site {
    /// `PRODUCT_NAME`.
    pub product: String,
    pub public_url: PublicUrl,
    pub support: Option<String>,
    pub metrics: Option<PrometheusHandle>,
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
    pub fn new(pool: PgPool, vault: Vault, client: Client, site: Site) -> Self {
        Self {
            accounts: Accounts::new(pool.clone()),
            ecommerce: Ecommerce::new(pool.clone(), Arc::new(vault), Arc::new(client), site.practices(), Clock::System),
            clock: Clock::System,
            site: Arc::new(site),
            pool,
        }
    }

    /// Removes what is over: unsaved secrets, tests of stores that were never saved, throttle windows.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        self.ecommerce.sweep_unsaved().await?;
        self.ecommerce.sweep_tests().await?;
        self.ecommerce.sweep_jobs().await?;
        let mut connection = self.pool.acquire().await?;
        crate::database::throttle::sweep(&mut connection).await?;
        Ok(())
    }
}
