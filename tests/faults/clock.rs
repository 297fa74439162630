//! The server's wall clock is off by two days either way while the database's is right: sessions end on time, and
//! attempts are counted as usual.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::Executor;

use super::support::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    process::{Server, cartwright},
    skip,
    world::{World, shopify},
};

/// libfaketime of Debian's package `faketime`. Its command would shift the database's clock as well.
fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    let machines = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let places = folders.iter().map(PathBuf::from).chain(machines.map(|entry| entry.path()));
    places.map(|place| place.join("faketime/libfaketime.so.1")).find(|file| file.exists())
}

/// `serve` with a clock read from a file at each call.
fn on_a_clock(folder: &Folder, library: &Path, clock: &Path) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_LOG", "info");
    serve.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", clock).env("FAKETIME_NO_CACHE", "1");
    // Timers use the monotonic clock, which a shift of the wall clock does not affect.
    serve.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    serve
}

async fn is_signed_in(person: &mut Browser) -> bool {
    person.get("/admin").await.expect("an answer").status() == 200
}

async fn try_to_sign_in(server: &Server, password: &str) -> u16 {
    let mut browser = Browser::new(server.address);
    let page = browser.get("/sign-in").await.expect("the sign-in page");
    let form = page.form("Sign in").fill("email", "priya@northwind.example").fill("password", password);
    browser.submit(&form).await.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn shifted_server_clock_does_not_affect_sessions_and_throttle() {
    let Some(library) = library() else {
        skip("libfaketime is not here (Debian: apt-get install faketime)");
        return;
    };
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0").expect("a file");
    let server = Server::start(on_a_clock(&folder, &library, &clock));
    let world = World::around(folder, shopify, server, 1).await;
    let mut person = world.people[0].clone();
    let mut database = world.folder.connect().await;
    for shift in ["+2d", "-2d", "+0"] {
        std::fs::write(&clock, shift).expect("a file");
        assert!(is_signed_in(&mut person).await, "{shift}: a live session ended");
        // Each way in which a session ends by the database's clock.
        for over in ["last_seen_at = now() - interval '31 minutes'", "created_at = now() - interval '721 minutes'"] {
            let mut other = Browser::sign_in(world.server.address, "priya@northwind.example").await;
            assert!(is_signed_in(&mut other).await, "{shift}");
            let ending =
                format!("update sessions set {over} where created_at = (select max(created_at) from sessions)");
            database.execute(sqlx::AssertSqlSafe(ending)).await.expect("shifted");
            assert!(!is_signed_in(&mut other).await, "{shift}: {over}");
        }
        // Five attempts in five minutes of the database's clock, whatever the server's clock says.
        database.execute("delete from throttle").await.expect("a fresh window");
        let mut told = Vec::new();
        for _ in 0..6 {
            told.push(try_to_sign_in(&world.server, "leaf kettle third steep").await);
        }
        assert_eq!(told, [422, 422, 422, 422, 422, 429], "{shift}");
        assert_eq!(try_to_sign_in(&world.server, PASSWORD).await, 429, "{shift}");
        database.execute("update throttle set ends_at = ends_at - interval '5 minutes'").await.expect("shifted");
        assert_eq!(try_to_sign_in(&world.server, PASSWORD).await, 303, "{shift}");
    }
    // Control: the server used its shifted clock, as its log shows.
    let (status, _, log) = world.server.stop();
    assert!(status.success(), "{log}");
    let days: std::collections::BTreeSet<&str> =
        log.lines().filter_map(|line| line.split_once("\"timestamp\":\"")?.1.get(..10)).collect();
    assert!(days.len() >= 3, "{days:?}");
}
