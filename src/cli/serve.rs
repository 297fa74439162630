//! `cartwright serve`: checks everything before the port opens, then prints the address.

use std::{io, net::SocketAddr};

use tokio::{net::TcpSocket, task::JoinHandle, time::Instant};

use super::{
    RefusedStart,
    database::{self, Superuser},
    key_file::key_ring,
    reload::Hangup,
    say,
    stop::Stop,
};
use crate::{
    app::{App, Site},
    config::{PublicUrl, ServeConfig, ServeFlags},
    platforms::shopify::client::ShopifyClient,
    telemetry, urls,
    vault::{SERVER, Vault},
    web, worker,
};

/// Part of the time to stop that is reserved for closing the database.
const CLOSE_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(1_500);
/// Length of the accept queue in the kernel.
const WAITING: u32 = 1024;

pub async fn serve(flags: ServeFlags) -> anyhow::Result<()> {
    let log = telemetry::start_logging(&flags.database.log());
    #[cfg_attr(not(feature = "practice"), expect(unused_mut, reason = "only the practice store changes the settings"))]
    let mut config = flags.check()?;
    if let Some(unnamed) = config.trusted_proxies.unnamed(config.public_url.is_https) {
        tracing::warn!("{unnamed}");
    }
    // Bound first, so that a port in use is reported before a database is created. It listens after all checks.
    let port = take(config.listen)?;
    let (stop, hangup) = (Stop::on_signals()?, Hangup::listen()?);
    let superuser = Superuser::by_flag(config.allow_superuser);
    let opened = database::open_unless(&config.database, SERVER, superuser, stop.told()).await?;
    let Some(opened) = opened else { return Ok(()) };
    #[cfg(feature = "practice")]
    let _practice = practice(&mut config).await?;
    let drain = config.drain;
    let reload = |app: &App| tokio::spawn(hangup.reload(flags, log, app.clone()));
    let outcome = run(config, &opened, port, &stop, reload).await;
    opened.close_by(stop.deadline(drain)).await;
    outcome
}

