//! Key rotation for alerts: reseals the webhook's signing secret and its address.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::sql;
use crate::{
    database::{Connection, Pool, transaction},
    vault::{Batch, Place, SealedColumn, Tally, Vault},
};

#[derive(Clone, Copy, Debug)]
enum WebhookColumn {
    Secret,
    Address,
}

/// The columns of this module that hold sealed secrets.
pub fn sealed_columns() -> Vec<Box<dyn SealedColumn>> {
    vec![Box::new(WebhookColumn::Secret), Box::new(WebhookColumn::Address)]
}

impl SealedColumn for WebhookColumn {
    fn table(&self) -> &'static str {
        "alert_webhooks"
    }

    fn column(&self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Address => "sealed_address",
        }
    }

    fn tally<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>> {
        Box::pin(async move {
            match self {
                Self::Secret => sql::rotation::tally_signing_secrets(connection).await,
                Self::Address => sql::rotation::tally_addresses(connection).await,
            }
        })
    }

    fn reseal<'a>(&'a self, vault: &'a Arc<Vault>, pool: &'a Pool, after: Uuid) -> BoxFuture<'a, sqlx::Result<Batch>> {
        let (column, vault) = (*self, Arc::clone(vault));
        Box::pin(transaction(pool, move |work| Box::pin(async move { column.reseal_in(work, &vault, after).await })))
    }
}

impl WebhookColumn {
    async fn reseal_in(self, work: &mut Connection, vault: &Vault, after: Uuid) -> sqlx::Result<Batch> {
        let head = vault.head();
        let rows = match self {
            Self::Secret => sql::rotation::find_signing_secrets(work, &head, after).await?,
            Self::Address => sql::rotation::find_addresses(work, &head, after).await?,
        };
        let mut batch = Batch::default();
        for sql::rotation::SealedWebhookRow { id, host, sealed } in rows {
            batch.last = Some(id);
            let place = match self {
                Self::Secret => Place::alert_secret(id, &host),
                Self::Address => Place::alert_address(id, &host),
            };
            let Ok(opened) = vault.open(&place, &sealed) else {
                batch.unreadable.push(id);
                continue;
            };
            let resealed = vault.seal(&place, &opened);
            batch.resealed += match self {
                Self::Secret => sql::rotation::put_signing_secret(work, id, &sealed, &resealed).await?,
                Self::Address => sql::rotation::put_address(work, id, &sealed, &resealed).await?,
            };
        }
        vault.count_resealed(work, batch.resealed).await?;
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::vault::KeyRing;

    const HOST: &str = "ops.northwind.example";

    async fn vault(pool: &Pool, lines: &str) -> Arc<Vault> {
        let ring = KeyRing::parse(lines).expect("keys");
        Arc::new(Vault::open_with(ring, pool.clone()).await.expect("a vault"))
    }

    #[sqlx::test]
    async fn rotation_reseals_secret_and_address(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
        let before = vault(&pool, &old).await;
        let id = Uuid::now_v7();
        let places = [Place::alert_secret(id, HOST), Place::alert_address(id, HOST)];
        let secret = before.seal(&places[0], &"the secret".into());
        let address = before.seal(&places[1], &"the address".into());
        sqlx::query(
            "insert into alert_webhooks (id, host, secret, sealed_address, shown_address, secret_ending)
             values ($1, $2, $3, $4, 'https://ops.northwind.example/…', '9c2e')",
        )
        .bind(id)
        .bind(HOST)
        .bind(secret)
        .bind(address)
        .execute(&pool)
        .await
        .expect("a webhook");

        let both = vault(&pool, &format!("{new}\n{old}")).await;
        let mut connection = pool.acquire().await.expect("a connection");
        for column in sealed_columns() {
            let batch = column.reseal(&both, &pool, Uuid::nil()).await.expect("resealed");
            assert_eq!((batch.resealed, batch.last), (1, Some(id)), "{}", column.column());
            let tally = column.tally(&mut connection).await.expect("counted");
            assert_eq!(tally, [Tally { head: both.head().to_vec(), count: 1 }], "{}", column.column());
            let again = column.reseal(&both, &pool, Uuid::nil()).await.expect("resealed");
            assert_eq!(again, Batch::default(), "{} was sealed by the active key already", column.column());
        }
        let row = sql::settings::find_webhook(&mut connection).await.expect("read");
        let row = row.expect("the webhook");
        assert_eq!(both.open(&places[0], &row.secret).expect("opens").expose_secret(), "the secret");
        assert_eq!(both.open(&places[1], &row.sealed_address).expect("opens").expose_secret(), "the address");
    }
}
