//! Alert settings: e-mail addresses and one webhook, all off by default. A webhook on a different host gets a new
//! signing secret: a stored secret is only used for the host that it was created for. The address is a secret too, and
//! is stored sealed for its host.

use time::OffsetDateTime;
use uuid::Uuid;

use secrecy::ExposeSecret;

use super::{Alerts, InternalError, LoggedDelivery, Recipient, SigningSecret, Untrusted, WebhookAddress, sql};
use crate::{
    audit::{self, By, Change, Event, Fresh, RequiredRole},
    database::{Connection, transaction},
    vault::{Place, Vault},
};

/// Lines of the delivery log that the page shows.
const SHOWN: i64 = 50;

/// The alert settings and the latest deliveries.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    pub email_on: bool,
    pub emails: Vec<String>,
    pub webhook: Option<WebhookState>,
    pub version: i64,
    /// Newest first.
    pub delivered: Vec<LoggedDelivery>,
}

/// The webhook as the page shows it.
#[derive(Clone, Debug)]
pub struct WebhookState {
    /// The address without its path.
    pub shown_address: String,
    pub secret_ending: String,
    /// Whether the key ring can open the address and the secret for this host.
    pub is_readable: bool,
    /// When the webhook answered 410, which turned it off.
    pub gone_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
    pub next_call: Option<OffsetDateTime>,
}

/// New settings from a user.
#[derive(Clone, Debug)]
pub struct AlertSettingsInput {
    /// Whether and where to send e-mail. `None` keeps both settings, if the page does not offer them.
    pub email: Option<(bool, Vec<Recipient>)>,
    pub webhook: WebhookChange,
    /// The version of the settings that the user saw.
    pub version: i64,
}

/// What to do with the webhook.
#[derive(Clone, Debug)]
pub enum WebhookChange {
    /// Leaves the address as it is, and turns the webhook on again if it answered 410.
    Keep,
    Set(WebhookAddress),
    Remove,
}

