//! Proxy variables of the environment must be ignored. A direct connection without any proxy is tested in the client's
//! unit tests, because here it would leave this machine.

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

/// Counts incoming connections.
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

/// `serve --practice` with every environment variable that other programs use as a proxy.
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
    // The built-in stores have secrets of their own, so the store refuses this token, over TLS.
    let page = person.test("practice-tea", &super::support::token()).await;
    assert_eq!(page.class().as_deref(), Some("TOKEN_REFUSED"), "{}", page.html);
    assert_eq!(knocks.load(Ordering::SeqCst), 0);
    // Control: the listener does count a connection.
    drop(tokio::net::TcpStream::connect(proxy.trim_start_matches("http://")).await.expect("listener accepts"));
    super::support::until(std::time::Duration::from_secs(5), "the connection is counted", || async {
        knocks.load(Ordering::SeqCst) == 1
    })
    .await;
}
