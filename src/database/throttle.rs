//! Rate limits: n attempts per time window, counted in Postgres, so that replicas share the count and concurrent
//! attempts cannot bypass it. Uses the database clock. A refused attempt writes nothing.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::database::{Connection, Pool, transaction};

/// Allows `limit` attempts per `window` in each bucket.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    pub limit: u32,
    pub window: Duration,
}

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketKind {
    /// Sign-in attempts from one network.
    SignInNetwork,
    /// Sign-in attempts for one account from one network.
    SignInPair,
    /// Sign-in attempts for one account from browsers that never signed in to it.
    SignInAccount,
    /// Sign-in attempts for one account from one browser that signed in to it before.
    SignInDevice,
    /// Password confirmations in one session.
    StepUp,
    /// Pages refused to one user.
    RefusedPage,
    /// Connection tests by one user.
    PersonTest,
    /// Connection tests of one store by one user.
    StoreTest,
    /// Reads of the location list of one cart.
    CartLocations,
    /// Test alerts by one user.
    TestAlert,
    /// Refused tokens of one cart, reported by one program.
    TokenRefusal,
    /// Blocks of requests with one API key.
    ApiKey,
    /// Requests with no live API key from one network.
    ApiNetwork,
}

impl BucketKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignInNetwork => "sign_in_network",
            Self::SignInPair => "sign_in_pair",
            Self::SignInAccount => "sign_in_account",
            Self::SignInDevice => "sign_in_device",
            Self::StepUp => "step_up",
            Self::RefusedPage => "refused_page",
            Self::PersonTest => "person_test",
            Self::StoreTest => "store_test",
            Self::CartLocations => "cart_locations",
            Self::TestAlert => "test_alert",
            Self::TokenRefusal => "token_refusal",
            Self::ApiKey => "api_key",
            Self::ApiNetwork => "api_network",
        }
    }
}

/// One counter. Stores only a digest of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub kind: BucketKind,
    key: [u8; 32],
}

impl Bucket {
    /// Hashes each part with its length, so that different lists of parts never share a bucket.
    pub fn of(kind: BucketKind, parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in std::iter::once(&kind.as_str().as_bytes()).chain(parts) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self { kind, key: digest.finalize().into() }
    }

    /// Resets the count. Called after a successful attempt.
    pub async fn clear(self, connection: &mut Connection) -> sqlx::Result<()> {
        sqlx::query!("delete from throttle where kind = $1 and key = $2", self.kind.as_str(), &self.key[..])
            .execute(connection)
            .await
            .map(drop)
    }
}

impl Throttle {
    /// Counts one attempt. Returns `Some` with the time to wait if the bucket is full.
    pub async fn count(self, connection: &mut Connection, bucket: Bucket) -> sqlx::Result<Option<Duration>> {
        let limits = [(self, bucket)];
        if let Some(wait) = find_full(connection, &limits).await? {
            return Ok(Some(wait));
        }
        if take(connection, &limits).await? {
            return Ok(None);
        }
        // A concurrent attempt used the last free one.
        Ok(Some(find_full(connection, &limits).await?.unwrap_or(self.window)))
    }
}

/// Counts one attempt in every bucket, or in none. Returns `Some` with the time to wait if a bucket is full; of several
/// full buckets the first one counts. Callers that share buckets must list them in the same order to avoid deadlocks.
pub async fn count_all(pool: &Pool, limits: &[(Throttle, Bucket)]) -> sqlx::Result<Option<Duration>> {
    enum Uncounted {
        Full,
        Broken(sqlx::Error),
    }
    impl From<sqlx::Error> for Uncounted {
        fn from(error: sqlx::Error) -> Self {
            Self::Broken(error)
        }
    }
    loop {
        let mut connection = pool.acquire().await?;
        if let Some(wait) = find_full(&mut connection, limits).await? {
            return Ok(Some(wait));
        }
        drop(connection);
        let limits = limits.to_vec();
        let counted = transaction(pool, move |work| {
            Box::pin(async move { if take(work, &limits).await? { Ok(()) } else { Err(Uncounted::Full) } })
        });
        match counted.await {
            Ok(()) => return Ok(None),
            // A concurrent attempt filled a bucket after the check; check again.
            Err(Uncounted::Full) => {}
            Err(Uncounted::Broken(error)) => return Err(error),
        }
    }
}

