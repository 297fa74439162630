//! What an operator's egress proxy can see, byte by byte.

use std::sync::{Arc, Mutex};

use cartwright::practice::{PracticeStore, Scenario};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

use super::support::{
    cluster::Folder,
    process::{Server, cartwright},
    world::{World, shopify},
};

/// All bytes that the server sent, one entry per connection.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// Forwards connections to the real proxy and records what the server sends.
async fn logging_proxy(real: String) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let seen = Seen::default();
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = {
                let mut log = log.lock().expect("not poisoned");
                log.push(Vec::new());
                log.len() - 1
            };
            tokio::spawn(pass_on(stream, real.clone(), log.clone(), number));
        }
    });
    (format!("http://{address}"), seen)
}

async fn pass_on(stream: TcpStream, real: String, log: Seen, number: usize) {
    let onward = TcpStream::connect(real.trim_start_matches("http://")).await.expect("the real proxy");
    let ((mut from, mut to), (mut from_real, mut to_real)) = (stream.into_split(), onward.into_split());
    let answers = tokio::spawn(async move { copy(&mut from_real, &mut to).await });
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count) = from.read(&mut bytes).await {
        log.lock().expect("not poisoned")[number].extend_from_slice(&bytes[..count]);
        if count == 0 || to_real.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    drop(to_real);
    answers.await.ok();
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_proxy_sees_only_connect() {
    let folder = Folder::new();
    let (shopify, ca_file) = shopify(&folder).await;
    let (proxy, seen) = logging_proxy(shopify.proxy_url()).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_EGRESS_PROXY", proxy).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    let token = world.store("practice-tea", Scenario::Well);
    let mut person = world.people[0].clone();
    let page = person.test("practice-tea", &token).await;
    assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.html);
    let pair = world.shopify.stores().put("practice-client", PracticeStore::sample("practice-client"));
    let secret = pair.client_secret.expose_secret().to_owned();
    let mut form = person.new_cart("Test Connection", "practice-client", "").await;
    form = form.fill("credential_kind", "client_credentials").fill("client_id", &pair.client_id);
    let page = person.submit(&form.fill("client_secret", &secret)).await.expect("complete page");
    assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.html);

    assert_eq!(world.shopify.journal().hosts_that_saw(&token), ["practice-tea.myshopify.com"]);
    assert_eq!(world.shopify.journal().hosts_that_saw(&secret), ["practice-client.myshopify.com"]);
    let seen = seen.lock().expect("not poisoned").clone();
    assert!(seen.len() >= 2, "the calls bypassed the proxy");
    for bytes in &seen {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("end of head") + 4;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).expect("a CONNECT");
        let known = ["practice-tea.myshopify.com:443", "practice-client.myshopify.com:443"];
        assert!(known.contains(&target), "{head}");
        assert!(!head.to_lowercase().contains("shopify-access-token"), "{head}");
        assert_eq!(bytes.get(end..end + 2), Some(&[0x16, 3][..]), "a TLS handshake follows: {head}");
        for canary in [token.as_str(), &secret, &pair.client_id] {
            assert!(!contains(bytes, canary), "a credential was sent in plaintext");
        }
    }
}
