//! Key rotation on a working server: killed repeatedly, and every secret stays readable.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cartwright::database::Pool;
use cartwright::vault::KeyRing;

use super::{
    storm::{Journal, Storm, Told},
    support::{
        cluster::Folder,
        http, keys,
        process::{Server, cartwright, run, wait},
        until,
        world::{World, shopify},
    },
};

/// Kills in one run.
const KILLS: usize = 21;
/// Carts before the storm: more than all killed rotations together can reseal.
const CARTS: usize = 3_000;

fn serve(folder: &Folder, lines: &[&str]) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_KEY_FILE", keys::key_file(folder.path(), lines));
    serve
}

fn keys_command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = cartwright(folder.path(), &[&["keys"], arguments].concat());
    command.env("CARTWRIGHT_KEY_FILE", folder.path().join("ring"));
    command
}

/// Counts the secrets sealed by a key other than this one.
async fn others(pool: &Pool, id: &[u8]) -> i64 {
    sqlx::query_scalar(
        "select (select count(*) from carts where substring(secret from 2 for 8) <> $1)
            + (select count(*) from carts where substring(minted_token from 2 for 8) <> $1)
            + (select count(*) from unsaved_credentials where substring(secret from 2 for 8) <> $1)",
    )
    .bind(id)
    .fetch_one(pool)
    .await
    .expect("a number")
}

/// Returns a random number below `end`.
fn random(end: i64) -> i64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    i64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) % end
}

/// Starts a rotation and kills it after it resealed this many secrets, or at a random moment if 0. Returns whether it
/// was still running.
async fn killed_rotation(folder: &Folder, pool: &Pool, id: &[u8], moves: i64) -> bool {
    let before = others(pool, id).await;
    let mut child = keys_command(folder, &["rotate"]).spawn().expect("the binary starts");
    let begun = Instant::now();
    if moves == 0 {
        // A random moment between its first instruction and its first batches.
        wait(&mut child, Duration::from_millis(random(400).unsigned_abs()));
    }
    while moves > 0 && before - others(pool, id).await < moves {
        if child.try_wait().expect("child process").is_some() {
            return false;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "the rotation makes no progress");
    }
    let was_at_it = child.try_wait().expect("child process").is_none();
    child.kill().expect("child process");
    wait(&mut child, Duration::from_secs(10)).expect("killed");
    was_at_it
}

