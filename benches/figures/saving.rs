//! A save, including its audit row and its commit to disk, against `pgbench` with the same statements over the same
//! socket. Reads the statements of a save from the database and fails if `save.sql` differs.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use cartwright::{
    carts::{CartId, CartSubmission, Carts, CredentialInput, Visitor, WebsiteName},
    database::Pool,
    platforms::shopify::{client::Egress, credential::CredentialKind},
};
use futures_util::future::try_join_all;
use sqlx::Executor;
use tokio::process::Command;
use uuid::Uuid;

use super::{
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::Rounds,
};

const ROUNDS: usize = 6;
/// Whole seconds, because `pgbench` takes no fractions.
const ROUND: Duration = Duration::from_secs(2);
const CLIENTS: usize = 8;
/// A save as a `pgbench` script; bind parameters become variables.
const SCRIPT: &str = include_str!("save.sql");

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    same_statements(&ground).await?;
    let pool = ground.schema("saving").await?;
    fill(&pool, 1_000, 1).await?;
    let served = Served::start(pool.clone(), &Egress::default()).await?;
    let visitor = served.administrator(0).await?.visitor;
    let carts: Vec<Uuid> =
        sqlx::query_scalar("select id from carts where is_active order by id limit 16").fetch_all(&pool).await?;
    let names = Arc::new(AtomicUsize::new(0));
    let (ours_of, theirs_of) = carts.split_at(CLIENTS);
    let (mut ours, mut theirs) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        ours.add(through_us(&served.app.carts, &visitor, ours_of, &names).await?);
        if let Some(saves) = pgbench(&ground, &visitor, theirs_of).await? {
            theirs.add(saves);
        }
    }
    report.figure("saves, ours", "saves/s", &ours, Goal::None);
    let figure = "saves / pgbench, the same statements";
    if theirs.is_empty() {
        report.missing(figure);
    } else {
        report.figure("  pgbench, the same statements", "saves/s", &theirs, Goal::None);
        report.figure(figure, "×", &ours.ratio_to(&theirs), Goal::AtLeast(0.7));
    }
    served.close().await;
    ground.close().await?;
    Ok(())
}

/// Saves per second with several clients, each on its own cart.
async fn through_us(
    saved_by: &Carts,
    visitor: &Visitor,
    carts: &[Uuid],
    names: &Arc<AtomicUsize>,
) -> anyhow::Result<f64> {
    let end = Instant::now() + ROUND;
    let clients: Vec<_> = carts
        .iter()
        .map(|&cart| {
            let (saved_by, visitor, names) = (saved_by.clone(), visitor.clone(), Arc::clone(names));
            tokio::spawn(async move {
                let mut count = 0_u32;
                while Instant::now() < end {
                    save(&saved_by, &visitor, cart, &names).await?;
                    count += 1;
                }
                Ok::<_, anyhow::Error>(count)
            })
        })
        .collect();
    let mut all = 0;
    for client in clients {
        all += client.await??;
    }
    Ok(f64::from(all) / ROUND.as_secs_f64())
}

/// Loads the cart as the editor does, renames it and saves.
async fn save(carts: &Carts, visitor: &Visitor, cart: Uuid, names: &AtomicUsize) -> anyhow::Result<()> {
    let cart = carts.find(CartId(cart)).await?.context("the cart does not exist")?;
    let submission = CartSubmission {
        id: Uuid::now_v7(),
        name: WebsiteName::parse(&format!("Shop {}", names.fetch_add(1, Ordering::Relaxed)))?,
        address: cart.address.clone(),
        offered: CredentialInput::Blank { kind: CredentialKind::AccessToken, client_id: None },
        wants_active: true,
    };
    carts.update(visitor.clone(), cart.id, cart.version, submission).await?;
    Ok(())
}

