use crate::database::Connection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::carts::{
    CartFilter, CartId, CartRow, ListQuery, Status,
    health::PastCheck,
    listing::{Cursor, PAGE, SORTED_MATCHES_MAX, SortBy},
};
use crate::causes::Class;

#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
struct ListedCartRow {
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
    next_check_at: Option<OffsetDateTime>,
    recent: Vec<u8>,
    failing_since: Option<OffsetDateTime>,
    retired_by: Option<String>,
    is_disconnected: bool,
    locations_gone: bool,
}

// Limits are literals in the statements: Postgres re-plans a statement whose limit is a parameter for each page, which
// costs as much as running it.
const _: () = assert!(PAGE + 1 == 51 && SORTED_MATCHES_MAX + 1 == 1_001);

/// The columns of a row; the rest of the statement selects and sorts the carts.
macro_rules! rows {
    ($connection:expr, [$($sql:tt)+] $(, $argument:expr)*) => {
        sqlx::query_as!(
            ListedCartRow,
            r#"select id, website_name, sort_name as "sort_name!", status_rank as "status_rank!", store_host, is_practice, is_active,
                   status, last_class, last_title, missing_count, checked_at as "last_checked_at?", next_check_at as "next_check_at?", recent as "recent!", failing_since,
                   retired_by, is_disconnected, locations_gone
               from (select carts.*, lower(website_name) as sort_name, h.last_checked_at as checked_at, h.next_check_at, h.recent,
                         coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz) as checked_key
                     from carts join cart_health h on h.cart_id = carts.id where "# + $($sql)+
            $(, $argument)*
        )
        .fetch_all($connection)
        .await
    };
}

/// Per order: its sort columns, its cursor condition, the keys of that cursor besides the id, and the source of a
/// search. The caller numbers the parameters.
macro_rules! ordered {
    ($query:ident, $at:ident, $page:ident, $id:literal, $first:literal, $second:literal) => {
        match ($query.sort.by, $query.sort.is_descending != $query.before.is_some()) {
            (SortBy::Name, false) => {
                $page!(
                    $at,
                    "sort_name, id",
                    ["(lower(website_name), id) > (" + $first + ", " + $id + ")"],
                    [$at.name.as_str()],
                    "select id, lower(website_name) as sort_name, status_rank, store_host from carts"
                )
            }
            (SortBy::Name, true) => {
                $page!(
                    $at,
                    "sort_name desc, id desc",
                    ["(lower(website_name), id) < (" + $first + ", " + $id + ")"],
                    [$at.name.as_str()],
                    "select id, lower(website_name) as sort_name, status_rank, store_host from carts"
                )
            }
            (SortBy::Status, false) => $page!(
                $at,
                "status_rank, sort_name, id",
                ["(status_rank, lower(website_name), id) > (" + $first + "::smallint, " + $second + ", " + $id + ")"],
                [$at.rank, $at.name.as_str()],
                "select id, lower(website_name) as sort_name, status_rank, store_host from carts"
            ),
            (SortBy::Status, true) => $page!(
                $at,
                "status_rank desc, sort_name desc, id desc",
                ["(status_rank, lower(website_name), id) < (" + $first + "::smallint, " + $second + ", " + $id + ")"],
                [$at.rank, $at.name.as_str()],
                "select id, lower(website_name) as sort_name, status_rank, store_host from carts"
            ),
            (SortBy::Checked, false) => $page!(
                $at,
                "checked_key, id",
                ["(coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz), h.cart_id) > ("
                    + $first
                    + ", "
                    + $id
                    + ")"],
                [$at.checked_key()],
                r#"select id, lower(website_name) as sort_name, store_host,
                      coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz) as checked_key
                  from carts join cart_health h on h.cart_id = carts.id"#
            ),
            (SortBy::Checked, true) => $page!(
                $at,
                "checked_key desc, id desc",
                ["(coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz), h.cart_id) < ("
                    + $first
                    + ", "
                    + $id
                    + ")"],
                [$at.checked_key()],
                r#"select id, lower(website_name) as sort_name, store_host,
                      coalesce(h.last_checked_at, '1970-01-01 00:00:00+00'::timestamptz) as checked_key
                  from carts join cart_health h on h.cart_id = carts.id"#
            ),
        }
    };
}

/// Returns one page and one more row in the requested order; reversed if paging backwards. Each filter in each order,
/// from the start or from a cursor, is its own statement without an optional condition, so that each is planned once
/// and uses the index made for it.
pub(in crate::carts) async fn list(connection: &mut Connection, query: &ListQuery) -> sqlx::Result<Vec<CartRow>> {
    macro_rules! page {
        ($at:ident, $order:literal, [$($keyset:tt)+], $keys:tt, $search:literal) => {
            match query.filter {
                CartFilter::All => page!("true", $at, $order, [$($keyset)+], $keys),
                CartFilter::Active => page!("is_active", $at, $order, [$($keyset)+], $keys),
                CartFilter::Inactive => page!("not is_active", $at, $order, [$($keyset)+], $keys),
                CartFilter::Attention => {
                    page!("status in ('needs-attention', 'not-connected')", $at, $order, [$($keyset)+], $keys)
                }
            }
        };
        ($filter:literal, $at:ident, $order:literal, [$($keyset:tt)+], [$($key:expr),+]) => {
            match $at {
                None => rows!(connection, [$filter + " order by " + $order + " limit 51) carts order by " + $order]),
                Some($at) => rows!(
                    connection,
                    [$filter + " and " + $($keyset)+ + " order by " + $order + " limit 51) carts order by " + $order],
                    $at.id,
                    $($key),+
                ),
            }
        };
    }
    let at = query.cursor();
    let rows = ordered!(query, at, page, "$1", "$2", "$3")?;
    Ok(rows.into_iter().map(ListedCartRow::into_row).collect())
}

