//! SIGHUP: reads the settings in files again, without a restart. All other settings need a restart.

use anyhow::Context;
use tokio::signal::unix;

use super::key_file::key_ring;
use crate::{app::App, config::ServeFlags, telemetry::LogFilter};

/// Listens for SIGHUP. Created before the first wait of a start, so that the signal never ends the process.
pub struct Hangup(unix::Signal);

impl Hangup {
    pub fn listen() -> anyhow::Result<Self> {
        unix::signal(unix::SignalKind::hangup()).map(Self).context("listening for SIGHUP")
    }

    /// On each SIGHUP, reads the key file, the certificate authorities and the log filter again. Logs what is wrong
    /// with a file, and keeps its previous content in use.
    pub async fn reload(mut self, flags: ServeFlags, log: LogFilter, app: App) {
        while self.0.recv().await.is_some() {
            log.set(&flags.database.log());
            match flags.check() {
                Ok(mut config) => {
                    let keys = match key_ring(config.keys.take(), &config.database) {
                        Ok(ring) => app.vault.reload(ring).await,
                        Err(error) => Err(error),
                    };
                    // the practice store has its own proxy and root certificate
                    let shopify = if config.practice { Ok(()) } else { app.shopify.reload(&config.egress) };
                    let outcomes =
                        [("keys", keys), ("calls to Shopify", shopify), ("alerts", app.alerts.reload(&config.alerts))];
                    for (what, outcome) in outcomes {
                        if let Err(error) = outcome {
                            tracing::error!(error = format!("{error:#}"), "{what}: what was read before stays in use");
                        }
                    }
                    tracing::info!("the key file, the certificate authorities and the log filter were read again");
                }
                Err(problems) => {
                    let problems: Vec<_> = problems.0.iter().map(ToString::to_string).collect();
                    tracing::error!(
                        problems = problems.join("; "),
                        "a setting is wrong; what was read before stays in use"
                    );
                }
            }
        }
    }
}
