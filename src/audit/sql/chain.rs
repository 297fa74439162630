//! SQL of the hash chain. Links are inserted and read, never changed; a trigger fills the queue of unlinked rows.

use uuid::Uuid;

use crate::{
    audit::chain::{ChainHead, ChainedRow},
    database::{Connection, Pool},
};

/// Advisory lock held while links are inserted or months are dropped. Migration 0023 uses the same number.
const CHAIN_LOCK: i64 = 71_082_930_472;

/// Takes the lock until the transaction ends. Returns false if another process holds it.
pub(in crate::audit) async fn try_lock(work: &mut Connection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "has_lock!""#, CHAIN_LOCK).fetch_one(work).await
}

pub(in crate::audit) async fn find_head(connection: &mut Connection) -> sqlx::Result<Option<ChainHead>> {
    let row = sqlx::query!("select position, hash from audit_links order by position desc limit 1");
    let row = row.fetch_optional(connection).await?;
    // A check constraint guarantees the length.
    Ok(row.map(|row| ChainHead { position: row.position, hash: row.hash.try_into().unwrap_or_default() }))
}

/// Unlinked rows, oldest first.
pub(in crate::audit) async fn list_unlinked(work: &mut Connection, limit: i64) -> sqlx::Result<Vec<ChainedRow>> {
    sqlx::query_as!(
        ChainedRow,
        r#"select e.id, timestamptz_send(e.at) as "at!", e.actor_kind, e.actor_id, e.actor_name, e.actor_email, e.event, e.cart_id,
               e.cart_name, e.data::text as "data!", e.request_id, e.ip, e.user_agent, e.what
           from audit_unlinked u join audit_events e on e.id = u.event_id and e.at = u.event_at
           order by u.event_at, u.event_id limit $1"#,
        limit
    )
    .fetch_all(work)
    .await
}

/// Inserts the links of queued rows, from position `first` on.
pub(in crate::audit) async fn insert_links(
    work: &mut Connection,
    first: i64,
    ids: &[Uuid],
    hashes: &[Vec<u8>],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit_links (position, event_id, event_at, hash)
         select $1 + link.n - 1, u.event_id, u.event_at, link.hash
         from unnest($2::uuid[], $3::bytea[]) with ordinality as link (event_id, hash, n)
         join audit_unlinked u on u.event_id = link.event_id",
        first,
        ids,
        hashes
    )
    .execute(work)
    .await
    .map(drop)
}

pub(in crate::audit) async fn delete_unlinked(work: &mut Connection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from audit_unlinked where event_id = any($1)", ids).execute(work).await.map(drop)
}

/// Returns true at most once a day, and records that the head is reported now.
pub(in crate::audit) async fn claim_head_report(work: &mut Connection) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "update audit_head_reports set reported_at = now()
         where reported_at is null or reported_at < now() - interval '1 day' or reported_at > now() + interval '1 minute'"
    );
    Ok(claimed.execute(work).await?.rows_affected() > 0)
}

/// A link with its row; the row's columns are `None` if the row is missing.
pub(in crate::audit) struct ChainLinkRow {
    pub position: i64,
    pub hash: Vec<u8>,
    pub event_id: Uuid,
    pub event_at: String,
    pub event_seconds: f64,
    pub is_of_dropped_month: bool,
    id: Option<Uuid>,
    at: Option<Vec<u8>>,
    actor_kind: Option<String>,
    actor_id: Option<Uuid>,
    actor_name: Option<String>,
    actor_email: Option<String>,
    event: Option<String>,
    cart_id: Option<Uuid>,
    cart_name: Option<String>,
    data: Option<String>,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    what: Option<String>,
}

impl ChainLinkRow {
    pub(in crate::audit) fn row(&self) -> Option<ChainedRow> {
        let row = self;
        Some(ChainedRow {
            id: row.id?,
            at: row.at.clone()?,
            actor_kind: row.actor_kind.clone()?,
            actor_id: row.actor_id,
            actor_name: row.actor_name.clone()?,
            actor_email: row.actor_email.clone(),
            event: row.event.clone()?,
            cart_id: row.cart_id,
            cart_name: row.cart_name.clone(),
            data: row.data.clone()?,
            request_id: row.request_id.clone(),
            ip: row.ip.clone(),
            user_agent: row.user_agent.clone(),
            what: row.what.clone(),
        })
    }
}

/// Links after a position. `dropped_until` is the last dropped month, such as `2024-10`.
pub(in crate::audit) async fn list_links(
    pool: &Pool,
    after: i64,
    dropped_until: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<ChainLinkRow>> {
    sqlx::query_as!(
        ChainLinkRow,
        r#"select l.position, l.hash, l.event_id, l.event_at::text as "event_at!",
               extract(epoch from l.event_at)::float8 as "event_seconds!",
               coalesce(to_char(l.event_at, 'YYYY-MM') <= $2, false) as "is_of_dropped_month!",
               e.id as "id?", timestamptz_send(e.at) as "at?", e.actor_kind as "actor_kind?", e.actor_id,
               e.actor_name as "actor_name?", e.actor_email, e.event as "event?", e.cart_id, e.cart_name, e.data::text as "data?",
               e.request_id, e.ip, e.user_agent, e.what
           from (select * from audit_links where position > $1 order by position limit $3) l
           left join audit_events e on e.id = l.event_id and e.at = l.event_at
           order by l.position"#,
        after,
        dropped_until,
        limit
    )
    .fetch_all(pool)
    .await
}

/// An audit log row. `is_accounted` is true if the row is linked, or has been queued for at most ten minutes.
pub(in crate::audit) struct AccountedRow {
    pub id: Uuid,
    pub at: String,
    pub is_accounted: bool,
}

pub(in crate::audit) async fn list_rows(pool: &Pool, after: Uuid, limit: i64) -> sqlx::Result<Vec<AccountedRow>> {
    sqlx::query_as!(
        AccountedRow,
        r#"select e.id as "id!", e.at::text as "at!",
               exists (select from audit_links l where l.event_id = e.id and l.event_at = e.at)
                   or exists (select from audit_unlinked u where u.event_id = e.id and u.event_at = e.at and e.at > now() - interval '10 minutes')
                   as "is_accounted!"
           from (select id, at from audit_events where id > $1 order by id limit $2) e order by e.id"#,
        after,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Rows that were queued more than ten minutes ago and no longer exist.
pub(in crate::audit) async fn list_lost(pool: &Pool) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        r#"select u.event_id, u.event_at::text as "event_at!" from audit_unlinked u
           where u.event_at < now() - interval '10 minutes'
               and not exists (select from audit_events e where e.id = u.event_id and e.at = u.event_at)
           order by u.event_at limit 1000"#
    );
    Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.event_id, row.event_at)).collect())
}

/// The last dropped month, as `YYYY-MM`.
pub(in crate::audit) async fn find_dropped_until(pool: &Pool) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select max(data ->> 'month') from audit_events where event = 'activity_month_dropped'")
        .fetch_one(pool)
        .await
}

/// Number of positions that the kept links span.
pub(in crate::audit) async fn count_links(pool: &Pool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(max(position) - min(position) + 1, 0) as "links!" from audit_links"#)
        .fetch_one(pool)
        .await
}
