//! Runs a transaction in its own task, so that a closed browser tab, a timeout or a `select!` cannot cancel it midway.

use super::{Connection, Pool};
use futures_util::future::BoxFuture;

/// Runs `work` in a transaction and commits if it succeeds, even if the caller was cancelled.
///
/// # Errors
/// The error of `work`, after a rollback, or the error of begin or commit.
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
                // If the rollback fails too, the connection is closed, which also rolls back.
                connection.rollback().await.ok();
                Err(refusal)
            }
        }
    });
    match unit.await {
        Ok(outcome) => outcome,
        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
        // The task is cancelled only when the runtime shuts down.
        Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Executor;

    #[sqlx::test]
    async fn dropped_caller_does_not_cancel_the_work(pool: sqlx::PgPool) {
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
        // Polled once, so that the task is spawned, and then dropped, as when a browser tab is closed.
        assert!(futures_util::future::poll_immediate(Box::pin(caller)).await.is_none());
        go.send(()).ok();
        finished.await.expect("the work ends by itself");
        // The commit follows the last statement; the loop polls for it without sleeping.
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
    async fn failed_work_is_rolled_back(pool: sqlx::PgPool) {
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
