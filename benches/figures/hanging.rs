//! The cart list while two hundred connection tests hang, against the same list on an idle server. A hanging test holds
//! a task and a connection to the Shopify stand-in, but no database connection, so it must not slow down other users.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use cartwright::{
    audit::By,
    practice::{Options, Practice, PracticeStore, Scenario},
};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::{
    browser::{Browser, hidden, load},
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::{Rounds, ms, percentile},
};

/// The limit of concurrent calls to Shopify; each user runs one test at a time.
const HANGING: usize = 200;
/// A test times out after 14.5 s, so all rounds measured meanwhile must fit into that time.
const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(500);
/// Tests started at once; the next group starts when these hang.
const TOGETHER: usize = 10;
const CLIENTS: usize = 4;

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let practice = Practice::start(Options::test()).await?;
    let egress = super::ground::way_to(&practice)?;
    let pool = ground.schema("hanging").await?;
    fill(&pool, 1_000, 1).await?;
    let served = Served::start(pool, &egress).await?;
    served.app.integration.switch(By::operator(), true).await?;
    let reader = served.administrator(0).await?;
    let request = Browser::open(served.address, &reader.cookies()).await?.request("GET", "/admin/ecommerce", "", "");
    let request = Arc::new(request);
    let mut forms = Vec::new();
    for number in 1..=HANGING {
        forms.push(form(&served, &practice, number).await?);
    }
    let round = async || {
        let times = load(served.address, Arc::clone(&request), CLIENTS, ROUND).await?;
        anyhow::Ok(percentile(&times.into_iter().map(ms).collect::<Vec<_>>(), 95))
    };
    // Lets Postgres settle on its plans and opens the pool's connections.
    round().await?;
    let (mut quiet, mut beside) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        quiet.add(round().await?);
    }
    let mut tests = JoinSet::new();
    for (number, (cookies, fields)) in forms.into_iter().enumerate() {
        if number % TOGETHER == 0 {
            hang(&practice, number).await?;
        }
        let address = served.address;
        tests.spawn(async move {
            // A separate connection: the one that loaded the form has been idle for too long.
            let mut browser = Browser::open(address, &cookies).await?;
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post(&format!("{NEW}/connection-tests"), &fields).await.map(|answer| answer.text())
        });
    }
    hang(&practice, HANGING).await?;
    for _ in 0..ROUNDS {
        beside.add(round().await?);
    }
    ensure!(tests.len() == HANGING && tests.try_join_next().is_none(), "a test ended while the list was measured");
    while let Some(test) = tests.join_next().await {
        ensure!(test??.contains("data-class=\"NETWORK_TIMEOUT\""), "a test did not hang");
    }
    report.figure("cart list, p95, quiet", "ms", &quiet, Goal::None);
    report.figure("  beside 200 hanging tests", "ms", &beside, Goal::None);
    report.figure("  beside / quiet", "×", &beside.ratio_to(&quiet), Goal::AtMost(1.5));
    served.close().await;
    ground.close().await?;
    Ok(())
}

/// Waits until this many tests have reached their store.
async fn hang(practice: &Practice, tests: usize) -> anyhow::Result<()> {
    let all = practice.journal().wait_for_requests(tests);
    tokio::time::timeout(Duration::from_secs(10), all).await.with_context(|| format!("not all {tests} tests hang"))
}

const NEW: &str = "/admin/ecommerce/shopify/new";

/// Signs in an administrator and returns a filled-in form for a store that never responds.
async fn form(
    served: &Served,
    practice: &Practice,
    number: usize,
) -> anyhow::Result<(String, Vec<(&'static str, String)>)> {
    let handle = format!("hanging-{number}");
    let store = practice.stores().put(&handle, PracticeStore::sample(&handle).with(Scenario::Hang));
    // Two hundred users sign in from one address.
    sqlx::query("delete from throttle").execute(&served.app.pool).await?;
    let cookies = served.administrator(number).await?.cookies();
    let page = Browser::open(served.address, &cookies).await?.get(NEW).await?.text();
    let fields = vec![
        ("csrf", hidden(&page, "csrf").context("form has a CSRF token")?.to_owned()),
        ("submission", hidden(&page, "submission")?.to_owned()),
        ("website_name", handle.clone()),
        ("api_url", handle),
        ("credential_kind", "access_token".into()),
        ("access_token", store.access_token.expose_secret().to_owned()),
    ];
    Ok((cookies, fields))
}
