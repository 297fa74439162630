//! Two servers behind nginx with `docs/examples/nginx.conf` as operators copy it: pages, recorded client addresses, and
//! requests during the loss of a replica.

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
/// A forged client address.
const INVENTED: &str = "203.0.113.9";

/// Two replicas on one Postgres with one key, configured as the example's first lines say. The field order is the drop
/// order.
struct Replicas {
    first: Server,
    second: Server,
    folder: Folder,
    shopify: Practice,
    /// Whether calls to Shopify may pass.
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

    /// Signs in through this proxy and turns the integration on.
    async fn person(&self, nginx: &Nginx) -> Browser {
        let mut person = Browser::over(&nginx.https).signed_in(EMAIL).await;
        let switch = person.get("/admin/ecommerce/switch?to=add").await.expect("switch page");
        let on = person.submit(&switch.form("Turn on and add a cart")).await.expect("an answer");
        assert_eq!(on.status(), 303, "{}", on.html);
        person
    }
}

/// A replica on this port, configured as the example's first lines say.
fn replica(folder: &Folder, port: SocketAddr) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_LISTEN", port.to_string()).env("CARTWRIGHT_PUBLIC_URL", format!("https://{HOST}"));
    serve.env("CARTWRIGHT_TRUSTED_PROXIES", "127.0.0.1");
    serve
}

