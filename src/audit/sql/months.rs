//! Monthly partitions of the audit log. Database functions that run with the owner's privileges create and drop them.

use crate::database::Pool;
use time::Date;

/// Creates the partitions of this month and the next three, and those of rows that were recorded before their month had
/// one.
pub(in crate::audit) async fn make(pool: &Pool) -> sqlx::Result<()> {
    sqlx::query!("select audit_make_months() as done").execute(pool).await.map(drop)
}

/// Months that ended at least this many months ago, oldest first.
pub(in crate::audit) async fn list_ended(pool: &Pool, months: i32) -> sqlx::Result<Vec<Date>> {
    sqlx::query_scalar!(
        r#"select month as "month!"
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           cross join lateral (select to_date(right(c.relname, 7), 'YYYY_MM') as month) m
           where i.inhparent = 'audit_events'::regclass and c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$'
               and month + interval '1 month' <= now() - make_interval(months => $1)
           order by 1"#,
        months
    )
    .fetch_all(pool)
    .await
}

/// Drops a month and records the drop as an event. Returns how many rows the month had.
///
/// # Errors
/// The month ended less than a month ago, is not the oldest, or has unlinked rows.
pub(in crate::audit) async fn drop_month(pool: &Pool, month: Date) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select audit_drop_month($1) as "rows!""#, month).fetch_one(pool).await
}

/// Deletes one batch of links of dropped months. Returns how many it deleted.
pub(in crate::audit) async fn trim_links(pool: &Pool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select audit_trim_links() as "links!""#).fetch_one(pool).await
}