/// Time to wait for the first full bucket. A window that ends far in the future counts as ended, because it means that
/// the clock was set back.
async fn find_full(connection: &mut Connection, limits: &[(Throttle, Bucket)]) -> sqlx::Result<Option<Duration>> {
    let (kinds, keys, _, seconds) = columns(limits);
    let left = sqlx::query_scalar!(
        r#"
        select extract(epoch from ends_at - now())::float8 as "left!"
        from unnest($1::text[], $2::bytea[], $3::float8[]) with ordinality as asked (kind, key, seconds, place)
        join throttle using (kind, key)
        where remaining = 0 and ends_at > now() and ends_at <= now() + make_interval(secs => 2 * seconds)
        order by place limit 1
        "#,
        &kinds as &[&str],
        &keys as &[&[u8]],
        &seconds
    )
    .fetch_optional(connection)
    .await?;
    Ok(left.map(|left| Duration::from_secs_f64(left.max(1.0))))
}

/// Counts one attempt in every bucket that is not full, in the given order. Returns whether all were counted; if not,
/// the caller rolls back.
async fn take(connection: &mut Connection, limits: &[(Throttle, Bucket)]) -> sqlx::Result<bool> {
    let (kinds, keys, most, seconds) = columns(limits);
    let counted = sqlx::query!(
        "
        insert into throttle as kept (kind, key, remaining, ends_at)
        select kind, key, most - 1, now() + make_interval(secs => seconds)
        from unnest($1::text[], $2::bytea[], $3::int[], $4::float8[]) with ordinality as asked (kind, key, most, seconds, place)
        order by place
        on conflict (kind, key) do update set
            remaining = case when kept.ends_at > now() and kept.ends_at <= excluded.ends_at + (excluded.ends_at - now())
                             then kept.remaining - 1 else excluded.remaining end,
            ends_at = case when kept.ends_at > now() and kept.ends_at <= excluded.ends_at + (excluded.ends_at - now())
                           then kept.ends_at else excluded.ends_at end
        where kept.remaining > 0
            or not (kept.ends_at > now() and kept.ends_at <= excluded.ends_at + (excluded.ends_at - now()))
        ",
        &kinds as &[&str],
        &keys as &[&[u8]],
        &most,
        &seconds
    )
    .execute(connection)
    .await?;
    Ok(usize::try_from(counted.rows_affected()) == Ok(limits.len()))
}

type Columns<'a> = (Vec<&'static str>, Vec<&'a [u8]>, Vec<i32>, Vec<f64>);

fn columns(limits: &[(Throttle, Bucket)]) -> Columns<'_> {
    (
        limits.iter().map(|(_, bucket)| bucket.kind.as_str()).collect(),
        limits.iter().map(|(_, bucket)| &bucket.key[..]).collect(),
        limits.iter().map(|(throttle, _)| i32::try_from(throttle.limit).unwrap_or(i32::MAX)).collect(),
        limits.iter().map(|(throttle, _)| throttle.window.as_secs_f64()).collect(),
    )
}

