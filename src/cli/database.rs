//! The database of a command: the configured one, or a share in the private cluster.

use std::future::Future;

use super::Refused;
use crate::{
    config::{Database, is_unverified},
    database::{
        self, Pool,
        start::{self, StartError},
    },
};

/// An open database. The private cluster stops with its last user.
pub struct Opened {
    pub pool: Pool,
    /// A separate counter pool of one connection, for the vault's seal counter.
    pub beside: Pool,
    #[cfg(feature = "embedded")]
    embedded: Option<database::embedded::Embedded>,
}

/// How long a stop signal waits for a private cluster that is starting, so that the cluster can be stopped as well.
#[cfg(feature = "embedded")]
const START_GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens and migrates the database. Rejects one that may lose acknowledged writes.
pub async fn open(config: &Database) -> anyhow::Result<Opened> {
    let opened = open_unless(config, "cartwright", std::future::pending()).await?;
    opened.ok_or_else(|| anyhow::anyhow!("stopped"))
}

/// The same, with an application name for `pg_stat_activity`. `None` if `stop` is ready before the database is.
pub async fn open_unless(
    config: &Database,
    name: &str,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Option<Opened>> {
    tokio::pin!(stop);
    let opened = match config {
        Database::Url(servers) => {
            if servers.iter().any(is_unverified) {
                tracing::warn!(
                    "the database is on another host and its certificate is not checked; add sslmode=verify-full to DATABASE_URL"
                );
            }
            let servers: Vec<_> = servers.iter().map(|server| server.clone().application_name(name)).collect();
            Opened::new(
                Pool::new(servers),
                #[cfg(feature = "embedded")]
                None,
            )
        }
        #[cfg(feature = "embedded")]
        Database::Embedded { data_dir, places } => {
            let starting = database::embedded::start(data_dir, places);
            tokio::pin!(starting);
            let (started, is_stopped) = tokio::select! {
                started = &mut starting => (started?, false),
                () = &mut stop => match tokio::time::timeout(START_GRACE, starting).await {
                    Ok(started) => (started?, true),
                    Err(_) => return Ok(None),
                },
            };
            let opened = Opened::new(Pool::new([started.options().application_name(name)]), Some(started));
            if is_stopped {
                opened.close().await;
                return Ok(None);
            }
            opened
        }
    };
    let prepared = tokio::select! {
        prepared = prepare(&opened.pool) => Some(prepared),
        () = stop => None,
    };
    match prepared {
        Some(Ok(())) => {
            tokio::spawn(opened.pool.clone().retire());
            Ok(Some(opened))
        }
        Some(Err(error)) => {
            opened.close().await;
            Err(error)
        }
        None => {
            opened.close().await;
            Ok(None)
        }
    }
}

async fn prepare(pool: &Pool) -> anyhow::Result<()> {
    start::connect(pool).await.map_err(unusable)?;
    start::check(pool).await.map_err(unusable)?;
    database::check_durability(pool).await.map_err(refused)?;
    if let Err(error) = database::migrate::migrate(pool).await {
        return Err(match start::explain_migration(pool, &error).await {
            Some(explained) => unusable(explained),
            None => refused(error),
        });
    }
    Ok(())
}

/// A failure that the operator must fix becomes a settings error. One that may pass stays an ordinary error, worth a
/// retry.
fn unusable(error: StartError) -> anyhow::Error {
    if error.may_pass { error.into() } else { Refused(error.sentence).into() }
}

/// A retry is pointless if the database may lose writes or is newer than this program. An unreachable one may come
/// back.
fn refused(error: anyhow::Error) -> anyhow::Error {
    if database::is_away(&error) { error } else { Refused(super::told_once(&error)).into() }
}

impl Opened {
    fn new(pool: Pool, #[cfg(feature = "embedded")] embedded: Option<database::embedded::Embedded>) -> Self {
        Self {
            beside: pool.beside(),
            pool,
            #[cfg(feature = "embedded")]
            embedded,
        }
    }

    /// Closes every connection and gives up the share in the cluster, until `deadline` at the latest. A private cluster
    /// that needs longer ends by itself.
    pub async fn close_by(self, deadline: tokio::time::Instant) {
        if tokio::time::timeout_at(deadline, self.close()).await.is_err() {
            tracing::warn!("the private database still writes to disk; it ends by itself");
        }
    }

    /// Closes every connection and gives up the share in the cluster.
    pub async fn close(self) {
        self.pool.close().await;
        self.beside.close().await;
        #[cfg(feature = "embedded")]
        if let Some(embedded) = self.embedded
            && let Err(error) = embedded.stop().await
        {
            tracing::warn!(%error, "the private database did not stop");
        }
    }
}
