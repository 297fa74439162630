//! Notifies recipients when a cart starts or stops needing attention: by signed webhook and by e-mail, on change only.
//! The same outbox delivers notices to users about changes of their account, by e-mail only.
//!
//! A change writes its alert into an outbox in its own transaction ([`queue`]). A delivery run leases the alert,
//! **commits**, sends it, and records the result. So a crash loses no alert, and no two replicas send the same alert at
//! once. Knows nothing about carts: their data is passed as values.

mod account;
mod change;
mod delivery;
mod email_delivery;
mod email_text;
pub mod mail;
mod outbox;
mod payload;
mod recipients;
mod redirect_target;
mod rotation;
mod settings;
mod shared_problem;
mod signing;
mod sql;
mod test_alerts;
mod trusted_hosts;
mod webhook;
mod webhook_address;
mod webhook_delivery;

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use crate::{
    clock::Clock,
    database::Pool,
    outbound::egress_addresses::EgressAddresses,
    vault::{InternalError, Vault},
};

pub use account::{AccountChange, AccountNotice};
pub use change::{Alert, AlertCredential, CartStatus, EndingApiKey, StatusChange};
pub use delivery::{DeliveryRun, keep_delivering};
pub use mail::{MailServer, MailServerError};
pub use outbox::{queue, queue_alert, queue_for_webhook, queue_notice};
pub use recipients::{Recipient, RecipientsError};
pub use rotation::sealed_columns;
pub use settings::{AlertSettings, AlertSettingsChange, AlertSettingsInput, ChangeError, WebhookChange, WebhookState};
pub use shared_problem::{SharedProblem, hold, withdraw};
pub use signing::SigningSecret;
pub use sql::settings::LoggedDelivery;
pub use test_alerts::{TestAlertResult, TestAlerts};
pub use trusted_hosts::{TrustedHosts, Untrusted};
pub use webhook_address::{WebhookAddress, WebhookAddressError};

/// Timeout of a webhook call, and of a session with a mail server: 10 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The operator's transports for alerts. The default has no mail server and trusts no host.
#[derive(Clone, Debug, Default)]
pub struct Transports {
    pub mail: Option<Arc<MailServer>>,
    pub trusted_hosts: TrustedHosts,
    /// PEM certificates trusted in addition to Mozilla's.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// Facts about this site that alerts contain.
#[derive(Clone, Debug)]
pub struct SiteInfo {
    pub product: String,
    /// Scheme, host and port of our pages.
    pub origin: String,
    /// The public addresses from which Shopify is called.
    pub egress_addresses: EgressAddresses,
}

impl SiteInfo {
    /// The address of one of our pages; `path` is of [`crate::urls`].
    fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Handle for all alert operations.
#[derive(Clone, Debug)]
pub struct Alerts {
    pool: Pool,
    vault: Arc<Vault>,
    house: Arc<SiteInfo>,
    senders: Arc<RwLock<Arc<Senders>>>,
    clock: Clock,
}

/// The senders of the current transports.
#[derive(Debug)]
struct Senders {
    webhooks: webhook::WebhookClient,
    mail: Option<mail::Mail>,
}

impl Senders {
    fn new(ways: &Transports, origin: &str) -> anyhow::Result<Arc<Self>> {
        let roots = ways.extra_roots_pem.as_deref();
        let mail = ways.mail.as_ref().map(|server| mail::Mail::new(server, origin, roots)).transpose()?;
        Ok(Arc::new(Self { webhooks: webhook::WebhookClient::new(&ways.trusted_hosts, roots)?, mail }))
    }
}

impl Alerts {
    /// # Errors
    /// The extra roots are not certificates, or the sender address is not valid.
    pub fn new(
        pool: Pool,
        vault: Arc<Vault>,
        house: SiteInfo,
        ways: &Transports,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let senders = Arc::new(RwLock::new(Senders::new(ways, &house.origin)?));
        Ok(Self { pool, vault, house: Arc::new(house), senders, clock })
    }

    /// Replaces the transports.
    ///
    /// # Errors
    /// As [`Alerts::new`].
    pub fn with_ways(self, ways: &Transports) -> anyhow::Result<Self> {
        Self::new(self.pool, self.vault, SiteInfo::clone(&self.house), ways, self.clock)
    }

    /// Switches to these transports. Deliveries in progress continue with the previous ones.
    ///
    /// # Errors
    /// As [`Alerts::new`]; the previous transports stay in use.
    pub fn reload(&self, ways: &Transports) -> anyhow::Result<()> {
        let senders = Senders::new(ways, &self.house.origin)?;
        *self.senders.write().expect("lock is never poisoned") = senders;
        Ok(())
    }

    fn senders(&self) -> Arc<Senders> {
        self.senders.read().expect("lock is never poisoned").clone()
    }

    /// Whether the operator has set up a mail server.
    pub fn has_mail(&self) -> bool {
        self.senders().mail.is_some()
    }

    /// Deletes delivered alerts, old log lines, and addresses that are no longer in use.
    pub async fn sweep(&self) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        sql::deliveries::sweep(&mut connection).await
    }
}
