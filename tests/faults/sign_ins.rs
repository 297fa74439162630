//! Sign-in under attack: a thousand concurrent attempts, attempts beyond the limit, and hostile connections from many
//! networks.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinSet,
    time::timeout,
};

use super::support::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    http::{self, Answer},
    is_long,
    page::Form,
    process::{Server, cartwright},
    world::{add_user, set_up},
};

const TRIES: usize = 1_000;
/// Attempts per address, below the limit of one address.
const EACH: usize = 10;
/// Limit of additional memory in KiB: 100 MiB for a release build. A debug build needs more per request, and a busy
/// machine queues more requests at once.
const MEMORY: u64 = if cfg!(debug_assertions) { 320 << 10 } else { 100 << 10 };

/// Sends one request from another loopback address.
async fn send_from(address: SocketAddr, from: SocketAddr, request: Vec<u8>) -> Option<Answer> {
    let exchange = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(from)?;
        let mut stream = socket.connect(address).await?;
        stream.write_all(&request).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = timeout(Duration::from_secs(40), exchange).await.ok()?.ok()?;
    http::parse(&bytes, Duration::ZERO)
}

/// The attempts come from many addresses, so that the throttle lets them reach the hashing. Memory stays bounded,
/// surplus attempts get `Retry-After`, and signed-in users are served.
#[tokio::test(flavor = "multi_thread")]
async fn thousand_sign_ins_stay_within_the_memory_limit() {
    let folder = Folder::new();
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut priya = set_up(&server).await;
    let mut stranger = Browser::new(server.address);
    let form = stranger.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    // A first attempt, so that the one-time allocations of hashing are done.
    let form = form.fill("password", "leaf kettle third steep");
    assert_eq!(stranger.submit(&form.fill("email", "first@northwind.example")).await.expect("an answer").status(), 422);
    let before = server.resident();

    let form = stranger.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    let form = form.fill("password", "leaf kettle third steep");
    let mut tries = JoinSet::new();
    for number in 0..TRIES {
        let last = u8::try_from(number / EACH % 250 + 2).expect("a byte");
        let from = SocketAddr::from(([127, 0, 1, last], 0));
        let request = stranger.bytes(&form.clone().fill("email", &format!("person{number}@northwind.example")));
        tries.spawn(send_from(server.address, from, request));
    }
    let mut most = before;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut lists = 0;
    while !tries.is_empty() {
        let page = priya.get("/admin").await.expect("signed-in users are served");
        assert_eq!(page.status(), 200, "{}", page.html);
        lists += 1;
        most = most.max(server.resident());
        while let Some(answer) = tries.try_join_next() {
            let answer = answer.expect("no panic").expect("every attempt gets a response");
            if answer.status == 503 {
                assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
            }
            *statuses.entry(answer.status).or_default() += 1;
        }
    }
    let count = |status| statuses.get(&status).copied().unwrap_or(0);
    println!("{statuses:?}, {lists} pages beside them, {} KiB more at most", most - before);
    assert_eq!(count(422) + count(503), TRIES, "{statuses:?}");
    assert!(count(422) >= 4, "too few attempts were hashed: {statuses:?}");
    assert!(count(503) > 0, "no attempt was refused for overload: {statuses:?}");
    assert!(most - before <= MEMORY, "{} KiB more", most - before);
    let form = stranger.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    let form = form.fill("password", "leaf kettle third steep").fill("email", "last@northwind.example");
    assert_eq!(stranger.submit(&form).await.expect("an answer").status(), 422, "sign-in works again afterwards");
}

/// Starts a server that trusts this machine's `X-Forwarded-For`; returns its first administrator's browser.
async fn behind_a_proxy() -> (Folder, Server, Browser) {
    let folder = Folder::new();
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_TRUSTED_PROXIES", "127.0.0.0/8");
    let server = Server::start(serve);
    let priya = set_up(&server).await;
    (folder, server, priya)
}

/// A browser on the sign-in page, with or without a device cookie.
async fn on_sign_in_page(server: &Server, device: Option<&str>) -> (Browser, Form) {
    let mut browser = match device {
        Some(value) => Browser::with_cookie(server.address, "cartwright-device", value),
        None => Browser::new(server.address),
    };
    let form = browser.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    (browser, form)
}

fn attempt(browser: &Browser, form: &Form, from: Ipv4Addr, email: &str, password: &str) -> Vec<u8> {
    let form = form.clone().fill("email", email).fill("password", password);
    let text = String::from_utf8(browser.bytes(&form)).expect("text");
    text.replacen("\r\n", &format!("\r\nx-forwarded-for: {from}\r\n"), 1).into_bytes()
}

