use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::ecommerce::{
    CartFilter, CartId, CartRow, Counts, ListQuery, Status,
    health::PastCheck,
    listing::{COUNT_TO, Cursor, PAGE, SortBy},
    verdict::Class,
};

/// Where in the order a page is looked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::ecommerce) struct Within<'a> {
    /// Only among so many carts from the cursor on. Always a number: without one, Postgres would put the whole table in order.
    pub nearest: i64,
    /// Only among these.
    pub ids: Option<&'a [Uuid]>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and stored as one")]
struct Listed {
    id: Uuid,
    website_name: String,
    sort_name: String,
    status_rank: i16,
    store_host: String,
    is_practice: bool,
    is_active: bool,
    status: String,
    last_class: Option<String>,
    last_title: Option<String>,
    missing_count: i32,
    last_checked_at: Option<OffsetDateTime>,
    recent: Vec<u8>,
    failing_since: Option<OffsetDateTime>,
    retired_by: Option<String>,
    is_disconnected: bool,
    locations_gone: bool,
}

// The two numbers that stand in the statements: a statement without parameters is planned once for each connection, and one
// whose limit is a parameter anew for each page, which costs as much as answering it.
const _: () = assert!(PAGE + 1 == 51 && COUNT_TO == 100);

/// The columns of a row, whatever comes after them.
macro_rules! rows {
    ($connection:expr, [$($sql:tt)+] $(, $argument:expr)*) => {
        sqlx::query_as!(
            Listed,
            r#"select id, website_name, lower(website_name) as "sort_name!", status_rank as "status_rank!", store_host, is_practice,
                   is_active, status, last_class, last_title, missing_count, checked_at as "last_checked_at?", recent as "recent!", failing_since,
                   retired_by, is_disconnected, locations_gone
               from (select carts.*, h.last_checked_at as checked_at, h.recent,
                         coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz) as checked_key
                     from carts join cart_health h on h.cart_id = carts.id "# + $($sql)+
            $(, $argument)*
        )
        .fetch_all($connection)
        .await
    };
}

/// A page in each order. While the integration is off every cart but a Draft counts as inactive. The first page of all carts,
/// which is nearly every page that anybody looks at, is a statement of its own.
macro_rules! page {
    ($order:literal, $keyset:literal, $list:expr, $($key:expr),+) => {
        if $list.is_first_of_all {
            rows!($list.connection, [" order by " + $order + " limit 51) carts order by " + $order])
        } else {
            rows!(
                $list.connection,
                [r#"where ($1::boolean is null or (is_active and $2) = $1)
                       and (not $3 or status in ('needs-attention', 'not-connected'))
                       and ($5::uuid[] is null or id = any ($5))
                       and ($8::uuid is null or "# + $keyset + ") order by " + $order + r#" limit $6) carts
               where $4::text is null or strpos(lower(website_name), lower($4)) > 0 or strpos(store_host, lower($4)) > 0
               order by "# + $order + " limit $7"],
                $list.active,
                $list.on,
                $list.attention,
                $list.search,
                $list.ids,
                $list.nearest,
                $list.limit,
                $list.id,
                $($key),+
            )
        }
    };
}

/// What every order asks with.
struct Asked<'a> {
    connection: &'a mut PgConnection,
    /// Neither filter nor search nor cursor: one page and one more.
    is_first_of_all: bool,
    on: bool,
    active: Option<bool>,
    attention: bool,
    search: Option<&'a str>,
    ids: Option<&'a [Uuid]>,
    nearest: i64,
    limit: i64,
    id: Option<Uuid>,
}

