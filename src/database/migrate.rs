//! Applies migrations under Postgres's advisory lock, so that several instances may start at once.

use anyhow::Context;
use sqlx::{Connection, migrate::Migrator};

use super::Pool;

static MIGRATOR: Migrator = sqlx::migrate!();

/// Whether every migration of this program is applied and no other: then there is nothing to do that needs the owner's rights.
///
/// # Errors
/// The database could not be asked.
pub async fn is_current(pool: &Pool) -> sqlx::Result<bool> {
    let has_table = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "has_table!""#);
    if !has_table.fetch_one(pool).await? {
        return Ok(false);
    }
    let applied = "select version, checksum from _sqlx_migrations where success order by version";
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(applied).fetch_all(pool).await?;
    let known = MIGRATOR.iter().map(|migration| (migration.version, migration.checksum.to_vec()));
    Ok(known.eq(applied))
}

/// Applies what is missing.
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
