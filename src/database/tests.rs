//! Tests of failing connections, against a real Postgres behind a relay that can stop forwarding.

use std::{future::Future, sync::Arc, task::Poll, time::Duration};

use sqlx::{
    ConnectOptions, Executor,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
};

use super::*;

const ANSWER_TIMEOUT: Duration = Duration::from_millis(400);

/// A TCP port in front of Postgres's socket.
struct Relay {
    port: u16,
    /// A connection forwards bytes while its number is not below this one.
    silent_below: Arc<watch::Sender<u64>>,
    opened: watch::Receiver<u64>,
}

impl Relay {
    async fn before(options: &PgConnectOptions) -> Self {
        let folder = options.get_socket().map(|path| path.display().to_string());
        let folder = folder.unwrap_or_else(|| options.get_host().to_owned());
        let socket = format!("{folder}/.s.PGSQL.{}", options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let silent_below = Arc::new(watch::Sender::new(0));
        let (count, opened) = watch::channel(0);
        let silence = silent_below.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = *count.borrow();
                let server = UnixStream::connect(&socket).await.expect("Postgres listens");
                let (client_reads, client_writes) = client.into_split();
                let (server_reads, server_writes) = server.into_split();
                tokio::spawn(carry(client_reads, server_writes, silence.subscribe(), number));
                tokio::spawn(carry(server_reads, client_writes, silence.subscribe(), number));
                count.send_modify(|count| *count += 1);
            }
        });
        Self { port, silent_below, opened }
    }

    /// Stops forwarding on all open connections without closing them.
    fn silence(&self) {
        self.silent_below.send_replace(*self.opened.borrow());
    }

    fn pool(&self, options: &PgConnectOptions, size: usize) -> Pool {
        let server = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(options.get_username())
            .database(options.get_database().expect("a database"))
            .ssl_mode(sqlx::postgres::PgSslMode::Disable);
        Pool::build([server].into(), size, ANSWER_TIMEOUT)
    }
}

async fn fell_silent(silent_below: &mut watch::Receiver<u64>, number: u64) {
    silent_below.wait_for(|below| *below > number).await.ok();
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut silent_below: watch::Receiver<u64>,
    number: u64,
) {
    let mut bytes = [0; 4096];
    loop {
        tokio::select! {
            () = fell_silent(&mut silent_below, number) => std::future::pending().await,
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => if to.write_all(&bytes[..count]).await.is_err() { return },
                Ok(0) | Err(_) => return,
            },
        }
    }
}

async fn backend(pool: &Pool) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(pool).await.expect("an answer")
}

fn is_silence<T>(answer: &sqlx::Result<T>) -> bool {
    matches!(answer, Err(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut)
}

#[sqlx::test]
async fn connection_that_dies_in_a_statement_frees_its_slot(_: PgPoolOptions, options: PgConnectOptions) {
    let relay = Relay::before(&options).await;
    let pool = relay.pool(&options, 1);
    for _ in 0..4 {
        let mut connection = pool.acquire().await.expect("a connection");
        relay.silence();
        let answer = connection.execute("select 1").await;
        drop(connection);
        assert!(is_silence(&answer), "{answer:?}");
        assert_eq!(pool.usage(), Usage { in_use: 0, idle: 0, waiting: 0 });
    }
    backend(&pool).await;
}

#[sqlx::test]
async fn transaction_on_a_dead_connection_frees_its_slot(_: PgPoolOptions, options: PgConnectOptions) {
    let relay = Relay::before(&options).await;
    let pool = relay.pool(&options, 1);
    pool.execute("create table notes (n int)").await.expect("table");
    let silence = relay.silent_below.clone();
    let outcome = transaction::<(), sqlx::Error, _>(&pool, move |work| {
        Box::pin(async move {
            work.execute("insert into notes values (1)").await?;
            silence.send_replace(u64::MAX);
            work.execute("insert into notes values (2)").await.map(drop)
        })
    });
    let outcome = outcome.await;
    assert!(is_silence(&outcome), "{outcome:?}");
    assert_eq!(pool.usage().in_use, 0);
    relay.silent_below.send_replace(0);
    let kept: i64 = sqlx::query_scalar("select count(*) from notes").fetch_one(&pool).await.expect("count");
    assert_eq!(kept, 0);
}

/// With many concurrent callers, each caller with a dead connection gets an error, and all slots become free again.
#[sqlx::test]
async fn all_slots_are_free_after_all_connections_died(_: PgPoolOptions, options: PgConnectOptions) {
    let relay = Relay::before(&options).await;
    let pool = relay.pool(&options, 8);
    for _ in 0..4 {
        let asked: Vec<_> = (0..20)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.execute("select pg_sleep(0.05)").await })
            })
            .collect();
        while pool.usage().in_use < 8 {
            tokio::task::yield_now().await;
        }
        relay.silence();
        for one in asked {
            one.await.expect("no panic").ok();
        }
        assert_eq!(pool.usage().in_use, 0);
        backend(&pool).await;
    }
}

