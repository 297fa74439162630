//! A thousand sign-ins at once, from many addresses so that no throttle stands before the hashing: memory stays, the surplus is
//! told when to come back, and whoever is signed in works on.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinSet,
    time::timeout,
};

use super::support::{
    browser::Browser,
    cluster::Folder,
    http::{self, Answer},
    process::{Server, cartwright},
    world::set_up,
};

const TRIES: usize = 1_000;
/// Tries from one address: fewer than what one address may.
const EACH: usize = 10;
/// What they may add to the process's memory, in KiB: 100 MiB are promised for a release. An unoptimised build's requests are
/// larger, and a busy machine keeps more of them waiting at once.
const MEMORY: u64 = if cfg!(debug_assertions) { 320 << 10 } else { 100 << 10 };

/// One exchange from another address of loopback.
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

#[tokio::test(flavor = "multi_thread")]
async fn thousand_sign_ins() {
    let folder = Folder::new();
    let server = Server::start(cartwright(folder.path(), &["serve"]));
    let mut priya = set_up(&server).await;
    let mut stranger = Browser::new(server.address);
    let form = stranger.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    // one of each, so that what the first hash needs for good is there
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
        let page = priya.get("/admin").await.expect("who is signed in gets an answer");
        assert_eq!(page.status(), 200, "{}", page.text);
        lists += 1;
        most = most.max(server.resident());
        while let Some(answer) = tries.try_join_next() {
            let answer = answer.expect("no panic").expect("a whole answer for every try");
            if answer.status == 503 {
                assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
            }
            *statuses.entry(answer.status).or_default() += 1;
        }
    }
    let count = |status| statuses.get(&status).copied().unwrap_or(0);
    println!("{statuses:?}, {lists} pages beside them, {} KiB more at most", most - before);
    assert_eq!(count(422) + count(503), TRIES, "{statuses:?}");
    assert!(count(422) >= 4, "some are hashed: {statuses:?}");
    assert!(count(503) > 0, "nobody was sent away, so this proves nothing: {statuses:?}");
    assert!(most - before <= MEMORY, "{} KiB more", most - before);
    let form = stranger.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    let form = form.fill("password", "leaf kettle third steep").fill("email", "last@northwind.example");
    assert_eq!(stranger.submit(&form).await.expect("an answer").status(), 422, "and after them it is quiet again");
}
