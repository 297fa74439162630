//! Rate limits of the API. A key buys requests in blocks: one write to the database per block, so that a request normally
//! costs none, and all replicas together allow little more than the limit. Failed authentications are counted per network.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    database::{
        Pool,
        throttle::{Bucket, BucketKind, Throttle},
    },
    network::IpNetwork,
};

const WINDOW: Duration = Duration::from_mins(1);
/// Requests that one block allows.
const BLOCK: u32 = 100;
/// Blocks per key and minute: 6,000 requests, and at most one block more per process.
const BLOCKS: Throttle = Throttle { limit: 60, window: WINDOW };
/// Failed authentications per network and minute. Beyond it nothing is written.
const FAILURES: Throttle = Throttle { limit: 60, window: WINDOW };
/// Prefix lengths that group the addresses of one client.
const IPV4_PREFIX: u8 = 32;
const IPV6_PREFIX: u8 = 56;

/// The requests that this process may still answer, by key.
#[derive(Debug, Default)]
pub(super) struct KeyLimits {
    allowances: Mutex<HashMap<Uuid, Allowance>>,
}

#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: u32,
    until: Instant,
}

impl KeyLimits {
    /// Counts one request with a key. Returns `Some` with the time to wait if the key has no request left.
    pub(super) async fn count(&self, pool: &Pool, key: Uuid) -> sqlx::Result<Option<Duration>> {
        if self.take(key, Instant::now()) {
            return Ok(None);
        }
        let mut connection = pool.acquire().await?;
        let bucket = Bucket::of(BucketKind::ApiKey, &[key.as_bytes()]);
        if let Some(wait) = BLOCKS.count(&mut connection, bucket).await? {
            return Ok(Some(wait));
        }
        self.add_block(key, Instant::now());
        Ok(None)
    }

    fn take(&self, key: Uuid, now: Instant) -> bool {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        match allowances.get_mut(&key) {
            Some(allowance) if allowance.until > now && allowance.left > 0 => {
                allowance.left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Adds a block whose first request is used, and forgets old ones. Two requests may buy one at the same time.
    fn add_block(&self, key: Uuid, now: Instant) {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        allowances.retain(|_, allowance| allowance.until > now);
        let allowance = allowances.entry(key).or_insert(Allowance { left: 0, until: now });
        *allowance = Allowance { left: allowance.left + BLOCK - 1, until: now + WINDOW };
    }
}

/// Counts a failed authentication. Returns `Some` with the time to wait if there were too many from this network.
pub(super) async fn count_failure(pool: &Pool, client: Option<IpAddr>) -> sqlx::Result<Option<Duration>> {
    let client = client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
    let prefix = if client.is_ipv4() { IPV4_PREFIX } else { IPV6_PREFIX };
    let network = IpNetwork::around(client, prefix).to_string();
    let mut connection = pool.acquire().await?;
    FAILURES.count(&mut connection, Bucket::of(BucketKind::ApiNetwork, &[network.as_bytes()])).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_allows_its_requests_for_a_minute() {
        let (limits, key, now) = (KeyLimits::default(), Uuid::now_v7(), Instant::now());
        assert!(!limits.take(key, now), "nothing was bought");
        limits.add_block(key, now);
        assert!((1..BLOCK).all(|_| limits.take(key, now)), "the first request of the block is the one that bought it");
        assert!(!limits.take(key, now));
        limits.add_block(key, now);
        assert!(!limits.take(key, now + WINDOW), "a block ends with its minute");
        limits.add_block(Uuid::now_v7(), now + WINDOW);
        assert_eq!(limits.allowances.lock().unwrap().len(), 1, "and is forgotten");
    }

    #[sqlx::test]
    async fn key_waits_when_its_blocks_are_used_up(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let key = Uuid::now_v7();
        let requests = BLOCK * BLOCKS.limit;
        let limits = KeyLimits::default();
        for _ in 0..requests {
            assert_eq!(limits.count(&pool, key).await.unwrap(), None);
        }
        assert!(limits.count(&pool, key).await.unwrap().is_some());
        assert_eq!(limits.count(&pool, Uuid::now_v7()).await.unwrap(), None, "another key");
        assert!(KeyLimits::default().count(&pool, key).await.unwrap().is_some(), "another replica");
    }

    #[sqlx::test]
    async fn failures_of_one_network_are_bounded(pool: sqlx::PgPool) {
        let pool = Pool::from(&pool);
        let client = |text: &str| Some(text.parse().unwrap());
        for _ in 0..FAILURES.limit {
            assert_eq!(count_failure(&pool, client("192.0.2.1")).await.unwrap(), None);
        }
        assert!(count_failure(&pool, client("::ffff:192.0.2.1")).await.unwrap().is_some());
        assert_eq!(count_failure(&pool, client("192.0.2.2")).await.unwrap(), None);
        assert_eq!(count_failure(&pool, client("2001:db8::1")).await.unwrap(), None);
    }
}
