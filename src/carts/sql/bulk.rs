use uuid::Uuid;

use crate::{
    audit::{Actor, Authority, By, CartRef, Origin},
    carts::{
        CartFilter, CartId, Status,
        bulk::{BulkAction, BulkActionId, BulkActionKind, BulkItem, BulkSelection},
        listing::last_start,
    },
    database::{Connection, Pool},
};

/// The parameters of a selection in the statements below: ids, Active, Needs attention, search.
fn parts(selection: &BulkSelection) -> (Option<&[Uuid]>, Option<bool>, bool, Option<&str>) {
    match selection {
        BulkSelection::Carts(ids) => (Some(ids), None, false, None),
        BulkSelection::Matching { filter, search } => {
            let (active, attention) = match filter {
                CartFilter::All => (None, false),
                CartFilter::Active => (Some(true), false),
                CartFilter::Attention => (Some(true), true),
                CartFilter::Inactive => (Some(false), false),
            };
            (None, active, attention, search.as_deref())
        }
    }
}

/// Counts the carts of a selection; with `active_only`, only those that are on.
pub(in crate::carts) async fn count_selected(
    connection: &mut Connection,
    selection: &BulkSelection,
    active_only: bool,
) -> sqlx::Result<i64> {
    let (ids, active, attention, search) = parts(selection);
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from carts, ecommerce_integration integration
           where ($1::uuid[] is null or carts.id = any ($1))
             and ($2::boolean is null or (carts.is_active and integration.is_active) = $2)
             and (not $3 or status in ('needs-attention', 'not-connected'))
             and ($4::text is null or strpos(lower(website_name), lower($4)) between 1 and $6 or strpos(store_host, lower($4)) between 1 and $6)
             and (not $5 or carts.is_active or carts.activate_on_pass)"#,
        ids,
        active,
        attention,
        search,
        active_only,
        search.map_or(0, last_start)
    )
    .fetch_one(connection)
    .await
}

