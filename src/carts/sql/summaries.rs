//! The SQL of carts as programs read them. Each order is a statement of its own that one index answers from any position.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    carts::{CartId, Status, SummaryQuery},
    database::Pool,
};

#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
pub(in crate::carts) struct SummaryRow {
    pub id: Uuid,
    pub website_name: String,
    pub store_host: String,
    pub is_practice: bool,
    pub is_active: bool,
    pub activate_on_pass: bool,
    pub has_credential: bool,
    pub integration_is_on: bool,
    pub status: String,
    pub last_class: Option<String>,
    pub last_title: Option<String>,
    pub missing_count: i32,
    pub granted: Option<Vec<String>>,
    pub failing_since: Option<OffsetDateTime>,
    pub last_good_at: Option<OffsetDateTime>,
    pub last_checked_at: Option<OffsetDateTime>,
    pub next_check_at: Option<OffsetDateTime>,
    pub version: i64,
    pub updated_at: OffsetDateTime,
}

/// The columns of a summary; the rest of the statement selects and sorts.
macro_rules! summaries {
    ([$($sql:tt)+], $($argument:expr),+) => {
        sqlx::query_as!(
            SummaryRow,
            r#"select c.id, c.website_name, c.store_host, c.is_practice, c.is_active, c.activate_on_pass,
                   c.secret is not null as "has_credential!", i.is_active as "integration_is_on!", c.status, c.last_class, c.last_title,
                   c.missing_count, c.granted as "granted?", c.failing_since, h.last_good_at, h.last_checked_at as "last_checked_at?",
                   h.next_check_at, c.version, c.updated_at
               from carts c join cart_health h on h.cart_id = c.id cross join ecommerce_integration i "# + $($sql)+,
            $($argument),+
        )
    };
}

pub(in crate::carts) async fn find(pool: &Pool, id: CartId) -> sqlx::Result<Option<SummaryRow>> {
    summaries!(["where c.id = $1"], id.0).fetch_optional(pool).await
}

/// Lists one cart more than a page, to see whether there are more. `practices`: whether the practice store is on, without
/// which its carts are drafts.
pub(in crate::carts) async fn list(
    pool: &Pool,
    query: &SummaryQuery,
    practices: bool,
) -> sqlx::Result<Vec<SummaryRow>> {
    let only: Option<Vec<Uuid>> = query.only.as_ref().map(|only| only.iter().copied().collect());
    // The filters of every list, and its order.
    macro_rules! page {
        ([$($from:tt)+], $order:literal $(, $more:expr)?) => {
            summaries!(
                [$($from)+ + r#" and ($2::text is null or $2 = case when c.is_practice and not $3 then 'draft'
                         when c.status <> 'draft' and not i.is_active then 'inactive' else c.status end)
                     and ($4::boolean is null or c.is_active = $4)
                     and ($5::uuid[] is null or c.id = any ($5)) order by "# + $order + " limit $6"],
                query.after.map_or(Uuid::nil(), |after| after.id),
                query.status.map(Status::as_str),
                practices,
                query.is_active,
                only.as_deref(),
                i64::from(query.limit) + 1
                $(, $more)?
            )
            .fetch_all(pool)
            .await
        };
    }
    if let Some(since) = query.updated_since {
        let from = query.after.and_then(|after| after.updated_at).unwrap_or(since);
        return page!(["where (c.updated_at, c.id) > ($7, $1)"], "c.updated_at, c.id", from);
    }
    if only.is_some() {
        return page!(["where c.id = any ($5) and c.id > $1"], "c.id");
    }
    match query.status {
        // A cart is never shown as one of these unless it is stored as such.
        Some(Status::Connected | Status::NeedsAttention | Status::NotConnected) => {
            page!(["where c.status = $2 and c.id > $1"], "c.id")
        }
        Some(Status::Draft | Status::Inactive) | None => page!(["where c.id > $1"], "c.id"),
    }
}
