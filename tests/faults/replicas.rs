//! Two servers behind one address, on one Postgres, with one key: no essential state is kept in the process.

use std::time::Duration;

use cartwright::practice::{Practice, Scenario};
use rustix::process::Signal;

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{
        balancer::Balancer,
        browser::Browser,
        cluster::Folder,
        process::{Server, cartwright},
        until,
        world::{World, shopify},
    },
};

/// The replicas in the balancer's order; the world of the first holds the database and the users.
struct Pair {
    world: World,
    second: Server,
    balancer: Balancer,
}

async fn pair(people: usize) -> Pair {
    let folder = Folder::new();
    let (shopify, ca_file) = shopify(&folder).await;
    let (balancer, ports) = Balancer::before(2).await;
    let replica = |port: usize| {
        let mut serve = cartwright(folder.path(), &["serve"]);
        serve.env("CARTWRIGHT_LISTEN", ports[port].to_string());
        serve.env("CARTWRIGHT_PUBLIC_URL", format!("http://{}", balancer.address));
        egress(&mut serve, &shopify, &ca_file);
        serve
    };
    let first = Server::start(replica(0));
    let mut other = replica(1);
    // As on another machine: the database by its URL and the key by its file.
    other.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", folder.path().join("keys"));
    let second = Server::start(other);
    balancer.in_turn();
    let world = World::around(folder, shopify, first, people).await;
    Pair { world, second, balancer }
}

fn egress(serve: &mut std::process::Command, shopify: &Practice, ca_file: &str) {
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_draft_and_banner_are_shared_by_replicas() {
    let Pair { world, second: _second, balancer } = pair(1).await;
    let token = world.store("northwind-tea", Scenario::Well);
    balancer.only(0);
    let mut person = Browser::sign_in(balancer.address, "priya@northwind.example").await;
    let form = person.new_cart("Test Connection", "northwind-tea", &token).await;
    balancer.only(1);
    let tested = person.submit(&form).await.expect("complete page");
    assert_eq!((tested.status(), tested.class().as_deref()), (200, Some("CONNECTED")), "{}", tested.html);
    balancer.only(0);
    let saved = person.submit(&tested.form("Save")).await.expect("an answer");
    assert_eq!(saved.status(), 303, "draft secret and test result are shared: {}", saved.html);
    balancer.only(1);
    let page = person.get(saved.location()).await.expect("the editor");
    assert!(page.html.contains("is saved and connected"), "the banner is stored in the database: {}", page.html);
    assert_eq!(world.folder.count("select count(*) from carts where status = 'connected'").await, 1);
    // A session that one replica ends is ended on the other, too.
    let home = person.get("/admin").await.expect("the home page");
    balancer.only(0);
    let out = person.submit(&home.form("Sign out")).await.expect("an answer");
    assert_eq!(out.status(), 303, "{}", out.html);
    balancer.only(1);
    assert_eq!(person.get("/admin").await.expect("an answer").status(), 303, "signed out on both");
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_killed_under_load_loses_no_save_and_no_session() {
    let Pair { world, second, balancer } = pair(3).await;
    let journal = Journal::default();
    let storm = Storm::begin(&world.people, &journal).await;
    let saved = |least: usize, journal: Journal| async move {
        until(Duration::from_mins(1), "users save", || async { journal.count(Told::Acknowledged) >= least }).await;
    };
    saved(20, journal.clone()).await;
    second.signal(Signal::KILL);
    let before = journal.count(Told::Acknowledged);
    saved(before + 20, journal.clone()).await;
    storm.end().await;
    drop(second);
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    settle(&world.people, &journal).await;
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    balancer.in_turn();
    for person in &world.people {
        assert_eq!(person.clone().get("/admin").await.expect("an answer").status(), 200, "sessions survive");
    }
}
