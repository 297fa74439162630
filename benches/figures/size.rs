//! List latency must not grow with the number of carts: p95 at 10,000 and 100,000 carts against 100.

use std::time::Instant;

use cartwright::platforms::shopify::client::Egress;

use super::{
    browser::Browser,
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::{Rounds, ms, percentile},
};

const ROUNDS: usize = 5;
/// Responses per table and round.
const VIEWS: usize = 120;
const SIZES: [i32; 3] = [100, 10_000, 100_000];

struct Table {
    served: Served,
    cookies: String,
    /// Each page's request and the p95 of each round.
    pages: Vec<(Vec<u8>, Rounds)>,
}

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let mut tables = Vec::new();
    for carts in SIZES {
        tables.push(table(&ground, carts).await?);
    }
    for _ in 0..ROUNDS {
        for page in 0..tables[0].pages.len() {
            round(&mut tables, page).await?;
        }
    }
    let pages = [
        ("first page", Goal::AtMost(1.3)),
        ("a page from the middle", Goal::AtMost(1.3)),
        ("by name from Z", Goal::AtMost(1.3)),
        ("by status", Goal::AtMost(1.3)),
        ("by last check", Goal::AtMost(1.3)),
        ("filter Active", Goal::AtMost(1.3)),
        ("filter Needs attention", Goal::AtMost(1.3)),
        ("filter Needs attention by last check", Goal::AtMost(1.3)),
        ("filter Inactive, three carts", Goal::AtMost(1.3)),
        ("search that most match", Goal::AtMost(1.3)),
        ("search that one matches", Goal::AtMost(1.3)),
        ("search that none matches", Goal::AtMost(1.3)),
        // Some thousands match, and all of them are scanned.
        ("search that some match", Goal::None),
    ];
    for (at, (name, goal)) in pages.iter().enumerate() {
        let few = tables[0].pages[at].1.clone();
        report.figure(&format!("list, p95 at 100 carts, {name}"), "ms", &few, Goal::None);
        for (table, carts) in tables.iter().zip(["", "10,000", "100,000"]).skip(1) {
            let ratio = table.pages[at].1.ratio_to(&few);
            report.figure(&format!("  {carts} / 100 carts, {name}"), "×", &ratio, *goal);
        }
    }
    for table in tables {
        table.served.close().await;
    }
    ground.close().await?;
    Ok(())
}

/// Alternates between the tables with every response, so that other load on the machine affects all of them.
async fn round(tables: &mut [Table], page: usize) -> anyhow::Result<()> {
    let mut browsers = Vec::new();
    for table in &*tables {
        browsers.push((Browser::open(table.served.address, &table.cookies).await?, Vec::new()));
    }
    for _ in 0..VIEWS {
        for (table, (browser, times)) in tables.iter().zip(&mut browsers) {
            let began = Instant::now();
            let answer = browser.send(&table.pages[page].0).await?;
            anyhow::ensure!(answer.status == 200, "{:?}", answer.headers);
            times.push(ms(began.elapsed()));
        }
    }
    for (table, (_, times)) in tables.iter_mut().zip(&browsers) {
        table.pages[page].1.add(percentile(times, 95));
    }
    Ok(())
}

async fn table(ground: &Ground, carts: i32) -> anyhow::Result<Table> {
    let pool = ground.schema(&format!("carts_{carts}")).await?;
    // Three of five fail, so that the page of carts that need attention is full at 100 carts as well as at 100,000.
    fill(&pool, carts, 3).await?;
    let middle = "select lower(website_name), id from carts order by 1, 2 offset $1 limit 1";
    let (name, id): (String, uuid::Uuid) = sqlx::query_as(middle).bind(carts / 2 - 1).fetch_one(&pool).await?;
    let first: String = sqlx::query_scalar("select website_name from carts order by website_name desc limit 1")
        .fetch_one(&pool)
        .await?;
    let served = Served::start(pool, &Egress::default()).await?;
    let cookies = served.administrator(0).await?.cookies();
    let browser = Browser::open(served.address, &cookies).await?;
    let list = "/admin/ecommerce";
    let mut pages = Vec::new();
    for path in [
        list.to_owned(),
        format!("{list}?after={name}&id={id}").replace(' ', "+"),
        format!("{list}?sort=-name"),
        format!("{list}?sort=status"),
        format!("{list}?sort=-checked"),
        format!("{list}?show=active"),
        format!("{list}?show=needs-attention"),
        format!("{list}?show=needs-attention&sort=checked"),
        format!("{list}?show=inactive"),
        format!("{list}?q=shop"),
        format!("{list}?q={}", first.replace(' ', "+")),
        format!("{list}?q=northwind"),
        format!("{list}?q=sh"),
    ] {
        pages.push((browser.request("GET", &path, "", ""), Rounds::default()));
    }
    Ok(Table { served, cookies, pages })
}
