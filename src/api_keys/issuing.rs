//! Makes, rotates and revokes keys. A change locks the table, so that no two changes both find a name free.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiKeyName, ApiKeyText, ApiKeys, ENDS_SOON_DAYS, KeyLifetime, KeyNetworks, KeyScopes, sql};
use crate::{
    audit::{self, By, Change, Event, Fresh},
    database::{Connection, transaction},
};

/// Live keys that may share one name: the one in use and the one that replaces it.
const LIVE_PER_NAME: i64 = 2;

/// A key to make, already validated.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: ApiKeyName,
    pub scopes: KeyScopes,
    /// At most [`super::KEY_CARTS_MAX`]; `None` for all carts.
    pub carts: Option<BTreeSet<Uuid>>,
    /// `None` for every address.
    pub networks: Option<KeyNetworks>,
    pub lifetime: KeyLifetime,
}

/// A key that was just made, with its text: the only time that it is known.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    pub id: Uuid,
    pub name: String,
    pub text: ApiKeyText,
    pub lifetime: KeyLifetime,
    pub ends_at: OffsetDateTime,
}

impl IssuedKey {
    /// Whether the recipients of alerts are notified before it ends.
    pub const fn is_announced(&self) -> bool {
        self.lifetime.days() > ENDS_SOON_DAYS
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    #[error("A key with this name works already. Rotate that one, or enter another name")]
    NameTaken,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    #[error("Two keys with this name work already. Revoke one of them first.")]
    TwoLive,
    #[error("This key does not work any more, so it cannot be rotated. Make a new key.")]
    NotLive,
    #[error("no key with this ID")]
    Unknown,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum FindKeyError {
    #[error("no key with this ID")]
    Unknown,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl ApiKeys {
    /// Makes a key and returns it, once.
    ///
    /// # Errors
    /// [`CreateKeyError::NameTaken`].
    pub async fn create(&self, by: By, new: NewApiKey, _: Fresh) -> Result<IssuedKey, CreateKeyError> {
        self.insert(by, new).await
    }

    /// Like `create`, by the operator from the command line.
    ///
    /// # Errors
    /// [`CreateKeyError::NameTaken`].
    pub async fn create_as_operator(&self, new: NewApiKey) -> Result<IssuedKey, CreateKeyError> {
        self.insert(By::operator(), new).await
    }

    async fn insert(&self, by: By, new: NewApiKey) -> Result<IssuedKey, CreateKeyError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::keys::lock_table(work).await?;
                if sql::keys::count_live(work, new.name.as_str()).await? > 0 {
                    return Err(CreateKeyError::NameTaken);
                }
                let row = sql::keys::NewKeyRow {
                    name: new.name.as_str().to_owned(),
                    scopes: new.scopes.texts(),
                    carts: new.carts.map(|carts| carts.into_iter().collect()),
                    networks: new.networks.map(|networks| networks.texts()),
                    lifetime: new.lifetime,
                    replaces: None,
                };
                let issued = issue(work, &by, &row).await?;
                let event = Event::ApiKeyMade {
                    name: issued.name.clone(),
                    ending: issued.text.ending().to_owned(),
                    changes: changes(&row, issued.ends_at),
                };
                audit::record(work, &by, None, &event).await?;
                Ok(issued)
            })
        })
        .await
    }

    /// Makes a key with the name, the scopes, the lists and the lifetime of this one, which works until it is revoked
    /// or ends.
    ///
    /// # Errors
    /// [`RotateKeyError::TwoLive`], [`RotateKeyError::NotLive`] or [`RotateKeyError::Unknown`].
    pub async fn rotate(&self, by: By, key: Uuid, _: Fresh) -> Result<IssuedKey, RotateKeyError> {
        self.replace(by, key).await
    }

    pub(super) async fn replace(&self, by: By, key: Uuid) -> Result<IssuedKey, RotateKeyError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::keys::lock_table(work).await?;
                let known = sql::keys::find_for_change(work, key).await?.ok_or(RotateKeyError::Unknown)?;
                if !known.is_live {
                    return Err(RotateKeyError::NotLive);
                }
                if sql::keys::count_live(work, &known.name).await? >= LIVE_PER_NAME {
                    return Err(RotateKeyError::TwoLive);
                }
                let row = sql::keys::NewKeyRow {
                    name: known.name,
                    scopes: known.scopes,
                    carts: known.carts,
                    networks: known.networks,
                    lifetime: KeyLifetime::of_stored(known.ends_at - known.created_at),
                    replaces: Some(key),
                };
                let issued = issue(work, &by, &row).await?;
                let ending = issued.text.ending().to_owned();
                let change = |field, before, after| Change { field, before, after };
                let event = Event::ApiKeyRotated {
                    name: issued.name.clone(),
                    ending: ending.clone(),
                    changes: vec![
                        change("Newest key", format!("Ends in {}", known.ending), format!("Ends in {ending}")),
                        change("Works until", date(known.ends_at), date(issued.ends_at)),
                    ],
                };
                audit::record(work, &by, None, &event).await?;
                Ok(issued)
            })
        })
        .await
    }

    /// Revokes a key at once. Returns whether it worked until now.
    ///
    /// # Errors
    /// [`FindKeyError::Unknown`].
    pub async fn revoke(&self, by: By, key: Uuid, _: Fresh) -> Result<bool, FindKeyError> {
        self.end(by, key).await
    }

    /// Like `revoke`, by the operator from the command line.
    ///
    /// # Errors
    /// [`FindKeyError::Unknown`].
    pub async fn revoke_as_operator(&self, key: Uuid) -> Result<bool, FindKeyError> {
        self.end(By::operator(), key).await
    }

    async fn end(&self, by: By, key: Uuid) -> Result<bool, FindKeyError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::keys::lock_table(work).await?;
                let known = sql::keys::find_for_change(work, key).await?.ok_or(FindKeyError::Unknown)?;
                if !known.is_live {
                    return Ok(false);
                }
                sql::keys::revoke(work, key, by.name()).await?;
                let event = Event::ApiKeyRevoked { name: known.name, ending: known.ending };
                audit::record(work, &by, None, &event).await?;
                Ok(true)
            })
        })
        .await
    }
}

async fn issue(work: &mut Connection, by: &By, row: &sql::keys::NewKeyRow) -> sqlx::Result<IssuedKey> {
    let (id, text) = (Uuid::now_v7(), ApiKeyText::generate());
    let ends_at = sql::keys::insert(work, id, &text, row, by).await?;
    Ok(IssuedKey { id, name: row.name.clone(), text, lifetime: row.lifetime, ends_at })
}

/// What a new key allows, for the activity.
fn changes(row: &sql::keys::NewKeyRow, ends_at: OffsetDateTime) -> Vec<Change> {
    let change = |field, after| Change { field, before: "–".into(), after };
    let carts = match row.carts.as_deref() {
        None => "All carts".to_owned(),
        Some([_]) => "1 cart".into(),
        Some(carts) => format!("{} carts", carts.len()),
    };
    vec![
        change("Scopes", row.scopes.join(", ")),
        change("Carts", carts),
        change("Networks", row.networks.as_ref().map_or_else(|| "All".into(), |networks| networks.join(", "))),
        change("Works until", date(ends_at)),
    ]
}

/// "2026-11-23 19:31 UTC".
fn date(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}
