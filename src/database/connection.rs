//! A connection to Postgres with a deadline for every statement.
//!
//! A TCP connection can die silently: a firewall drops its state, a proxy hangs, a host loses power. sqlx 0.9.0 then
//! waits forever for the answer, and a pool that pings returned connections loses a slot. Here each statement has a
//! deadline, and a connection that is not certain to be idle is closed without I/O.

use std::{
    fmt, future, io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::{
    Stream, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr,
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{Sleep, timeout};

/// A connection of the pool. Statements run on `&mut Connection`.
pub struct Connection {
    raw: PgConnection,
    state: State,
}

/// State of a connection, known without I/O.
#[derive(Debug)]
struct State {
    /// A statement was sent, and its answer was not read to the end.
    is_answering: bool,
    /// A transaction was begun and neither committed nor rolled back.
    is_in_transaction: bool,
    /// The connection failed, or the server reported that it is not writable.
    is_broken: bool,
    created_at: Instant,
    used_at: Instant,
    /// Timeout for the next bytes of an answer.
    deadline: Duration,
    suspicion: Suspicion,
}

/// Time of the last failed connection to this server, shared by all connections of a pool. Connections that were last
/// used before it are not reused.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    fn raise(&self) {
        *self.0.lock().expect("lock is never poisoned") = Some(Instant::now());
    }

    fn covers(&self, used_at: Instant) -> bool {
        self.0.lock().expect("lock is never poisoned").is_some_and(|raised| used_at <= raised)
    }
}

impl State {
    /// Records that a statement is sent.
    ///
    /// # Errors
    /// The connection is broken, or the answer of an earlier statement was not read to the end.
    fn send(&mut self) -> Result<(), Error> {
        if self.is_broken || self.is_answering {
            return Err(Error::Io(io::Error::new(io::ErrorKind::NotConnected, "the connection to Postgres is broken")));
        }
        self.is_answering = true;
        Ok(())
    }

    /// Records the end of an answer.
    fn end(&mut self, failure: Option<&Error>) {
        match failure {
            None => self.is_answering = false,
            Some(Error::Database(refusal)) if !refusal.code().is_some_and(|code| ends_connection(&code)) => {
                self.is_answering = false;
            }
            Some(_) => self.fail(),
        }
    }

    fn fail(&mut self) {
        self.is_broken = true;
        self.suspicion.raise();
    }

    /// Records a timeout and returns its error.
    fn silence(&mut self) -> Error {
        self.fail();
        Error::Io(io::Error::new(io::ErrorKind::TimedOut, "Postgres did not answer in time"))
    }
}

/// Whether this `SQLSTATE` means that no later statement can succeed: the server is shutting down or not writable
/// (25006), or the connection is lost (class 08). <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn ends_connection(code: &str) -> bool {
    code == "25006"
        || code.starts_with("08")
        || matches!(code, "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03")
}

impl Connection {
    pub(super) fn new(raw: PgConnection, deadline: Duration, suspicion: Suspicion) -> Self {
        let now = Instant::now();
        let state = State {
            is_answering: false,
            is_in_transaction: false,
            is_broken: false,
            created_at: now,
            used_at: now,
            deadline,
            suspicion,
        };
        Self { raw, state }
    }

    /// Whether the connection is certain to be between two statements and outside a transaction, and was used since the
    /// last failed connection to the same server.
    pub(super) fn is_reusable(&self) -> bool {
        let State { is_answering, is_in_transaction, is_broken, used_at, suspicion, .. } = &self.state;
        !is_answering && !is_in_transaction && !is_broken && !suspicion.covers(*used_at)
    }

    /// Time since the last use.
    pub(super) fn idle(&self) -> Duration {
        self.state.used_at.elapsed()
    }

    /// Time since the connection was opened.
    pub(super) fn age(&self) -> Duration {
        self.state.created_at.elapsed()
    }

    /// Prepares the connection for being idle: shrinks its buffers, so that their old content is freed and wiped.
    pub(super) fn rest(&mut self) {
        sqlx::Connection::shrink_buffers(&mut self.raw);
        self.state.used_at = Instant::now();
    }

    /// Checks whether the server still answers.
    pub(super) async fn ping(&mut self, within: Duration) -> Result<(), Error> {
        self.state.send()?;
        let Ok(answer) = timeout(within, sqlx::Connection::ping(&mut self.raw)).await else {
            return Err(self.state.silence());
        };
        self.state.end(answer.as_ref().err());
        answer
    }

    /// Sends Terminate and closes the connection. Closes it without waiting for an answer after `within`.
    pub(super) async fn close(self, within: Duration) {
        timeout(within, sqlx::Connection::close(self.raw)).await.ok();
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        self.state.is_in_transaction = true;
        self.execute("begin").await.map(drop)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        self.execute("commit").await?;
        self.state.is_in_transaction = false;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.execute("rollback").await?;
        self.state.is_in_transaction = false;
        Ok(())
    }
}

/// Omits the server's address and role, which may be confidential.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Waits for the whole answer, for at most the connection's deadline.
async fn answered<T>(state: &mut State, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    state.send()?;
    let Ok(answer) = timeout(state.deadline, answer).await else { return Err(state.silence()) };
    state.end(answer.as_ref().err());
    answer
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if let Err(broken) = self.state.send() {
            return stream::once(future::ready(Err(broken))).boxed();
        }
        Box::pin(StatementRows {
            rows: self.raw.fetch_many(query),
            state: &mut self.state,
            timer: None,
            is_over: false,
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(answered(&mut self.state, self.raw.fetch_optional(query)))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(answered(&mut self.state, self.raw.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(answered(&mut self.state, self.raw.describe(sql)))
    }
}

/// The rows of a statement. The deadline runs only while we wait for the server, not while the caller processes a row.
struct StatementRows<'e> {
    rows: BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>,
    state: &'e mut State,
    /// Set while waiting for the server.
    timer: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

impl Stream for StatementRows<'_> {
    type Item = Result<Either<PgQueryResult, PgRow>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(next) = this.rows.poll_next_unpin(context) {
            this.timer = None;
            this.is_over = !matches!(next, Some(Ok(_)));
            if this.is_over {
                this.state.end(next.as_ref().and_then(|last| last.as_ref().err()));
            }
            return Poll::Ready(next);
        }
        let deadline = this.state.deadline;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(deadline)));
        std::task::ready!(timer.as_mut().poll(context));
        this.is_over = true;
        Poll::Ready(Some(Err(this.state.silence())))
    }
}
