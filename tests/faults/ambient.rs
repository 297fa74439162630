//! The ways out that the environment suggests and nobody asked for. The way without any proxy is proven beside the client:
//! from here it would leave this machine.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use cartwright::practice::{Options, Practice};
use tokio::net::TcpListener;

use super::support::{
    cluster::Folder,
    process::{Server, cartwright},
    world::World,
};

/// Counts who knocks.
async fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let knocks = Arc::new(AtomicUsize::new(0));
    let count = knocks.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (format!("http://{address}"), knocks)
}

/// `serve --practice` with every variable that other programs take for a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn ambient_proxy_is_ignored() {
    let (proxy, knocks) = listener().await;
    let folder = Folder::new();
    let mut serve = cartwright(folder.path(), &["serve", "--practice"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        serve.env(name, &proxy);
    }
    let unused = Practice::start(Options::test()).await.expect("a free port");
    let world = World::around(folder, unused, Server::start(serve), 1).await;
    let mut person = world.people[0].clone();
    // The secrets of the built-in stores are the server's own, so this one is refused, by the store and over TLS.
    let page = person.test("practice-tea", &super::support::token()).await;
    assert_eq!(page.class().as_deref(), Some("TOKEN_REFUSED"), "{}", page.text);
    assert_eq!(knocks.load(Ordering::SeqCst), 0);
    // The control: the listener would have noticed.
    drop(tokio::net::TcpStream::connect(proxy.trim_start_matches("http://")).await.expect("it listens"));
    super::support::until(std::time::Duration::from_secs(5), "a knock is counted", || async {
        knocks.load(Ordering::SeqCst) == 1
    })
    .await;
}
