//! The database of a command: the configured one, or a share in the private cluster.

use std::future::Future;

use sqlx::postgres::PgConnectOptions;

use super::RefusedStart;
use crate::{
    config::{Database, MIGRATE_URL, is_unverified},
    database::{
        self, Pool, migrate,
        roles::{self, RoleFacts},
        start::{self, StartError},
    },
};

/// An open database. The private cluster stops with its last user.
pub struct OpenDatabase {
    pub pool: Pool,
    #[cfg(feature = "embedded")]
    embedded: Option<database::embedded::Embedded>,
}

/// Whether a role that is a Postgres superuser is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Superuser {
    Allowed,
    /// For long-running processes that handle untrusted input.
    RefusedStart,
}

impl Superuser {
    /// Reads the flag `--allow-superuser`.
    pub const fn by_flag(is_allowed: bool) -> Self {
        if is_allowed { Self::Allowed } else { Self::RefusedStart }
    }
}

/// Grace period for a private cluster that is still starting when the process must stop, so that it is stopped too.
#[cfg(feature = "embedded")]
const START_GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens and migrates the database. Rejects one that may lose acknowledged writes.
pub async fn open(config: &Database) -> anyhow::Result<OpenDatabase> {
    let opened = open_unless(config, "cartwright", Superuser::Allowed, std::future::pending()).await?;
    opened.ok_or_else(|| anyhow::anyhow!("stopped"))
}

/// The same, with an application name for `pg_stat_activity`. `None` if `stop` is ready before the database is.
pub async fn open_unless(
    config: &Database,
    name: &str,
    superuser: Superuser,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Option<OpenDatabase>> {
    tokio::pin!(stop);
    let owner_pool;
    let opened = match config {
        Database::Url { servers, owner } => {
            if servers.iter().chain(owner.iter().flatten()).any(is_unverified) {
                tracing::warn!(
                    "the database is on another host and its certificate is not checked; add sslmode=verify-full to DATABASE_URL"
                );
            }
            let pool = |servers: &Vec<PgConnectOptions>| {
                let servers = servers.iter().map(|server| server.clone().application_name(name));
                Pool::new(servers.collect::<Vec<_>>())
            };
            owner_pool = owner.as_ref().map(pool);
            OpenDatabase::new(
                pool(servers),
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
            owner_pool = Some(Pool::new([started.owner_options().application_name(name)]));
            let opened = OpenDatabase::new(Pool::new([started.options().application_name(name)]), Some(started));
            if is_stopped {
                opened.close().await;
                return Ok(None);
            }
            opened
        }
    };
    let prepared = tokio::select! {
        prepared = prepare(&opened.pool, owner_pool.as_ref(), superuser) => Some(prepared),
        () = stop => None,
    };
    if let Some(owner) = owner_pool {
        owner.close().await;
    }
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

async fn prepare(pool: &Pool, owner: Option<&Pool>, superuser: Superuser) -> anyhow::Result<()> {
    start::connect(pool).await.map_err(unusable)?;
    if superuser == Superuser::RefusedStart {
        let role = RoleFacts::read(pool).await?;
        if role.is_superuser {
            return Err(RefusedStart(superuser_refusal(&role.name)).into());
        }
    }
    start::check(pool).await.map_err(unusable)?;
    database::check_durability(pool).await.map_err(refused)?;
    match owner {
        Some(owner) => migrate_as_owner(owner, pool).await?,
        // If migrations are run separately, the serving role may lack every right to migrate.
        None if migrate::is_current(pool).await? => {}
        None => migrate_by(pool).await?,
    }
    // An insert that waits while its month's partition is attached fails, so create the months before serving.
    Ok(crate::audit::make_months(pool).await?)
}

async fn migrate_as_owner(owner: &Pool, pool: &Pool) -> anyhow::Result<()> {
    // Messages about an address name its setting, which is a different one here.
    let of_owner = |error: anyhow::Error| match error.downcast::<RefusedStart>() {
        Ok(RefusedStart(told)) => {
            let (once, twice) =
                (told.replace("DATABASE_URL", MIGRATE_URL), format!("CARTWRIGHT_MIGRATE_{MIGRATE_URL}"));
            RefusedStart(once.replace(&twice, MIGRATE_URL)).into()
        }
        Err(error) => error,
    };
    start::connect(owner).await.map_err(unusable).map_err(of_owner)?;
    migrate_by(owner).await.map_err(of_owner)?;
    roles::grant(owner, pool.servers()[0].get_username()).await.map_err(refused)?;
    if !migrate::is_current(pool).await? {
        let told =
            format!("DATABASE_URL and {MIGRATE_URL} lead to different databases or schemas: name the same one in both");
        return Err(RefusedStart(told).into());
    }
    Ok(())
}

async fn migrate_by(pool: &Pool) -> anyhow::Result<()> {
    let Err(error) = migrate::migrate(pool).await else { return Ok(()) };
    Err(match start::explain_migration(pool, &error).await {
        Some(explained) => unusable(explained),
        None => refused(error),
    })
}

/// Explains why a superuser role is refused, with both remedies.
fn superuser_refusal(role: &str) -> String {
    format!(
        "DATABASE_URL names the role {role}, a superuser of Postgres. No grant and no trigger binds it, so whoever takes over this \
         server could rewrite the activity, and read files and run programs on the database's machine. Name an ordinary role: \
         docs/operating.md has the SQL under \"Two roles\". To start all the same, set CARTWRIGHT_ALLOW_SUPERUSER=yes"
    )
}

/// Classifies a failed start: what the operator has to fix is a wrong setting; what may pass is an ordinary failure, to
/// be retried.
fn unusable(error: StartError) -> anyhow::Error {
    if error.may_pass { error.into() } else { RefusedStart(error.sentence).into() }
}

/// A retry is pointless if the database may lose writes or is newer than this program. An unreachable one may come
/// back.
fn refused(error: anyhow::Error) -> anyhow::Error {
    if database::is_away(&error) { error } else { RefusedStart(super::format_error_chain(&error)).into() }
}

impl OpenDatabase {
    fn new(pool: Pool, #[cfg(feature = "embedded")] embedded: Option<database::embedded::Embedded>) -> Self {
        Self {
            pool,
            #[cfg(feature = "embedded")]
            embedded,
        }
    }

    /// Closes every connection and releases the share in the cluster, by `deadline` at the latest. A private cluster
    /// that needs longer stops on its own.
    pub async fn close_by(self, deadline: tokio::time::Instant) {
        if tokio::time::timeout_at(deadline, self.close()).await.is_err() {
            tracing::warn!("the private database still writes to disk; it ends by itself");
        }
    }

    /// Closes every connection and releases the share in the cluster.
    pub async fn close(self) {
        self.pool.close().await;
        #[cfg(feature = "embedded")]
        if let Some(embedded) = self.embedded
            && let Err(error) = embedded.stop().await
        {
            tracing::warn!(%error, "the private database did not stop");
        }
    }
}
