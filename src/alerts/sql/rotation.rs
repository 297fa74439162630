//! SQL of a key rotation: the signing secret, if another key than the active one sealed it.

use uuid::Uuid;

use crate::{
    database::{Connection, Pool},
    vault::{Tally, column::BATCH},
};

pub(in crate::alerts) async fn tally_signing_secrets(pool: &Pool) -> sqlx::Result<Vec<Tally>> {
    sqlx::query_as!(
        Tally,
        r#"select substring(secret from 2 for 8) as "key_id!", count(*) as "count!" from alert_webhooks group by 1"#
    )
    .fetch_all(pool)
    .await
}

pub(in crate::alerts) async fn find_signing_secrets(
    connection: &mut Connection,
    active: &[u8],
    after: Uuid,
) -> sqlx::Result<Vec<(Uuid, String, Vec<u8>)>> {
    let rows = sqlx::query!(
        "select id, host, secret from alert_webhooks
         where id > $2 and substring(secret from 2 for 8) <> $1 order by id limit $3",
        active,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.host, row.secret)).collect())
}

/// Skips a row that is being changed; a later pass reseals it.
pub(in crate::alerts) async fn put_signing_secret(
    connection: &mut Connection,
    id: Uuid,
    before: &[u8],
    after: &[u8],
) -> sqlx::Result<i64> {
    let written = sqlx::query!(
        "with free as (select id from alert_webhooks where id = $1 and secret = $2 for update skip locked)
         update alert_webhooks w set secret = $3 from free where w.id = free.id",
        id,
        before,
        after
    )
    .execute(connection)
    .await?;
    Ok(i64::try_from(written.rows_affected()).expect("one row"))
}
