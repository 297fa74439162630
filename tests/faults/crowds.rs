//! Many people whose tests hang: everybody else works on.

use std::time::Duration;

use cartwright::practice::Scenario;
use tokio::{task::JoinSet, time::timeout};

use super::support::{is_long, token, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn hanging_tests_do_not_keep_anybody_from_list_and_save() {
    let count = if is_long() { 20 } else { 8 };
    let world = World::with(count + 1).await;
    let mut tests = JoinSet::new();
    for (number, person) in world.people[1..].iter().enumerate() {
        let handle = format!("held-{number}");
        let (token, mut person) = (world.store(&handle, Scenario::Held), person.clone());
        tests.spawn(async move { person.test(&handle, &token).await });
    }
    let heard = world.shopify.journal().wait_for_requests(count);
    timeout(Duration::from_secs(10), heard).await.expect("all tests have begun");
    let mut person = world.people[0].clone();
    for number in 0..10 {
        let list = person.get("/admin/ecommerce").await.expect("the list");
        assert_eq!(list.status(), 200);
        let form = person.new_cart("Save", &format!("shop-{number}"), &token()).await;
        assert_eq!(person.submit(&form).await.expect("an answer").status(), 303);
    }
    assert!(tests.try_join_next().is_none(), "they hang still");
    for number in 0..count {
        world.shopify.stores().set(&format!("held-{number}"), Scenario::Well);
    }
    for page in tests.join_all().await {
        assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.text);
    }
}
