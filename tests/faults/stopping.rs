//! SIGTERM while people are served: what is in flight is answered, nobody new comes in, and the process ends in time.

use std::time::{Duration, Instant};

use cartwright::practice::Scenario;
use rustix::process::Signal;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{
    storm::{Journal, Storm, Told},
    support::{until, world::World},
};

/// 10 s are promised; the rest is for a busy machine.
const OVER_WITHIN: Duration = Duration::from_secs(14);

#[tokio::test(flavor = "multi_thread")]
async fn graceful_stop() {
    let mut world = World::with(1).await;
    let token = world.store("practice-held", Scenario::Held);
    let mut half_open = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(world.server.address).await.expect("a connection");
        stream.write_all(b"GET /sign-in HTTP/1.1\r\nhost: 127").await.expect("half a header");
        half_open.push(stream);
    }
    let mut person = world.people[0].clone();
    let test = tokio::spawn(async move { person.test("practice-held", &token).await });
    let heard = world.shopify.journal().wait_for_requests(1);
    timeout(Duration::from_secs(30), heard).await.expect("the test has begun");
    let begun = Instant::now();
    world.server.signal(Signal::TERM);
    let address = world.server.address;
    until(Duration::from_secs(5), "nobody new comes in", || async move { TcpStream::connect(address).await.is_err() })
        .await;
    assert!(world.server.is_running(), "it waits for the test");
    world.shopify.stores().set("practice-held", Scenario::Well);
    let page = test.await.expect("no panic");
    assert_eq!((page.status(), page.class().as_deref()), (200, Some("CONNECTED")), "{}", page.text);
    let (status, took, errors) = world.server.ended(begun);
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    drop(half_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_hangs_does_not_hold_up_the_stop() {
    let mut world = World::with(1).await;
    let token = world.store("practice-slow", Scenario::Hang);
    let mut person = world.people[0].clone();
    let form = person.new_cart("Test Connection", "practice-slow", &token).await;
    let test = tokio::spawn(async move { person.submit(&form).await });
    let heard = world.shopify.journal().wait_for_requests(1);
    timeout(Duration::from_secs(30), heard).await.expect("the test has begun");
    let begun = Instant::now();
    world.server.signal(Signal::TERM);
    let (status, took, errors) = world.server.ended(begun);
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    test.await.expect("no panic").ok();
    assert!(world.folder.postmaster().is_none(), "the cluster ends with it");
}

/// F7: people save all the while. Whoever was let in gets a whole answer, whoever was not gets none, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_breaks_no_answer_off() {
    let World { mut server, folder, people, shopify: _shopify } = World::with(3).await;
    // a database of its own for the look afterwards: the last server to go stops its private one
    let keeper = super::support::cluster::running(&folder).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    until(Duration::from_secs(30), "people save", || async { journal.count(Told::Acknowledged) >= 30 }).await;
    let begun = Instant::now();
    server.signal(Signal::TERM);
    let (status, took, errors) = tokio::task::spawn_blocking(move || server.ended(begun)).await.expect("no panic");
    storm.end().await;
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    assert_eq!(journal.count(Told::Half), 0, "an answer broke off");
    assert_eq!(journal.contradictions(&folder).await, Vec::<String>::new());
    keeper.stop().await.expect("it stops");
}
