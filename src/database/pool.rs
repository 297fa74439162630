//! Connection pool with a size limit. Reuses a connection only after a completed statement outside a transaction.
//!
//! sqlx's own pool is not used, for two reasons. It pings a returned connection, and one that does not answer keeps its
//! slot forever. And a cancelled `begin()` returns a connection inside a transaction, so that later writes are
//! acknowledged but lost.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream, FuturesUnordered},
};
use sqlx::{
    ConnectOptions, Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, Row, SqlStr,
    postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::timeout;

use super::connection::{Connection, Suspicion};

/// Timeout for acquiring a connection: 1.8 s, so that a page can report the failure within 2 s.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_800);
/// Timeout for an answer. The server cancels a statement after 5 s, so a longer silence means that the connection is
/// dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(7);
/// Timeout for the ping before a connection is reused.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum age of a connection, so that a host name that now points to another server is resolved again.
const MAX_AGE: Duration = Duration::from_mins(5);
/// Idle time after which a connection is closed.
const MAX_IDLE: Duration = Duration::from_mins(2);
/// Interval between checks for connections that are too old or idle for too long.
const RETIRE_EVERY: Duration = Duration::from_secs(15);
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// If a server has not answered after this delay, the next of several servers is tried in parallel.
const NEXT_SERVER_AFTER: Duration = Duration::from_millis(300);
const MAX_CONNECTIONS: usize = 16;

/// Settings of every session. `random_page_cost`: assume SSDs. With the default, Postgres overestimates index scans and
/// re-plans keyset pages each time. The keepalive settings apply to the server's side, so that it releases the locks of
/// a vanished client; our side has a deadline for each statement.
const SESSION: &str = "set synchronous_commit = on; set random_page_cost = 1.1; set statement_timeout = '5s'; set lock_timeout = '2s'; \
    set idle_in_transaction_session_timeout = '8s'; set client_connection_check_interval = '2s'; \
    set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set tcp_user_timeout = '10s'; \
    set client_min_messages = error; set timezone = 'UTC'; set client_encoding = 'UTF8'; show transaction_read_only";

/// The connection pool. Cheap to clone. Statements run on `&Pool`, each on any connection, or on a connection from
/// [`Pool::acquire`].
#[derive(Clone)]
pub struct Pool {
    connections: deadpool::managed::Pool<Connector, Lease>,
}

/// A connection taken from the pool. On drop it returns to the pool.
#[derive(Debug)]
pub struct Lease(Option<Box<Object<Connector>>>);

/// Connects to the first writable server.
#[derive(Debug)]
pub struct Connector {
    servers: Arc<[PgConnectOptions]>,
    /// Index of the server that was reached last.
    preferred: AtomicUsize,
    answer_timeout: Duration,
    suspicion: Suspicion,
}

/// Number of connections by state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub in_use: usize,
    pub idle: usize,
    /// Callers waiting for a connection.
    pub waiting: usize,
}

impl Pool {
    /// Creates a pool of connections to the writable server. Connections are opened on demand, so the first statement
    /// reports an unreachable database.
    ///
    /// # Panics
    /// If `servers` is empty.
    pub fn new(servers: impl Into<Arc<[PgConnectOptions]>>) -> Self {
        Self::build(servers.into(), MAX_CONNECTIONS, ANSWER_TIMEOUT)
    }

    pub(super) fn build(servers: Arc<[PgConnectOptions]>, size: usize, answer_timeout: Duration) -> Self {
        assert!(!servers.is_empty(), "a pool needs a server");
        let (preferred, suspicion) = (AtomicUsize::new(0), Suspicion::default());
        let connector = Connector { servers, preferred, answer_timeout, suspicion };
        let builder = deadpool::managed::Pool::builder(connector).max_size(size);
        let connections = builder.build().expect("a pool without timeouts needs no runtime");
        Self { connections }
    }

    /// The servers, in the order in which they are tried.
    pub fn servers(&self) -> &[PgConnectOptions] {
        &self.connector().servers
    }

    fn connector(&self) -> &Connector {
        self.connections.manager()
    }

