//! The list does not grow slower with the number of carts: its p95 at 10,000 and 100,000 against 100.

use std::{sync::Arc, time::Duration};

use super::{
    browser::{Browser, load},
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::{Rounds, ms, percentile},
};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(700);
/// Fewer than cores, so that nobody waits for a turn.
const CLIENTS: usize = 1;
const SIZES: [i32; 3] = [100, 10_000, 100_000];

struct Table {
    served: Served,
    pages: Vec<(Arc<Vec<u8>>, Rounds)>,
}

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let mut tables = Vec::new();
    for carts in SIZES {
        tables.push(table(&ground, carts).await?);
    }
    for _ in 0..ROUNDS {
        for table in &mut tables {
            for (request, rounds) in &mut table.pages {
                let times = load(table.served.address, Arc::clone(request), CLIENTS, ROUND).await?;
                rounds.add(percentile(&times.into_iter().map(ms).collect::<Vec<_>>(), 95));
            }
        }
    }
    let names = ["first page", "a page from the middle", "filter Inactive, three carts", "search"];
    let goals = [Goal::AtMost(1.3), Goal::AtMost(1.3), Goal::None, Goal::None];
    for (at, (name, goal)) in names.iter().zip(goals).enumerate() {
        let few = tables[0].pages[at].1.clone();
        report.figure(&format!("list, p95 at 100 carts, {name}"), "ms", &few, Goal::None);
        for (table, carts) in tables.iter().zip(["", "10,000", "100,000"]).skip(1) {
            let ratio = table.pages[at].1.ratio_to(&few);
            report.figure(&format!("  {carts} / 100 carts, {name}"), "×", &ratio, goal);
        }
    }
    for table in tables {
        table.served.close().await;
    }
    ground.close().await?;
    Ok(())
}

async fn table(ground: &Ground, carts: i32) -> anyhow::Result<Table> {
    let pool = ground.schema(&format!("carts_{carts}")).await?;
    fill(&pool, carts).await?;
    let middle = "select lower(website_name), id from carts order by 1, 2 offset $1 limit 1";
    let (name, id): (String, uuid::Uuid) = sqlx::query_as(middle).bind(carts / 2 - 1).fetch_one(&pool).await?;
    let served = Served::start(pool, &cartwright::ecommerce::shopify::client::Egress::default()).await?;
    let browser = Browser::open(served.address, &served.administrator(0).await?.cookies()).await?;
    let list = "/admin/ecommerce";
    let mut pages = Vec::new();
    for path in [
        list.to_owned(),
        format!("{list}?after={name}&id={id}").replace(' ', "+"),
        format!("{list}?show=inactive"),
        format!("{list}?q=shop+1"),
    ] {
        let request = Arc::new(browser.request("GET", &path, "", ""));
        load(served.address, Arc::clone(&request), CLIENTS, ROUND / 5).await?;
        pages.push((request, Rounds::default()));
    }
    Ok(Table { served, pages })
}