pub(in crate::carts) async fn insert(
    connection: &mut Connection,
    id: BulkActionId,
    kind: BulkActionKind,
    by: &By,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs (id, kind, made_by, made_by_name) values ($1, $2, $3, $4)",
        id.0,
        kind.as_str(),
        by.actor.id(),
        by.name()
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Inserts one item per cart, in the order of the list, and returns their number.
pub(in crate::carts) async fn insert_items(
    connection: &mut Connection,
    id: BulkActionId,
    selection: &BulkSelection,
) -> sqlx::Result<i32> {
    let (ids, active, attention, search) = parts(selection);
    sqlx::query!(
        "insert into job_items (job_id, position, cart_id)
         select $1, row_number() over (order by lower(website_name), carts.id), carts.id
         from carts, ecommerce_integration integration
         where ($2::uuid[] is null or carts.id = any ($2))
           and ($3::boolean is null or (carts.is_active and integration.is_active) = $3)
           and (not $4 or status in ('needs-attention', 'not-connected'))
           and ($5::text is null or strpos(lower(website_name), lower($5)) between 1 and $6 or strpos(store_host, lower($5)) between 1 and $6)",
        id.0,
        ids,
        active,
        attention,
        search,
        search.map_or(0, last_start)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        "update jobs set total = (select count(*) from job_items where job_id = $1) where id = $1 returning total",
        id.0
    )
    .fetch_one(connection)
    .await
}

pub(in crate::carts) async fn find(pool: &Pool, id: BulkActionId) -> sqlx::Result<Option<BulkAction>> {
    let Some(row) =
        sqlx::query!("select kind, made_by_name, total, cancelled_at, finished_at from jobs where id = $1", id.0)
            .fetch_optional(pool)
            .await?
    else {
        return Ok(None);
    };
    let outcomes = sqlx::query!(
        r#"select outcome as "outcome!", count(*) as "count!" from job_items where job_id = $1 and outcome is not null group by outcome"#,
        id.0
    )
    .fetch_all(pool)
    .await?;
    Ok(Some(BulkAction {
        id,
        kind: BulkActionKind::from_stored(&row.kind),
        made_by: row.made_by_name,
        total: row.total,
        is_cancelled: row.cancelled_at.is_some(),
        is_finished: row.finished_at.is_some(),
        outcomes: outcomes.into_iter().map(|row| (row.outcome, row.count)).collect(),
    }))
}

/// Leases the next open items of all bulk actions for a minute each, oldest first. Skips items that other replicas
/// hold.
pub(in crate::carts) async fn lease_items(pool: &Pool, limit: i64) -> sqlx::Result<Vec<BulkItem>> {
    let rows = sqlx::query!(
        r#"update job_items items set leased_until = now() + interval '1 minute'
           from jobs left join users on users.id = jobs.made_by
           where jobs.id = items.job_id and (items.job_id, items.position) in (
               select open.job_id, open.position from job_items open join jobs on jobs.id = open.job_id
               where open.outcome is null and (open.leased_until is null or open.leased_until < now())
                 and jobs.finished_at is null and jobs.cancelled_at is null
               order by jobs.made_at, open.position limit $1 for update of open skip locked)
           returning items.job_id, items.position, items.cart_id, jobs.kind, jobs.made_by, jobs.made_by_name, users.email as "email?""#,
        limit
    )
    .fetch_all(pool)
    .await?;
    let actor = |id: Option<Uuid>, name, email: Option<String>| match id {
        Some(id) => Actor::Person { id, name, email: email.unwrap_or_default(), authority: Authority::Started },
        None => Actor::System,
    };
    Ok(rows
        .into_iter()
        .map(|row| BulkItem {
            job: BulkActionId(row.job_id),
            position: row.position,
            cart: CartId(row.cart_id),
            kind: BulkActionKind::from_stored(&row.kind),
            by: By { actor: actor(row.made_by, row.made_by_name, row.email), origin: Origin::default() },
        })
        .collect())
}

/// Records the outcome of an item; `false` if it has one already.
pub(in crate::carts) async fn finish_item(
    connection: &mut Connection,
    item: &BulkItem,
    outcome: &str,
) -> sqlx::Result<bool> {
    let noted = sqlx::query!(
        "update job_items set outcome = $3 where job_id = $1 and position = $2 and outcome is null",
        item.job.0,
        item.position,
        outcome
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Finishes the bulk actions that have no open item any more.
pub(in crate::carts) async fn finish(pool: &Pool) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set finished_at = now() where finished_at is null and cancelled_at is null
           and not exists (select from job_items where job_id = jobs.id and outcome is null)"
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Cancels a bulk action; `false` if it is not running.
pub(in crate::carts) async fn cancel(connection: &mut Connection, id: BulkActionId) -> sqlx::Result<bool> {
    let cancelled = sqlx::query!(
        "update jobs set cancelled_at = now() where id = $1 and cancelled_at is null and finished_at is null",
        id.0
    )
    .execute(connection)
    .await?;
    Ok(cancelled.rows_affected() == 1)
}

/// Turns a cart off, and clears its pending activation.
pub(in crate::carts) async fn turn_off(
    connection: &mut Connection,
    id: CartId,
    status: Status,
    by: &str,
    by_id: Option<Uuid>,
) -> sqlx::Result<CartRef> {
    sqlx::query_as!(
        CartRef,
        "update carts set is_active = false, activate_on_pass = false, status = $2, retired_by = $3, version = version + 1, updated_at = now(),
            updated_by = $3, updated_by_id = $4
         where id = $1 returning id, website_name as name",
        id.0,
        status.as_str(),
        by,
        by_id
    )
    .fetch_one(connection)
    .await
}

/// Deletes bulk actions that started more than 30 days ago, finished or not.
pub(in crate::carts) async fn delete_old(pool: &Pool) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("delete from jobs where made_at < now() - interval '30 days'").execute(pool).await?;
    Ok(deleted.rows_affected())
}
