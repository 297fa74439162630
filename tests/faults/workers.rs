//! Three processes check the same carts, and one is killed: no cart is checked by two at once, and none is skipped.

use std::time::Duration;

use cartwright::practice::Scenario;
use tokio::task::JoinSet;

use super::support::{
    browser::Browser,
    cluster::Folder,
    process::{Server, Worker, cartwright},
    until,
    world::{World, shopify},
};

/// More than two processes can check at once; each takes at most 100.
const CARTS: usize = 210;
const SOON: Duration = Duration::from_secs(40);

/// Saves a share of the carts.
async fn save(mut person: Browser, carts: Vec<(String, String)>) {
    for (handle, token) in carts {
        let form = person.new_cart("Save", &handle, &token).await;
        let answer = person.submit(&form).await.expect("an answer");
        assert_eq!(answer.status(), 303, "{}", answer.html);
    }
}

async fn run(folder: &Folder, statement: &'static str) {
    let mut connection = folder.connect().await;
    sqlx::query(statement).execute(&mut connection).await.expect(statement);
}

/// Makes all checks due, as fifteen minutes later.
async fn make_due(folder: &Folder) {
    run(folder, "update cart_health set next_check_at = now(), last_checked_at = null").await;
}

async fn unchecked(folder: &Folder) -> i64 {
    folder.count("select count(*) from cart_health where last_checked_at is null").await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_share_the_checks() {
    let folder = Folder::new();
    let (shopify, ca_file) = shopify(&folder).await;
    let proxy = shopify.proxy_url();
    let command = |folder: &Folder, arguments: &[&str]| {
        let mut command = cartwright(folder.path(), arguments);
        command.env("CARTWRIGHT_EGRESS_PROXY", &proxy).env("CARTWRIGHT_EGRESS_CA_FILE", &ca_file);
        command
    };
    let server = Server::start(command(&folder, &["serve", "--no-worker"]));
    let world = World::around(folder, shopify, server, 3).await;
    let handles: Vec<String> = (0..CARTS).map(|n| format!("shop-{n}")).collect();
    let carts: Vec<_> = handles.iter().map(|handle| (handle.clone(), world.store(handle, Scenario::Held))).collect();
    let mut saving = JoinSet::new();
    for (person, share) in world.people.iter().zip(carts.chunks(CARTS / 3)) {
        saving.spawn(save(person.clone(), share.to_vec()));
    }
    saving.join_all().await;
    // As after a test of each cart.
    run(
        &world.folder,
        "update carts set passed_at = now(), is_active = true, status = 'connected', last_class = 'CONNECTED'",
    )
    .await;
    run(&world.folder, "update cart_health set customers_asked_at = now()").await;
    run(&world.folder, "update cart_health set next_check_at = now() + interval '1 hour'").await;
    let start = || Worker::start(command(&world.folder, &["worker"]));
    let (one, two, three) = (start(), start(), start());
    assert_eq!(
        world.shopify.journal().requests().len(),
        0,
        "nothing is due, and a server without a worker makes no calls"
    );

    make_due(&world.folder).await;
    let held = "select count(*) from cart_health where leased_until > now()";
    // A process leases at most a hundred carts, so all three take part.
    until(SOON, "three processes check at once", || async { world.folder.count(held).await > 200 }).await;
    one.kill();
    for handle in &handles {
        world.shopify.stores().set(handle, Scenario::Well);
    }
    until(SOON, "the other two record their results", || async {
        world.shopify.journal().present() == 0
            && world.folder.count("select count(*) from cart_health where leased_until is null").await + 100 >= 210
    })
    .await;
    assert!(world.folder.count(held).await > 0, "the killed process holds leases");
    assert!(unchecked(&world.folder).await > 0, "no other process takes leased carts");
    run(&world.folder, "update cart_health set leased_until = leased_until - interval '30 seconds'").await;
    until(SOON, "all carts are checked", || async { unchecked(&world.folder).await == 0 }).await;

    make_due(&world.folder).await;
    until(SOON, "the next interval is checked", || async { unchecked(&world.folder).await == 0 }).await;
    assert_eq!(world.shopify.journal().most_at_once(), 1, "no cart is checked twice at once");
    let statuses = world.folder.count("select count(*) from carts where status = 'connected'").await;
    assert_eq!(statuses, i64::try_from(CARTS).expect("fits"));
    let asked = world.shopify.journal().requests().len();
    assert!((CARTS..=3 * CARTS).contains(&asked), "{asked} requests for two rounds and one killed process");
    assert!(two.stop().success() && three.stop().success(), "the workers exit with success");
}