/// One page in the order that is asked for; backwards it comes reversed.
pub(in crate::ecommerce) async fn list(
    connection: &mut PgConnection,
    on: bool,
    query: &ListQuery,
    within: Within<'_>,
    limit: i64,
) -> sqlx::Result<Vec<CartRow>> {
    let (active, attention) = match query.filter {
        CartFilter::All => (None, false),
        CartFilter::Active => (Some(true), false),
        CartFilter::Attention => (Some(true), true),
        CartFilter::Inactive => (Some(false), false),
    };
    let cursor: Option<&Cursor> = query.before.as_ref().or(query.after.as_ref());
    let (search, id) = (query.search.as_deref(), cursor.map(|cursor| cursor.id));
    let Within { nearest, ids } = within;
    let is_first_of_all = query.filter == CartFilter::All && search.is_none() && cursor.is_none() && ids.is_none();
    let asked = Asked { connection, is_first_of_all, on, active, attention, search, ids, nearest, limit, id };
    let (name, rank) = (cursor.map(|cursor| cursor.name.as_str()), cursor.map(|cursor| cursor.rank));
    let at = cursor.map(|cursor| cursor.checked_at.unwrap_or(OffsetDateTime::UNIX_EPOCH));
    let rows = match (query.sort.by, query.sort.is_descending != query.before.is_some()) {
        (SortBy::Name, false) => {
            page!("lower(website_name), id", "(lower(website_name), id) > ($9, $8)", asked, name)
        }
        (SortBy::Name, true) => {
            page!("lower(website_name) desc, id desc", "(lower(website_name), id) < ($9, $8)", asked, name)
        }
        (SortBy::Status, false) => page!(
            "status_rank, lower(website_name), id",
            "(status_rank, lower(website_name), id) > ($9::smallint, $10, $8)",
            asked,
            rank,
            name
        ),
        (SortBy::Status, true) => page!(
            "status_rank desc, lower(website_name) desc, id desc",
            "(status_rank, lower(website_name), id) < ($9::smallint, $10, $8)",
            asked,
            rank,
            name
        ),
        (SortBy::Checked, false) => page!(
            "checked_key, id",
            "(coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz), h.cart_id) > ($9, $8)",
            asked,
            at
        ),
        (SortBy::Checked, true) => page!(
            "checked_key desc, id desc",
            "(coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz), h.cart_id) < ($9, $8)",
            asked,
            at
        ),
    }?;
    Ok(rows.into_iter().map(|row| row.into_row(on)).collect())
}

impl Listed {
    fn into_row(self, on: bool) -> CartRow {
        CartRow {
            id: CartId(self.id),
            cursor: Cursor {
                name: self.sort_name,
                rank: self.status_rank,
                checked_at: self.last_checked_at,
                id: self.id,
            },
            website_name: self.website_name,
            store_host: self.store_host,
            is_practice: self.is_practice,
            is_active: self.is_active,
            status: Status::from_stored(&self.status).under(on),
            last_class: self.last_class.as_deref().and_then(Class::from_stored),
            last_title: self.last_title,
            missing_count: self.missing_count,
            last_checked_at: self.last_checked_at,
            failing_since: self.failing_since,
            retired_by: self.retired_by,
            is_disconnected: self.is_disconnected,
            locations_gone: self.locations_gone,
            recent: PastCheck::unpack(&self.recent),
        }
    }
}

/// Carts that hold every run of three characters of the text: all that match, and perhaps some that do not.
pub(in crate::ecommerce) async fn list_like(
    connection: &mut PgConnection,
    text: &str,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select cart_id from cart_search where grams @> grams(lower($1)) limit $2", text, limit)
        .fetch_all(connection)
        .await
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
            (select count(*) from (select from carts limit 100) c) as "all!",
            case when integration.is_active then (select count(*) from (select from carts where is_active limit 100) c)
                 else 0 end as "active!",
            case when integration.is_active then
                     (select count(*) from (select from carts where status in ('needs-attention', 'not-connected') limit 100) c)
                 else 0 end as "attention!",
            case when integration.is_active then (select count(*) from (select from carts where not is_active limit 100) c)
                 else (select count(*) from (select from carts limit 100) c) end as "inactive!"
        from ecommerce_integration integration
        "#
    )
    .fetch_one(connection)
    .await?;
    let counts = Counts { all: row.all, active: row.active, attention: row.attention, inactive: row.inactive };
    Ok((row.is_active, counts))
}
