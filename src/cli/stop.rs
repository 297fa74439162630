//! Handles SIGTERM and Ctrl-C from the first moment, so that they can end every wait of a start or a stop.

use std::time::Duration;

use anyhow::Context;
use tokio::{signal::unix, time::Instant};
use tokio_util::sync::CancellationToken;

/// Maximum time from the signal to the end of the process, in addition to the drain.
const EXIT_WITHIN: Duration = Duration::from_millis(9_500);

/// Whether the process must stop, and by which signal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop {
    told: CancellationToken,
    signal: std::sync::Arc<std::sync::OnceLock<StopSignal>>,
}

#[derive(Clone, Copy, Debug)]
struct StopSignal {
    at: Instant,
    /// Whether it was SIGTERM, from a process manager or an orchestrator: a load balancer may still send requests for a
    /// while.
    drains: bool,
}

impl Stop {
    /// Starts to listen for signals.
    pub fn on_signals() -> anyhow::Result<Self> {
        let mut terminate = unix::signal(unix::SignalKind::terminate()).context("listening for SIGTERM")?;
        let mut interrupt = unix::signal(unix::SignalKind::interrupt()).context("listening for SIGINT")?;
        let stop = Self { told: CancellationToken::new(), signal: std::sync::Arc::default() };
        let heard = stop.clone();
        tokio::spawn(async move {
            let drains = tokio::select! {
                _ = terminate.recv() => true,
                _ = interrupt.recv() => false,
            };
            tracing::info!("stopping");
            heard.signal.set(StopSignal { at: Instant::now(), drains }).ok();
            heard.told.cancel();
        });
        Ok(stop)
    }

    /// Completes at the first signal.
    pub async fn told(&self) {
        self.told.cancelled().await;
    }

    /// Cancelled at the first signal.
    pub fn token(&self) -> CancellationToken {
        self.told.clone()
    }

    /// How long to continue serving: `drain` after SIGTERM, zero after Ctrl-C, because a user waits at the terminal.
    pub fn drain(&self, drain: Duration) -> Duration {
        if self.signal.get().is_some_and(|told| told.drains) { drain } else { Duration::ZERO }
    }

    /// When the process must have ended if it drains for this long; counted from now if there was no signal.
    pub fn deadline(&self, drain: Duration) -> Instant {
        let at = self.signal.get().map_or_else(Instant::now, |told| told.at);
        at + EXIT_WITHIN.max(self.drain(drain) + EXIT_WITHIN / 2)
    }
}
