//! The list of 50 carts, requests a second, against a bare handler that draws the same bytes.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::ensure;

use cartwright::{ecommerce::shopify::client::Egress, vault::KeyRing};

use super::{
    bare,
    browser::{Browser, hidden, load},
    ground::{Ground, Served, fill},
    program::Program,
    report::{Goal, Report},
    rounds::Rounds,
};

const ROUNDS: usize = 12;
const ROUND: Duration = Duration::from_millis(500);
const CLIENTS: usize = 16;

/// One side of the comparison.
struct Side {
    address: SocketAddr,
    request: Arc<Vec<u8>>,
    rounds: Rounds,
}

impl Side {
    async fn new(address: SocketAddr, path: &str, cookies: &str, headers: &str) -> anyhow::Result<Self> {
        let request = Browser::open(address, cookies).await?.request("GET", path, headers, "");
        let side = Self { address, request: Arc::new(request), rounds: Rounds::default() };
        // Opens the connections to the database, and lets Postgres settle on its plans.
        load(address, Arc::clone(&side.request), CLIENTS, ROUND).await?;
        Ok(side)
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        let times = load(self.address, Arc::clone(&self.request), CLIENTS, ROUND).await?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 answers")]
        self.rounds.add(times.len() as f64 / ROUND.as_secs_f64());
        Ok(())
    }
}

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    // The program itself, on the same tables: unlike this process it wipes what it gives back to the heap.
    let program = Program::start(ground.folder(), &["--no-worker"]).await?;
    let pool = cartwright::database::pool(ground.options());
    fill(&pool, 1_000, 1).await?;
    let ring = KeyRing::read(&ground.folder().join("keys"))?;
    let served = Served::start_under(ring, pool.clone(), &Egress::default()).await?;
    let admin = served.administrator(0).await?;
    // A pool of its own with the same settings, so that neither side waits for the other's connections.
    let bare_pool = cartwright::database::pool(ground.options());
    let (bare, serving) = bare::serve(bare_pool.clone(), &served).await?;
    let (list, cookies) = ("/admin/ecommerce", admin.cookies());
    same_bytes(served.address, &cookies, bare).await?;
    let mut ours = Side::new(served.address, list, &cookies, "").await?;
    let mut packed = Side::new(served.address, list, &cookies, "Accept-Encoding: gzip\r\n").await?;
    let mut rows = Side::new(bare, "/rows", "", "").await?;
    let mut all = Side::new(bare, "/all", "", "").await?;
    let mut wiping = Side::new(program.address, list, &cookies, "").await?;
    for _ in 0..ROUNDS {
        for side in [&mut ours, &mut rows, &mut packed, &mut all, &mut wiping] {
            side.round().await?;
        }
    }
    report.figure("cart list, ours", "requests/s", &ours.rounds, Goal::None);
    report.figure("  compressed", "requests/s", &packed.rounds, Goal::None);
    report.figure("  a bare handler, the rows alone", "requests/s", &rows.rounds, Goal::None);
    report.figure("  a bare handler, rows and counts", "requests/s", &all.rounds, Goal::None);
    let (same, fewer) = (ours.rounds.ratio_to(&all.rounds), ours.rounds.ratio_to(&rows.rounds));
    report.figure("cart list / bare handler, the same queries", "×", &same, Goal::AtLeast(0.8));
    report.figure("  / bare handler, the rows alone", "×", &fewer, Goal::None);
    let wiped = wiping.rounds.ratio_to(&ours.rounds);
    report.figure("  the program itself, which wipes its heap / ours", "×", &wiped, Goal::None);
    program.stop().await?;
    serving.abort();
    bare_pool.close().await;
    served.close().await;
    ground.close().await?;
    Ok(())
}

/// The comparison means nothing unless both draw the same page; only the form token differs, and is as long.
async fn same_bytes(ours: SocketAddr, cookies: &str, bare: SocketAddr) -> anyhow::Result<()> {
    let mine = Browser::open(ours, cookies).await?.get("/admin/ecommerce").await?.text();
    let mine = mine.replace(hidden(&mine, "csrf")?, "");
    for path in ["/rows", "/all"] {
        let theirs = Browser::open(bare, "").await?.get(path).await?.text();
        let theirs = theirs.replace(hidden(&theirs, "csrf")?, "");
        if let Some((a, b)) = mine.lines().zip(theirs.lines()).find(|(a, b)| a != b) {
            ensure!(a == b, "the bare page {path} differs:\n{a}\n{b}");
        }
    }
    Ok(())
}
