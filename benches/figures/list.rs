//! The list of 50 carts, requests per second, against a bare handler that renders the same bytes.

use cartwright::{platforms::shopify::client::Egress, vault::KeyRing};

use super::{
    bare,
    ground::{Ground, Served, fill},
    program::Program,
    report::{Goal, Report},
    sides::{ROUNDS, Side, same_bytes},
};

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    // The released program on the same tables. Unlike this process, it wipes freed heap memory.
    let program = Program::start(ground.folder(), &["--no-worker"]).await?;
    let pool = cartwright::database::Pool::new([ground.options()]);
    fill(&pool, 1_000, 1).await?;
    let ring = KeyRing::read(&ground.folder().join("keys"))?;
    let served = Served::start_under(ring, pool.clone(), &Egress::default()).await?;
    let admin = served.administrator(0).await?;
    // A separate pool with the same settings, so that neither side waits for the other's connections.
    let bare_pool = cartwright::database::Pool::new([ground.options()]);
    let (bare, serving) = bare::serve(bare_pool.clone(), &served).await?;
    let (list, cookies) = ("/admin/ecommerce", admin.cookies());
    for path in ["/rows", "/all"] {
        same_bytes((served.address, list, &cookies), (bare, path), &["csrf"]).await?;
    }
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
    program.stop()?;
    serving.abort();
    bare_pool.close().await;
    served.close().await;
    ground.close().await?;
    Ok(())
}
