//! Opening a database at start: what is checked before anything is written, and what an operator is told when a check fails.
//! No sentence holds a password: host, port, role and database are all that is quoted of `DATABASE_URL`.

mod failure;

use std::time::Duration;

use sqlx::Connection;
use tokio::time::Instant;

use super::Pool;
pub use failure::StartError;
use failure::Target;

/// Longest wait for the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a refused connection is tried again: Postgres may be starting beside us.
const RETRY_WINDOW: Duration = Duration::from_millis(1_500);
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Oldest server that Cartwright is tested on, as `server_version_num`.
const OLDEST_VERSION: i32 = 150_000;

/// Connects once, outside of the pool, whose own time-out would hide the reason of a failure.
///
/// # Errors
/// What is wrong, with the way out.
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

/// Refuses a server that is too old and a database that cannot hold every name.
///
/// # Errors
/// What is wrong, with the way out.
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

/// The part of `create database` that gives UTF8 a locale which this server has, best with letters beyond ASCII.
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

/// Explains why the schema could not be brought up to date; `None` where Postgres did not say.
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

/// Whether capital and small letters beyond ASCII are known to be the same: É and é. They are not with the locale C.
pub async fn folds_case(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select lower(U&'\00C9') = U&'\00E9' as "folds!""#).fetch_one(pool).await
}

/// Whether Postgres may only need a moment.
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
