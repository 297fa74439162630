//! Key rotation for alerts: reseals the webhook's signing secret.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::sql;
use crate::{
    database::{Pool, transaction},
    vault::{Batch, Place, SealError, SealedColumn, Tally, Vault},
};

struct SigningSecrets;

/// The columns of this module that hold sealed secrets.
pub fn sealed_columns() -> Vec<Box<dyn SealedColumn>> {
    vec![Box::new(SigningSecrets)]
}

impl SealedColumn for SigningSecrets {
    fn table(&self) -> &'static str {
        "alert_webhooks"
    }

    fn column(&self) -> &'static str {
        "secret"
    }

    fn tally<'a>(&'a self, pool: &'a Pool) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>> {
        Box::pin(sql::tally_signing_secrets(pool))
    }

    fn reseal<'a>(
        &'a self,
        vault: &'a Arc<Vault>,
        pool: &'a Pool,
        after: Uuid,
    ) -> BoxFuture<'a, Result<Batch, SealError>> {
        let vault = Arc::clone(vault);
        Box::pin(transaction(pool, move |work| {
            Box::pin(async move {
                let active = *vault.ring().active().id();
                let mut batch = Batch::default();
                for (id, host, before) in sql::find_signing_secrets(work, &active, after).await? {
                    batch.last = Some(id);
                    let place = Place::alert_secret(id, &host);
                    let Ok(secret) = vault.open(&place, &before) else {
                        batch.unreadable.push(id);
                        continue;
                    };
                    let sealed = vault.seal(&place, &secret).await?;
                    batch.resealed += sql::put_signing_secret(work, id, &before, &sealed).await?;
                }
                vault.count_resealed(work, batch.resealed).await?;
                Ok(batch)
            })
        }))
    }
}
