//! The server's wall clock two days wrong, either way, while the database's is right: sessions end when they should, no sooner
//! and no later, and tries are counted as ever.

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

/// Debian's package `faketime`; the program of that name would shift the database as well.
fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
    let machines = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let places = folders.iter().map(PathBuf::from).chain(machines.map(|entry| entry.path()));
    places.map(|place| place.join("faketime/libfaketime.so.1")).find(|file| file.exists())
}

/// `serve` on a clock that another file tells, read anew at each look.
fn on_a_clock(folder: &Folder, library: &Path, clock: &Path) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_LOG", "info");
    serve.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", clock).env("FAKETIME_NO_CACHE", "1");
    // timers are set by the other clock, and a shift of the wall clock leaves that one alone
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
async fn two_days_either_way_prolong_nothing_and_end_nothing() {
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
        assert!(is_signed_in(&mut person).await, "{shift}: a session that is not over");
        // over by the database's clock, each way that it can be
        for over in ["last_seen_at = now() - interval '31 minutes'", "created_at = now() - interval '721 minutes'"] {
            let mut other = Browser::sign_in(world.server.address, "priya@northwind.example").await;
            assert!(is_signed_in(&mut other).await, "{shift}");
            let ending =
                format!("update sessions set {over} where created_at = (select max(created_at) from sessions)");
            database.execute(sqlx::AssertSqlSafe(ending)).await.expect("shifted");
            assert!(!is_signed_in(&mut other).await, "{shift}: {over}");
        }
        // five tries in five minutes of the database's, whatever the server thinks
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
    // the control: the server believed its clock, as its log says
    let (status, _, log) = world.server.stop();
    assert!(status.success(), "{log}");
    let days: std::collections::BTreeSet<&str> =
        log.lines().filter_map(|line| line.split_once("\"timestamp\":\"")?.1.get(..10)).collect();
    assert!(days.len() >= 3, "{days:?}");
}