/// Every row that a sign-in attempt could write, with the ids of the transactions that wrote or locked it.
async fn rows(folder: &Folder) -> (String, i64) {
    let rows =
        "select (select string_agg(concat(ctid, xmin, xmax, kind, remaining), ' ' order by kind, key) from throttle),
                       (select count(*) from audit_events)";
    sqlx::query_as(rows).fetch_one(&mut folder.connect().await).await.expect("rows")
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_attempts_write_no_row() {
    let count = if is_long() { 10_000 } else { 2_000 };
    let (folder, server, _priya) = behind_a_proxy().await;
    let (browser, form) = on_sign_in_page(&server, None).await;
    let from = Ipv4Addr::new(198, 18, 0, 1);
    let try_once = async |number: u32| {
        let email = format!("person{number}@northwind.example");
        let request = attempt(&browser, &form, from, &email, "leaf kettle third steep");
        http::send(server.address, &request).await.expect("an answer").status
    };
    for number in 0..30 {
        assert_eq!(try_once(number).await, 422, "{number}");
    }
    let before = rows(&folder).await;
    let mut number = 30;
    while number < 30 + count {
        let some = (number..number + 20).map(&try_once);
        assert_eq!(futures_util::future::join_all(some).await, [429; 20]);
        number += 20;
    }
    assert_eq!(rows(&folder).await, before);
    println!("{count} refused tries, each with an address of its own: 0 rows written, 0 updated");
}

/// Opens two connections from each of a hundred networks that repeat wrong passwords: one for Priya's account, one for
/// nonexistent accounts.
fn attack(server: &Server, browser: &Browser, form: &Form, stop: &Arc<AtomicBool>) -> JoinSet<BTreeMap<u16, usize>> {
    let number = Arc::new(AtomicU32::new(0));
    let mut connections = JoinSet::new();
    for connection in 0..200_u32 {
        let (address, browser, form) = (server.address, browser.clone(), form.clone());
        let (number, stop) = (number.clone(), stop.clone());
        let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + connection / 2);
        connections.spawn(async move {
            let mut statuses = BTreeMap::new();
            while !stop.load(Ordering::Relaxed) {
                let email = match connection % 2 {
                    0 => "priya@northwind.example".to_owned(),
                    _ => format!("person{}@northwind.example", number.fetch_add(1, Ordering::Relaxed)),
                };
                let request = attempt(&browser, &form, from, &email, "leaf kettle third steep");
                let status = http::send(address, &request).await.map_or(0, |answer| answer.status);
                *statuses.entry(status).or_default() += 1;
            }
            statuses
        });
    }
    connections
}

/// Limit of the sign-in time in a known browser: 2 s for a release build. This test runs a debug build, with the
/// attackers on the same cores.
const SIGN_IN_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 2 });

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_hostile_connections_lock_out_no_user() {
    let count = if is_long() { 100 } else { 20 };
    let (folder, server, priya) = behind_a_proxy().await;
    add_user(&folder, "sam@northwind.example");
    let (known, known_form) = on_sign_in_page(&server, priya.cookie("cartwright-device")).await;
    let (new, new_form) = on_sign_in_page(&server, None).await;
    let stop = Arc::new(AtomicBool::new(false));
    let hostile = attack(&server, &new, &new_form, &stop);
    let mut took = [Vec::new(), Vec::new()];
    // Until the attackers have used up the attempts of her account.
    let mut statuses = BTreeMap::new();
    while !statuses.contains_key(&429) {
        let request = attempt(&new, &new_form, Ipv4Addr::new(192, 0, 2, 1), "priya@northwind.example", "wrong, wrong");
        let status = http::send(server.address, &request).await.expect("an answer").status;
        *statuses.entry(status).or_insert(0) += 1;
    }
    for number in 0..count {
        let here = Ipv4Addr::new(203, 0, 113, u8::try_from(number).expect("fits"));
        let requests = [
            attempt(&known, &known_form, here, "priya@northwind.example", PASSWORD),
            attempt(&new, &new_form, here, "sam@northwind.example", PASSWORD),
        ];
        for (took, request) in took.iter_mut().zip(requests) {
            let answer = http::send(server.address, &request).await.expect("an answer");
            took.push((answer.status, answer.took));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut statuses = BTreeMap::new();
    for (status, tries) in hostile.join_all().await.into_iter().flatten() {
        *statuses.entry(status).or_insert(0) += tries;
    }
    let signed_in = took.clone().map(|took| took.iter().filter(|(status, _)| *status == 303).count());
    let [known, new] = took.map(|mut took| {
        took.sort_unstable_by_key(|(_, took)| *took);
        (took[took.len() / 2].1, took[took.len() - 1].1)
    });
    println!(
        "beside {statuses:?} hostile tries: known browser {} of {count}, median {:?}, slowest {:?}; \
         new browser {} of {count}, median {:?}, slowest {:?}",
        signed_in[0], known.0, known.1, signed_in[1], new.0, new.1
    );
    assert!(statuses.get(&422).is_some_and(|hashed| *hashed > count), "too few attempts were hashed: {statuses:?}");
    assert_eq!(signed_in[0], count, "a known browser");
    assert!(known.1 < SIGN_IN_MAX, "a known browser: {known:?}");
    assert!(signed_in[1] * 100 >= count * 95, "a new browser: {} of {count}", signed_in[1]);
}
