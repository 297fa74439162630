//! Alert settings: e-mail addresses and one webhook. Nothing is on by default. Another webhook host gets another
//! signing secret: a stored secret is never used for a host that it was not made for.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Alerts, Broken, Recipient, SigningSecret, WebhookAddress, sql};
use crate::{
    audit::{self, By, Change, Event, Fresh, Permission},
    database::transaction,
    vault::Place,
};

/// Lines of the delivery log that the page shows.
const SHOWN: i64 = 50;

/// The alert settings and the latest deliveries.
#[derive(Clone, Debug)]
pub struct Settings {
    pub email_on: bool,
    pub emails: Vec<String>,
    pub webhook: Option<WebhookState>,
    pub version: i64,
    /// Newest first.
    pub delivered: Vec<Delivered>,
}

/// The webhook as the page shows it.
#[derive(Clone, Debug)]
pub struct WebhookState {
    pub address: String,
    pub host: String,
    pub secret_ending: String,
    /// Whether the key ring opens the secret for this host.
    pub is_readable: bool,
    /// When it answered 410. It is off since then.
    pub gone_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
    pub next_call: Option<OffsetDateTime>,
}

/// A line of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub at: OffsetDateTime,
    /// `email` or `webhook`.
    pub channel: String,
    pub recipient: String,
    pub outcome: String,
    pub is_delivered: bool,
    /// Whether the message may have arrived.
    pub is_uncertain: bool,
    pub subject: String,
}

/// New settings from a user.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whether and where to send e-mail. `None` keeps both, if the page does not offer them.
    pub email: Option<(bool, Vec<Recipient>)>,
    pub webhook: Option<WebhookAddress>,
    /// The version of the settings that the user saw.
    pub version: i64,
}