/// Result of a successful change.
#[derive(Debug)]
pub struct AlertSettingsChange {
    /// The new signing secret, to be shown once.
    pub new_secret: Option<SigningSecret>,
    /// Whether the host replaces a different one, rather than being the first.
    pub host_changed: bool,
}

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("somebody else changed the settings meanwhile")]
    Overtaken,
    #[error("there is no webhook, or its address cannot be read")]
    NoWebhook,
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl Alerts {
    pub async fn settings(&self) -> sqlx::Result<AlertSettings> {
        let row = sql::settings::find(&self.pool).await?;
        let mut connection = self.pool.acquire().await?;
        let webhook = sql::settings::find_webhook(&mut connection).await?;
        drop(connection);
        let webhook = match webhook {
            Some(row) => Some(WebhookState {
                is_readable: self.target_of(&row).is_some(),
                next_call: sql::settings::find_next_call(&self.pool).await?,
                shown_address: row.shown_address,
                secret_ending: row.secret_ending,
                gone_at: row.gone_at,
                failing_since: row.failing_since,
            }),
            None => None,
        };
        let delivered = sql::settings::list_log(&self.pool, SHOWN).await?;
        Ok(AlertSettings {
            email_on: row.email_on,
            emails: row.email_addresses,
            webhook,
            version: row.version,
            delivered,
        })
    }

    /// Opens the webhook's address and secret, both for the host of the same row. There is no other way to get them.
    pub(super) fn target_of(&self, row: &sql::settings::WebhookRow) -> Option<(WebhookAddress, SigningSecret)> {
        open_target(&self.vault, row)
    }

    /// Checks a webhook address by its text, without a DNS lookup.
    ///
    /// # Errors
    /// [`Untrusted`] if this server does not call the address.
    pub fn check(&self, address: &WebhookAddress) -> Result<(), Untrusted> {
        self.senders().webhooks.check(address)
    }

    /// Seals the webhook address that an earlier version stored as plain text. Returns whether there was one.
    pub async fn seal_addresses(&self) -> sqlx::Result<bool> {
        let vault = self.vault.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(plain) = sql::settings::lock_plain_address(work).await? else { return Ok(false) };
                match WebhookAddress::parse(&plain.address) {
                    Ok(address) if address.host() == plain.host => {
                        let sealed = vault.seal(&Place::alert_address(plain.id, &plain.host), &address.secret());
                        sql::settings::seal_plain_address(work, plain.id, &sealed, address.shown()).await?;
                    }
                    // Only a tampered database contains such a row: the address was never called, and cannot be sealed
                    // for its host.
                    _ => sql::settings::delete_webhook(work).await?,
                }
                Ok(true)
            })
        })
        .await
    }

    /// Applies new settings. Deletes queued deliveries to recipients that were removed.
    pub async fn change(
        &self,
        by: By,
        wanted: AlertSettingsInput,
        _: Fresh,
    ) -> Result<AlertSettingsChange, ChangeError> {
        let vault = self.vault.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let before = sql::settings::lock(work).await?;
                if before.version != wanted.version {
                    return Err(ChangeError::Overtaken);
                }
                let saved = sql::settings::find_webhook(work).await?.map(|row| {
                    let target = open_target(&vault, &row);
                    (row, target)
                });
                let was = saved.as_ref().map(|(row, _)| row.host.clone()).unwrap_or_default();
                let (is, new_secret) = match (&wanted.webhook, &saved) {
                    (WebhookChange::Keep, _) => {
                        sql::settings::turn_on_webhook(work).await?;
                        (was.clone(), None)
                    }
                    (WebhookChange::Set(address), Some((row, Some((stored, _))))) if row.host == address.host() => {
                        let sealed = seal_address(&vault, row.id, address);
                        sql::settings::update_webhook_address(work, &sealed, address.shown()).await?;
                        let is_same = stored.expose() == address.expose();
                        (if is_same { was.clone() } else { format!("{was}, another path") }, None)
                    }
                    (WebhookChange::Set(address), _) => {
                        let secret = SigningSecret::generate();
                        put_webhook(work, &vault, address, &secret).await?;
                        (address.host().to_owned(), Some(secret))
                    }
                    (WebhookChange::Remove, _) => {
                        sql::settings::delete_webhook(work).await?;
                        (String::new(), None)
                    }
                };
                let changed = AlertSettingsChange {
                    host_changed: new_secret.is_some() && !was.is_empty() && was != is,
                    new_secret,
                };
                let (on, emails) = match wanted.email {
                    Some((on, list)) => (on, list.iter().map(|one| one.as_str().to_owned()).collect()),
                    None => (before.email_on, before.email_addresses.clone()),
                };
                sql::settings::update(work, on, &emails, by.name()).await?;
                sql::settings::delete_unwanted(work).await?;
                let word = |on: bool| if on { "on" } else { "off" }.to_owned();
                let changes = [
                    Change { field: "Send e-mail", before: word(before.email_on), after: word(on) },
                    Change {
                        field: "E-mail addresses",
                        before: before.email_addresses.join(", "),
                        after: emails.join(", "),
                    },
                    // Only the host, because the address is a secret and Viewers can read the activity.
                    Change { field: "Webhook address", before: was, after: is },
                ];
                let changes: Vec<Change> = changes.into_iter().filter(|one| one.before != one.after).collect();
                if changes.is_empty() {
                    audit::demand(work, &by, RequiredRole::Change).await?;
                } else {
                    audit::record(work, &by, None, &Event::AlertsChanged { changes }).await?;
                }
                Ok(changed)
            })
        })
        .await
    }

    /// Replaces the signing secret of the existing webhook. The old secret is no longer used.
    pub async fn renew_secret(&self, by: By, _: Fresh) -> Result<SigningSecret, ChangeError> {
        let vault = self.vault.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let settings = sql::settings::lock(work).await?;
                let row = sql::settings::find_webhook(work).await?.ok_or(ChangeError::NoWebhook)?;
                let address = open_address(&vault, &row).ok_or(ChangeError::NoWebhook)?;
                let secret = SigningSecret::generate();
                put_webhook(work, &vault, &address, &secret).await?;
                sql::settings::update(work, settings.email_on, &settings.email_addresses, by.name()).await?;
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

/// Stores the webhook as a new row: a secret that was sealed for one row does not open in any other.
async fn put_webhook(
    work: &mut Connection,
    vault: &Vault,
    address: &WebhookAddress,
    secret: &SigningSecret,
) -> Result<(), ChangeError> {
    let id = Uuid::now_v7();
    let webhook = sql::settings::NewWebhook {
        id,
        host: address.host(),
        sealed_address: &seal_address(vault, id, address),
        shown_address: address.shown(),
        secret: &vault.seal(&Place::alert_secret(id, address.host()), secret.secret()),
        secret_ending: &secret.ending(),
    };
    sql::settings::replace_webhook(work, &webhook).await?;
    Ok(())
}

fn seal_address(vault: &Vault, id: Uuid, address: &WebhookAddress) -> Vec<u8> {
    vault.seal(&Place::alert_address(id, address.host()), &address.secret())
}

fn open_target(vault: &Vault, row: &sql::settings::WebhookRow) -> Option<(WebhookAddress, SigningSecret)> {
    let address = open_address(vault, row)?;
    let secret = vault.open(&Place::alert_secret(row.id, address.host()), &row.secret).ok()?;
    Some((address, SigningSecret::from_opened(secret)?))
}

/// Opens the address. It must be sealed for the host of its row.
fn open_address(vault: &Vault, row: &sql::settings::WebhookRow) -> Option<WebhookAddress> {
    let opened = vault.open(&Place::alert_address(row.id, &row.host), &row.sealed_address).ok()?;
    WebhookAddress::parse(opened.expose_secret()).ok().filter(|address| address.host() == row.host)
}