/// Binds the port without listening: until all checks have passed, connections are refused.
fn take(address: SocketAddr) -> Result<TcpSocket, RefusedStart> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let taken = socket.and_then(|socket| {
        // as for a listener, so that a restart need not wait for old connections to expire
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    taken.map_err(|error| unusable(address, &error))
}

fn unusable(address: SocketAddr, error: &io::Error) -> RefusedStart {
    RefusedStart(format!("CARTWRIGHT_LISTEN: {address} cannot be used: {error}"))
}

/// Starts the practice store and makes it the egress proxy: same client, TLS and proxy settings as in production.
#[cfg(feature = "practice")]
async fn practice(config: &mut ServeConfig) -> anyhow::Result<Option<crate::practice::Practice>> {
    use anyhow::Context;

    use crate::practice::{Options, Practice};
    if !config.practice {
        return Ok(None);
    }
    let practice = Practice::start(Options::newcomer()).await?;
    config.egress.proxy = Some(practice.proxy_url().parse().context("the practice store's own address")?);
    let mut roots = config.egress.extra_roots_pem.take().unwrap_or_default();
    roots.push(b'\n');
    roots.extend_from_slice(practice.ca_pem().as_bytes());
    config.egress.extra_roots_pem = Some(roots);
    config.practice_stores = Some(practice.stores().clone());
    Ok(Some(practice))
}

async fn run(
    mut config: ServeConfig,
    opened: &database::OpenDatabase,
    port: TcpSocket,
    stop: &Stop,
    reload: impl FnOnce(&App) -> JoinHandle<()>,
) -> anyhow::Result<()> {
    let vault = vault(&mut config, opened).await?;
    let client = ShopifyClient::new(&config.egress)?;
    let site = Site {
        product: config.product_name,
        public_url: config.public_url,
        trusted_proxies: config.trusted_proxies,
        egress_addresses: config.egress_addresses,
        support: config.support,
        metrics: telemetry::start_metrics(),
        has_metrics_port: config.metrics_listen.is_some(),
        #[cfg(feature = "practice")]
        practice: config.practice_stores,
    };
    let app =
        App::new(opened.pool.clone(), vault, client, site).with_alert_ways(&config.alerts)?.stopped_by(stop.token());
    app.alerts.seal_addresses().await?;
    let listener = port.listen(WAITING).map_err(|error| unusable(config.listen, &error))?;
    tell(&app, listener.local_addr()?.port()).await?;
    let monitored = config.metrics_listen.map(|address| monitored(address, &app, stop, config.drain)).transpose()?;
    let worker = config.has_worker.then(|| tokio::spawn(worker::run(app.clone(), config.activity_keep, stop.token())));
    let reloading = reload(&app);
    let recorder = tokio::spawn(telemetry::keep_metrics(app.site.metrics.clone()));
    let stopping = async {
        stop.told().await;
        let deadline = stop.deadline(config.drain) - CLOSE_TIMEOUT;
        web::frame::server::Stopping { drained: Instant::now() + stop.drain(config.drain), deadline }
    };
    let deadline = web::frame::server::serve(listener, web::site(app.clone()), stopping).await;
    recorder.abort();
    reloading.abort();
    let ended = async {
        if let Some(worker) = worker {
            worker.await.ok();
        }
        app.finish().await;
        if let Some(monitored) = monitored {
            monitored.await.ok();
        }
    };
    if tokio::time::timeout_at(deadline, ended).await.is_err() {
        tracing::warn!("some connection tests did not end in time; their results are lost");
    }
    Ok(())
}

/// Serves probes and metrics on a separate port until the process stops.
pub(super) fn monitored(
    address: SocketAddr,
    app: &App,
    stop: &Stop,
    drain: std::time::Duration,
) -> anyhow::Result<JoinHandle<Instant>> {
    let unusable =
        |error: &io::Error| RefusedStart(format!("CARTWRIGHT_METRICS_LISTEN: {address} cannot be used: {error}"));
    let port = take(address)
        .map_err(|RefusedStart(told)| RefusedStart(told.replace("CARTWRIGHT_LISTEN", "CARTWRIGHT_METRICS_LISTEN")))?;
    let listener = port.listen(WAITING).map_err(|error| unusable(&error))?;
    say(format_args!("Metrics are at http://{}/-/metrics", listener.local_addr()?));
    let (stop, router) = (stop.clone(), web::frame::probes::router(app.clone()));
    let stopping = async move {
        stop.told().await;
        let drained = Instant::now() + stop.drain(drain);
        web::frame::server::Stopping { drained, deadline: drained + std::time::Duration::from_secs(1) }
    };
    Ok(tokio::spawn(web::frame::server::serve(listener, router, stopping)))
}

/// The vault with the configured keys. A wrong key is rejected before anything is opened.
pub(super) async fn vault(config: &mut ServeConfig, opened: &database::OpenDatabase) -> anyhow::Result<Vault> {
    let ring = key_ring(config.keys.take(), &config.database)?;
    Vault::open_with(ring, opened.pool.clone()).await.map_err(|error| {
        if crate::database::is_away(&error) { error } else { RefusedStart(format!("{error:#}")).into() }
    })
}

/// Prints the address and, while there are no users, the one-time link for the first administrator.
async fn tell(app: &App, port: u16) -> anyhow::Result<()> {
    let PublicUrl { origin, host, .. } = &app.site.public_url;
    // Port 0 was requested: the system chose another.
    let origin = match origin.strip_suffix(":0") {
        Some(before) if host.is_none() => format!("{before}:{port}"),
        _ => origin.clone(),
    };
    say(format_args!("Cartwright is ready at {origin}"));
    if app.site.practices() {
        say(format_args!("Practice mode: stores whose name begins with practice- are answered by this server."));
    }
    if app.accounts.is_empty().await? {
        let code = app.accounts.make_set_up_link().await?;
        say(format_args!(
            "Nobody can sign in yet. Make the first administrator within the hour: {origin}{}",
            urls::set_up_link(code.to_cookie())
        ));
    }
    Ok(())
}
