//! Two servers behind nginx, with `docs/examples/nginx.conf` as an operator copies it: what people see, whose address is written
//! down, and what becomes of requests when a replica goes away.

use std::{
    net::SocketAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use cartwright::practice::{Practice, PracticeStore, Scenario};
use rustix::process::Signal;
use secrecy::ExposeSecret;
use sqlx::Connection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{
        browser::Browser,
        cluster::{Folder, running},
        http,
        https::{CLIENT, Https},
        is_long,
        nginx::{HOST, Nginx, free_port},
        process::{Server, cartwright, run},
        token, until,
        world::{add_user, set_up, shopify},
    },
};

const EMAIL: &str = "priya@northwind.example";
/// What somebody outside says that they are.
const INVENTED: &str = "203.0.113.9";

/// Two replicas on one Postgres with one key, told what the example's first lines tell an operator. Fields end in this order.
struct Replicas {
    first: Server,
    second: Server,
    folder: Folder,
    shopify: Practice,
    /// The way to Shopify: shut when false.
    gate: watch::Sender<bool>,
}

impl Replicas {
    async fn start() -> Self {
        let folder = Folder::new();
        let (shopify, ca_file) = shopify(&folder).await;
        let (gate, is_open) = watch::channel(true);
        let egress = gated(shopify.proxy_url(), is_open).await;
        let (public_url, ports) = (format!("https://{HOST}"), [free_port().await, free_port().await]);
        let replica = |port: usize| {
            let mut serve = replica(&folder, ports[port]);
            serve.env("CARTWRIGHT_EGRESS_PROXY", &egress).env("CARTWRIGHT_EGRESS_CA_FILE", &ca_file);
            serve
        };
        let first = Server::start_behind(replica(0), &public_url, ports[0]);
        let mut other = replica(1);
        other.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", folder.path().join("keys"));
        let second = Server::start_behind(other, &public_url, ports[1]);
        add_user(&folder, EMAIL);
        Self { first, second, folder, shopify, gate }
    }

    /// Signed in through this proxy, the integration switched on.
    async fn person(&self, nginx: &Nginx) -> Browser {
        let mut person = Browser::over(&nginx.https).signed_in(EMAIL).await;
        let switch = person.get("/admin/ecommerce/switch?to=add").await.expect("the switch");
        let on = person.submit(&switch.form("Turn on and add a cart")).await.expect("an answer");
        assert_eq!(on.status(), 303, "{}", on.text);
        person
    }
}

/// A replica at this port, as the example's first lines tell an operator.
fn replica(folder: &Folder, port: SocketAddr) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_LISTEN", port.to_string()).env("CARTWRIGHT_PUBLIC_URL", format!("https://{HOST}"));
    serve.env("CARTWRIGHT_TRUSTED_PROXIES", "127.0.0.1");
    serve
}

