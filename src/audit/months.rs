//! Retention of the audit log. Whole months are dropped, and each drop is itself an event, written by the database
//! function that drops the month.

use super::sql;
use crate::database::Pool;

/// Retention period of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKeep {
    /// Whole months to keep a month after it ended, from 1 to 1,200.
    Months(u16),
    Forever,
}

impl Default for ActivityKeep {
    fn default() -> Self {
        Self::Months(24)
    }
}

impl ActivityKeep {
    /// Reads `24`, `24 months` or `forever`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "forever" {
            return Some(Self::Forever);
        }
        let number = text.strip_suffix("months").or_else(|| text.strip_suffix("month")).unwrap_or(text);
        let months = number.trim_end().parse().ok()?;
        (1..=1_200).contains(&months).then_some(Self::Months(months))
    }
}

/// A dropped month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedMonth {
    /// The month as `YYYY-MM`.
    pub month: String,
    pub rows: i64,
}

/// Creates the partitions of the coming months, and moves rows that were recorded before their month had a partition.
pub async fn make_months(pool: &Pool) -> sqlx::Result<()> {
    sql::months::make(pool).await
}

/// Drops every month that is older than the retention period, oldest first.
///
/// # Errors
/// The database refused a month, for example because it has unlinked rows. Months before it stay dropped.
pub async fn drop_old_months(pool: &Pool, keep: ActivityKeep) -> sqlx::Result<Vec<DroppedMonth>> {
    let ActivityKeep::Months(months) = keep else { return Ok(Vec::new()) };
    let mut dropped = Vec::new();
    for month in sql::months::list_ended(pool, i32::from(months)).await? {
        let rows = sql::months::drop_month(pool, month).await?;
        dropped.push(DroppedMonth { month: format!("{:04}-{:02}", month.year(), u8::from(month.month())), rows });
    }
    while sql::months::trim_links(pool).await? > 0 {}
    Ok(dropped)
}

#[cfg(test)]
mod tests;
