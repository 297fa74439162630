//! Slow clients, very many clients and oversized headers: each is cut off in time, and users are served meanwhile.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::support::{browser::Browser, http, world::World};

/// Slack on both sides of a deadline, for a busy machine: a limit of 5 s may take effect after 12 s; a missing one
/// never does.
const EARLY: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(7);
/// Limit of a page's latency during the attack: below the request deadline.
const SERVED_WITHIN: Duration = Duration::from_secs(14);

/// Sends a beginning, then one byte every 500 ms, until the server closes. Returns the response and the time it took.
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
        // A reset counts as a close.
        ended = listening => { ended.expect("server closes in time").ok(); }
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
    let body_begins = whole.windows(4).position(|four| four == b"\r\n\r\n").expect("end of head") + 4;
    let part_of_body = whole[..body_begins + 20].to_vec();
    let served = tokio::spawn(is_served_for(person, Duration::from_secs(14)));
    let silent = tokio::spawn(drip(address, Vec::new(), None));
    let half = tokio::spawn(drip(address, head("x-half: "), None));
    let dripping = tokio::spawn(drip(address, head("x-drip: "), Some(b'x')));
    let body = tokio::spawn(drip(address, part_of_body.clone(), Some(b'x')));
    let stalled = tokio::spawn(drip(address, part_of_body, None));
    let unread = tokio::spawn(ask_and_read_nothing(address));
    let (silent, half, dripping) =
        (silent.await.expect("no panic"), half.await.expect("no panic"), dripping.await.expect("no panic"));
    for (name, (heard, took)) in [("silent", silent), ("half a header", half), ("dripping", dripping)] {
        assert!(is_about(took, 5), "{name}: {took:?}");
        assert!(!heard.starts_with(b"HTTP/1.1 2"), "{name}");
    }
    for (name, ended) in [("dripping body", body.await), ("stalled body", stalled.await)] {
        let (heard, took) = ended.expect("no panic");
        assert!(is_about(took, 8), "{name}: {took:?}");
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 408 "), "{name}: {heard}");
    }
    let took = unread.await.expect("no panic");
    assert!(is_about(took, 12), "reading nothing: {took:?}");
    served.await.expect("pages are served");
    assert_eq!(world.folder.count("select count(*) from carts").await, 0, "an incomplete form saves nothing");
}

/// Requests far more than the kernel's buffers hold, reads nothing, and returns how long the server tolerates it.
async fn ask_and_read_nothing(address: SocketAddr) -> Duration {
    let page = http::get(address, "/sign-in").await.expect("a page");
    let page = String::from_utf8(page.body).expect("text");
    let (_, link) = page.split_once("href=\"/static/app.").expect("a style sheet");
    let file = format!("/static/app.{}", link.split('"').next().expect("an end"));
    let length = http::get(address, &file).await.expect("a file").body.len();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("buffer size is set");
    let mut stream = socket.connect(address).await.expect("a connection");
    let begun = Instant::now();
    // 16 MB: more than the kernel buffers on both sides.
    let asked = format!("GET {file} HTTP/1.1\r\nhost: {address}\r\n\r\n").repeat(16_000_000 / length);
    let writing = async {
        stream.write_all(asked.as_bytes()).await?;
        loop {
            // Data that arrives after the server's close is answered with a reset.
            sleep(Duration::from_millis(100)).await;
            stream.write_all(b"\r\n").await?;
        }
    };
    let ended: Result<std::io::Result<()>, _> = timeout(Duration::from_secs(30), writing).await;
    ended.expect("server closes in time").expect_err("with a reset");
    begun.elapsed()
}

