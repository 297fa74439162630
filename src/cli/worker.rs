//! `cartwright worker`: the background tasks of `serve` in a separate process, with the same settings and no port.

use std::time::Duration;

use super::{
    RefusedStart,
    database::{self, Superuser},
    reload::Hangup,
    say, serve,
    stop::Stop,
};
use crate::{
    app::{App, Site},
    config::ServeFlags,
    platforms::shopify::client::ShopifyClient,
    telemetry, worker,
};

/// Part of the time to stop that is reserved for closing the database.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1_500);

pub async fn worker(flags: ServeFlags) -> anyhow::Result<()> {
    let log = telemetry::start_logging(&flags.database.log());
    let mut config = flags.check()?;
    if config.practice {
        let why = "CARTWRIGHT_PRACTICE: the practice store lives in the server, so a server with it checks its own carts. \
                   Start the worker without it.";
        return Err(RefusedStart(why.into()).into());
    }
    let (stop, hangup) = (Stop::on_signals()?, Hangup::listen()?);
    let superuser = Superuser::by_flag(config.allow_superuser);
    let opened = database::open_unless(&config.database, "cartwright", superuser, stop.told()).await?;
    let Some(opened) = opened else { return Ok(()) };
    let vault = serve::vault(&mut config, &opened).await?;
    let site = Site {
        product: config.product_name,
        public_url: config.public_url,
        support: config.support,
        trusted_proxies: config.trusted_proxies,
        egress_addresses: config.egress_addresses,
        metrics: config.metrics_listen.and_then(|_| telemetry::start_metrics()),
        has_metrics_port: config.metrics_listen.is_some(),
        #[cfg(feature = "practice")]
        practice: None,
    };
    let app = App::new(opened.pool.clone(), vault, ShopifyClient::new(&config.egress)?, site)
        .with_alert_ways(&config.alerts)?;
    let app = app.stopped_by(stop.token());
    let recorder = tokio::spawn(telemetry::keep_metrics(app.site.metrics.clone()));
    let monitored =
        config.metrics_listen.map(|address| serve::monitored(address, &app, &stop, Duration::ZERO)).transpose()?;
    say(format_args!(
        "Cartwright checks carts. It stops at Ctrl-C or SIGTERM, when the checks in flight are recorded."
    ));
    let working = tokio::spawn(worker::run(app.clone(), config.activity_keep, stop.token()));
    let reloading = tokio::spawn(hangup.reload(flags, log, app.clone()));
    stop.told().await;
    reloading.abort();
    recorder.abort();
    if let Some(monitored) = monitored {
        monitored.abort();
    }
    let deadline = stop.deadline(Duration::ZERO);
    let ended = async {
        working.await.ok();
        app.finish().await;
    };
    if tokio::time::timeout_at(deadline - CLOSE_TIMEOUT, ended).await.is_err() {
        tracing::warn!("some checks did not end in time; they come due again by themselves");
    }
    opened.close_by(deadline).await;
    Ok(())
}
