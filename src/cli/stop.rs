//! SIGTERM and Ctrl-C, heard from the first moment on, so that every wait of a start or a stop can end because of them.

use std::time::Duration;

use anyhow::Context;
use tokio::{signal::unix, time::Instant};
use tokio_util::sync::CancellationToken;

/// A process ends this long after it was told to, and after the time that it drains.
const EXIT_WITHIN: Duration = Duration::from_millis(9_500);

/// Whether we were told to stop, and how. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop {
    told: CancellationToken,
    signal: std::sync::Arc<std::sync::OnceLock<Told>>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    /// By SIGTERM, as a process manager or an orchestrator does: others may still send requests here for a while.
    drains: bool,
}

impl Stop {
    /// Listens from now on.
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
            heard.signal.set(Told { at: Instant::now(), drains }).ok();
            heard.told.cancel();
        });
        Ok(stop)
    }

    /// Ready at the first signal.
    pub async fn told(&self) {
        self.told.cancelled().await;
    }

    /// Cancelled at the first signal.
    pub fn token(&self) -> CancellationToken {
        self.told.clone()
    }

    /// How long to go on serving: `drain` after SIGTERM, nothing after Ctrl-C, since whoever presses it waits.
    pub fn drain(&self, drain: Duration) -> Duration {
        if self.signal.get().is_some_and(|told| told.drains) { drain } else { Duration::ZERO }
    }

    /// When the process has to be over, if it drains for this long; from now where nobody told it to stop.
    pub fn deadline(&self, drain: Duration) -> Instant {
        let at = self.signal.get().map_or_else(Instant::now, |told| told.at);
        at + EXIT_WITHIN.max(self.drain(drain) + EXIT_WITHIN / 2)
    }
}
