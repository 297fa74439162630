//! Two replicas, each a process of its own with its own pool, and fifty callers at the moment when a token ends: Shopify is asked
//! once. After a 401 it is asked once more, and never twice.
//!
//! No page uses a live token yet, so a replica is this very program, started again for one test that nobody else runs.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use cartwright::{
    clock::Clock,
    ecommerce::{
        CartId, Ecommerce, LiveToken,
        shopify::client::{Client, Egress},
    },
    practice::{PracticeStore, Scenario},
    vault::{KeyRing, Vault},
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::Connection;

use super::support::world::World;

const HANDLE: &str = "practice-client";
const REPLICA: &str = "one_renewal::replica";
/// Callers in each process.
const CALLERS: usize = 25;

/// The other process, asked over its standard input and answering a line each.
struct Replica {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Replica {
    fn start(world: &World, cart: &str) -> Self {
        let folder = world.folder.path();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([REPLICA, "--exact", "--ignored", "--nocapture"]).env_clear();
        command.env("REPLICA_DATABASE", world.folder.url()).env("REPLICA_KEYS", folder.join("keys"));
        command.env("REPLICA_PROXY", world.shopify.proxy_url()).env("REPLICA_CA", folder.join("ca.pem"));
        command.env("REPLICA_CART", cart).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program starts again");
        let said = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        let mut replica = Self { child, said };
        assert_eq!(replica.hear(), "ready");
        replica
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.child.stdin.as_mut().expect("a pipe was asked for"), "{word}").expect("it listens");
    }

    /// The next line that is ours and not the test runner's.
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.said.read_line(&mut line).expect("text") > 0, "the replica has ended");
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

/// Which token a replica's callers got: version and hash, never the token itself.
fn told(tokens: &[LiveToken]) -> String {
    let hash = |token: &LiveToken| {
        let digest = Sha256::digest(token.token.secret().expose_secret());
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let all: BTreeSet<String> = tokens.iter().map(|token| format!("{}/{}", token.version, hash(token))).collect();
    all.into_iter().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other process of one_renewal, which starts it"]
async fn replica() {
    let setting = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by one_renewal"));
    let pool = cartwright::database::Pool::new([setting("REPLICA_DATABASE").parse().expect("an address")]);
    let egress = Egress {
        proxy: Some(setting("REPLICA_PROXY").parse().expect("a proxy")),
        extra_roots_pem: Some(std::fs::read(setting("REPLICA_CA")).expect("a file")),
    };
    let keys = KeyRing::read(setting("REPLICA_KEYS").as_ref()).expect("the server's key");
    let vault = Vault::open_with(keys, pool.clone()).await.expect("a vault");
    let client = Client::new(&egress).expect("a client");
    let ecommerce = Ecommerce::new(pool, Arc::new(vault), Arc::new(client), false, Clock::System);
    let cart = CartId(setting("REPLICA_CART").parse().expect("an id"));
    println!("replica: ready");
    let mut held: Option<Arc<LiveToken>> = None;
    for word in std::io::stdin().lines() {
        let refused = (word.expect("text") == "refused").then(|| held.take().expect("a token"));
        let callers = (0..CALLERS).map(|_| {
            let (ecommerce, refused) = (ecommerce.clone(), refused.clone());
            tokio::spawn(async move {
                match refused {
                    Some(refused) => ecommerce.live_token_instead(cart, &refused).await.expect("another token"),
                    None => ecommerce.live_token(cart).await.expect("a token"),
                }
            })
        });
        let mut tokens = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            tokens.push(caller.await.expect("it ended"));
        }
        println!("replica: {}", told(&tokens));
        held = tokens.pop().map(Arc::new);
    }
}

/// A saved cart with a Client ID and Client secret.
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
        // both are told before either is heard
        for replica in &mut replicas {
            replica.tell(word);
        }
        let answers: BTreeSet<String> = replicas.iter_mut().map(Replica::hear).collect();
        assert_eq!(answers.len(), 1, "the processes disagree: {answers:?}");
        let answer = answers.into_iter().next().expect("one");
        assert!(!answer.contains(' '), "fifty callers, one token: {answer}");
        answer
    };
    let before = exchanges();
    let first = ask("live");
    assert_eq!(exchanges() - before, 1, "no token yet");
    let mut database = sqlx::PgConnection::connect_with(&world.folder.options()).await.expect("the database");
    sqlx::query("update carts set minted_ends_at = now() - interval '1 second'")
        .execute(&mut database)
        .await
        .expect("its end has come");
    let second = ask("live");
    assert_eq!(exchanges() - before, 2, "at its end");
    world.shopify.stores().end_minted_tokens(HANDLE);
    let third = ask("refused");
    assert_eq!(exchanges() - before, 3, "after a 401");
    assert_eq!(BTreeSet::from([first, second, third]).len(), 3, "each time another one");
}
