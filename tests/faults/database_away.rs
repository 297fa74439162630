//! Database down, suspended or blocked by a lock: reported within 2 s, no input lost, recovery without intervention.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sqlx::Executor;
use tokio::task::JoinSet;

use super::support::{
    browser::Browser,
    cluster::{Folder, running},
    http, is_long,
    page::Form,
    process::{Server, cartwright, run},
    token, until,
    world::{World, shopify},
};

/// The limit is 2 s; the rest is slack for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(6);
const WELL_WITHIN: Duration = Duration::from_secs(20);

/// Fills in a form, to be submitted while the database is down.
async fn typed(person: &mut Browser) -> Form {
    let form = person.new_cart("Save", "northwind-tea", &token()).await;
    form.fill("website_name", "Northwind & Tea <Ltd>")
}

async fn is_told(person: &mut Browser, form: &Form) {
    for path in ["/admin/ecommerce", "/admin", "/admin/ecommerce/shopify/new"] {
        let page = person.get(path).await.expect("complete page");
        assert_eq!(page.status(), 503, "{path}");
        assert!(page.answer.header("retry-after").is_some(), "{path}");
        assert!(page.answer.took < TOLD_WITHIN, "{path}: {:?}", page.answer.took);
    }
    let page = person.submit(form).await.expect("complete page");
    assert_eq!(page.status(), 503);
    assert!(page.answer.header("retry-after").is_some() && page.answer.took < TOLD_WITHIN, "{:?}", page.answer.took);
    let again = page.form("Try again");
    for kept in ["website_name", "api_url", "submission", "credential_kind"] {
        assert_eq!(again.value(kept), form.value(kept), "{kept}");
    }
    let token = form.value("access_token").expect("typed");
    assert!(!page.html.contains(token), "a page must not contain the secret");
}

/// Liveness and the sign-in page work without a database; readiness fails.
async fn says_so(person: &Browser) {
    let live = http::get(person.address, "/-/live").await.expect("an answer");
    assert_eq!(live.status, 200);
    let ready = http::get(person.address, "/-/ready").await.expect("an answer");
    assert_eq!(ready.status, 503);
    assert!(ready.header("retry-after").is_some() && ready.took < TOLD_WITHIN, "{:?}", ready.took);
    let sign_in = http::get(person.address, "/sign-in").await.expect("an answer");
    assert_eq!(sign_in.status, 200);
    assert!(sign_in.took < TOLD_WITHIN, "{:?}", sign_in.took);
}

/// Waits for recovery without intervention; the form that was refused can then be saved.
async fn is_well_again(person: &mut Browser, form: &Form) {
    until(WELL_WITHIN, "the list recovers", || {
        let mut person = person.clone();
        async move { person.get("/admin/ecommerce").await.is_ok_and(|page| page.status() == 200) }
    })
    .await;
    assert_eq!(http::get(person.address, "/-/ready").await.expect("an answer").status, 200);
    assert_eq!(person.submit(form).await.expect("an answer").status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn database_away_when_its_processes_are_suspended() {
    let world = World::with(1).await;
    let mut person = world.people[0].clone();
    let form = typed(&mut person).await;
    world.folder.signal(Signal::STOP);
    is_told(&mut person, &form).await;
    says_so(&person).await;
    world.folder.signal(Signal::CONT);
    is_well_again(&mut person, &form).await;
    assert_eq!(world.folder.count("select count(*) from carts").await, 1);
}

/// A separate database, as with `DATABASE_URL`: the server does not restart it.
#[tokio::test(flavor = "multi_thread")]
async fn database_away_when_nothing_listens() {
    let folder = Folder::new();
    let database = running(&folder).await;
    let key = folder.path().join("keys");
    std::fs::write(&key, run(cartwright(folder.path(), &["keys", "generate"])).stdout).expect("a file");
    let (shopify, _) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("DATABASE_URL", folder.url()).env("CARTWRIGHT_KEY_FILE", &key);
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    let mut person = world.people[0].clone();
    let form = typed(&mut person).await;
    database.stop().await.expect("cluster stops");
    let away = Instant::now();
    loop {
        is_told(&mut person, &form).await;
        says_so(&person).await;
        // The long run of F2: one minute.
        if !is_long() || away.elapsed() > Duration::from_mins(1) {
            break;
        }
    }
    let database = running(&world.folder).await;
    is_well_again(&mut person, &form).await;
    let World { server, .. } = world;
    assert!(server.stop().0.success());
    database.stop().await.expect("cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn database_away_behind_another_sessions_lock() {
    let world = World::with(1).await;
    let mut person = world.people[0].clone();
    let form = typed(&mut person).await;
    let mut other = world.folder.connect().await;
    other.execute("begin; lock table carts, sessions in access exclusive mode").await.expect("locked");
    let mut waiting = JoinSet::new();
    for _ in 0..40 {
        let mut person = person.clone();
        waiting.spawn(async move { person.get("/admin/ecommerce").await.expect("complete page") });
    }
    for _ in 0..5 {
        assert_eq!(http::get(person.address, "/-/live").await.expect("an answer").status, 200);
        let sign_in = http::get(person.address, "/sign-in").await.expect("an answer");
        assert_eq!(sign_in.status, 200);
        assert!(sign_in.took < TOLD_WITHIN, "{:?}", sign_in.took);
    }
    for page in waiting.join_all().await {
        assert_eq!(page.status(), 503);
        assert!(page.answer.header("retry-after").is_some(), "{}", page.html);
    }
    other.execute("rollback").await.expect("unlocked");
    is_well_again(&mut person, &form).await;
}