/// Deletes windows that have ended.
pub async fn sweep(connection: &mut Connection) -> sqlx::Result<u64> {
    let swept = sqlx::query!("delete from throttle where ends_at <= now() or ends_at > now() + interval '1 day'");
    Ok(swept.execute(connection).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Throttle = Throttle { limit: 3, window: Duration::from_mins(5) };

    fn bucket(value: &str) -> Bucket {
        Bucket::of(BucketKind::SignInAccount, &[value.as_bytes()])
    }

    async fn shift(pool: &Pool, by: &'static str) {
        sqlx::query(sqlx::AssertSqlSafe(format!("update throttle set ends_at = ends_at + interval '{by}'")))
            .execute(pool)
            .await
            .expect("shifted");
    }

    /// The remaining attempts of each bucket.
    async fn remaining(pool: &Pool) -> Vec<i32> {
        sqlx::query_scalar("select remaining from throttle order by 1").fetch_all(pool).await.expect("counts")
    }

    #[test]
    fn different_parts_never_share_a_bucket() {
        let of = |kind, parts: &[&str]| Bucket::of(kind, &parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>());
        let plain = of(BucketKind::SignInPair, &["ab", "c"]);
        assert_eq!(plain, of(BucketKind::SignInPair, &["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["ab/c"]] {
            assert_ne!(plain, of(BucketKind::SignInPair, other), "{other:?}");
        }
        assert_ne!(plain.key, of(BucketKind::SignInNetwork, &["ab", "c"]).key);
    }

    #[sqlx::test]
    async fn fifty_parallel_attempts_count_as_fifty(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let tries = (0..50).map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.acquire().await.expect("connection");
                THREE.count(&mut connection, bucket("a")).await.expect("count").is_none()
            })
        });
        let mut let_in = 0;
        for attempt in tries.collect::<Vec<_>>() {
            let_in += u32::from(attempt.await.expect("task"));
        }
        assert_eq!(let_in, 3);
    }

    #[sqlx::test]
    async fn parallel_attempts_refused_by_one_bucket_count_in_no_other(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let limits = [(Throttle { limit: 50, ..THREE }, bucket("wide")), (THREE, bucket("narrow"))];
        let tries = (0..30).map(|_| count_all(&pool, &limits));
        let refused = futures_util::future::join_all(tries).await;
        assert_eq!(refused.iter().filter(|one| matches!(one, Ok(None))).count(), 3, "{refused:?}");
        assert_eq!(remaining(&pool).await, [0, 47]);
    }

    #[sqlx::test]
    async fn the_first_full_bucket_refuses(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let long = Throttle { limit: 1, window: Duration::from_hours(1) };
        let (first, second) = ((long, bucket("first")), (THREE, bucket("second")));
        for limits in [[first, second], [second, (long, bucket("third"))]] {
            assert_eq!(count_all(&pool, &limits).await.expect("count"), None);
        }
        let wait = count_all(&pool, &[second, first]).await.expect("count").expect("full");
        assert!(wait > THREE.window, "only the first is full: {wait:?}");
        assert_eq!(remaining(&pool).await, [0, 0, 1]);
    }

    #[sqlx::test]
    async fn window_ends_by_the_database_clock(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        for _ in 0..3 {
            assert!(THREE.count(&mut connection, bucket("a")).await.expect("count").is_none());
        }
        assert!(THREE.count(&mut connection, bucket("a")).await.expect("count").is_some());
        for passed in ["-5 minutes", "2 days"] {
            shift(&pool, passed).await;
            assert!(THREE.count(&mut connection, bucket("a")).await.expect("count").is_none(), "{passed}");
            assert_eq!(remaining(&pool).await, [2], "{passed}: a new window");
        }
    }

    #[sqlx::test]
    async fn successful_attempt_clears_its_own_bucket(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        for name in ["a", "b"] {
            for _ in 0..3 {
                assert!(THREE.count(&mut connection, bucket(name)).await.expect("count").is_none(), "{name}");
            }
        }
        bucket("a").clear(&mut connection).await.expect("clear");
        assert!(THREE.count(&mut connection, bucket("a")).await.expect("count").is_none());
        assert!(THREE.count(&mut connection, bucket("b")).await.expect("count").is_some(), "another bucket stays");
    }

    #[sqlx::test]
    async fn expired_windows_are_deleted(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let mut connection = pool.acquire().await.expect("connection");
        THREE.count(&mut connection, bucket("over")).await.expect("count");
        shift(&pool, "-5 minutes").await;
        THREE.count(&mut connection, bucket("future")).await.expect("count");
        shift(&pool, "2 days").await;
        sqlx::query("update throttle set ends_at = now() where ends_at < now() + interval '47 hours 59 minutes'")
            .execute(&pool)
            .await
            .expect("over");
        THREE.count(&mut connection, bucket("now")).await.expect("count");
        assert_eq!(sweep(&mut connection).await.expect("sweep"), 2);
        assert_eq!(sweep(&mut connection).await.expect("sweep"), 0);
        assert_eq!(remaining(&pool).await, [2]);
    }
}
