//! SIGKILL of the server while users save, and many identical concurrent posts.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{
        browser::Browser,
        http,
        process::{Server, cartwright},
        token, until,
        world::World,
    },
};

/// The target is one second; the rest is slack for a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_keeps_acknowledged_saves() {
    let World { mut server, folder, people, shopify: _shopify } = World::with(3).await;
    let journal = Journal::default();
    let mut browsers = people;
    for _ in 0..3 {
        let acknowledged = journal.count(Told::Acknowledged);
        let storm = Storm::begin(&browsers, &journal).await;
        until(Duration::from_secs(30), "users save", || async {
            journal.count(Told::Acknowledged) >= acknowledged + 20
        })
        .await;
        server.kill();
        storm.end().await;
        let begun = Instant::now();
        server = Server::start(cartwright(folder.path(), &["serve"]));
        assert_eq!(http::get(server.address, "/-/ready").await.expect("an answer").status, 200);
        println!("ready {:?} after its start", begun.elapsed());
        assert!(begun.elapsed() < READY_WITHIN);
        assert_eq!(journal.contradictions(&folder).await, Vec::<String>::new());
        for browser in &mut browsers {
            browser.address = server.address;
        }
        settle(&browsers, &journal).await;
        assert_eq!(journal.contradictions(&folder).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_identical_posts_make_one_cart() {
    let world = World::with(1).await;
    let mut person: Browser = world.people[0].clone();
    for _ in 0..5 {
        let before = world.folder.count("select count(*) from carts").await;
        let handle = format!("shop-{}", uuid::Uuid::new_v4().simple());
        let form = person.new_cart("Save", &handle, &token()).await;
        let mut posts = JoinSet::new();
        for _ in 0..20 {
            let (mut person, form) = (person.clone(), form.clone());
            posts.spawn(async move { person.submit(&form).await.expect("an answer") });
        }
        let answers = posts.join_all().await;
        let told: Vec<u16> = answers.iter().map(super::support::page::Page::status).collect();
        assert_eq!(world.folder.count("select count(*) from carts").await, before + 1, "{told:?}");
        let places: std::collections::HashSet<&str> =
            answers.iter().filter(|answer| answer.status() == 303).map(super::support::page::Page::location).collect();
        assert_eq!(places.len(), 1, "all redirect to the same cart: {places:?}");
        assert!(told.iter().all(|status| *status == 303), "{told:?}");
    }
    let added = world.folder.count("select count(*) from audit_events where cart_id is not null").await;
    assert_eq!(added, 5, "one audit row per cart");
}
