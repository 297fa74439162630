//! What decides whether a program gets the token of a cart.

use std::time::Duration;

use time::OffsetDateTime;

use super::token_refresh::MintRow;
use crate::{
    carts::{CartId, Status},
    causes::Class,
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreRef},
};

/// A cart, its saved credential and its condition, in one read.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub(in crate::carts) struct IssueRow {
    pub is_practice: bool,
    pub is_active: bool,
    pub integration_is_on: bool,
    pub status: Status,
    /// `None` if nothing is saved.
    pub mint: Option<MintRow>,
    /// The scopes granted when the store last accepted the credential, implied ones included.
    pub granted: Vec<String>,
    pub is_plus: bool,
    pub class: Option<Class>,
    pub title: Option<String>,
    pub failing_since: Option<OffsetDateTime>,
    /// The last renewal, if it failed.
    pub failed_renewal: Option<FailedRenewal>,
    /// The database's time.
    pub at: OffsetDateTime,
}

/// A renewal of the current token that failed.
pub(in crate::carts) struct FailedRenewal {
    pub class: Class,
    pub at: OffsetDateTime,
}

pub(in crate::carts) async fn find(pool: &Pool, id: CartId) -> sqlx::Result<Option<IssueRow>> {
    let row = sqlx::query!(
        r#"select c.is_practice, c.is_active, c.status, c.credential_kind, c.website_name, c.platform, c.store_key,
               c.store_host, c.secret_version, c.client_id, c.secret, c.minted_token, c.mint_version, coalesce(c.granted, '{}') as "granted!",
               extract(epoch from c.minted_ends_at - now())::float8 as left,
               extract(epoch from c.minted_ends_at - c.minted_at)::float8 as lives,
               c.last_class, c.last_title, c.failing_since,
               case when c.renewal_failed_version = c.mint_version then c.renewal_failed_class end as failed_class,
               c.renewal_failed_at as failed_at, now() as "at!",
               (select e.is_active from ecommerce_integration e) as "integration_is_on!",
               coalesce((select (h.store -> 'store' ->> 'is_plus')::boolean from cart_health h where h.cart_id = c.id), false) as "is_plus!"
           from carts c where c.id = $1"#,
        id.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| IssueRow {
        is_practice: row.is_practice,
        is_active: row.is_active,
        integration_is_on: row.integration_is_on,
        status: Status::from_stored(&row.status),
        mint: row.credential_kind.as_deref().and_then(CredentialKind::parse).zip(row.secret).map(|(kind, secret)| {
            MintRow {
                kind,
                name: row.website_name,
                store: StoreRef::from_stored(&row.platform, row.store_key, row.store_host),
                generation: row.secret_version,
                client_id: row.client_id,
                secret,
                minted: row.minted_token,
                left: row.left,
                lives: row.lives.and_then(|lives| Duration::try_from_secs_f64(lives).ok()),
                version: row.mint_version,
            }
        }),
        granted: row.granted,
        is_plus: row.is_plus,
        class: row.last_class.as_deref().and_then(Class::from_stored),
        title: row.last_title,
        failing_since: row.failing_since,
        failed_renewal: row
            .failed_class
            .as_deref()
            .and_then(Class::from_stored)
            .zip(row.failed_at)
            .map(|(class, at)| FailedRenewal { class, at }),
        at: row.at,
    }))
}

/// Makes the check of an active cart due now.
pub(in crate::carts) async fn check_now(connection: &mut Connection, id: CartId) -> sqlx::Result<()> {
    sqlx::query!("update cart_health set next_check_at = now() where cart_id = $1 and next_check_at > now()", id.0)
        .execute(connection)
        .await
        .map(drop)
}
