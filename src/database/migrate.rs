//! Applies migrations under Postgres's advisory lock, so that several instances may start at once.

use anyhow::Context;
use sqlx::{Connection, migrate::Migrator};

use super::Pool;

static MIGRATOR: Migrator = sqlx::migrate!();

/// Applies pending migrations.
///
/// # Errors
/// Names the migration that failed, or reports that the schema is newer than this program.
pub async fn migrate(pool: &Pool) -> anyhow::Result<()> {
    let mut connection = pool.connect().await.context("reaching the database")?;
    // Another instance may hold the lock for as long as its migrations take.
    sqlx::query("select set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false)")
        .execute(&mut connection)
        .await
        .context("preparing the migrations")?;
    let outcome = MIGRATOR.run(&mut connection).await;
    connection.close().await.ok();
    match outcome {
        Ok(()) => Ok(()),
        Err(sqlx::migrate::MigrateError::VersionMissing(version)) => anyhow::bail!(
            "The database has migration {version}, which this program does not know. It was made by a newer version: use that one."
        ),
        Err(failure) => Err(failure).context("migrating the database"),
    }
}
