//! SQL of a key rotation: the webhook's signing secret and address, if a key other than the active one sealed
//! them, or in an earlier format.

use uuid::Uuid;

use crate::{
    database::Connection,
    vault::{Tally, column::BATCH},
};

/// A sealed value and the host for which it is sealed.
pub(in crate::alerts) struct SealedWebhookRow {
    pub id: Uuid,
    pub host: String,
    pub sealed: Vec<u8>,
}

macro_rules! tally {
    ($connection:expr, $column:literal) => {
        sqlx::query_as!(
            Tally,
            "select substring("
                + $column
                + r#" from 1 for 9) as "head!", count(*) as "count!" from alert_webhooks where "#
                + $column
                + " is not null group by 1"
        )
        .fetch_all($connection)
        .await
    };
}

macro_rules! find {
    ($connection:expr, $head:expr, $after:expr, $column:literal) => {
        sqlx::query_as!(
            SealedWebhookRow,
            "select id, host, "
                + $column
                + r#" as "sealed!" from alert_webhooks where id > $2 and substring("#
                + $column
                + " from 1 for 9) <> $1 order by id limit $3",
            $head,
            $after,
            BATCH
        )
        .fetch_all($connection)
        .await
    };
}

/// Skips a row that is locked or has changed; a later pass reseals it.
macro_rules! put {
    ($connection:expr, $id:expr, $before:expr, $after:expr, $column:literal) => {{
        let written = sqlx::query!(
            "with free as (select id from alert_webhooks where id = $1 and "
                + $column
                + " = $2 for update skip locked) update alert_webhooks w set "
                + $column
                + " = $3 from free where w.id = free.id",
            $id,
            $before,
            $after
        )
        .execute($connection)
        .await?;
        Ok(i64::try_from(written.rows_affected()).expect("one row"))
    }};
}

pub(in crate::alerts) async fn tally_signing_secrets(connection: &mut Connection) -> sqlx::Result<Vec<Tally>> {
    tally!(connection, "secret")
}

pub(in crate::alerts) async fn tally_addresses(connection: &mut Connection) -> sqlx::Result<Vec<Tally>> {
    tally!(connection, "sealed_address")
}

pub(in crate::alerts) async fn find_signing_secrets(
    connection: &mut Connection,
    head: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<SealedWebhookRow>> {
    find!(connection, head, after, "secret")
}

pub(in crate::alerts) async fn find_addresses(
    connection: &mut Connection,
    head: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<SealedWebhookRow>> {
    find!(connection, head, after, "sealed_address")
}

pub(in crate::alerts) async fn put_signing_secret(
    connection: &mut Connection,
    id: Uuid,
    before: &[u8],
    after: &[u8],
) -> sqlx::Result<i64> {
    put!(connection, id, before, after, "secret")
}

pub(in crate::alerts) async fn put_address(
    connection: &mut Connection,
    id: Uuid,
    before: &[u8],
    after: &[u8],
) -> sqlx::Result<i64> {
    put!(connection, id, before, after, "sealed_address")
}
