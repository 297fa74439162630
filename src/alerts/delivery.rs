//! Delivers what waits. One round leases, calls outside of any transaction, and records; a server that is killed in between
//! leaves a lease that ends by itself, and the next round of anybody tries again with the same id.

use std::time::Duration;

use super::{Alerts, Broken, LONGEST_CALL, mail::CONFIRM_TIMEOUT};
use crate::supervisor::Heartbeat;

/// How often a server looks for what is due.
const EVERY: Duration = Duration::from_secs(5);
/// How long a webhook delivery belongs to whoever took it, in seconds: several times what a call may take.
pub(super) const LEASE: f64 = 60.0;
/// The same of a mail address: longer than a conversation with a mail server, or another process would send the message again
/// while the server still has it.
pub(super) const MAIL_LEASE: Duration = Duration::from_mins(2);
const _: () = assert!(MAIL_LEASE.as_secs() > LONGEST_CALL.as_secs() + CONFIRM_TIMEOUT.as_secs() + 10);
/// How long we try, in seconds: a day.
pub(super) const GIVE_UP: f64 = 86_400.0;
/// Pauses behind the first, second, … failure, in seconds; the last goes on.
const PAUSES: [f64; 9] = [10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0];

/// What one round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages that arrived, by either way.
    pub delivered: usize,
    /// Tries that failed; they are made again.
    pub failed: usize,
    /// Messages that nobody will ever get.
    pub given_up: usize,
}

impl Round {
    /// Whether there was anything to do.
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
    /// Delivers what is due now, by mail and by webhook at the same time.
    pub async fn deliver(&self) -> Result<Round, Broken> {
        let (calls, mails) = tokio::join!(self.deliver_calls(), self.deliver_mails());
        let mut round = calls?;
        round.add(mails?);
        Ok(round)
    }
}

/// Delivers for as long as the server or the worker runs; any number of them may. A failure of ours is told once and tried again
/// at the next round.
pub async fn keep_delivering(alerts: Alerts, heartbeat: Heartbeat) {
    // Each by itself: a mail server that takes its time does not hold up the webhook.
    tokio::join!(keep(&alerts, Channel::Webhook, &heartbeat), keep(&alerts, Channel::Mail, &heartbeat));
}

#[derive(Clone, Copy)]
enum Channel {
    Webhook,
    Mail,
}

async fn keep(alerts: &Alerts, channel: Channel, heartbeat: &Heartbeat) {
    let mut rounds = tokio::time::interval(EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // Many that broke at once are not told one handful in five seconds.
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

/// The pause behind this many failures, a little different for each, so that what failed together does not come back together.
pub(super) fn pause(attempts: i32, seed: uuid::Uuid) -> f64 {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(0).min(PAUSES.len() - 1);
    PAUSES[place] * (1.0 + f64::from(seed.as_bytes()[15]) / 2_560.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_day_is_filled() {
        let seed = uuid::Uuid::from_u128(0xFF);
        let pauses: Vec<f64> = (1..=9).map(|n| pause(n, seed)).collect();
        assert!(pauses.windows(2).all(|pair| pair[1] > pair[0]), "{pauses:?}");
        assert!((pause(1, uuid::Uuid::nil()) - 10.0).abs() < f64::EPSILON && pause(1, seed) < 11.0);
        assert!(pause(50, seed) >= 28_800.0 && pause(0, seed) < 11.0);
        assert!(pauses.iter().sum::<f64>() > GIVE_UP / 2.0);
    }
}
