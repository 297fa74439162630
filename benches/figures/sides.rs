//! Compares servers that render the same page: alternates between them and counts responses.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::ensure;

use super::{
    browser::{Browser, hidden, load},
    rounds::Rounds,
};

pub const ROUNDS: usize = 12;
const ROUND: Duration = Duration::from_millis(500);
const CLIENTS: usize = 16;

/// One server of the comparison.
pub struct Side {
    address: SocketAddr,
    request: Arc<Vec<u8>>,
    /// Responses per second.
    pub rounds: Rounds,
}

impl Side {
    pub async fn new(address: SocketAddr, path: &str, cookies: &str, headers: &str) -> anyhow::Result<Self> {
        let request = Browser::open(address, cookies).await?.request("GET", path, headers, "");
        let side = Self { address, request: Arc::new(request), rounds: Rounds::default() };
        // Opens the database connections and lets Postgres settle on its plans.
        load(address, Arc::clone(&side.request), CLIENTS, ROUND).await?;
        Ok(side)
    }

    pub async fn round(&mut self) -> anyhow::Result<()> {
        let times = load(self.address, Arc::clone(&self.request), CLIENTS, ROUND).await?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 responses")]
        self.rounds.add(times.len() as f64 / ROUND.as_secs_f64());
        Ok(())
    }
}

/// Checks that all sides render the same page. Only these hidden fields may differ in value; their lengths must match.
pub async fn same_bytes(
    ours: (SocketAddr, &str, &str),
    bare: (SocketAddr, &str),
    fields: &[&str],
) -> anyhow::Result<()> {
    let (address, path, cookies) = ours;
    let mut pages = Vec::new();
    for (address, path, cookies) in [(address, path, cookies), (bare.0, bare.1, "")] {
        let mut page = Browser::open(address, cookies).await?.get(path).await?.text();
        for field in fields {
            page = page.replace(&hidden(&page, field)?.to_owned(), "");
        }
        pages.push(page);
    }
    let differs = pages[0].lines().zip(pages[1].lines()).find(|(a, b)| a != b);
    ensure!(differs.is_none(), "the baseline page {} differs: {differs:?}", bare.1);
    ensure!(pages[0].lines().count() == pages[1].lines().count(), "the baseline page {} differs in length", bare.1);
    Ok(())
}
