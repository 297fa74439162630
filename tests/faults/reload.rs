//! SIGHUP reloads files while users work; an invalid file changes nothing.

use std::time::Duration;

use rustix::process::Signal;

use super::{
    storm::{Journal, Storm, Told},
    support::{
        browser::Browser,
        cluster::Folder,
        keys,
        process::{Server, cartwright, run},
        token, until,
        world::{World, shopify},
    },
};

const WITHIN: Duration = Duration::from_secs(20);

fn line() -> String {
    run(cartwright(Folder::new().path(), &["keys", "generate"])).stdout.trim().to_owned()
}

async fn save(person: &mut Browser, handle: &str) {
    let form = person.new_cart("Save", handle, &token()).await;
    assert_eq!(person.submit(&form).await.expect("an answer").status(), 303);
}

/// Returns the first line of `keys list` about this key.
fn standing(folder: &Folder, key: &str) -> String {
    let mut list = cartwright(folder.path(), &["keys", "list"]);
    list.env("CARTWRIGHT_KEY_FILE", folder.path().join("ring"));
    let listed = run(list);
    let name = keys::name(key);
    listed.stdout.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{listed:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_first_key_is_used_after_sighup() {
    let folder = Folder::new();
    let (old, new) = (line(), line());
    let ring = keys::key_file(folder.path(), &[&old]);
    let log = folder.path().join("log-filter");
    std::fs::write(&log, "warn").expect("a file");
    let (shopify, ca_file) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env_remove("CARTWRIGHT_LOG").env("CARTWRIGHT_LOG_FILE", &log).env("CARTWRIGHT_KEY_FILE", &ring);
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", &ca_file);
    let errors = folder.path().join("errors");
    serve.stderr(std::fs::File::create(&errors).expect("a file"));
    let mut world = World::around(folder, shopify, Server::start(serve), 1).await;
    let said = || std::fs::read_to_string(&errors).expect("the log");
    let people = world.people.clone();
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    let saved = async |more: usize| {
        let least = journal.count(Told::Acknowledged) + more;
        until(WITHIN, "users save", || async { journal.count(Told::Acknowledged) >= least }).await;
    };
    saved(3).await;

    // An invalid file changes nothing.
    std::fs::write(&ring, "no key").expect("a file");
    world.server.signal(Signal::HUP);
    until(WITHIN, "the error is logged", || async { said().contains("what was read before stays in use") }).await;
    saved(3).await;
    assert!(!said().contains("were read again"), "{}", said());

    // The old key is no longer in the file, although it still seals secrets.
    keys::key_file(world.folder.path(), &[&new]);
    world.server.signal(Signal::HUP);
    until(WITHIN, "the missing key is logged", || async { said().contains(&keys::name(&old)) }).await;
    saved(3).await;

    keys::key_file(world.folder.path(), &[&new, &old]);
    std::fs::write(&log, "info").expect("a file");
    world.server.signal(Signal::HUP);
    until(WITHIN, "the new filter lets the reload be logged", || async { said().contains("were read again") }).await;
    storm.end().await;
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    save(&mut world.people[0], "sealed-anew").await;
    let keys: i64 = world.folder.count("select count(distinct substring(secret from 2 for 8)) from carts").await;
    assert_eq!(keys, 2, "{} / {}", standing(&world.folder, &new), standing(&world.folder, &old));
    let log = said();
    assert!(!log.contains(&old) && !log.contains(&new), "no key is logged");
    assert!(world.server.is_running());
    assert!(world.server.stop().0.success());
}
