//! One unit of work in a task of its own: a closed tab, a deadline or a `select!` cannot cut it in half.

use super::{Connection, Pool};
use futures_util::future::BoxFuture;

/// Runs `work` in a transaction and commits it if it succeeds, whether or not anybody still waits for the answer.
///
/// # Errors
/// What `work` returned, after a rollback; or that the database could not begin or commit.
pub async fn transaction<T, E, F>(pool: &Pool, work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<sqlx::Error> + Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
{
    let pool = pool.clone();
    let unit = tokio::spawn(async move {
        let mut connection = pool.acquire().await?;
        connection.begin().await?;
        match work(&mut connection).await {
            Ok(done) => {
                connection.commit().await?;
                Ok(done)
            }
            Err(refusal) => {
                // If this fails too, the connection is closed, which rolls back.
                connection.rollback().await.ok();
                Err(refusal)
            }
        }
    });
    match unit.await {
        Ok(outcome) => outcome,
        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
        // Only a runtime that shuts down cancels us.
        Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Executor;

    #[sqlx::test]
    async fn a_caller_that_goes_away_does_not_cut_the_work(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        pool.execute("create table notes (n int)").await.expect("table");
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let (done, finished) = tokio::sync::oneshot::channel::<()>();
        let caller = transaction::<_, sqlx::Error, _>(&pool, |work| {
            Box::pin(async move {
                work.execute("insert into notes values (1)").await?;
                wait.await.ok();
                work.execute("insert into notes values (2)").await?;
                done.send(()).ok();
                Ok(())
            })
        });
        // Polled once, so that the task exists, and then dropped like a closed tab.
        assert!(futures_util::future::poll_immediate(Box::pin(caller)).await.is_none());
        go.send(()).ok();
        finished.await.expect("the work ends by itself");
        // The commit follows the last statement; a lock waits for it without sleeping.
        let kept: i64 = loop {
            let kept = sqlx::query_scalar("select count(*) from notes").fetch_one(&pool).await.expect("count");
            if kept == 2 {
                break kept;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(kept, 2);
    }

    #[sqlx::test]
    async fn a_refusal_leaves_nothing_behind(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        pool.execute("create table notes (n int)").await.expect("table");
        let refused = transaction::<(), sqlx::Error, _>(&pool, |work| {
            Box::pin(async move {
                work.execute("insert into notes values (1)").await?;
                Err(sqlx::Error::RowNotFound)
            })
        })
        .await;
        assert!(matches!(refused, Err(sqlx::Error::RowNotFound)));
        let kept: i64 = sqlx::query_scalar("select count(*) from notes").fetch_one(&pool).await.expect("count");
        assert_eq!(kept, 0);
    }
}
