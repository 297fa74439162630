//! How long the activity is kept. Months are dropped whole, and each drop is itself an event, written by the function of the
//! database that drops it.

use super::sql;
use crate::database::Pool;

/// How long the activity is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityKeep {
    /// Whole months after a month ended, from 1 to 1,200.
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

/// A month that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedMonth {
    /// Such as `2024-10`.
    pub month: String,
    pub rows: i64,
}

/// Makes the months to come, and moves rows that came before their month was made.
pub async fn make_months(pool: &Pool) -> sqlx::Result<()> {
    sql::make_months(pool).await
}

/// Drops every month that is older than what is kept, oldest first.
///
/// # Errors
/// The database refused a month, such as one with rows without a link; those before it are dropped.
pub async fn drop_old_months(pool: &Pool, keep: ActivityKeep) -> sqlx::Result<Vec<DroppedMonth>> {
    let ActivityKeep::Months(months) = keep else { return Ok(Vec::new()) };
    let mut dropped = Vec::new();
    for month in sql::list_ended_months(pool, i32::from(months)).await? {
        let rows = sql::drop_month(pool, month).await?;
        dropped.push(DroppedMonth { month: format!("{:04}-{:02}", month.year(), u8::from(month.month())), rows });
    }
    while sql::trim_links(pool).await? > 0 {}
    Ok(dropped)
}

#[cfg(test)]
mod tests;
