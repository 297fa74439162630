//! The health sweep of 10,000 carts whose stores respond in 200 ms: checks per second of one process and of two,
//! against a bare client that sends the same request with the same concurrency. A process checks at most 100 stores at
//! once, so 200 ms limit it to 500/s.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use cartwright::database::Pool;
use cartwright::{
    audit::By,
    carts::{
        self, CartHandles, CartSubmission, Carts, CredentialInput, Visitor, WebsiteName, health::CHECK_CONCURRENCY,
    },
    clock::Clock,
    platforms::shopify::{
        API_VERSION,
        address::StoreAddress,
        client::ShopifyClient,
        credential::{Credential, CredentialKind},
    },
    practice::{Options, Practice, PracticeStore, Scenario},
    vault::{KeyRing, Vault},
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

use super::{
    connection_test::bare_client,
    ground::Ground,
    report::{Goal, Report},
    rounds::Rounds,
};

const CARTS: usize = 10_000;
const ROUNDS: usize = 4;
const AWAY: Duration = Duration::from_millis(200);
const DOCUMENT: &str = include_str!("../../src/platforms/shopify/connection_test.graphql");

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let pool = ground.schema("sweep").await?;
    let practice = Practice::start(Options::test()).await?;
    let line = KeyRing::generate_line();
    let one = replica(&ground, &practice, &line).await?;
    let two = replica(&ground, &practice, &line).await?;
    one.integration.switch(By::operator(), true).await?;
    let tokens = fill(&one.carts, &practice, &pool).await?;
    let bare = bare_client(&practice, 0)?;
    // Creates all certificates and fills the stand-in's journal to its cap.
    ask(&bare, &tokens).await?;
    for n in 0..CARTS {
        practice.stores().set(&handle(n), Scenario::Delayed(AWAY));
    }
    let (mut single, mut double, mut floor) = (Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..ROUNDS {
        let share = CARTS / ROUNDS;
        let carts = round * share..(round + 1) * share;
        make_due(&pool, &carts).await?;
        rate(&mut single, share, async { Ok(one.health.sweep().await?.checked) }).await?;
        make_due(&pool, &carts).await?;
        rate(&mut double, share, async {
            let (one, two) = tokio::join!(one.health.sweep(), two.health.sweep());
            Ok(one?.checked + two?.checked)
        })
        .await?;
        rate(&mut floor, share, async { ask(&bare, &tokens[carts]).await }).await?;
    }
    let failed: i64 = sqlx::query_scalar("select sum(failed)::int8 from cart_days").fetch_one(&pool).await?;
    ensure!(failed == 0, "{failed} checks failed");
    report.figure("health sweep, one process", "checks/s", &single, Goal::None);
    report.figure("health sweep, two processes", "checks/s", &double, Goal::AtLeast(500.0));
    report.figure("  a bare client, 100 in flight", "requests/s", &floor, Goal::None);
    report.figure("health sweep, one process / bare client", "×", &single.ratio_to(&floor), Goal::None);
    program(report, &ground, &practice, &line, &pool).await?;
    for side in [one, two] {
        side.tasks.close();
        side.tasks.wait().await;
    }
    pool.close().await;
    ground.close().await?;
    Ok(())
}

fn handle(n: usize) -> String {
    format!("shop-{n}")
}

/// A second replica in this process, with its own pool, client and vault.
async fn replica(ground: &Ground, practice: &Practice, line: &str) -> anyhow::Result<CartHandles> {
    let egress = super::ground::way_to(practice)?;
    let pool = cartwright::database::Pool::new([ground.options().options([("search_path", "sweep")])]);
    let ring = KeyRing::parse(line).map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let vault = Vault::open_with(ring, pool.clone()).await?;
    Ok(carts::open(pool, Arc::new(vault), Arc::new(ShopifyClient::new(&egress)?), false, Clock::System))
}

/// Saves ten thousand active carts, each with a store and a sealed token of its own; returns their tokens.
async fn fill(carts: &Carts, practice: &Practice, pool: &Pool) -> anyhow::Result<Vec<(String, SecretString)>> {
    let visitor = Visitor::in_session(By::operator(), vec![0; 32]);
    let (mut adding, mut tokens) = (JoinSet::new(), Vec::with_capacity(CARTS));
    for n in 0..CARTS {
        let handle = handle(n);
        let store = practice.stores().put(&handle, PracticeStore::sample(&handle));
        let secret = || SecretString::from(store.access_token.expose_secret());
        let credential = Credential::from_stored(CredentialKind::AccessToken, None, secret()).context("a token")?;
        let submission = CartSubmission {
            id: Uuid::new_v4(),
            name: WebsiteName::parse(&handle)?,
            address: StoreAddress::from_handle(&handle).context("handle is valid")?,
            offered: CredentialInput::Typed(credential),
            wants_active: false,
        };
        tokens.push((handle, secret()));
        if adding.len() >= 12 {
            adding.join_next().await.context("save task exists")???;
        }
        let (carts, visitor) = (carts.clone(), visitor.clone());
        adding.spawn(async move { carts.add(visitor, submission).await.map(drop).map_err(anyhow::Error::from) });
    }
    for added in adding.join_all().await {
        added?;
    }
    let mut connection = pool.servers()[0].connect().await?;
    connection.execute("set statement_timeout = 0").await?;
    connection.execute("update carts set passed_at = now(), is_active = true, status = 'connected'").await?;
    // As on any day but the first: customer access is checked once a day.
    connection
        .execute("update cart_health set customers_asked_at = now(), next_check_at = now() + interval '1 day'")
        .await?;
    connection.execute("update carts set last_class = 'CONNECTED'").await?;
    connection.execute("vacuum analyze carts, cart_health").await?;
    connection.close().await?;
    Ok(tokens)
}

async fn make_due(pool: &Pool, carts: &std::ops::Range<usize>) -> anyhow::Result<()> {
    let handles: Vec<String> = carts.clone().map(handle).collect();
    sqlx::query(
        "update cart_health set next_check_at = now() from carts where carts.id = cart_id and website_name = any ($1)",
    )
    .bind(handles)
    .execute(pool)
    .await?;
    Ok(())
}

async fn rate(
    rounds: &mut Rounds,
    expected: usize,
    work: impl Future<Output = anyhow::Result<usize>>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let done = work.await?;
    ensure!(done == expected, "{done} of {expected} checks");
    #[expect(clippy::cast_precision_loss, reason = "a few thousand checks")]
    rounds.add(done as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

/// Sends the same request to each of these stores with the concurrency of a sweep.
async fn ask(client: &reqwest::Client, tokens: &[(String, SecretString)]) -> anyhow::Result<usize> {
    let places = Arc::new(Semaphore::new(CHECK_CONCURRENCY));
    let mut asking = JoinSet::new();
    for (handle, token) in tokens {
        let place = Arc::clone(&places).acquire_owned().await?;
        let url = format!("https://{handle}.myshopify.com/admin/api/{API_VERSION}/graphql.json");
        let body = serde_json::json!({ "query": DOCUMENT }).to_string();
        let request = client.post(url).header("x-shopify-access-token", token.expose_secret()).body(body);
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        asking.spawn(async move {
            let answer = request.send().await?;
            let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await?)?;
            drop(place);
            ensure!(body.get("data").is_some(), "{body}");
            anyhow::Ok(())
        });
    }
    let answers = asking.join_all().await;
    let count = answers.len();
    answers.into_iter().collect::<anyhow::Result<()>>()?;
    Ok(count)
}

/// Runs the release build as a separate worker; returns its rate and its memory after ten thousand checks.
async fn program(
    report: &mut Report,
    ground: &Ground,
    practice: &Practice,
    line: &str,
    pool: &Pool,
) -> anyhow::Result<()> {
    let (keys, roots) = (ground.folder().join("sweep-keys"), ground.folder().join("sweep-ca.pem"));
    std::fs::write(&keys, line)?;
    std::fs::write(&roots, practice.ca_pem())?;
    let socket = ground.options().get_socket().context("private cluster has a Unix socket")?.display().to_string();
    let url = format!(
        "postgres://cartwright@localhost:1/cartwright?host={socket}&sslmode=disable&options[search_path]=sweep"
    );
    let mut worker = tokio::process::Command::new(env!("CARGO_BIN_EXE_cartwright"));
    worker.arg("worker").env_clear().env("DATABASE_URL", url).env("CARTWRIGHT_KEY_FILE", keys);
    worker.env("CARTWRIGHT_EGRESS_PROXY", practice.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", roots);
    worker.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).kill_on_drop(true);
    let mut worker = worker.spawn()?;
    let pid = worker.id().context("worker is running")?;
    // A first batch, so that all one-time allocations are done.
    let mut seen = Vec::new();
    let mut rates = Rounds::default();
    for share in [0..1_000, 1_000..CARTS] {
        make_due(pool, &share).await?;
        let began = Instant::now();
        while unchecked(pool).await? > 0 {
            ensure!(began.elapsed() < Duration::from_mins(3), "the worker makes no progress");
            ensure!(worker.try_wait()?.is_none(), "the worker exited");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand checks")]
        let rate = share.len() as f64 / began.elapsed().as_secs_f64();
        if share.len() > 1_000 {
            rates.add(rate);
        }
        seen.extend(resident(pid));
    }
    worker.kill().await?;
    report.figure("cartwright worker, 9,000 carts", "checks/s", &rates, Goal::None);
    match seen[..] {
        [first, last] => {
            report.figure("  its memory", "MiB", &Rounds::from_iter([last]), Goal::AtMost(48.0));
            report.figure(
                "  gained after the first 1,000 checks",
                "MiB",
                &Rounds::from_iter([last - first]),
                Goal::AtMost(4.0),
            );
        }
        _ => report.missing("  its memory"),
    }
    Ok(())
}

async fn unchecked(pool: &Pool) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from cart_health where next_check_at <= now()").fetch_one(pool).await?)
}

/// Resident memory of a process in MiB; available on Linux only.
fn resident(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