/// Loads pages for the given time.
async fn is_served_for(mut person: Browser, long: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < long {
        for path in ["/admin", "/admin/ecommerce", "/admin/ecommerce/shopify/new"] {
            let page = person.get(path).await.expect("complete page");
            assert_eq!(page.status(), 200);
            assert!(page.answer.took < SERVED_WITHIN, "{path} {:?}", page.answer.took);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// F14: ten thousand idle connections: silent, in the middle of a header, or in the middle of a form.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_served_beside_ten_thousand_who_do_nothing() {
    /// The connection limit, and the server's other descriptors.
    const CAP: usize = 1_024 + 150;
    let world = World::with(1).await;
    let address = world.server.address;
    let before = world.server.resident();
    let crowd = limit_for_descriptors(10_000);
    let mut idle = JoinSet::new();
    let kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 900";
    let half_a_form = format!("POST /sign-in HTTP/1.1\r\nhost: {address}\r\n{kind}\r\n\r\nemail=");
    for number in 0..crowd {
        let half_a_form = half_a_form.clone();
        idle.spawn(async move {
            // The kernel refuses some of so many connections at once; retry these.
            let mut stream = loop {
                match TcpStream::connect(address).await {
                    Ok(stream) => break stream,
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            };
            match number % 3 {
                0 => stream.write_all(b"GET / HTTP/1.1\r\nhost: 1").await.ok(),
                1 => stream.write_all(half_a_form.as_bytes()).await.ok(),
                _ => None,
            };
            stream
        });
    }
    let person = tokio::spawn(is_served_for(world.people[0].clone(), Duration::from_secs(8)));
    let mut most = 0;
    while !person.is_finished() {
        most = most.max(world.server.descriptors().unwrap_or(0));
        sleep(Duration::from_millis(50)).await;
    }
    person.await.expect("pages are served");
    let grown = world.server.resident().saturating_sub(before);
    println!("{crowd} connections: {most} descriptors at most, {grown} KiB more memory");
    if world.server.descriptors().is_some() {
        assert!(most > crowd.min(CAP) / 2, "too few connections were open: {most}");
    }
    assert!(most <= CAP, "{most} descriptors");
    assert!(grown < 128 << 10, "{grown} KiB for {crowd} connections");
}

/// Connects from this loopback address; retries, since the kernel refuses some of so many connections at once.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("an address of loopback");
        match socket.connect(to).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The worst case of half-sent requests before sign-in: long headers, and nearly all of the longest sign-in form.
#[tokio::test(flavor = "multi_thread")]
async fn half_sent_forms_of_any_length_cost_little_memory_and_keep_no_long_form_out() {
    const FORMS: usize = 2_000;
    let world = World::with(1).await;
    let address = world.server.address;
    let before = world.server.resident();
    let forms = limit_for_descriptors(FORMS);
    let header = "y".repeat(12 << 10);
    let kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 147000";
    let head = format!("POST /sign-in HTTP/1.1\r\nhost: {address}\r\nx-long: {header}\r\n{kind}\r\n\r\nemail=");
    let half_sent = (head + &"x".repeat(140_000)).into_bytes();
    let half_sent: std::sync::Arc<[u8]> = half_sent.into();
    let mut senders = JoinSet::new();
    for _ in 0..forms {
        let half_sent = half_sent.clone();
        senders.spawn(async move {
            let mut stream = connect_from([127, 0, 0, 2], address).await;
            // The server stops reading, or closes the connection.
            stream.write_all(&half_sent).await.ok();
            stream.read_to_end(&mut Vec::new()).await.ok();
        });
    }
    // A user elsewhere whose sign-in form carries a long editor form.
    let mut person = Browser::new(address);
    let page = person.get("/sign-in").await.expect("the sign-in page");
    let form =
        page.form("Sign in").fill("email", "priya@northwind.example").fill("password", "leaf kettle third steep");
    let form = form.fill("email", &format!("priya@northwind.example{}", "x".repeat(100_000)));
    let long_form = tokio::spawn(async move { person.submit(&form).await.expect("an answer").status() });
    let mut most = 0;
    while !senders.is_empty() {
        most = most.max(world.server.resident());
        // The longest pause between two samples.
        timeout(Duration::from_millis(50), senders.join_next()).await.ok();
    }
    assert_eq!(long_form.await.expect("an answer"), 422, "read to its end, and refused as a wrong address");
    let grown = most.saturating_sub(before);
    println!("{forms} half-sent forms: {grown} KiB more memory");
    assert!(grown < 144 << 10, "{grown} KiB for {forms} half-sent forms");
}

/// Raises this process's descriptor limit to the maximum; returns how many of the wanted connections it may hold.
fn limit_for_descriptors(wanted: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("limit is raised");
    let most = maximum.map_or(wanted, |most| usize::try_from(most.saturating_sub(1_000)).expect("64 bits"));
    if most < wanted {
        println!("only {most} connections instead of {wanted}: this process may not open more files");
    }
    wanted.min(most)
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
    assert_eq!(get(many(60)).await.expect("a page").status, 200, "control: fewer than 64 headers");
    assert_eq!(get(many(64)).await.expect("an answer").status, 431);
    let long = |bytes| format!("x-long: {}\r\n", "y".repeat(bytes));
    assert_eq!(get(long(12 << 10)).await.expect("a page").status, 200, "the control has fewer than 16 KiB");
    // Closing with unread bytes may send a reset instead of the response.
    if let Ok(answer) = get(long(24 << 10)).await {
        assert_eq!(answer.status, 431);
    }
    assert_eq!(get(String::new()).await.expect("a page").status, 200, "other requests are served");
}
