//! No room on the database's disk: people are told that nothing was saved, and when there is room again all is well by itself.

use std::{fs, io::Write, path::Path, time::Duration};

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{
        cluster::Folder,
        process::{Server, cartwright},
        skip, until,
        world::{World, shopify},
    },
};

/// Room for a cluster and its log, in MiB; none is meant to be left.
const ROOM: u32 = 160;

/// Takes all that is left, in one file.
fn fill(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("ballast");
    let mut file = fs::File::create(&path).expect("a file");
    for piece in [vec![b'x'; 1 << 20], vec![b'x'; 4096]] {
        while file.write_all(&piece).is_ok() {}
    }
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_everything_acknowledged_is_kept() {
    let Some(folder) = Folder::small(ROOM) else {
        skip("only root may mount the small disk that this test fills");
        return;
    };
    let (shopify, _) = shopify(&folder).await;
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut world = World::around(folder, shopify, server, 3).await;
    let journal = Journal::default();
    let storm = Storm::begin(&world.people, &journal).await;
    until(Duration::from_secs(30), "people save", || async { journal.count(Told::Acknowledged) >= 20 }).await;
    let ballast = fill(world.folder.path());
    // the log of Postgres goes on into files that are already there; then it ends
    until(Duration::from_mins(1), "saves fail", || async { journal.count(Told::Unknown) >= 10 }).await;
    assert!(world.server.is_running());
    assert_eq!(super::support::http::get(world.server.address, "/-/live").await.expect("an answer").status, 200);
    fs::remove_file(ballast).expect("room again");
    let person = world.people[0].clone();
    until(Duration::from_mins(1), "all is well by itself", || {
        let mut person = person.clone();
        async move { person.get("/admin/ecommerce").await.is_ok_and(|page| page.status() == 200) }
    })
    .await;
    storm.end().await;
    assert_eq!(journal.count(Told::Refused), 0, "a full disk is nobody's mistake in a form");
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    settle(&world.people, &journal).await;
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
}