#[sqlx::test]
async fn dead_idle_connection_is_replaced_without_an_error(_: PgPoolOptions, options: PgConnectOptions) {
    let relay = Relay::before(&options).await;
    let pool = relay.pool(&options, 2);
    backend(&pool).await;
    relay.silence();
    backend(&pool).await;
}

#[sqlx::test]
async fn cancelled_statement_closes_its_connection(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::new([options]);
    let first = backend(&pool).await;
    let asked = Box::pin(pool.execute("select pg_sleep(30)"));
    tokio::time::timeout(Duration::from_millis(50), asked).await.expect_err("it sleeps");
    assert_ne!(backend(&pool).await, first);
}

#[sqlx::test]
async fn statement_error_keeps_the_connection(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::new([options]);
    let first = backend(&pool).await;
    pool.execute("select 1 / 0").await.expect_err("division by zero");
    sqlx::query("select $1::int / 0").bind(1).fetch_optional(&pool).await.expect_err("division by zero");
    assert_eq!(backend(&pool).await, first);
}

#[sqlx::test]
async fn connection_to_a_read_only_server_is_not_reused(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::new([options]);
    pool.execute("create table notes (n int)").await.expect("table");
    let first = backend(&pool).await;
    pool.execute("set session characteristics as transaction read only").await.expect("as after a demotion");
    let refused = pool.execute("insert into notes values (1)").await.expect_err("read-only");
    assert_eq!(refused.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(), Some("25006"));
    pool.execute("insert into notes values (1)").await.expect("another connection");
    assert_ne!(backend(&pool).await, first);
}

#[sqlx::test]
async fn failover_that_one_connection_finds_out_empties_the_pool(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::new([options]);
    pool.execute("create table notes (n int)").await.expect("table");
    let mut both = [pool.acquire().await.expect("a connection"), pool.acquire().await.expect("another")];
    for demoted in &mut both {
        let demote = sqlx::query("set session characteristics as transaction read only");
        demote.execute(&mut **demoted).await.expect("as after a demotion");
    }
    drop(both);
    pool.execute("insert into notes values (1)").await.expect_err("read-only");
    pool.execute("insert into notes values (1)").await.expect("a new connection");
}

#[sqlx::test]
async fn first_writable_server_is_used(_: PgPoolOptions, options: PgConnectOptions) {
    let standby = options.clone().options([("default_transaction_read_only", "on")]);
    let nobody = {
        let port =
            TcpListener::bind("127.0.0.1:0").await.and_then(|socket| socket.local_addr()).expect("a port").port();
        PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port).username("x")
    };
    // Accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mute = nobody.clone().port(silent.local_addr().expect("bound").port());
    for others in [vec![standby.clone()], vec![nobody], vec![mute], vec![standby.clone(), standby.clone()]] {
        let pool = Pool::new([others, vec![options.clone()]].concat());
        assert!(is_writable(&pool).await.expect("an answer"));
    }
    let none = Pool::new([standby]).acquire().await.expect_err("only a standby");
    assert!(is_away(&none.into()));
}

#[sqlx::test]
async fn pool_closes_promptly_with_dead_connections(_: PgPoolOptions, options: PgConnectOptions) {
    let relay = Relay::before(&options).await;
    let pool = relay.pool(&options, 3);
    let leases = futures_util::future::join_all((0..3).map(|_| pool.acquire())).await;
    drop(leases);
    relay.silence();
    let closing = pool.close();
    tokio::time::timeout(Duration::from_secs(5), closing).await.expect("closing does not wait for dead connections");
    assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolClosed)));
}

/// Drops a transaction at each of its first polls, then inserts ten rows and verifies from another connection that they
/// were committed.
#[sqlx::test]
async fn a_transaction_dropped_at_any_poll_loses_no_later_write(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::build([options.clone()].into(), 1, ANSWER_TIMEOUT);
    pool.execute("create table notes (n int)").await.expect("table");
    for polls in 1..=6 {
        let other = pool.clone();
        let mut begin = Box::pin(async move {
            let mut connection = other.acquire().await?;
            connection.begin().await
        });
        let mut so_far = 0;
        // Polled only after the database has answered, so that each poll advances one step.
        std::future::poll_fn(|context| {
            so_far += 1;
            let is_over = begin.as_mut().poll(context).is_ready() || so_far == polls;
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(begin);
        for n in 0..10 {
            sqlx::query("insert into notes values ($1)").bind(n).execute(&pool).await.expect("insert");
        }
        let mut other = options.connect().await.expect("connect");
        let seen: i64 = sqlx::query_scalar("select count(*) from notes").fetch_one(&mut other).await.expect("count");
        assert_eq!(seen, polls * 10);
    }
}

#[sqlx::test]
async fn database_that_may_lose_writes_is_rejected(_: PgPoolOptions, options: PgConnectOptions) {
    // The test cluster runs without fsync, which the start check must reject.
    let pool = Pool::new([options]);
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&pool).await.expect("show");
    let checked = check_durability(&pool).await;
    assert_eq!(checked.is_err(), fsync == "off");
}

#[sqlx::test]
async fn connections_use_synchronous_commit(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = Pool::new([options]);
    let level: String = sqlx::query_scalar("show synchronous_commit").fetch_one(&pool).await.expect("show");
    assert_eq!(level, "on");
}