/// The same number of `pgbench` processes with one connection each. `None` if `pgbench` is not installed.
async fn pgbench(ground: &Ground, visitor: &Visitor, carts: &[Uuid]) -> anyhow::Result<Option<f64>> {
    let Some(program) = ground.program("pgbench") else { return Ok(None) };
    let script = ground.folder().join("save.sql");
    std::fs::write(&script, SCRIPT)?;
    let options = ground.options();
    let socket = options.get_socket().context("the cluster has a Unix socket")?;
    let session: String =
        visitor.drafts.session().unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect();
    let changes =
        serde_json::json!({ "changes": [{ "field": "Website Name", "before": "Shop 17", "after": "Shop 18" }] });
    let runs = carts.iter().map(|cart| {
        let mut run = Command::new(&program);
        run.args(["--no-vacuum", "--protocol=prepared", "--client=1"]).arg(format!("--time={}", ROUND.as_secs()));
        run.arg("--file").arg(&script).arg("--host").arg(socket).arg(format!("--port={}", options.get_port()));
        run.arg(format!("--username={}", options.get_username()));
        for (name, value) in [
            ("cart", cart.to_string()),
            ("session", format!("\\x{session}")),
            ("actor", visitor.by.actor.id().unwrap_or_default().to_string()),
            ("changes", changes.to_string()),
            ("kind", "person".to_owned()),
            ("person", visitor.by.name().to_owned()),
            ("event", "cart_changed".to_owned()),
            ("feed", "cart.changed".to_owned()),
            ("what", "carts".to_owned()),
            ("request", Uuid::now_v7().to_string()),
            ("ip", "127.0.0.1".to_owned()),
            ("agent", "a browser".to_owned()),
            ("active", "true".to_owned()),
            ("change", "true".to_owned()),
            ("later", "false".to_owned()),
            ("digest", format!("\\x{}", "5a".repeat(32))),
            ("email", "admin0@example.com".to_owned()),
            ("longest", "720".to_owned()),
            ("idle", "30".to_owned()),
            ("status", "connected".to_owned()),
        ] {
            run.arg(format!("--define={name}={value}"));
        }
        run.arg(options.get_database().unwrap_or_default());
        run.env("PGOPTIONS", "-c search_path=saving -c synchronous_commit=on").stdin(Stdio::null()).kill_on_drop(true);
        async move { anyhow::Ok(run.output().await?) }
    });
    let mut all = 0.0;
    for run in try_join_all(runs).await? {
        let said = String::from_utf8_lossy(&run.stdout);
        ensure!(run.status.success(), "pgbench: {}", String::from_utf8_lossy(&run.stderr));
        let saves = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        all += saves.with_context(|| format!("unexpected output of pgbench: {said}"))?;
    }
    Ok(Some(all))
}

/// Saves over a single connection, then compares the statements which that connection has prepared, in order.
async fn same_statements(ground: &Ground) -> anyhow::Result<()> {
    let pool = ground.schema("said").await?;
    fill(&pool, 5, 1).await?;
    // One request at a time uses one connection.
    let single = Pool::new(pool.servers());
    let served = Served::start(single.clone(), &Egress::default()).await?;
    let visitor = served.administrator(0).await?.visitor;
    let cart = sqlx::query_scalar("select id from carts where is_active limit 1").fetch_one(&single).await?;
    // Forces a new connection without prepared statements.
    single.execute("select pg_terminate_backend(pg_backend_pid())").await.ok();
    save(&served.app.carts, &visitor, cart, &AtomicUsize::default()).await?;
    let sent: Vec<String> = sqlx::query_scalar(
        "select statement from pg_prepared_statements where statement !~ 'pg_prepared' order by prepare_time",
    )
    .fetch_all(&single)
    .await?;
    served.close().await;
    pool.close().await;
    let script = SCRIPT.lines().filter(|line| !line.starts_with(['\\', '-'])).collect::<Vec<_>>().join("\n");
    let measured: Vec<String> = script
        .split(';')
        .map(without_values)
        .filter(|statement| !matches!(statement.as_str(), "begin" | "commit" | ""))
        .collect();
    let sent: Vec<String> = sent.iter().map(|statement| without_values(statement)).collect();
    ensure!(sent == measured, "save.sql differs from the statements of a save, which are:\n{}", sent.join(";\n"));
    Ok(())
}

/// Normalizes a statement to one line with `?` for each value: `$1` in our statements, `:name` in `pgbench` scripts.
fn without_values(statement: &str) -> String {
    let spaced = statement.replace("gen_random_uuid()", "?").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut rest = spaced.chars().peekable();
    while let Some(next) = rest.next() {
        let is_value = match next {
            '$' => rest.peek().is_some_and(char::is_ascii_digit),
            ':' => !plain.ends_with(':') && rest.peek().is_some_and(char::is_ascii_lowercase),
            _ => false,
        };
        plain.push(if is_value { '?' } else { next });
        while is_value && rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_').is_some() {}
    }
    plain
}
