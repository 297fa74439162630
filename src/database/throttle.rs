//! n in a window, counted in Postgres in one statement: replicas share the count, parallel tries cannot dodge it, and the
//! database's clock decides.

use std::time::Duration;

use crate::database::Connection;

/// At most `limit` in `window`, for each bucket.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    pub limit: u32,
    pub window: Duration,
}

impl Throttle {
    /// Counts one more in the bucket, or starts it anew when its window is over, or in a future that a clock set back has left
    /// behind; `Some` tells how long to wait when that is too many.
    pub async fn count(self, connection: &mut Connection, bucket: &str) -> sqlx::Result<Option<Duration>> {
        let row = sqlx::query!(
            r#"
            insert into throttle (bucket, started_at, count) values ($1, now(), 1)
            on conflict (bucket) do update set
                count = case when throttle.started_at between now() - make_interval(secs => $2) and now() + make_interval(secs => $2)
                             then throttle.count + 1 else 1 end,
                started_at = case when throttle.started_at between now() - make_interval(secs => $2) and now() + make_interval(secs => $2)
                                  then throttle.started_at else now() end
            returning count, extract(epoch from started_at + make_interval(secs => $2) - now())::float8 as "left!"
            "#,
            bucket,
            self.window.as_secs_f64(),
        )
        .fetch_one(connection)
        .await?;
        let too_many = u32::try_from(row.count).unwrap_or(u32::MAX) > self.limit;
        Ok(too_many.then(|| Duration::from_secs_f64(row.left.clamp(1.0, self.window.as_secs_f64()))))
    }

    /// Starts the bucket anew, after a try that turned out to be right.
    pub async fn clear(self, connection: &mut Connection, bucket: &str) -> sqlx::Result<()> {
        sqlx::query!("delete from throttle where bucket = $1", bucket).execute(connection).await.map(drop)
    }
}

/// Removes windows that ended long ago.
pub async fn sweep(connection: &mut Connection) -> sqlx::Result<u64> {
    let swept =
        sqlx::query!("delete from throttle where started_at < now() - interval '1 day'").execute(connection).await?;
    Ok(swept.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Throttle = Throttle { limit: 3, window: Duration::from_mins(5) };

    #[sqlx::test]
    async fn fifty_parallel_tries_count_as_fifty(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let tries = (0..50).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.acquire().await.expect("connection");
                THREE.count(&mut connection, "a").await.expect("count").is_none()
            })
        });
        let mut let_in = 0;
        for attempt in tries.collect::<Vec<_>>() {
            let_in += u32::from(attempt.await.expect("task"));
        }
        assert_eq!(let_in, 3);
    }

    #[sqlx::test]
    async fn a_window_ends_by_the_clock_of_the_database(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        for _ in 0..4 {
            THREE.count(&mut connection, "a").await.expect("count");
        }
        assert!(THREE.count(&mut connection, "a").await.expect("count").is_some());
        sqlx::query("update throttle set started_at = started_at - interval '5 minutes'")
            .execute(&mut *connection)
            .await
            .expect("shift");
        assert!(THREE.count(&mut connection, "a").await.expect("count").is_none());
    }

    #[sqlx::test]
    async fn a_right_try_starts_its_own_bucket_anew(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        for bucket in ["a", "b"] {
            for _ in 0..3 {
                assert!(THREE.count(&mut connection, bucket).await.expect("count").is_none(), "{bucket}");
            }
        }
        THREE.clear(&mut connection, "a").await.expect("clear");
        assert!(THREE.count(&mut connection, "a").await.expect("count").is_none());
        assert!(THREE.count(&mut connection, "b").await.expect("count").is_some(), "another's stays");
    }

    #[sqlx::test]
    async fn only_windows_that_ended_long_ago_are_swept(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        for bucket in ["old", "older", "now"] {
            THREE.count(&mut connection, bucket).await.expect("count");
        }
        sqlx::query("update throttle set started_at = now() - interval '25 hours' where bucket like 'old%'")
            .execute(&mut *connection)
            .await
            .expect("shift");
        assert_eq!(sweep(&mut connection).await.expect("sweep"), 2);
        assert_eq!(sweep(&mut connection).await.expect("sweep"), 0);
        let left: Vec<String> =
            sqlx::query_scalar("select bucket from throttle").fetch_all(&mut *connection).await.expect("buckets");
        assert_eq!(left, ["now"]);
    }
}
