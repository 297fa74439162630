//! Two replicas, each a separate process with its own pool, and fifty concurrent callers when a token expires: one
//! token refresh. After a 401 there is one more, and never two.
//!
//! No page uses a current token yet, so a replica is this test binary, started again to run one ignored test.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use cartwright::{
    carts::{self, CartId, CurrentToken},
    clock::Clock,
    platforms::shopify::client::{Egress, ShopifyClient},
    practice::{PracticeStore, Scenario},
    vault::{KeyRing, Vault},
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::Connection;

use super::support::world::World;

const HANDLE: &str = "practice-client";
const REPLICA: &str = "one_renewal::replica";
/// Concurrent callers in each process.
const CALLERS: usize = 25;

/// A replica process: takes one command per line on standard input and answers one line each.
struct Replica {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Replica {
    fn start(world: &World, cart: &str) -> Self {
        let folder = world.folder.path();
        let mut command = Command::new(std::env::current_exe().expect("own executable"));
        command.args([REPLICA, "--exact", "--ignored", "--nocapture"]).env_clear();
        command.env("REPLICA_DATABASE", world.folder.url()).env("REPLICA_KEYS", folder.join("keys"));
        command.env("REPLICA_PROXY", world.shopify.proxy_url()).env("REPLICA_CA", folder.join("ca.pem"));
        command.env("REPLICA_CART", cart).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("replica starts");
        let said = BufReader::new(child.stdout.take().expect("pipe is configured"));
        let mut replica = Self { child, said };
        assert_eq!(replica.hear(), "ready");
        replica
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.child.stdin.as_mut().expect("pipe is configured"), "{word}").expect("listener accepts");
    }

    /// Returns the next line of the replica, skipping the test runner's output.
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.said.read_line(&mut line).expect("a line") > 0, "the replica has exited");
            if let Some((_, words)) = line.trim_end().split_once("replica: ") {
                return words.to_owned();
            }
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Describes the tokens that a replica's callers got by version and hash, never by the token itself.
fn told(tokens: &[CurrentToken]) -> String {
    let hash = |token: &CurrentToken| {
        let digest = Sha256::digest(token.token.secret().expose_secret());
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let all: BTreeSet<String> = tokens.iter().map(|token| format!("{}/{}", token.version, hash(token))).collect();
    all.into_iter().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by one_renewal in a separate process"]
async fn replica() {
    let setting = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} must be set by one_renewal"));
    let pool = cartwright::database::Pool::new([setting("REPLICA_DATABASE").parse().expect("an address")]);
    let egress = Egress {
        proxy: Some(setting("REPLICA_PROXY").parse().expect("a proxy")),
        extra_roots_pem: Some(std::fs::read(setting("REPLICA_CA")).expect("a file")),
    };
    let keys = KeyRing::read(setting("REPLICA_KEYS").as_ref()).expect("the server's key");
    let vault = Vault::open_with(keys, pool.clone()).await.expect("a vault");
    let client = ShopifyClient::new(&egress).expect("a client");
    let tokens = carts::open(pool, Arc::new(vault), Arc::new(client), false, Clock::System).tokens;
    let cart = CartId(setting("REPLICA_CART").parse().expect("an id"));
    println!("replica: ready");
    let mut held: Option<Arc<CurrentToken>> = None;
    for word in std::io::stdin().lines() {
        let refused = (word.expect("text") == "refused").then(|| held.take().expect("a token"));
        let callers = (0..CALLERS).map(|_| {
            let (tokens, refused) = (tokens.clone(), refused.clone());
            tokio::spawn(async move {
                match refused {
                    Some(refused) => tokens.refresh_rejected(cart, &refused).await.expect("another token"),
                    None => tokens.current(cart).await.expect("a token"),
                }
            })
        });
        let mut tokens = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            tokens.push(caller.await.expect("no panic"));
        }
        println!("replica: {}", told(&tokens));
        held = tokens.pop().map(Arc::new);
    }
}

/// Saves a cart with a Client ID and Client secret; returns its id.
async fn saved_pair(world: &World) -> String {
    let pair = world.shopify.stores().put(HANDLE, PracticeStore::sample(HANDLE).with(Scenario::Well));
    let mut person = world.people[0].clone();
    let form = person.new_cart("Save", HANDLE, "").await;
    let form = form.fill("credential_kind", "client_credentials").fill("client_id", &pair.client_id);
    let page = person.submit(&form.fill("client_secret", pair.client_secret.expose_secret())).await.expect("an answer");
    let path = page.answer.header("location").expect("saved").to_owned();
    path.split('/').rev().nth(1).expect("the cart's id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_renewal() {
    let world = World::with(1).await;
    let cart = saved_pair(&world).await;
    let exchanges = || {
        let requests = world.shopify.journal().requests();
        requests.iter().filter(|request| request.path.ends_with("/oauth/access_token")).count()
    };
    let mut replicas = [Replica::start(&world, &cart), Replica::start(&world, &cart)];
    let mut ask = |word: &str| {
        // Both start before either result is read.
        for replica in &mut replicas {
            replica.tell(word);
        }
        let answers: BTreeSet<String> = replicas.iter_mut().map(Replica::hear).collect();
        assert_eq!(answers.len(), 1, "the replicas got different tokens: {answers:?}");
        let answer = answers.into_iter().next().expect("one row");
        assert!(!answer.contains(' '), "the callers got different tokens: {answer}");
        answer
    };
    let before = exchanges();
    let first = ask("live");
    assert_eq!(exchanges() - before, 1, "there was no token yet");
    let mut database = sqlx::PgConnection::connect_with(&world.folder.options()).await.expect("the database");
    sqlx::query("update carts set minted_ends_at = now() - interval '1 second'")
        .execute(&mut database)
        .await
        .expect("token has expired");
    let second = ask("live");
    assert_eq!(exchanges() - before, 2, "the token had expired");
    world.shopify.stores().end_minted_tokens(HANDLE);
    let third = ask("refused");
    assert_eq!(exchanges() - before, 3, "after a 401");
    assert_eq!(BTreeSet::from([first, second, third]).len(), 3, "each refresh gives a new token");
}
