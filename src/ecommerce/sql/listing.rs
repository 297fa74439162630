use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::ecommerce::{
    CartFilter, CartId, CartRow, Counts, ListQuery, Status,
    health::PastCheck,
    listing::{COUNT_TO, Cursor},
    verdict::Class,
};

/// One page in the order of the names. While the integration is off every cart but a Draft counts as inactive.
pub(in crate::ecommerce) async fn list(
    connection: &mut PgConnection,
    on: bool,
    query: &ListQuery,
    limit: i64,
) -> sqlx::Result<Vec<CartRow>> {
    let (active, statuses): (Option<bool>, &[&str]) = match query.filter {
        CartFilter::All => (None, &[]),
        CartFilter::Active => (Some(true), &[]),
        CartFilter::Attention => (Some(true), &["needs-attention", "not-connected"]),
        CartFilter::Inactive => (Some(false), &[]),
    };
    let statuses: Vec<String> = statuses.iter().map(|status| (*status).to_owned()).collect();
    let backwards = query.before.is_some();
    let cursor: Option<&Cursor> = query.before.as_ref().or(query.after.as_ref());
    let rows = sqlx::query!(
        r#"
        select id, website_name, lower(website_name) as "sort_name!", store_host, is_practice, is_active, status, last_class, last_title,
            missing_count, h.last_checked_at as "last_checked_at?", failing_since, retired_by,
            is_disconnected, locations_gone, h.recent as "recent?"
        from carts left join cart_health h on h.cart_id = carts.id
        where ($1::boolean is null or (is_active and $2) = $1)
          and (cardinality($3::text[]) = 0 or status = any ($3))
          and ($4::text is null or strpos(lower(website_name), lower($4)) > 0 or strpos(store_host, lower($4)) > 0)
          and ($5::text is null or case when $7 then (lower(website_name), id) < ($5, $6::uuid)
                                        else (lower(website_name), id) > ($5, $6::uuid) end)
        order by case when $7 then lower(website_name) end desc, case when $7 then id end desc, lower(website_name), id
        limit $8
        "#,
        active,
        on,
        &statuses,
        query.search,
        cursor.map(|cursor| cursor.name.as_str()),
        cursor.map(|cursor| cursor.id),
        backwards,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CartRow {
            id: CartId(row.id),
            cursor: Cursor { name: row.sort_name, id: row.id },
            website_name: row.website_name,
            store_host: row.store_host,
            is_practice: row.is_practice,
            is_active: row.is_active,
            status: Status::from_stored(&row.status).under(on),
            last_class: row.last_class.as_deref().and_then(Class::from_stored),
            last_title: row.last_title,
            missing_count: row.missing_count,
            last_checked_at: row.last_checked_at,
            failing_since: row.failing_since,
            retired_by: row.retired_by,
            is_disconnected: row.is_disconnected,
            locations_gone: row.locations_gone,
            recent: PastCheck::unpack(&row.recent.unwrap_or_default()),
        })
        .collect())
}

/// Which of these carts are there.
pub(in crate::ecommerce) async fn list_existing(pool: &PgPool, carts: &[Uuid]) -> sqlx::Result<HashSet<CartId>> {
    let there = sqlx::query_scalar!("select id from carts where id = any ($1)", carts).fetch_all(pool).await?;
    Ok(there.into_iter().map(CartId).collect())
}

/// Whether the integration is on, and how many carts each filter holds; each count stops at [`COUNT_TO`].
///
/// While it is on, a count names one column alone, so that an index answers it however many carts there are.
pub(in crate::ecommerce) async fn count(connection: &mut PgConnection) -> sqlx::Result<(bool, Counts)> {
    let row = sqlx::query!(
        r#"
        select integration.is_active,
            (select count(*) from (select from carts limit $1) c) as "all!",
            case when integration.is_active then (select count(*) from (select from carts where is_active limit $1) c)
                 else 0 end as "active!",
            case when integration.is_active then
                     (select count(*) from (select from carts where status in ('needs-attention', 'not-connected') limit $1) c)
                 else 0 end as "attention!",
            case when integration.is_active then (select count(*) from (select from carts where not is_active limit $1) c)
                 else (select count(*) from (select from carts limit $1) c) end as "inactive!"
        from ecommerce_integration integration
        "#,
        COUNT_TO
    )
    .fetch_one(connection)
    .await?;
    let counts = Counts { all: row.all, active: row.active, attention: row.attention, inactive: row.inactive };
    Ok((row.is_active, counts))
}
