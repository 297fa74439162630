//! Delivers queued alerts. A run takes leases, sends outside any transaction, and records the results. If a server is
//! killed in between, the lease expires, and the next run of any server retries with the same ID.

use std::time::Duration;

use super::{Alerts, CALL_TIMEOUT, InternalError, mail::CONFIRM_TIMEOUT};
use crate::supervisor::Heartbeat;

/// Interval between polls for due deliveries.
const DELIVERY_INTERVAL: Duration = Duration::from_secs(5);
/// Lease of a webhook delivery in seconds: several times the call timeout.
pub(super) const LEASE: f64 = 60.0;
/// Lease of an e-mail address: longer than a session with a mail server. With a shorter lease, another process could
/// send the message again while the mail server still handles it.
pub(super) const MAIL_LEASE: Duration = Duration::from_mins(2);
const _: () = assert!(MAIL_LEASE.as_secs() > CALL_TIMEOUT.as_secs() + CONFIRM_TIMEOUT.as_secs() + 10);
/// How long a delivery is retried, in seconds: a day.
pub(super) const GIVE_UP_AFTER: f64 = 86_400.0;
/// Pauses after the first, second, … failure, in seconds; the last one repeats.
const RETRY_PAUSES: [f64; 9] = [10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0];

/// Result of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryRun {
    /// Delivered messages, by either transport.
    pub delivered: usize,
    /// Failed attempts, which are retried.
    pub failed: usize,
    /// Messages whose delivery was abandoned.
    pub given_up: usize,
}

impl DeliveryRun {
    /// Whether there was nothing to do.
    pub const fn is_idle(self) -> bool {
        self.delivered + self.failed + self.given_up == 0
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.given_up += other.given_up;
    }
}

impl Alerts {
    /// Delivers everything that is due now, by e-mail and webhook in parallel.
    pub async fn deliver(&self) -> Result<DeliveryRun, InternalError> {
        let (calls, mails) = tokio::join!(self.deliver_calls(), self.deliver_mails());
        let mut round = calls?;
        round.add(mails?);
        Ok(round)
    }
}

/// Delivers until the server or the worker stops. Safe to run in several processes. An internal error is logged and
/// retried in the next run.
pub async fn keep_delivering(alerts: Alerts, heartbeat: Heartbeat) {
    // Separate loops, so that a slow mail server does not delay the webhook.
    tokio::join!(keep(&alerts, Channel::Webhook, &heartbeat), keep(&alerts, Channel::Mail, &heartbeat));
}

#[derive(Clone, Copy)]
enum Channel {
    Webhook,
    Mail,
}

async fn keep(alerts: &Alerts, channel: Channel, heartbeat: &Heartbeat) {
    let mut rounds = tokio::time::interval(DELIVERY_INTERVAL);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // Repeats while there is work; otherwise many simultaneous alerts would be delivered at one batch per five
        // seconds.
        loop {
            heartbeat.beat();
            let round = match channel {
                Channel::Webhook => alerts.deliver_calls().await,
                Channel::Mail => alerts.deliver_mails().await,
            };
            match round {
                Ok(round) if round.is_idle() => break,
                Ok(round) => tracing::info!(?round, "alerts"),
                Err(error) => {
                    tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "delivering alerts failed");
                    break;
                }
            }
        }
    }
}

/// Retry pause after this many failures, with jitter, so that deliveries that failed together are not retried together.
pub(super) fn pause(attempts: i32, seed: uuid::Uuid) -> f64 {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(0).min(RETRY_PAUSES.len() - 1);
    RETRY_PAUSES[place] * (1.0 + f64::from(seed.as_bytes()[15]) / 2_560.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_pauses_grow_and_span_a_day() {
        let seed = uuid::Uuid::from_u128(0xFF);
        let pauses: Vec<f64> = (1..=9).map(|n| pause(n, seed)).collect();
        assert!(pauses.windows(2).all(|pair| pair[1] > pair[0]), "{pauses:?}");
        assert!((pause(1, uuid::Uuid::nil()) - 10.0).abs() < f64::EPSILON && pause(1, seed) < 11.0);
        assert!(pause(50, seed) >= 28_800.0 && pause(0, seed) < 11.0);
        assert!(pauses.iter().sum::<f64>() > GIVE_UP_AFTER / 2.0);
    }
}