/// Forwards connections to the real egress proxy while the gate is open.
async fn gated(real: String, is_open: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (real, mut is_open) = (real.clone(), is_open.clone());
            tokio::spawn(async move {
                is_open.wait_for(|is_open| *is_open).await.expect("the sender is alive");
                let mut onward = TcpStream::connect(real.trim_start_matches("http://")).await.expect("the real proxy");
                copy_bidirectional(&mut stream, &mut onward).await.ok();
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn user_works_over_https_and_is_known_by_their_own_address() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&nginx).await;
    assert_eq!(person.cookie_names(), ["__Host-cartwright", "__Host-cartwright-device"]);
    for _ in 0..4 {
        let list = person.get("/admin/ecommerce").await.expect("the list");
        assert_eq!(list.status(), 200, "both replicas accept the session: {}", list.html);
        assert_eq!(list.answer.header("server"), Some("nginx"), "the nginx version is hidden");
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
async fn unauthenticated_clients_reach_only_public_paths() {
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
    assert_eq!(http::get(replicas.first.address, "/-/metrics").await.expect("an answer").status, 200, "control");
    let foreign = "GET /sign-in HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(nginx.https.send(foreign.as_bytes()).await.expect("an answer").status, 421);
    // nginx buffers the form in memory and forwards it; the server refuses it with its own page. nginx refuses larger
    // ones itself.
    nginx.forbid_files_of_forms();
    for (bytes, says) in [(150_000, "<main"), (170_000, "<center>nginx</center>")] {
        let head = format!("POST /sign-in HTTP/1.1\r\nhost: {HOST}\r\norigin: https://{HOST}\r\nconnection: close\r\n");
        let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length";
        let request = format!("{head}{form}: {bytes}\r\n\r\n{}", "x".repeat(bytes));
        let answer = nginx.https.send(request.as_bytes()).await.expect("an answer");
        assert_eq!(answer.status, 413, "{bytes}");
        assert!(String::from_utf8_lossy(&answer.body).contains(says), "{bytes}: {answer:?}");
    }

    // A browser that opens a one-time link and then loads its files, with the `Referer` that our policy allows.
    let link = "/set-up/wayinforsomebody";
    let opened = nginx.https.get(link).await;
    assert_eq!(opened.header("referrer-policy"), Some("strict-origin"));
    for path in ["/static/app.css", "/sign-in?after"] {
        // The worst case: a client that sends the full URL.
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {HOST}\r\nreferer: https://{HOST}{link}\r\nconnection: close\r\n\r\n"
        );
        nginx.https.send(head.as_bytes()).await.expect("an answer");
    }
    // With both replicas down, nginx must not log the link either.
    for replica in [&replicas.first, &replicas.second] {
        replica.signal(Signal::KILL);
    }
    until(Duration::from_secs(10), "both replicas are down", || async {
        nginx.https.get("/sign-in?late").await.status == 502
    })
    .await;
    assert_eq!(nginx.https.get(link).await.status, 502);
    until(Duration::from_secs(10), "both requests are logged", || async {
        nginx.logs().contains("/sign-in?after") && nginx.logs().contains("/sign-in?late")
    })
    .await;
    assert!(nginx.logs().contains("[error]"), "control: the error log is read: {}", nginx.logs());
    assert!(!nginx.logs().contains("wayinforsomebody"), "{}", nginx.logs());
}

/// Sends part of a form from another address and leaves the connection open; returns the response.
async fn half_a_form(https: Https) -> Vec<u8> {
    let mut stream = https.connect().await.expect("a connection");
    let kind = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 900";
    let half = format!("POST /sign-in HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{kind}\r\n\r\nemail=");
    stream.write_all(half.as_bytes()).await.expect("sent");
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.ok();
    heard
}

/// Sends as many pipelined requests as one connection allows; returns how many were refused with 429.
async fn ask_in_a_row(https: Https) -> usize {
    // nginx closes a connection after a thousand requests.
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
    // A hundred are accepted and wait for the rest of their form; the others are refused immediately.
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
async fn connection_test_page_is_streamed() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&nginx).await;
    let store = PracticeStore::sample("northwind-tea").with(Scenario::Well);
    let store = replicas.shopify.stores().put("northwind-tea", store);
    let token = store.access_token.expose_secret().to_owned();
    let form = person.new_cart("Test Connection", "northwind-tea", &token).await;

    replicas.gate.send(false).expect("receiver is alive");
    let mut stream = nginx.https.connect().await.expect("a connection");
    stream.write_all(&person.bytes(&form)).await.expect("sent");
    let mut read = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Shopify has not been called yet, but the client already receives the first part of the page.
    while !text(&read).contains("<ul class=\"checks\">") {
        let next = tokio::time::timeout(Duration::from_secs(10), stream.read_buf(&mut read)).await;
        assert_ne!(next.expect("first part arrives in time").expect("bytes"), 0, "{}", text(&read));
    }
    assert!(!text(&read).contains("data-outcome"), "{}", text(&read));
    replicas.gate.send(true).expect("receiver is alive");
    stream.read_to_end(&mut read).await.expect("second part arrives");
    let answer = http::parse(&read, Duration::ZERO).expect("complete response");
    assert_eq!(answer.status, 200);
    assert!(text(&answer.body).contains("data-class=\"CONNECTED\""), "{}", text(&answer.body));
    assert!(text(&answer.body).trim_end().ends_with("</html>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_replica_loses_no_page() {
    let replicas = Replicas::start().await;
    let nginx = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let people = [replicas.person(&nginx).await];
    let (journal, is_over) = (Journal::default(), Arc::new(AtomicBool::new(false)));
    let storm = Storm::begin(&people, &journal).await;
    let (mut reader, reads_on) = (people[0].clone(), is_over.clone());
    let reading = tokio::spawn(async move {
        let mut pages = 0;
        while !reads_on.load(Ordering::Relaxed) {
            let page = reader.get("/admin/ecommerce").await.expect("complete page");
            assert_eq!(page.status(), 200, "{}", page.html);
            pages += 1;
        }
        pages
    });
    let saved = |least: usize, journal: Journal| async move {
        until(Duration::from_mins(1), "users save", || async { journal.count(Told::Acknowledged) >= least }).await;
    };
    saved(10, journal.clone()).await;
    replicas.second.signal(Signal::KILL);
    let before = journal.count(Told::Acknowledged);
    saved(before + 10, journal.clone()).await;
    storm.end().await;
    is_over.store(true, Ordering::Relaxed);
    let pages = reading.await.expect("every page arrived");
    println!("{pages} pages read, {} saves", journal.count(Told::Acknowledged));
    assert!(pages > 0);
    assert_eq!(journal.contradictions(&replicas.folder).await, Vec::<String>::new());
    settle(&people, &journal).await;
    assert_eq!(journal.contradictions(&replicas.folder).await, Vec::<String>::new());
}

/// Restarts three replicas in turn without a pause, as an orchestrator does, while users save continuously.
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
    let switch = person.get("/admin/ecommerce/switch?to=add").await.expect("switch page");
    assert_eq!(person.submit(&switch.form("Turn on and add a cart")).await.expect("an answer").status(), 303);
    let people = [person.clone(), person.clone(), person];
    let journal = Journal::default();
    let storm = Storm::begin(&people, &journal).await;
    for round in 0..if is_long() { 5 } else { 1 } {
        for (index, port) in ports.into_iter().enumerate() {
            let stopping = replicas.remove(index);
            let stopped = tokio::task::spawn_blocking(|| stopping.stop()).await.expect("no panic");
            assert!(stopped.0.success(), "{}", stopped.2);
            assert!(stopped.1 >= Duration::from_secs(5), "no drain before the stop: {:?}", stopped.1);
            assert!(stopped.1 < Duration::from_secs(14), "the limit is 10 s: {:?}", stopped.1);
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
    database.stop().await.expect("cluster stops");
}

/// A replica that reads each request completely and closes the connection without a response; counts the requests.
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

/// Whether the bytes hold a complete head and body.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_form_is_never_retried_but_a_page_is() {
    let replicas = Replicas::start().await;
    let well = Nginx::before(&[replicas.first.address, replicas.second.address]).await;
    let mut person = replicas.person(&well).await;
    let forms = [
        person.new_cart("Save", "northwind-one", &token()).await,
        person.new_cart("Save", "northwind-two", &token()).await,
    ];
    let carts = async || replicas.folder.count("select count(*) from carts").await;

    // A new nginx has no failure state yet, so each replica gets one of two requests.
    let (address, taken) = dying().await;
    let nginx = Nginx::before(&[address, replicas.first.address]).await;
    let mut told = Vec::new();
    for form in &forms {
        let answer = nginx.https.send(&person.bytes(form)).await.expect("an answer");
        told.push(answer.status);
    }
    told.sort_unstable();
    assert_eq!((told, taken.load(Ordering::SeqCst)), (vec![303, 502], 1));
    assert_eq!(carts().await, 1, "the form was not sent to a second replica");

    let (address, taken) = dying().await;
    let nginx = Nginx::before(&[address, replicas.first.address]).await;
    for _ in 0..2 {
        assert_eq!(nginx.https.get("/sign-in").await.status, 200);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1, "the page was retried on the other replica");
}
