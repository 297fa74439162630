//! Resident memory of the release build after 10,000 page views of every kind, including sign-ins and connection tests.

use std::net::Ipv4Addr;

use anyhow::{Context, ensure};

use super::{
    browser::{Browser, hidden},
    ground::{Ground, fill},
    program::Program,
    report::{Goal, Report},
    rounds::Rounds,
};

const VIEWS: usize = 10_000;
const PASSWORD: &str = "four plain random words";
const EMAIL: &str = "admin@example.com";

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let program = Program::start(ground.folder(), &["--practice"]).await?;
    let fresh = program.resident();
    let pool = cartwright::database::Pool::new([ground.options()]);
    fill(&pool, 60, 1).await?;
    let carts: Vec<uuid::Uuid> = sqlx::query_scalar("select id from carts limit 20").fetch_all(&pool).await?;
    let link = program.set_up_link();
    let mut browser = Browser::open(program.address, "").await?;
    set_up(&mut browser, &link).await?;
    for view in 0..VIEWS {
        match view % 1_000 {
            // A user may run ten tests a minute.
            75 => test(&mut browser).await?,
            // Concurrent sign-ins, because concurrent hashes add up in memory.
            n if n % 100 == 50 => crowd(&program, 3).await?,
            _ => look(&mut browser, view, &carts).await?,
        }
    }
    let figure = "resident memory after 10,000 page views";
    match (fresh, program.resident(), program.peak()) {
        (Some(fresh), Some(resident), Some(peak)) => {
            report.figure(figure, "MiB", &Rounds::from_iter([resident]), Goal::AtMost(48.0));
            report.figure("  at its start", "MiB", &Rounds::from_iter([fresh]), Goal::None);
            report.figure("  the most at any moment", "MiB", &Rounds::from_iter([peak]), Goal::None);
        }
        _ => report.missing(figure),
    }
    let figure = "memory that 1,000 sign-ins at once add";
    let before = program.resident();
    flood(&program).await?;
    match before.zip(program.peak()) {
        Some((before, peak)) => {
            report.figure(figure, "MiB", &Rounds::from_iter([peak - before]), Goal::AtMost(100.0));
        }
        None => report.missing(figure),
    }
    drop(browser);
    program.stop()?;
    pool.close().await;
    ground.close().await?;
    Ok(())
}

async fn look(browser: &mut Browser, view: usize, carts: &[uuid::Uuid]) -> anyhow::Result<()> {
    let cart = carts[view % carts.len()];
    let path = match view % 6 {
        0 | 1 => "/admin/ecommerce".to_owned(),
        2 => format!("/admin/ecommerce/shopify/{cart}/general"),
        3 => "/admin/ecommerce/shopify/new".to_owned(),
        4 => "/help".to_owned(),
        _ => "/admin".to_owned(),
    };
    let request = browser.request("GET", &path, "Accept-Encoding: gzip\r\n", "");
    let answer = browser.send(&request).await?;
    ensure!(answer.status == 200, "{path}: {:?}", answer.headers);
    Ok(())
}

async fn set_up(browser: &mut Browser, link: &str) -> anyhow::Result<()> {
    // The link is exchanged for a cookie and leads to the form.
    let exchanged = browser.get(link).await?;
    browser.keep_cookies(&exchanged);
    let form = exchanged.header("location").context("no location")?;
    let page = browser.get(form).await?;
    browser.keep_cookies(&page);
    let page = page.text();
    let csrf = hidden(&page, "csrf")?;
    let fields = [("csrf", csrf), ("name", "Sam Lee"), ("email", EMAIL), ("password", PASSWORD)];
    let answer = browser.post("/set-up", &fields).await?;
    ensure!(answer.status == 303, "set-up: {:?}", answer.headers);
    Ok(())
}

/// Signs in several users at the same moment.
async fn crowd(program: &Program, people: usize) -> anyhow::Result<()> {
    let address = program.address;
    let people: Vec<_> = (0..people)
        .map(|_| {
            tokio::spawn(async move {
                let mut browser = Browser::open(address, "").await?;
                let page = browser.get("/sign-in").await?;
                browser.keep_cookies(&page);
                let page = page.text();
                let fields =
                    [("csrf", hidden(&page, "csrf")?), ("return_to", ""), ("email", EMAIL), ("password", PASSWORD)];
                let answer = browser.post("/sign-in", &fields).await?;
                // 303: signed in. 429: too many concurrent attempts.
                ensure!(matches!(answer.status, 303 | 429), "sign-in: {:?}", answer.headers);
                Ok(())
            })
        })
        .collect();
    for person in people {
        person.await??;
    }
    Ok(())
}

/// Sends a thousand concurrent sign-ins of unknown users, ten per address, so that the throttle lets them reach the
/// hashing.
async fn flood(program: &Program) -> anyhow::Result<()> {
    let mut stranger = Browser::open(program.address, "").await?;
    let page = stranger.get("/sign-in").await?;
    stranger.keep_cookies(&page);
    let csrf = hidden(&page.text(), "csrf")?.to_owned();
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..1_000_u32 {
        let from = Ipv4Addr::from(0x7f00_0102 + number / 10);
        let (address, cookies, csrf) = (program.address, stranger.cookies.line(), csrf.clone());
        tries.spawn(async move {
            let mut browser = Browser::open_from(from, address, &cookies).await?;
            let email = format!("person{number}@example.com");
            let fields = [("csrf", csrf.as_str()), ("return_to", ""), ("email", &email), ("password", PASSWORD)];
            Ok::<_, anyhow::Error>(browser.post("/sign-in", &fields).await?.status)
        });
    }
    let mut hashed = 0;
    while let Some(tried) = tries.join_next().await {
        let status = tried??;
        ensure!(matches!(status, 422 | 429 | 503), "sign-in: {status}");
        hashed += u32::from(status == 422);
    }
    ensure!(hashed >= 4, "too few attempts were hashed for a meaningful figure");
    Ok(())
}

/// Fills in a practice store and runs a connection test.
async fn test(browser: &mut Browser) -> anyhow::Result<()> {
    const NEW: &str = "/admin/ecommerce/shopify/new";
    let page = browser.get(NEW).await?.text();
    let (csrf, submission) = (hidden(&page, "csrf")?, hidden(&page, "submission")?);
    let common =
        [("csrf", csrf), ("submission", submission), ("website_name", "Tea"), ("credential_kind", "access_token")];
    let filled = browser.post(NEW, &[&common[..], &[("intent", "fill:practice-tea")]].concat()).await?;
    ensure!(filled.status == 200, "fill in: {:?}", filled.headers);
    let url = "https://practice-tea.myshopify.com/admin/";
    let tested = browser.post(&format!("{NEW}/connection-tests"), &[&common[..], &[("api_url", url)]].concat()).await?;
    tested.text().contains("data-class=\"").then_some(()).context("the test returned no verdict")
}