    /// Waits for a free connection.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] after [`ACQUIRE_TIMEOUT`], [`Error::PoolClosed`] after [`Pool::close`], or the reason
    /// why the server could not be reached.
    pub async fn acquire(&self) -> Result<Lease, Error> {
        match timeout(ACQUIRE_TIMEOUT, self.connections.get()).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(Error::PoolClosed),
            Ok(Err(PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_))) | Err(_) => {
                Err(Error::PoolTimedOut)
            }
        }
    }

    /// A connection outside the pool, without deadlines, for statements that may take hours.
    ///
    /// # Errors
    /// The reason why the server could not be reached.
    pub(super) async fn connect(&self) -> Result<PgConnection, Error> {
        self.connector().connect().await
    }

    /// Closes connections that are too old or idle for too long. Returns when the pool is closed.
    pub async fn retire(self) {
        let mut rounds = tokio::time::interval(RETIRE_EVERY);
        while !self.connections.is_closed() {
            rounds.tick().await;
            self.close_idle(|connection| connection.age() > MAX_AGE || connection.idle() > MAX_IDLE).await;
        }
    }

    async fn close_idle(&self, is_over: impl Fn(&Connection) -> bool) {
        let retired = self.connections.retain(|connection, _| !is_over(connection)).removed;
        futures_util::future::join_all(retired.into_iter().map(|connection| connection.close(CLOSE_TIMEOUT))).await;
    }

    /// Closes every idle connection at once, and the others when they are returned. Takes at most half a second.
    pub async fn close(&self) {
        self.close_idle(|_| true).await;
        self.connections.close();
    }

    pub fn usage(&self) -> Usage {
        let status = self.connections.status();
        Usage { in_use: status.size - status.available, idle: status.available, waiting: status.waiting }
    }
}

/// Creates a pool for the same database, for tests.
impl From<&PgPool> for Pool {
    fn from(pool: &PgPool) -> Self {
        Self::new([pool.connect_options().as_ref().clone()])
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.usage()).finish()
    }
}

impl From<Object<Connector>> for Lease {
    fn from(object: Object<Connector>) -> Self {
        Self(Some(Box::new(object)))
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.as_ref().expect("only drop takes it")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.0.as_mut().expect("only drop takes it")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.0.take() else { return };
        if object.is_reusable() {
            object.rest();
        } else {
            // Removed from the pool and closed without I/O, because the server may not answer.
            drop(Object::take(*object));
        }
    }
}

impl Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        Ok(Connection::new(self.connect().await?, self.answer_timeout, self.suspicion.clone()))
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        if !connection.is_reusable() {
            return Err(RecycleError::message("another connection to the server failed meanwhile"));
        }
        Ok(connection.ping(PING_TIMEOUT).await?)
    }
}

impl Connector {
    /// Connects to the first writable server. If one is slow, tries the next in parallel.
    async fn connect(&self) -> Result<PgConnection, Error> {
        let first = self.preferred.load(Ordering::Relaxed);
        let count = self.servers.len();
        let mut tries: FuturesUnordered<_> = (0..count)
            .map(|turn| {
                let index = (first + turn) % count;
                let delay = NEXT_SERVER_AFTER * u32::try_from(turn).unwrap_or(u32::MAX);
                async move {
                    if turn > 0 {
                        tokio::time::sleep(delay).await;
                    }
                    (index, open(&self.servers[index]).await)
                }
            })
            .collect();
        let mut failures: Vec<(usize, Error)> = Vec::new();
        while let Some((index, opened)) = tries.next().await {
            match opened {
                Ok(connection) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(failure) => failures.push((index, failure)),
            }
        }
        // Reports the first server in the operator's order, because the operator checks that server first.
        failures.sort_by_key(|(index, _)| *index);
        Err(failures.into_iter().next().map_or(Error::PoolClosed, |(_, failure)| failure))
    }
}

/// Opens one connection and applies the session settings.
async fn open(server: &PgConnectOptions) -> Result<PgConnection, Error> {
    let mut connection = server.connect().await?;
    let is_read_only = connection.fetch_one(SESSION).await?.try_get::<String, _>(0)? == "on";
    if is_read_only {
        let standby = "the server is a standby or read-only: it cannot be written to";
        return Err(Error::Io(std::io::Error::new(std::io::ErrorKind::ReadOnlyFilesystem, standby)));
    }
    Ok(connection)
}

/// Runs one statement on any connection of the pool. Collects multiple rows before it returns the first.
impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        let answer = async move {
            let mut connection = pool.acquire().await?;
            connection.fetch_many(query).try_collect::<Vec<_>>().await
        };
        answer.into_stream().map_ok(|rows| stream::iter(rows.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let pool = self.clone();
        Box::pin(async move { pool.acquire().await?.fetch_optional(query).await })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.acquire().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.acquire().await?.describe(sql).await })
    }
}
