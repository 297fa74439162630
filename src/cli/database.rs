//! The database of a command: the given one, or a share in the private cluster.

use sqlx::PgPool;

use super::Refused;
use crate::{
    config::{Database, is_unverified},
    database::{
        self,
        start::{self, StartError},
    },
};

/// An open database; the private cluster stops with its last user.
pub struct Opened {
    pub pool: PgPool,
    /// One connection more, where the vault counts.
    pub beside: PgPool,
    #[cfg(feature = "embedded")]
    embedded: Option<database::embedded::Embedded>,
}

/// Opens and migrates; refuses a database that may lose what it acknowledged.
pub async fn open(config: &Database) -> anyhow::Result<Opened> {
    open_as(config, "cartwright").await
}

/// The same, under a name that others see in `pg_stat_activity`.
pub async fn open_as(config: &Database, name: &str) -> anyhow::Result<Opened> {
    let opened = match config {
        Database::Url(options) => {
            if is_unverified(options) {
                tracing::warn!(
                    "the database is on another host and its certificate is not checked; add sslmode=verify-full to DATABASE_URL"
                );
            }
            let pool = database::pool(options.as_ref().clone().application_name(name));
            Opened {
                beside: database::beside(&pool),
                pool,
                #[cfg(feature = "embedded")]
                embedded: None,
            }
        }
        #[cfg(feature = "embedded")]
        Database::Embedded { data_dir, places } => {
            let embedded = database::embedded::start(data_dir, places).await?;
            let pool = database::pool(embedded.options().application_name(name));
            Opened { beside: database::beside(&pool), pool, embedded: Some(embedded) }
        }
    };
    match prepare(&opened.pool).await {
        Ok(()) => Ok(opened),
        Err(error) => {
            opened.close().await;
            Err(error)
        }
    }
}

async fn prepare(pool: &PgPool) -> anyhow::Result<()> {
    start::connect(&pool.connect_options()).await.map_err(unusable)?;
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

/// What the operator has to change is a wrong setting; what may pass is an ordinary failure, to be tried again.
fn unusable(error: StartError) -> anyhow::Error {
    if error.may_pass { error.into() } else { Refused(error.sentence).into() }
}

/// A database that may lose writes, or is newer than we are: trying again changes nothing. One that is away may come back.
fn refused(error: anyhow::Error) -> anyhow::Error {
    if database::is_away(&error) { error } else { Refused(super::told_once(&error)).into() }
}

impl Opened {
    /// Closes every connection and gives the cluster back.
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
