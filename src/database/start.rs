//! Checks a database at start, before anything is written, and explains failures to the operator. No message contains a
//! password: of `DATABASE_URL`, messages quote only host, port, role and database.

mod failure;

use std::time::Duration;

use sqlx::Connection;
use tokio::time::Instant;

use super::Pool;
pub use failure::StartError;
use failure::Target;

/// Timeout for the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a refused connection is retried, because Postgres may still be starting.
const RETRY_WINDOW: Duration = Duration::from_millis(1_500);
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Oldest tested server version, as `server_version_num`.
const OLDEST_VERSION: i32 = 150_000;

/// Connects once, outside the pool, because the pool's timeout would hide the cause of a failure.
///
/// # Errors
/// A sentence that says what is wrong and how to fix it.
pub async fn connect(pool: &Pool) -> Result<(), StartError> {
    let target = Target::new(&pool.servers()[0]);
    let begun = Instant::now();
    loop {
        let connecting = pool.connect();
        match tokio::time::timeout_at(begun + CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => {
                connection.close().await.ok();
                return Ok(());
            }
            Ok(Err(error)) if is_starting(&error) && begun.elapsed() < RETRY_WINDOW => {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Ok(Err(error)) => return Err(target.explain(&error)),
            Err(_) => return Err(target.silent(CONNECT_TIMEOUT)),
        }
    }
}

/// Rejects a server that is too old, and a database whose encoding cannot store every name.
///
/// # Errors
/// A sentence that says what is wrong and how to fix it.
pub async fn check(pool: &Pool) -> Result<(), StartError> {
    let target = Target::new(&pool.servers()[0]);
    let found = sqlx::query!(
        r#"select current_setting('server_version_num')::int as "version!", current_setting('server_version') as "name!",
           current_setting('server_encoding') as "encoding!""#
    );
    let found = found.fetch_one(pool).await.map_err(|error| target.explain(&error))?;
    if found.version < OLDEST_VERSION {
        return Err(target.too_old(&found.name, OLDEST_VERSION / 10_000));
    }
    if found.encoding != "UTF8" {
        let locale = utf8_locale(pool, found.version).await.map_err(|error| target.explain(&error))?;
        return Err(target.wrong_encoding(&found.encoding, &locale));
    }
    Ok(())
}

/// The locale clause of `create database` for UTF8. Prefers a locale of this server that supports letters beyond ASCII.
async fn utf8_locale(pool: &Pool, version: i32) -> sqlx::Result<String> {
    if version >= 170_000 {
        return Ok("locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'".to_owned());
    }
    let locale = sqlx::query_scalar!(
        r#"select collcollate::text as "locale!" from pg_collation
           where collprovider = 'c' and collencoding = pg_char_to_encoding('UTF8') and collcollate is not null
           order by lower(collcollate::text) not in ('c.utf8', 'c.utf-8'), lower(collcollate::text) not like 'en_us.utf%', 1 limit 1"#
    );
    let locale = locale.fetch_optional(pool).await?.unwrap_or_else(|| "C".to_owned());
    Ok(format!("lc_collate '{locale}' lc_ctype '{locale}'"))
}

/// Explains why the migrations failed; `None` if the error is not from Postgres.
pub async fn explain_migration(pool: &Pool, error: &anyhow::Error) -> Option<StartError> {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>())?;
    let sqlx::Error::Database(refusal) = cause else { return None };
    let target = Target::new(&pool.servers()[0]);
    if !matches!(refusal.code().as_deref(), Some("42501" | "3F000")) {
        return Some(target.explain(cause));
    }
    let may = sqlx::query!(
        r#"select current_schema()::text as schema, to_regclass('_sqlx_migrations') is not null as "has_tables!""#
    );
    match may.fetch_one(pool).await {
        Ok(row) => Some(target.no_privilege(row.schema.as_deref(), row.has_tables)),
        Err(_) => Some(target.explain(cause)),
    }
}

/// Whether the database folds case beyond ASCII (É and é), which it does not with the locale C.
pub async fn folds_case(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select lower(U&'\00C9') = U&'\00E9' as "folds!""#).fetch_one(pool).await
}

/// Whether the error can mean that Postgres is still starting.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => {
            matches!(error.kind(), std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::ConnectionReset)
        }
        sqlx::Error::Database(refusal) => refusal.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