/// Opens the secrets part by part in a loop until stopped; returns the number of passes and the secrets that failed to
/// open.
fn watch(pool: Pool, lines: Vec<String>) -> (Arc<AtomicBool>, tokio::task::JoinHandle<(usize, Vec<String>)>) {
    let is_over = Arc::new(AtomicBool::new(false));
    let stop = is_over.clone();
    let watcher = tokio::spawn(async move {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let vault = keys::vault(&pool, &lines).await;
        let (mut looks, mut found) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            found.extend(keys::closed_in(&pool, &vault, Some(looks)).await.1);
            looks += 1;
        }
        (looks, found)
    });
    (is_over, watcher)
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_killed_at_random_keeps_every_secret_readable() {
    let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let server = Server::start(serve(&folder, &[&old]));
    let World { server, folder, people, shopify: _shopify } = World::around(folder, shopify, server, 2).await;
    let pool = keys::pool(&folder);
    keys::seed(&pool, &keys::vault(&pool, &[&old]).await, CARTS).await;

    // Running servers do not know the new first key yet and could not open what it seals.
    keys::key_file(folder.path(), &[&new, &old]);
    let refused = run(keys_command(&folder, &["rotate"]));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(78), ""), "{refused:?}");
    assert!(refused.stderr.contains("Restart every server"), "{}", refused.stderr);
    assert!(server.stop().0.success());
    let server = Server::start(serve(&folder, &[&new, &old]));
    let mut browsers = people;
    for browser in &mut browsers {
        browser.address = server.address;
    }

    let journal = Journal::default();
    let storm = Storm::begin(&browsers, &journal).await;
    let id = *KeyRing::parse(&new).expect("a key").active().id();
    let (is_over, watcher) = watch(pool.clone(), vec![new.clone(), old.clone()]);
    let both = keys::vault(&pool, &[&new, &old]).await;
    let mut kills = 0;
    while kills < KILLS {
        // Every other kill comes before the end of the first batch.
        let moves = if kills % 2 == 0 { 0 } else { 1 + random(200) };
        assert!(killed_rotation(&folder, &pool, &id, moves).await, "the rotation ended before kill {kills}");
        kills += 1;
        let (looked_at, closed) = keys::closed(&pool, &both).await;
        assert!(looked_at >= 2 * CARTS && closed.is_empty(), "after kill {kills}: {closed:?}");
    }
    assert!(others(&pool, &id).await > 0, "no secret was left for the last run");
    let ended = run(keys_command(&folder, &["rotate"]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("\n0 secrets left.\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("Line 2 of the key file (key {})", keys::name(&old))), "{}", ended.stdout);
    until(Duration::from_secs(30), "saves continue", || async { journal.count(Told::Acknowledged) >= 20 }).await;
    storm.end().await;
    is_over.store(true, Ordering::Relaxed);
    let (looks, closed) = watcher.await.expect("no panic");
    assert!(looks > keys::PARTS && closed.is_empty(), "{looks} passes: {closed:?}");
    assert_eq!(others(&pool, &id).await, 0);
    let moved: i64 = folder
        .count("select (data ->> 'secrets')::bigint from audit_events where event = 'encryption_key_rotated'")
        .await;
    assert_eq!(moved, 2 * i64::try_from(CARTS).expect("fits"), "one audit row counts all runs");

    // The old key is no longer needed.
    let (status, _, errors) = server.stop();
    assert!(status.success(), "{errors}");
    let server = Server::start(serve(&folder, &[&new]));
    assert_eq!(http::get(server.address, "/-/ready").await.expect("an answer").status, 200);
    let (looked_at, closed) = keys::closed(&pool, &keys::vault(&pool, &[&new]).await).await;
    assert!(looked_at >= 2 * CARTS && closed.is_empty(), "{closed:?}");
    let kept = folder.count("select count(*) from carts where website_name not like 'seed-%'").await;
    assert!(usize::try_from(kept).expect("fits") >= journal.count(Told::Acknowledged));
    assert_eq!(folder.count("select count(*) from carts where last_class = 'OUR_KEY'").await, 0);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_does_not_disturb_a_working_user() {
    let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
    let folder = Folder::new();
    let (shopify, ca_file) = shopify(&folder).await;
    let reached = |mut serve: Command| {
        serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", &ca_file);
        Server::start(serve)
    };
    let first = reached(serve(&folder, &[&old]));
    let mut person = super::support::world::set_up(&first).await;
    let switch = person.get("/admin/ecommerce/switch?to=add").await.expect("switch page");
    person.submit(&switch.form("Turn on and add a cart")).await.expect("an answer");
    let store = shopify.stores().put("northwind", cartwright::practice::PracticeStore::sample("northwind"));
    let secret = secrecy::ExposeSecret::expose_secret(&store.access_token).to_owned();
    let form = person.new_cart("Save", "northwind", &secret).await;
    let saved = person.submit(&form).await.expect("an answer");
    assert_eq!(saved.status(), 303, "{}", saved.html);
    let path = saved.location().split('?').next().expect("a path").to_owned();
    drop(first);
    let second = reached(serve(&folder, &[&new, &old]));
    person.address = second.address;
    // A form opened before the rotation is tested and saved after it.
    let open = person.get(&path).await.expect("the editor");
    let ran = run(keys_command(&folder, &["rotate"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let listed = run(keys_command(&folder, &["list"]));
    assert!(listed.stdout.contains("line 2 of the key file: retired on"), "{listed:?}");
    let page = person.submit(&open.form("Test Connection")).await.expect("complete page");
    assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.html);
    let saved = person.submit(&open.form("Save")).await.expect("an answer");
    assert_eq!(saved.status(), 303, "no conflict: {}", saved.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_retired_by_its_id() {
    let (old, new) = (KeyRing::generate_line(), KeyRing::generate_line());
    let folder = Folder::new();
    let server = Server::start(serve(&folder, &[&old]));
    let pool = keys::pool(&folder);
    keys::seed(&pool, &keys::vault(&pool, &[&old]).await, 3).await;
    let in_use = run(keys_command(&folder, &["forget", &keys::name(&old)]));
    assert_eq!((in_use.code, in_use.stdout.as_str()), (Some(1), ""), "{in_use:?}");
    pool.close().await;
    drop(server);

    let refused = run(serve(&folder, &[&new]));
    assert_eq!(refused.code, Some(78), "{refused:?}");
    let command = format!("keys forget {}", keys::name(&old));
    assert!(refused.stderr.contains(&command) && refused.stderr.lines().count() == 1, "{}", refused.stderr);
    let listed = run(keys_command(&folder, &["list"]));
    assert!(
        listed.stdout.contains(&format!("{}  not in the key file: no server starts", keys::name(&old))),
        "{listed:?}"
    );
    assert!(listed.stdout.contains("6 secrets: 3 in carts.secret, 3 in carts.minted_token"), "{listed:?}");
    let rotated = run(keys_command(&folder, &["rotate"]));
    assert_eq!(rotated.code, Some(78), "{rotated:?}");
    let forgotten = run(keys_command(&folder, &["forget", &keys::name(&old)]));
    assert_eq!(forgotten.code, Some(0), "{forgotten:?}");
    assert!(forgotten.stdout.contains("6 secrets that it sealed cannot be opened any more"), "{forgotten:?}");
    let left = run(keys_command(&folder, &["rotate"]));
    assert_eq!(left.code, Some(1), "unreadable secrets stay and are reported: {left:?}");
    assert_eq!(left.stderr.matches("cannot be opened: carts.").count(), 6, "{left:?}");

    let server = Server::start(serve(&folder, &[&new]));
    let folder_ref = &folder;
    until(Duration::from_secs(30), "the carts report the lost key", || async move {
        folder_ref.count("select count(*) from carts where last_class = 'OUR_KEY'").await == 3
    })
    .await;
    assert_eq!(folder.count("select count(*) from audit_events where event = 'secret_unreadable'").await, 3);
    drop(server);
    // With the key back in the file, every secret opens again.
    let pool_of = Server::start(serve(&folder, &[&new, &old]));
    let pool = keys::pool(&folder);
    let (looked_at, closed) = keys::closed(&pool, &keys::vault(&pool, &[&new, &old]).await).await;
    assert_eq!((looked_at, closed), (6, Vec::new()));
    pool.close().await;
    drop(pool_of);
}
