//! The generations of saved secrets, beside those that the audit log recorded.

use uuid::Uuid;

use crate::database::Pool;

pub(in crate::carts) struct GenerationRow {
    pub id: Uuid,
    pub generation: i64,
    /// The format of the saved secret: one byte; `None` without a secret.
    pub format: Option<Vec<u8>>,
    /// The highest recorded generation; `None` if none is recorded.
    pub recorded: Option<i64>,
}

/// Carts after `after`, in order of their IDs. One statement, so that both numbers are of the same moment. The highest
/// recorded generation counts and not the newest event: the server's role may add events, but remove none.
pub(in crate::carts) async fn list(pool: &Pool, after: Uuid, limit: i64) -> sqlx::Result<Vec<GenerationRow>> {
    sqlx::query_as!(
        GenerationRow,
        r#"select c.id as "id!", c.secret_version as "generation!", substring(c.secret from 1 for 1) as format,
               (select max((e.data ->> 'generation')::bigint) from audit_events e
                where e.cart_id = c.id and e.what = 'carts' and e.data ? 'generation') as recorded
           from (select id, secret_version, secret from carts where id > $1 order by id limit $2) c
           order by c.id"#,
        after,
        limit
    )
    .fetch_all(pool)
    .await
}
