//! How we reach Postgres: a pool that hands out every connection clean, and refuses a database that would lose writes.
//!
//! sqlx 0.9.0 loses acknowledged writes: when `begin()` is dropped in flight, the connection returns to the pool inside a
//! transaction nobody commits. Hence the `rollback` before each acquire, and [`transaction()`] in a task of its own.

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod lent;
pub mod migrate;
pub mod start;
pub mod throttle;
pub mod transaction;

use std::time::Duration;

use anyhow::Context;
use sqlx::{
    Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use time::OffsetDateTime;

pub use transaction::transaction;

/// Longest wait for a connection before we answer 503: 2 s.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_800);

/// `random_page_cost`: Postgres takes a disk for one that has to turn, finds reading by an index dear, and plans a page from a cursor
/// anew each time, for half a millisecond. Our tables are in memory, or on a disk that does not turn.
const SESSION: &str = "set synchronous_commit = on; set random_page_cost = 1.1; set statement_timeout = '5s'; set lock_timeout = '2s'; \
    set idle_in_transaction_session_timeout = '10s'; set client_min_messages = error; set timezone = 'UTC'; set client_encoding = 'UTF8'";

/// Opens the pool; connections are made when needed, so a database that is away is told by the first statement.
pub fn pool(options: PgConnectOptions) -> PgPool {
    rules().connect_lazy_with(options)
}

/// One connection beside the pool, for what has to be written while a transaction of the pool is open: sixteen such transactions
/// that waited for a seventeenth connection would wait for each other.
pub fn beside(pool: &PgPool) -> PgPool {
    rules().max_connections(1).connect_lazy_with(pool.connect_options().as_ref().clone())
}

/// How connections are made and handed out.
fn rules() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(16)
        .min_connections(0)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(Duration::from_mins(5))
        // One round trip either way; ours also ends a transaction that a dropped `begin()` left behind.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SESSION).await.map(drop) }))
        .before_acquire(|connection, _| {
            Box::pin(async move {
                // A server stopped in its tracks answers nothing, not even an error.
                let clean = tokio::time::timeout(Duration::from_secs(1), connection.execute("rollback")).await;
                Ok(matches!(clean, Ok(Ok(_))))
            })
        })
}

/// Refuses a database that may lose what it acknowledged; one that does not know the settings gets a warning.
///
/// # Errors
/// Names the setting that is off, or says that the database could not be reached.
pub async fn check_durability(pool: &PgPool) -> anyhow::Result<()> {
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

/// Whether our role is a superuser, whom no grant binds.
pub async fn is_superuser(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select rolsuper as "is_superuser!" from pg_roles where rolname = current_user"#)
        .fetch_one(pool)
        .await
}

/// How far this machine's clock is from the database's.
pub async fn clock_difference(pool: &PgPool, here: OffsetDateTime) -> sqlx::Result<time::Duration> {
    let there = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(pool).await?;
    Ok(here - there)
}

/// Whether an error means that the database is away or overloaded, rather than that we asked something wrong.
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
        // 53 out of resources, 57 stopped or cancelled, 55P03 lock not available, 25006 read-only, 08 connection
        Some(sqlx::Error::Database(refusal)) => refusal.code().is_some_and(|code| {
            ["53", "57", "08", "58"].iter().any(|class| code.starts_with(class)) || code == "55P03" || code == "25006"
        }),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::{future::Future, task::Poll};

    use super::*;

    /// A migrated database of its own, but through our pool, not the test framework's.
    fn ours(options: &PgConnectOptions) -> PgPool {
        pool(options.clone())
    }

    /// Drops `begin()` at poll 1 to 6 and adds ten rows after each; how many of these others see every time.
    async fn seen_after_dropped_begins(pool: &PgPool, options: &PgConnectOptions) -> Vec<i64> {
        use sqlx::{Connection, PgConnection};
        pool.execute("create table notes (n int)").await.expect("table");
        let mut seen = Vec::new();
        for polls in 1..=6 {
            let mut begin = Box::pin(pool.begin());
            let mut so_far = 0;
            // Polled when the database has answered something, so that each poll is one step further.
            std::future::poll_fn(|context| {
                so_far += 1;
                let is_over = begin.as_mut().poll(context).is_ready() || so_far == polls;
                if is_over { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            drop(begin);
            for n in 0..10 {
                sqlx::query("insert into notes values ($1)").bind(n).execute(pool).await.expect("insert");
            }
            let mut other = PgConnection::connect_with(options).await.expect("connect");
            seen.push(sqlx::query_scalar("select count(*) from notes").fetch_one(&mut other).await.expect("count"));
        }
        seen
    }

    #[sqlx::test]
    async fn a_begin_dropped_at_any_poll_loses_no_later_write(_: PgPoolOptions, options: PgConnectOptions) {
        // One connection alone, or the writes after the drop would go through another and prove nothing.
        let guarded = rules().max_connections(1).connect_lazy_with(options.clone());
        let seen = seen_after_dropped_begins(&guarded, &options).await;
        assert_eq!(seen, [10, 20, 30, 40, 50, 60]);
    }

    /// The control: with a look that cleans nothing in place of the `rollback`, rows that were acknowledged are nowhere. When
    /// sqlx mends this, the guard can go. Whether a drop meets a `begin()` in flight is for the scheduler to say, hence rounds.
    #[sqlx::test]
    async fn a_pool_without_the_rollback_loses_what_it_acknowledged(_: PgPoolOptions, options: PgConnectOptions) {
        for _ in 0..60 {
            let unguarded = rules()
                .before_acquire(|connection, _| {
                    Box::pin(async move { connection.execute("select 1").await.map(|_| true) })
                })
                .max_connections(1)
                .connect_lazy_with(options.clone());
            let seen = seen_after_dropped_begins(&unguarded, &options).await;
            if seen[5] < 60 {
                return;
            }
            unguarded.execute("drop table notes").await.expect("dropped");
            unguarded.close().await;
        }
        panic!("nothing was ever lost");
    }

    #[sqlx::test]
    async fn a_database_that_may_lose_writes_is_named(_: PgPoolOptions, options: PgConnectOptions) {
        // The tests' own cluster runs without fsync, which is exactly what a server must refuse.
        let pool = ours(&options);
        let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&pool).await.expect("show");
        let checked = check_durability(&pool).await;
        assert_eq!(checked.is_err(), fsync == "off");
    }

    #[sqlx::test]
    async fn every_connection_commits_before_it_answers(_: PgPoolOptions, options: PgConnectOptions) {
        let pool = ours(&options);
        let level: String = sqlx::query_scalar("show synchronous_commit").fetch_one(&pool).await.expect("show");
        assert_eq!(level, "on");
    }
}
