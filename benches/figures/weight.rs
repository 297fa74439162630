//! Bytes that a browser with an empty cache transfers for a page: compressed, including headers.

use std::collections::BTreeSet;

use scraper::{Html, Selector};

use cartwright::platforms::shopify::client::Egress;

use super::{
    browser::Browser,
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::Rounds,
};

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let pool = ground.schema("weight").await?;
    fill(&pool, 60, 1).await?;
    let cart: uuid::Uuid = sqlx::query_scalar("select id from carts limit 1").fetch_one(&pool).await?;
    let served = Served::start(pool, &Egress::default()).await?;
    let admin = served.administrator(0).await?;
    let mut stranger = Browser::open(served.address, "").await?;
    let mut browser = Browser::open(served.address, &admin.cookies()).await?;
    one(report, &mut stranger, "sign-in", "/sign-in").await?;
    one(report, &mut browser, "home", "/admin").await?;
    one(report, &mut browser, "list, 50 rows", "/admin/ecommerce").await?;
    one(report, &mut browser, "editor", &format!("/admin/ecommerce/shopify/{cart}/general")).await?;
    one(report, &mut browser, "editor, new cart", "/admin/ecommerce/shopify/new").await?;
    one(report, &mut browser, "help", "/help").await?;
    drop((stranger, browser));
    served.close().await;
    ground.close().await?;
    Ok(())
}

async fn one(report: &mut Report, browser: &mut Browser, name: &str, path: &str) -> anyhow::Result<()> {
    let get = |browser: &Browser, path: &str| browser.request("GET", path, "Accept-Encoding: gzip\r\n", "");
    let plain = browser.get(path).await?;
    anyhow::ensure!(plain.status == 200, "{path}: {:?}", plain.headers);
    let page = browser.send(&get(browser, path)).await?;
    let mut weight = page.weight;
    let files = files(&plain.text());
    for file in &files {
        let answer = browser.send(&get(browser, file)).await?;
        anyhow::ensure!(answer.status == 200, "{file}: {:?}", answer.headers);
        weight += answer.weight;
    }
    #[expect(clippy::cast_precision_loss, reason = "a page is far smaller than 2^52 bytes")]
    let (kilobytes, requests) = (weight as f64 / 1_000.0, (files.len() + 1) as f64);
    report.figure(&format!("page weight: {name}"), "kB", &Rounds::from_iter([kilobytes]), Goal::AtMost(30.0));
    report.figure(&format!("requests: {name}"), "", &Rounds::from_iter([requests]), Goal::AtMost(6.0));
    Ok(())
}

/// Returns every file that the page references: style sheets, scripts, icons, images and symbols.
fn files(page: &str) -> BTreeSet<String> {
    let page = Html::parse_document(page);
    let named = [
        ("link[rel~=icon], link[rel=stylesheet], link[rel=preload]", "href"),
        ("script[src], img[src]", "src"),
        ("use", "href"),
    ];
    let mut files = BTreeSet::new();
    for (selector, attribute) in named {
        let selector = Selector::parse(selector).expect("selector is valid");
        let found = page.select(&selector).filter_map(|element| element.value().attr(attribute));
        files
            .extend(found.filter_map(|address| address.split('#').next()).filter(|a| !a.is_empty()).map(str::to_owned));
    }
    files
}