/// Bounds the carts that a search reads.
#[derive(Clone, Copy, Debug)]
pub(in crate::carts) struct SearchBounds<'a> {
    /// Only this many carts from the cursor on. Always a number: without one, Postgres would sort the whole table.
    pub nearest: i64,
    /// Only these carts.
    pub ids: Option<&'a [Uuid]>,
}

/// Returns the ids of one page and one more of the carts whose name or address contains a text, in order. Returns only
/// ids, since most of the carts read are not shown.
pub(in crate::carts) async fn search(
    connection: &mut Connection,
    query: &ListQuery,
    text: &str,
    within: SearchBounds<'_>,
) -> sqlx::Result<Vec<Uuid>> {
    let (is_active, needs_attention) = match query.filter {
        CartFilter::All => (None, false),
        CartFilter::Active => (Some(true), false),
        CartFilter::Inactive => (Some(false), false),
        CartFilter::Attention => (None, true),
    };
    macro_rules! page {
        ($at:ident, $order:literal, [$($keyset:tt)+], [$($key:expr),+], $source:literal) => {
            sqlx::query_scalar!(
                "select id from (" + $source + r#"
                     where ($1::boolean is null or is_active = $1) and (not $2 or status in ('needs-attention', 'not-connected'))
                         and ($3::uuid[] is null or id = any ($3)) and ($6::uuid is null or "# + $($keyset)+ + ")
                     order by " + $order + r#" limit $4) near
                 where strpos(sort_name, lower($5)) > 0 or strpos(store_host, lower($5)) > 0 order by "# + $order + " limit 51",
                is_active,
                needs_attention,
                within.ids,
                within.nearest,
                text,
                $at.map(|at| at.id),
                $($at.map(|$at| $key)),+
            )
            .fetch_all(connection)
            .await
        };
    }
    let at = query.cursor();
    ordered!(query, at, page, "$6", "$7", "$8")
}

/// Returns the rows of these carts, in the order of the ids. Both tables are filtered by the ids, so that neither is
/// read as a whole.
pub(in crate::carts) async fn list_these(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<Vec<CartRow>> {
    let rows = rows!(connection, ["carts.id = any ($1) and h.cart_id = any ($1)) carts"], ids)?;
    let mut rows: Vec<CartRow> = rows.into_iter().map(ListedCartRow::into_row).collect();
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id.0));
    Ok(rows)
}

impl ListedCartRow {
    fn into_row(self) -> CartRow {
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
            status: Status::from_stored(&self.status),
            last_class: self.last_class.as_deref().and_then(Class::from_stored),
            last_title: self.last_title,
            missing_count: self.missing_count,
            last_checked_at: self.last_checked_at,
            next_check_at: self.next_check_at,
            failing_since: self.failing_since,
            retired_by: self.retired_by,
            is_disconnected: self.is_disconnected,
            locations_gone: self.locations_gone,
            recent: PastCheck::unpack(&self.recent),
        }
    }
}

/// Returns the carts whose name or address begins with the text: the first thousand by name and the first thousand by
/// address, in byte order. The upper bound U+10FFFF sorts after every continuation of the text.
pub(in crate::carts) async fn list_beginning(connection: &mut Connection, text: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"(select id as "id!" from carts
            where lower(website_name) ~>=~ lower($1) and lower(website_name) ~<~ (lower($1) || chr(1114111))
            order by lower(website_name) using ~<~ limit 1000)
           union
           (select id from carts
            where store_host ~>=~ lower($1) and store_host ~<~ (lower($1) || chr(1114111))
            order by store_host using ~<~ limit 1000)"#,
        text
    )
    .fetch_all(connection)
    .await
}

/// Returns candidates for a search: every cart that contains the text, and possibly some that do not. Looks up only a
/// few of the text's trigrams: each costs an index list to read, and a few narrow the result enough. Skips the
/// beginning of a long text: the names of one company often begin alike, and a trigram that all carts have is the most
/// expensive.
pub(in crate::carts) async fn list_like(connection: &mut Connection, text: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select cart_id from cart_search where grams @> array(
             select substr(lower($1), at, 3) from generate_series(
                 1 + (length(lower($1)) - 2) / 6, length(lower($1)) - 2, greatest((length(lower($1)) - 2) / 5, 1)) at
         ) limit 1001",
        text
    )
    .fetch_all(connection)
    .await
}
