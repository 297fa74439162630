//! Clients that are slow on purpose, many, or too talkative: each is cut in time, and a person is served meanwhile.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::support::{http, world::World};

/// Slack on both sides of a deadline, on a busy machine.
const EARLY: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(4);

/// Sends a beginning, then one more byte twice a second, until the server closes. What it said, and after how long.
async fn drip(address: SocketAddr, beginning: Vec<u8>, drop: Option<u8>) -> (Vec<u8>, Duration) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let begun = Instant::now();
    stream.write_all(&beginning).await.expect("a beginning");
    let (mut from, mut to) = stream.split();
    let mut heard = Vec::new();
    let listening = timeout(Duration::from_secs(30), from.read_to_end(&mut heard));
    let dripping = async {
        loop {
            sleep(Duration::from_millis(500)).await;
            if let Some(byte) = drop
                && to.write_all(&[byte]).await.is_err()
            {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        // a reset is an end like any other
        ended = listening => { ended.expect("the server closes at last").ok(); }
        () = dripping => {}
    }
    (heard, begun.elapsed())
}

fn is_about(took: Duration, seconds: u64) -> bool {
    let due = Duration::from_secs(seconds);
    took > due.saturating_sub(EARLY) && took < due + LATE
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients() {
    let world = World::with(1).await;
    let address = world.server.address;
    let head = |more: &str| format!("GET /sign-in HTTP/1.1\r\nhost: {address}\r\n{more}").into_bytes();
    let mut person = world.people[0].clone();
    let form = person.new_cart("Save", "northwind", &super::support::token()).await;
    let whole = person.bytes(&form);
    let body_begins = whole.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let part_of_body = whole[..body_begins + 20].to_vec();
    let silent = tokio::spawn(drip(address, Vec::new(), None));
    let half = tokio::spawn(drip(address, head("x-half: "), None));
    let dripping = tokio::spawn(drip(address, head("x-drip: "), Some(b'x')));
    let body = tokio::spawn(drip(address, part_of_body.clone(), Some(b'x')));
    let stalled = tokio::spawn(drip(address, part_of_body, None));
    let (silent, half, dripping) =
        (silent.await.expect("ends"), half.await.expect("ends"), dripping.await.expect("ends"));
    for (name, (heard, took)) in [("silent", silent), ("half a header", half), ("dripping", dripping)] {
        assert!(is_about(took, 5), "{name}: {took:?}");
        assert!(!heard.starts_with(b"HTTP/1.1 2"), "{name}");
    }
    for (name, ended) in [("dripping body", body.await), ("stalled body", stalled.await)] {
        let (heard, took) = ended.expect("ends");
        assert!(is_about(took, 8), "{name}: {took:?}");
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 408 "), "{name}: {heard}");
    }
    assert_eq!(world.folder.count("select count(*) from carts").await, 0, "half a form saves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_served_beside_a_crowd_that_does_nothing() {
    let world = World::with(1).await;
    let address = world.server.address;
    let before = world.server.resident();
    let crowd = if super::support::is_long() { 1_500 } else { 300 };
    let mut idle = Vec::new();
    for number in 0..crowd {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        if number % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: 1").await.expect("half a header");
        }
        idle.push(stream);
    }
    let mut person = world.people[0].clone();
    for path in ["/admin", "/admin/ecommerce", "/admin/ecommerce/shopify/new"] {
        let page = person.get(path).await.expect("a whole page");
        assert_eq!(page.status(), 200);
        assert!(page.answer.took < Duration::from_secs(5), "{path} {:?}", page.answer.took);
    }
    let grown = world.server.resident().saturating_sub(before);
    assert!(grown < crowd * 64, "{grown} KiB for {crowd} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_headers_are_refused() {
    let world = World::with(1).await;
    let address = world.server.address;
    let get = |more: String| async move {
        let request = format!("GET /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{more}\r\n");
        http::send(address, request.as_bytes()).await
    };
    let many = |count| (0..count).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    assert_eq!(get(many(60)).await.expect("a page").status, 200, "the control has fewer than 64");
    assert_eq!(get(many(64)).await.expect("an answer").status, 431);
    let long = |bytes| format!("x-long: {}\r\n", "y".repeat(bytes));
    assert_eq!(get(long(16 << 10)).await.expect("a page").status, 200, "the control has fewer than 32 KiB");
    // a close with unread bytes may be a reset instead of the answer
    if let Ok(answer) = get(long(40 << 10)).await {
        assert_eq!(answer.status, 431);
    }
    assert_eq!(get(String::new()).await.expect("a page").status, 200, "others are served as before");
}