/// Passes connections on to the real egress proxy, each once the gate is open.
async fn gated(real: String, is_open: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (real, mut is_open) = (real.clone(), is_open.clone());
            tokio::spawn(async move {
                is_open.wait_for(|is_open| *is_open).await.expect("the test goes on");
                let mut onward = TcpStream::connect(real.trim_start_matches("http://")).await.expect("the real proxy");
                copy_bidirectional(&mut stream, &mut onward).await.ok();
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_works_over_https_and_is_known_by_their_own_address() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&nginx).await;
    assert_eq!(person.cookie_names(), ["__Host-cartwright", "__Host-cartwright-device"]);
    for _ in 0..4 {
        let list = person.get("/admin/ecommerce").await.expect("the list");
        assert_eq!(list.status(), 200, "both replicas know who this is: {}", list.text);
        assert_eq!(list.answer.header("server"), Some("nginx"), "no version");
        assert!(list.answer.header("strict-transport-security").is_some());
    }
    let form = person.get("/admin").await.expect("a page").form("Sign out");
    let forging = String::from_utf8(person.bytes(&form)).expect("text");
    let forging = forging.replace(
        "connection: close",
        &format!(
            "x-forwarded-for: {INVENTED}\r\nforwarded: for={INVENTED}\r\nx-real-ip: {INVENTED}\r\nconnection: close"
        ),
    );
    assert_eq!(nginx.https.send(forging.as_bytes()).await.expect("an answer").status, 303);

    let mut database = replicas.folder.connect().await;
    let question = "select event, ip from audit_events where event in ('signed_in', 'signed_out') order by event";
    let told: Vec<(String, Option<String>)> = sqlx::query_as(question).fetch_all(&mut database).await.expect("rows");
    let client = Some(CLIENT.to_string());
    assert_eq!(told, [("signed_in".to_owned(), client.clone()), ("signed_out".to_owned(), client)]);
    database.close().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_what_is_meant_for_them() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let offered = nginx.https.clone().offering_http_2().connect().await.expect("a handshake");
    assert_eq!(offered.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let plain = http::get(nginx.plain, "/admin?page=2").await.expect("an answer");
    let to = plain.header("location").expect("a place").to_owned();
    assert_eq!((plain.status, to), (301, format!("https://{HOST}/admin?page=2")));

    assert_eq!(nginx.https.get("/-/ready").await.status, 200);
    for inside in ["/-/metrics", "/-/live", "/-/"] {
        assert_eq!(nginx.https.get(inside).await.status, 404, "{inside}");
    }
    assert_eq!(http::get(replicas.first.address, "/-/metrics").await.expect("an answer").status, 200, "the control");
    let foreign = "GET /sign-in HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(nginx.https.send(foreign.as_bytes()).await.expect("an answer").status, 421);
    // in memory all the way to the server, which answers with its own page; what is longer than that nginx refuses
    nginx.forbid_files_of_forms();
    for (bytes, says) in [(150_000, "<main"), (170_000, "<center>nginx</center>")] {
        let head = format!("POST /sign-in HTTP/1.1\r\nhost: {HOST}\r\norigin: https://{HOST}\r\nconnection: close\r\n");
        let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length";
        let request = format!("{head}{form}: {bytes}\r\n\r\n{}", "x".repeat(bytes));
        let answer = nginx.https.send(request.as_bytes()).await.expect("an answer");
        assert_eq!(answer.status, 413, "{bytes}");
        assert!(String::from_utf8_lossy(&answer.body).contains(says), "{bytes}: {answer:?}");
    }

    // a browser that follows a one-time link, and its files with the `Referer` that our policy lets it send
    let link = "/set-up/wayinforsomebody";
    let opened = nginx.https.get(link).await;
    assert_eq!(opened.header("referrer-policy"), Some("strict-origin"));
    for path in ["/static/app.css", "/sign-in?after"] {
        // the worst: one that sends the whole address
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {HOST}\r\nreferer: https://{HOST}{link}\r\nconnection: close\r\n\r\n"
        );
        nginx.https.send(head.as_bytes()).await.expect("an answer");
    }
    // both replicas away: what nginx says of that is no place for the link either
    for replica in [&replicas.first, &replicas.second] {
        replica.signal(Signal::KILL);
    }
    until(Duration::from_secs(10), "nobody is there", || async {
        nginx.https.get("/sign-in?late").await.status == 502
    })
    .await;
    assert_eq!(nginx.https.get(link).await.status, 502);
    until(Duration::from_secs(10), "the log", || async {
        nginx.logs().contains("/sign-in?after") && nginx.logs().contains("/sign-in?late")
    })
    .await;
    assert!(nginx.logs().contains("connect() failed"), "the other log is read as well");
    assert!(!nginx.logs().contains("wayinforsomebody"), "{}", nginx.logs());
}

/// What somebody at another address sends and leaves open: a form of which the rest never comes.
async fn half_a_form(https: Https) -> Vec<u8> {
    let mut stream = https.connect().await.expect("a connection");
    let kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 900";
    let half = format!("POST /sign-in HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{kind}\r\n\r\nemail=");
    stream.write_all(half.as_bytes()).await.expect("sent");
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.ok();
    heard
}

/// As many requests as go through one connection at once; how many were refused with 429.
async fn ask_in_a_row(https: Https) -> usize {
    // nginx ends a connection after a thousand
    const REQUESTS: usize = 900;
    let stream = https.connect().await.expect("a connection");
    let ask = format!("GET /sign-in HTTP/1.1\r\nhost: {HOST}\r\n\r\n").repeat(REQUESTS - 1);
    let requests = ask + &format!("GET /sign-in HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    let (mut from, mut to) = tokio::io::split(stream);
    let mut heard = Vec::new();
    let (sent, read) = tokio::join!(to.write_all(requests.as_bytes()), from.read_to_end(&mut heard));
    sent.and(read.map(drop)).expect("an exchange");
    String::from_utf8_lossy(&heard).matches("HTTP/1.1 429 ").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_from_one_address_gets_429_and_a_person_at_another_works_on() {
    const HALF_SENT: usize = 160;
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let flood = nginx.https.clone().at([127, 0, 0, 3].into());
    let mut half_sent = JoinSet::new();
    for _ in 0..HALF_SENT {
        half_sent.spawn(half_a_form(flood.clone()));
    }
    // a hundred are let in and wait for the rest of their form; the others are refused at once
    for _ in 0..HALF_SENT - 100 {
        let refused = half_sent.join_next().await.expect("more than a hundred").expect("no panic");
        assert!(refused.starts_with(b"HTTP/1.1 429 "), "{}", String::from_utf8_lossy(&refused));
    }
    let mut asked = JoinSet::new();
    for _ in 0..4 {
        asked.spawn(ask_in_a_row(flood.clone()));
    }
    let mut person = Browser::over(&nginx.https).signed_in(EMAIL).await;
    for _ in 0..20 {
        assert_eq!(person.get("/admin").await.expect("a page").status(), 200);
    }
    let refused: usize = asked.join_all().await.into_iter().sum();
    assert!(refused > 900, "{refused}");
    let logs = nginx.logs();
    assert!(logs.contains("limiting connections by zone \"cartwright_connections\""), "{logs}");
    assert!(logs.contains("limiting requests, excess"), "{logs}");
    half_sent.abort_all();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_test_arrives_as_it_is_made() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&nginx).await;
    let store = PracticeStore::sample("northwind-tea").with(Scenario::Well);
    let store = replicas.shopify.stores().put("northwind-tea", store);
    let token = store.access_token.expose_secret().to_owned();
    let form = person.new_cart("Test Connection", "northwind-tea", &token).await;

    replicas.gate.send(false).expect("a gate");
    let mut stream = nginx.https.connect().await.expect("a connection");
    stream.write_all(&person.bytes(&form)).await.expect("sent");
    let mut read = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Shopify is not even asked yet, and the person reads already
    while !text(&read).contains("<ul class=\"checks\">") {
        let next = tokio::time::timeout(Duration::from_secs(10), stream.read_buf(&mut read)).await;
        assert_ne!(next.expect("the first half comes").expect("bytes"), 0, "{}", text(&read));
    }
    assert!(!text(&read).contains("data-outcome"), "{}", text(&read));
    replicas.gate.send(true).expect("a gate");
    stream.read_to_end(&mut read).await.expect("the second half");
    let answer = http::parse(&read, Duration::ZERO).expect("a whole answer");
    assert_eq!(answer.status, 200);
    assert!(text(&answer.body).contains("data-class=\"CONNECTED\""), "{}", text(&answer.body));
    assert!(text(&answer.body).trim_end().ends_with("</html>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_killed_and_no_page_is_lost() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let people = [replicas.person(&nginx).await];
    let (journal, is_over) = (Journal::default(), Arc::new(AtomicBool::new(false)));
    let storm = Storm::begin(&people, &journal).await;
    let (mut reader, reads_on) = (people[0].clone(), is_over.clone());
    let reading = tokio::spawn(async move {
        let mut pages = 0;
        while !reads_on.load(Ordering::Relaxed) {
            let page = reader.get("/admin/ecommerce").await.expect("a whole page");
            assert_eq!(page.status(), 200, "{}", page.text);
            pages += 1;
        }
        pages
    });
    let saved = |least: usize, journal: Journal| async move {
        until(Duration::from_mins(1), "people save", || async { journal.count(Told::Acknowledged) >= least }).await;
    };
    saved(10, journal.clone()).await;
    replicas.second.signal(Signal::KILL);
    let before = journal.count(Told::Acknowledged);
    saved(before + 10, journal.clone()).await;
    storm.end().await;
    is_over.store(true, Ordering::Relaxed);
    let pages = reading.await.expect("every page came");
    println!("{pages} pages read, {} saves", journal.count(Told::Acknowledged));
    assert!(pages > 0);
    assert_eq!(journal.contradictions(&replicas.folder).await, Vec::<String>::new());
    settle(&people, &journal).await;
    assert_eq!(journal.contradictions(&replicas.folder).await, Vec::<String>::new());
}

/// Three replicas are restarted in turn without a pause, as an orchestrator does, while people save as fast as they can.
#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_are_restarted_in_turn_and_no_request_fails() {
    let folder = Folder::new();
    let database = running(&folder).await;
    let key = folder.path().join("keys");
    std::fs::write(&key, run(cartwright(folder.path(), &["keys", "generate"])).stdout).expect("a file");
    let public_url = format!("https://{HOST}");
    let ports = [free_port().await, free_port().await, free_port().await];
    let start = |port: SocketAddr| {
        let mut serve = replica(&folder, port);
        serve.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", &key).env_remove("CARTWRIGHT_DRAIN");
        Server::start_behind(serve, &public_url, port)
    };
    let mut replicas: Vec<Server> = ports.into_iter().map(start).collect();
    let nginx = Nginx::before(&ports).await;
    let mut alone = cartwright(folder.path(), &["serve"]);
    alone.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", &key);
    set_up(&Server::start(alone)).await;
    let mut person = Browser::over(&nginx.https).signed_in(EMAIL).await;
    let switch = person.get("/admin/ecommerce/switch?to=add").await.expect("the switch");
    assert_eq!(person.submit(&switch.form("Turn on and add a cart")).await.expect("an answer").status(), 303);
    let people = [person.clone(), person.clone(), person];
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    for round in 0..if is_long() { 5 } else { 1 } {
        for (index, port) in ports.into_iter().enumerate() {
            let stopping = replicas.remove(index);
            let stopped = tokio::task::spawn_blocking(|| stopping.stop()).await.expect("no panic");
            assert!(stopped.0.success(), "{}", stopped.2);
            assert!(stopped.1 >= Duration::from_secs(5), "it drains first: {:?}", stopped.1);
            assert!(stopped.1 < Duration::from_secs(14), "10 s are promised: {:?}", stopped.1);
            replicas.insert(index, start(port));
            println!("round {round}, replica {index}: {} saves so far", journal.count(Told::Acknowledged));
        }
    }
    storm.end().await;
    let unanswered = journal.count(Told::Unknown) + journal.count(Told::Half) + journal.count(Told::Refused);
    println!("{} saves acknowledged, {unanswered} not", journal.count(Told::Acknowledged));
    assert_eq!(unanswered, 0, "a request failed");
    assert_eq!(journal.contradictions(&folder).await, Vec::<String>::new());
    drop((nginx, replicas));
    database.stop().await.expect("it stops");
}

/// A replica that takes a request whole and dies of it, again and again; how many it took.
async fn dying() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let taken = Arc::new(AtomicUsize::new(0));
    let counting = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while !is_whole(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|more| more > 0) {}
            counting.fetch_add(usize::from(is_whole(&bytes)), Ordering::SeqCst);
        }
    });
    (address, taken)
}

/// Whether the head and as much of a body as it promises are there.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_handed_over_is_never_sent_again_and_a_page_is() {
    let replicas = Replicas::start().await;
    let well = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&well).await;
    let forms = [
        person.new_cart("Save", "northwind-one", &token()).await,
        person.new_cart("Save", "northwind-two", &token()).await,
    ];
    let carts = async || replicas.folder.count("select count(*) from carts").await;

    // fresh, so that it has no opinion of either replica yet: of two requests each gets one
    let (address, taken) = dying().await;
    let nginx = Nginx::before(&[address, replicas.first.address]).await;
    let mut told = Vec::new();
    for form in &forms {
        let answer = nginx.https.send(&person.bytes(form)).await.expect("an answer");
        told.push(answer.status);
    }
    told.sort_unstable();
    assert_eq!((told, taken.load(Ordering::SeqCst)), (vec![303, 502], 1));
    assert_eq!(carts().await, 1, "what was handed to the dying one was given to nobody else");

    let (address, taken) = dying().await;
    let nginx = Nginx::before(&[address, replicas.first.address]).await;
    for _ in 0..2 {
        assert_eq!(nginx.https.get("/sign-in").await.status, 200);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1, "it was asked and the other one answered");
}
