//! SIGTERM under load: requests in flight are answered, new connections are refused, and the process exits in time.

use std::time::{Duration, Instant};

use cartwright::practice::Scenario;
use rustix::process::Signal;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{
    storm::{Journal, Storm, Told},
    support::{until, world::World},
};

/// The limit is 10 s; the rest is slack for a busy machine.
const OVER_WITHIN: Duration = Duration::from_secs(14);

#[tokio::test(flavor = "multi_thread")]
async fn graceful_stop_answers_requests_in_flight() {
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
    timeout(Duration::from_secs(30), heard).await.expect("test reaches the stand-in");
    let begun = Instant::now();
    world.server.signal(Signal::TERM);
    let address = world.server.address;
    until(Duration::from_secs(5), "new connections are refused", || async move {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(world.server.is_running(), "the server waits for the test");
    world.shopify.stores().set("practice-held", Scenario::Well);
    let page = test.await.expect("no panic");
    assert_eq!((page.status(), page.class().as_deref()), (200, Some("CONNECTED")), "{}", page.html);
    let (status, took, errors) = world.server.ended(begun);
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    drop(half_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_test_does_not_delay_the_stop() {
    let mut world = World::with(1).await;
    let token = world.store("practice-slow", Scenario::Hang);
    let mut person = world.people[0].clone();
    let form = person.new_cart("Test Connection", "practice-slow", &token).await;
    let test = tokio::spawn(async move { person.submit(&form).await });
    let heard = world.shopify.journal().wait_for_requests(1);
    timeout(Duration::from_secs(30), heard).await.expect("test reaches the stand-in");
    let begun = Instant::now();
    world.server.signal(Signal::TERM);
    let (status, took, errors) = world.server.ended(begun);
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    test.await.expect("no panic").ok();
    assert!(world.folder.postmaster().is_none(), "the cluster stops with the server");
}

/// F7: users save continuously. Accepted requests get a complete response, others none, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_truncates_no_response() {
    let World { mut server, folder, people, shopify: _shopify } = World::with(3).await;
    // Keeps the private database running for the check afterwards: it stops with its last user.
    let keeper = super::support::cluster::running(&folder).await;
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    until(Duration::from_secs(30), "users save", || async { journal.count(Told::Acknowledged) >= 30 }).await;
    let begun = Instant::now();
    server.signal(Signal::TERM);
    let (status, took, errors) = tokio::task::spawn_blocking(move || server.ended(begun)).await.expect("no panic");
    storm.end().await;
    assert_eq!(status.code(), Some(0), "{errors}");
    assert!(took < OVER_WITHIN, "{took:?}");
    assert_eq!(journal.count(Told::Half), 0, "a response was truncated");
    assert_eq!(journal.contradictions(&folder).await, Vec::<String>::new());
    keeper.stop().await.expect("cluster stops");
}
