//! Tries at a password, counted before anything is hashed: for one account from one address, for one account, from one address.
//! Stops guessing, and parallel guessing, without ever ending the session of somebody who is signed in.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Accounts, password::Crowded};
use crate::database::throttle::Throttle;

const MINUTES_5: Duration = Duration::from_mins(5);
const PAIR: Throttle = Throttle { limit: 5, window: MINUTES_5 };
const ACCOUNT: Throttle = Throttle { limit: 20, window: MINUTES_5 };
const ADDRESS: Throttle = Throttle { limit: 30, window: MINUTES_5 };

/// Where sign-ins stand in line for the database. A thousand strangers at the door keep nobody waiting who is signed in: their
/// tries take half of the pool's connections, and a line that is too long sends the next one away at once, which costs no memory.
#[derive(Debug)]
pub(super) struct Line {
    places: Semaphore,
    turns: Semaphore,
}

impl Default for Line {
    fn default() -> Self {
        Self { places: Semaphore::new(100), turns: Semaphore::new(8) }
    }
}

impl Line {
    /// Waits for a turn; it is over when this is dropped.
    pub(super) async fn turn(&self) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), Crowded> {
        let place = self.places.try_acquire().map_err(|_| Crowded)?;
        Ok((place, self.turns.acquire().await.map_err(|_| Crowded)?))
    }
}

/// "Too many sign-in tries. Try again in 5 minutes."
pub(super) fn too_many(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    format!("Too many sign-in tries. Try again in {minutes} {}.", if minutes == 1 { "minute" } else { "minutes" })
}

impl Accounts {
    /// Counts one more; `Some` tells how long to wait when that is too many.
    pub(super) async fn count_try(&self, email: &str, ip: Option<&str>) -> sqlx::Result<Option<Duration>> {
        let buckets = [
            (PAIR, pair_bucket(email, ip)),
            (ACCOUNT, account_bucket(email)),
            (ADDRESS, format!("sign-in//{}", network(ip))),
        ];
        let mut connection = self.pool.acquire().await?;
        let mut wait = None;
        for (throttle, bucket) in buckets {
            wait = wait.max(throttle.count(&mut connection, &bucket).await?);
        }
        Ok(wait)
    }
}

/// After a right password. The address keeps its count: one right password says nothing of the other tries from there.
pub(super) async fn forget_tries(
    connection: &mut crate::database::Connection,
    email: &str,
    ip: Option<&str>,
) -> sqlx::Result<()> {
    PAIR.clear(connection, &pair_bucket(email, ip)).await?;
    ACCOUNT.clear(connection, &account_bucket(email)).await
}

/// What was typed as an address, short enough to keep.
pub(super) fn shown(email: &str) -> String {
    email.chars().filter(|c| !c.is_control()).take(254).collect()
}

fn account_bucket(email: &str) -> String {
    format!("sign-in/{}", shown(email))
}

fn pair_bucket(email: &str, ip: Option<&str>) -> String {
    format!("sign-in/{}/{}", shown(email), network(ip))
}

/// The address itself, or the /64 of an IPv6 address: one household, one count.
fn network(ip: Option<&str>) -> String {
    match ip.and_then(|ip| ip.parse().ok()) {
        Some(std::net::IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Some(ip) => ip.to_canonical().to_string(),
        None => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_household_has_one_count() {
        assert_eq!(network(Some("2001:db8:1:2:3:4:5:6")), network(Some("2001:db8:1:2::9")));
        assert_eq!(network(Some("::ffff:203.0.113.7")), network(Some("203.0.113.7")));
        assert_ne!(network(Some("203.0.113.7")), network(Some("203.0.113.8")));
    }

    #[test]
    fn the_wait_is_told_in_minutes() {
        assert_eq!(too_many(Duration::from_mins(5)), "Too many sign-in tries. Try again in 5 minutes.");
        assert_eq!(too_many(Duration::from_secs(9)), "Too many sign-in tries. Try again in 1 minute.");
    }
}
