//! Access to Postgres, only through [`Pool`] and [`Connection`]: every statement has a deadline, and a connection in an
//! uncertain state is closed.

mod connection;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod migrate;
mod pool;
pub mod request_connection;
pub mod roles;
pub mod start;
pub mod throttle;
pub mod transaction;

use anyhow::Context;
use time::OffsetDateTime;

pub use connection::Connection;
pub use pool::{ACQUIRE_TIMEOUT, Lease, Pool, Usage};
pub use transaction::transaction;

/// Rejects a database that may lose committed writes. Logs a warning if the server does not report the settings.
///
/// # Errors
/// Names the setting that is off, or reports that the database is unreachable.
pub async fn check_durability(pool: &Pool) -> anyhow::Result<()> {
    for setting in ["fsync", "full_page_writes"] {
        let value: Option<String> = sqlx::query_scalar!("select current_setting($1, true)", setting)
            .fetch_one(pool)
            .await
            .context("reading the database's settings")?;
        match value.as_deref() {
            Some("off") => anyhow::bail!(
                "The database has {setting} = off, so a crash may lose what was saved. Turn it on in postgresql.conf."
            ),
            None => tracing::warn!(setting, "the database does not say whether its writes are durable"),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether the server accepts writes, which a standby does not.
pub async fn is_writable(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select current_setting('transaction_read_only') = 'off' as "is_writable!""#)
        .fetch_one(pool)
        .await
}

/// Difference between this machine's clock and the database's.
pub async fn clock_difference(pool: &Pool, here: OffsetDateTime) -> sqlx::Result<time::Duration> {
    let there = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(pool).await?;
    Ok(here - there)
}

/// Whether an error means that the database is unreachable or overloaded, rather than that the statement was invalid.
pub fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| match cause.downcast_ref::<sqlx::Error>() {
        Some(
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_),
        ) => true,
        // SQLSTATE classes and codes: 53 insufficient resources, 57 operator intervention, 08 connection, 58 system
        // error, 55P03 lock not available, 25006 read-only.
        Some(sqlx::Error::Database(refusal)) => refusal.code().is_some_and(|code| {
            ["53", "57", "08", "58"].iter().any(|class| code.starts_with(class)) || code == "55P03" || code == "25006"
        }),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
