//! `cartwright worker`: the checks of `serve` in a process of their own, with the same settings and no port.

use tokio_util::sync::CancellationToken;

use super::{Refused, database, say, serve};
use crate::{
    app::{App, Site},
    config::ServeFlags,
    ecommerce::shopify::client::Client,
    telemetry, worker,
};

/// Longest that a stop waits for checks in flight, each of which takes 10 s at most.
const STOP: std::time::Duration = std::time::Duration::from_secs(15);

pub async fn worker(flags: ServeFlags) -> anyhow::Result<()> {
    telemetry::start_logging(flags.database.log());
    let mut config = flags.check()?;
    if config.practice {
        let why = "CARTWRIGHT_PRACTICE: the practice store lives in the server, so a server with it checks its own carts. \
                   Start the worker without it.";
        return Err(Refused(why.into()).into());
    }
    let stopped = serve::stopped()?;
    let opened = database::open(&config.database).await?;
    let vault = serve::vault(&mut config, &opened).await?;
    let site = Site {
        product: config.product_name,
        public_url: config.public_url,
        support: config.support,
        trusted_proxies: config.trusted_proxies,
        egress_addresses: config.egress_addresses,
        metrics: None,
        #[cfg(feature = "practice")]
        practice: None,
    };
    let app =
        App::new(opened.pool.clone(), vault, Client::new(&config.egress)?, site).with_alert_ways(&config.alerts)?;
    say(format_args!(
        "Cartwright checks carts. It stops at Ctrl-C or SIGTERM, when the checks in flight are recorded."
    ));
    let stop = CancellationToken::new();
    let working = tokio::spawn(worker::run(app.clone(), stop.clone()));
    stopped.await;
    stop.cancel();
    let ended = async {
        working.await.ok();
        app.ecommerce.finish().await;
    };
    if tokio::time::timeout(STOP, ended).await.is_err() {
        tracing::warn!("some checks did not end in time; they come due again by themselves");
    }
    opened.close().await;
    Ok(())
}
