//! Many concurrent users with hanging tests or failing sign-ins must not slow down the others.

use std::time::Duration;

use cartwright::practice::Scenario;
use tokio::{task::JoinSet, time::timeout};

use super::support::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    is_long,
    page::Form,
    process::{Server, cartwright},
    token,
    world::{World, shopify},
};

/// The target is 200 ms for a release build on a dedicated machine.
const SLOWEST: Duration = Duration::from_secs(4);

/// F13: the long run holds two hundred hanging tests, the concurrency limit.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_tests_do_not_delay_list_and_save() {
    let count = if is_long() { 200 } else { 24 };
    let world = World::with(1).await;
    let mut forms = Vec::new();
    for (number, mut person) in world.crowd(count).await.into_iter().enumerate() {
        let handle = format!("held-{number}");
        let token = world.store(&handle, Scenario::Held);
        forms.push((person.new_cart("Test Connection", &handle, &token).await, person));
    }
    let mut tests = JoinSet::new();
    for (number, (form, mut person)) in forms.into_iter().enumerate() {
        tests.spawn(async move { person.submit(&form).await.expect("complete page") });
        // At most eight at a time, so that the submits queue for Shopify and not for the database.
        let heard = world.shopify.journal().wait_for_requests(number.saturating_sub(8));
        timeout(Duration::from_secs(12), heard).await.expect("tests reach the stand-in");
    }
    let heard = world.shopify.journal().wait_for_requests(count);
    timeout(Duration::from_secs(12), heard).await.expect("all tests reach the stand-in");
    let mut person = world.people[0].clone();
    let mut took = Vec::new();
    for number in 0..10 {
        let list = person.get("/admin/ecommerce").await.expect("the list");
        assert_eq!(list.status(), 200);
        let form = person.new_cart("Save", &format!("shop-{number}"), &token()).await;
        let saved = person.submit(&form).await.expect("an answer");
        assert_eq!(saved.status(), 303);
        took.extend([list.answer.took, saved.answer.took]);
    }
    took.sort_unstable();
    let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("beside {} of {count} hanging tests: median {median:?}, slowest {slowest:?}", tests.len());
    assert!(slowest < SLOWEST, "{took:?}");
    for number in 0..count {
        world.shopify.stores().set(&format!("held-{number}"), Scenario::Well);
    }
    for page in tests.join_all().await {
        // On a busy machine the first tests may have timed out by now.
        assert!(["CONNECTED", "NETWORK_TIMEOUT"].map(Some).contains(&page.class().as_deref()), "{}", page.html);
    }
}

/// Starts a server that trusts this machine's `X-Forwarded-For`, so that each attempt below has a separate client
/// address and the throttle does not keep most of them from being hashed.
async fn behind_a_proxy() -> World {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_TRUSTED_PROXIES", "127.0.0.0/8");
    World::around(folder, shopify, Server::start(serve), 1).await
}

/// Serializes a sign-in request from this client address.
fn sign_in_from(browser: &Browser, form: &Form, number: u32, email: &str, password: &str) -> Vec<u8> {
    let form = form.clone().fill("email", email).fill("password", password);
    let text = String::from_utf8(browser.bytes(&form)).expect("text");
    let from = std::net::Ipv4Addr::from(u32::from(std::net::Ipv4Addr::new(198, 18, 0, 0)) + number);
    text.replacen("\r\n", &format!("\r\nx-forwarded-for: {from}\r\n"), 1).into_bytes()
}

async fn status(browser: &Browser, request: &[u8]) -> u16 {
    super::support::http::send(browser.address, request).await.expect("an answer").status
}

/// A refused sign-in costs the same CPU time whether or not the account exists. Measures CPU time and not wall-clock
/// time, because other load on the machine affects only the latter.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_account_costs_as_much_as_a_known_one() {
    let rounds = if is_long() { 200 } else { 12 };
    let world = behind_a_proxy().await;
    let mut database = world.folder.connect().await;
    let mut browser = Browser::new(world.server.address);
    let form = browser.get("/sign-in").await.expect("the sign-in page").form("Sign in");
    let mut spent = [Duration::ZERO; 2];
    for number in 0..rounds {
        for (spent, email) in spent.iter_mut().zip(["priya@northwind.example", "nobody@northwind.example"]) {
            let request = sign_in_from(&browser, &form, number, email, &format!("not {PASSWORD}"));
            let before = world.server.busy();
            assert_eq!(status(&browser, &request).await, 422);
            *spent += world.server.busy().saturating_sub(before);
        }
        sqlx::query("delete from throttle").execute(&mut database).await.expect("a fresh window");
    }
    let [known, unknown] = spent;
    println!("{rounds} tries each: known {known:?}, unknown {unknown:?} on the processor");
    // Without a hash, the cost would be a fifth or less.
    assert!(known.max(unknown) < known.min(unknown) * 3 / 2, "{known:?} and {unknown:?}");
}