/// Result of a change.
#[derive(Debug)]
pub struct Changed {
    /// To be shown once.
    pub new_secret: Option<SigningSecret>,
    /// Whether the host differs from a previous one, rather than being the first.
    pub host_changed: bool,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("somebody else changed the settings meanwhile")]
    Overtaken,
    #[error("there is no webhook")]
    NoWebhook,
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl Alerts {
    pub async fn settings(&self) -> sqlx::Result<Settings> {
        let row = sql::find_settings(&self.pool).await?;
        let mut connection = self.pool.acquire().await?;
        let webhook = sql::find_webhook(&mut connection).await?;
        drop(connection);
        let webhook = match webhook {
            Some(row) => Some(WebhookState {
                is_readable: self.secret_of(&row).is_some(),
                next_call: sql::find_next_call(&self.pool).await?,
                address: row.address,
                host: row.host,
                secret_ending: row.secret_ending,
                gone_at: row.gone_at,
                failing_since: row.failing_since,
            }),
            None => None,
        };
        let delivered = sql::list_log(&self.pool, SHOWN).await?;
        Ok(Settings { email_on: row.email_on, emails: row.email_addresses, webhook, version: row.version, delivered })
    }

    /// The only path from a row to its secret: for the host of the same row, as it is called.
    pub(super) fn secret_of(&self, row: &sql::WebhookRow) -> Option<SigningSecret> {
        let address = WebhookAddress::from_stored(&row.address).filter(|address| address.host() == row.host)?;
        let opened = self.vault.open(&Place::alert_secret(row.id, address.host()), &row.secret).ok()?;
        SigningSecret::from_opened(opened)
    }

    /// Whether a webhook's host resolves to private addresses only at this moment.
    pub async fn is_private(&self, address: &WebhookAddress) -> bool {
        self.senders().webhooks.is_private(address.host()).await
    }

    /// Sets what a person wants. What waits for whoever is told no more is forgotten.
    pub async fn change(&self, by: By, wanted: Wanted, _: Fresh) -> Result<Changed, ChangeError> {
        let vault = self.vault.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let before = sql::lock_settings(work).await?;
                if before.version != wanted.version {
                    return Err(ChangeError::Overtaken);
                }
                let webhook = sql::find_webhook(work).await?;
                let was = webhook.as_ref().map(|webhook| webhook.address.clone()).unwrap_or_default();
                let mut changed = Changed { new_secret: None, host_changed: false };
                match (&wanted.webhook, &webhook) {
                    (Some(address), Some(row)) if row.host == address.host() => {
                        sql::update_webhook_address(work, address.as_str()).await?;
                    }
                    (Some(address), row) => {
                        let secret = SigningSecret::generate();
                        put_webhook(work, &vault, address, &secret).await?;
                        changed = Changed { new_secret: Some(secret), host_changed: row.is_some() };
                    }
                    (None, _) => sql::delete_webhook(work).await?,
                }
                let (on, emails) = match wanted.email {
                    Some((on, list)) => (on, list.iter().map(|one| one.as_str().to_owned()).collect()),
                    None => (before.email_on, before.email_addresses.clone()),
                };
                sql::update_settings(work, on, &emails, by.name()).await?;
                sql::delete_unwanted(work).await?;
                let is = wanted.webhook.as_ref().map(|address| address.as_str().to_owned()).unwrap_or_default();
                let word = |on: bool| if on { "on" } else { "off" }.to_owned();
                let changes = [
                    Change { field: "Send e-mail", before: word(before.email_on), after: word(on) },
                    Change {
                        field: "E-mail addresses",
                        before: before.email_addresses.join(", "),
                        after: emails.join(", "),
                    },
                    told(&was, &is),
                ];
                let changes: Vec<Change> = changes.into_iter().filter(|one| one.before != one.after).collect();
                if changes.is_empty() {
                    audit::demand(work, &by, Permission::Change).await?;
                } else {
                    audit::record(work, &by, None, &Event::AlertsChanged { changes }).await?;
                }
                Ok(changed)
            })
        })
        .await
    }

    /// Makes another signing secret for the webhook that is there; the old one is used no more.
    pub async fn renew_secret(&self, by: By, _: Fresh) -> Result<SigningSecret, ChangeError> {
        let vault = self.vault.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let settings = sql::lock_settings(work).await?;
                let row = sql::find_webhook(work).await?.ok_or(ChangeError::NoWebhook)?;
                let address = WebhookAddress::from_stored(&row.address).ok_or(ChangeError::NoWebhook)?;
                let secret = SigningSecret::generate();
                put_webhook(work, &vault, &address, &secret).await?;
                sql::update_settings(work, settings.email_on, &settings.email_addresses, by.name()).await?;
                let change = Change {
                    field: "Signing secret",
                    before: format!("ends in {}", row.secret_ending),
                    after: format!("ends in {}", secret.ending()),
                };
                audit::record(work, &by, None, &Event::AlertsChanged { changes: vec![change] }).await?;
                Ok(secret)
            })
        })
        .await
    }
}

/// Stores each secret in a row of its own: a secret sealed for one row opens in no other.
async fn put_webhook(
    work: &mut crate::database::Connection,
    vault: &crate::vault::Vault,
    address: &WebhookAddress,
    secret: &SigningSecret,
) -> Result<(), ChangeError> {
    let id = Uuid::now_v7();
    let sealed = vault.seal(&Place::alert_secret(id, address.host()), secret.secret()).await;
    let sealed = sealed.map_err(|error| ChangeError::Broken(error.into()))?;
    sql::replace_webhook(work, id, address.as_str(), address.host(), &sealed, &secret.ending()).await?;
    Ok(())
}

/// The change for the audit log, which Viewers can read: the host only, because a path may be a key of the receiver.
fn told(was: &str, is: &str) -> Change {
    let host = |address: &str| WebhookAddress::from_stored(address).map(|address| address.host().to_owned());
    let (before, mut after) = (host(was).unwrap_or_default(), host(is).unwrap_or_default());
    if before == after && was != is {
        after.push_str(", another path");
    }
    Change { field: "Webhook address", before, after }
}
