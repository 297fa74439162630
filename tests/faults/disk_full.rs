//! Database disk full: users see that nothing was saved; once space is free, the server recovers without intervention.

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

/// Size of the disk for a cluster and its log, in MiB. Barely enough.
const ROOM: u32 = 160;

/// Writes one file until the disk is full.
fn fill(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("ballast");
    let mut file = fs::File::create(&path).expect("a file");
    for piece in [vec![b'x'; 1 << 20], vec![b'x'; 4096]] {
        while file.write_all(&piece).is_ok() {}
    }
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_is_reported_and_acknowledged_saves_are_kept() {
    let Some(folder) = Folder::small(ROOM) else {
        skip("only root may mount the small disk that this test fills");
        return;
    };
    let (shopify, _) = shopify(&folder).await;
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut world = World::around(folder, shopify, server, 3).await;
    let journal = Journal::default();
    let storm = Storm::begin(&world.people, &journal).await;
    until(Duration::from_secs(30), "users save", || async { journal.count(Told::Acknowledged) >= 20 }).await;
    let ballast = fill(world.folder.path());
    // Postgres keeps writing WAL into existing segments first, then fails.
    until(Duration::from_mins(1), "saves fail", || async { journal.count(Told::Unknown) >= 10 }).await;
    assert!(world.server.is_running());
    assert_eq!(super::support::http::get(world.server.address, "/-/live").await.expect("an answer").status, 200);
    fs::remove_file(ballast).expect("file is removed");
    let person = world.people[0].clone();
    until(Duration::from_mins(1), "the server recovers", || {
        let mut person = person.clone();
        async move { person.get("/admin/ecommerce").await.is_ok_and(|page| page.status() == 200) }
    })
    .await;
    storm.end().await;
    assert_eq!(journal.count(Told::Refused), 0, "a full disk is no input error");
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    settle(&world.people, &journal).await;
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
}
