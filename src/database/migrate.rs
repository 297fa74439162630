//! Applies migrations under Postgres's advisory lock, so that several instances may start at once.

use anyhow::Context;
use sqlx::{Connection, migrate::Migrator};

use super::Pool;

static MIGRATOR: Migrator = sqlx::migrate!();

/// Whether exactly the migrations of this program are applied. If so, nothing needs the owner's privileges.
///
/// # Errors
/// The database could not be read.
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

/// Applies the missing migrations.
///
/// # Errors
/// Names the migration that failed, or reports that the schema is newer than this program.
pub async fn migrate(pool: &Pool) -> anyhow::Result<()> {
    let mut connection = pool.connect().await.context("reaching the database")?;
    // Another instance may hold the lock while it applies migrations, which can take long.
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
