//! A change and its row in the activity are one: the row is refused by a trigger, and the change must not have happened; with
//! the trigger gone, the same deed leaves both. Once for every event.

use cartwright::{
    accounts::{Email, NewUser, PersonName},
    audit::By,
    ecommerce::CartId,
    practice::Scenario,
};
use sqlx::PgPool;

use crate::support::{
    Page, TestApp,
    cast::{PASSWORD, PRIYA, SAM, VERA},
    dump::{Dump, dump, events, tamper},
    expose,
    routes::cart_of,
};

/// The events whose deeds are done below.
pub const PROVED: [&str; 20] = [
    "signed_in",
    "could_not_sign_in",
    "signed_out",
    "user_added",
    "set_up_link_made",
    "was_refused",
    "integration_turned_on",
    "integration_turned_off",
    "cart_added",
    "cart_changed",
    "cart_overwritten",
    "cart_turned_on",
    "cart_turned_off",
    "credential_replaced",
    "cart_disconnected",
    "cart_deleted",
    "tested",
    "secret_unreadable",
    "token_renewed",
    "token_not_renewed",
];
/// Events that the tests of their own verbs find in the activity; they go through the same `transaction` and `record`.
pub const PROVED_ELSEWHERE: [&str; 21] = [
    "could_not_confirm",
    "password_changed",
    "details_changed",
    "signed_out_others",
    "user_invited",
    "user_joined",
    "sign_in_link_made",
    "role_changed",
    "user_signed_out",
    "user_turned_off",
    "user_turned_on",
    "cart_needs_attention",
    "cart_not_connected",
    "cart_recovered",
    "encryption_key_rotated",
    "encryption_key_forgotten",
    "alerts_changed",
    "alert_sent",
    "alert_not_delivered",
    "bulk_started",
    "bulk_cancelled",
];

/// Everything but what is allowed to be written before a deed: tries, drafts, the begin of a test, a lease.
async fn kept(app: &TestApp) -> Dump {
    sqlx::query("update carts set minting_until = null where minting_until is not null")
        .execute(&app.pool)
        .await
        .expect("no lease");
    let mut dump = dump(&app.pool).await;
    for before in ["throttle", "unsaved_credentials", "connection_tests", "vault_keys"] {
        dump.remove(before).expect("a table");
    }
    dump
}

async fn execute(app: &TestApp, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.pool).await.expect("a statement");
}

/// Does the deed with its row refused, and then once more.
async fn prove(app: &TestApp, done: &mut Vec<&'static str>, event: &'static str, deed: impl AsyncFn()) {
    execute(
        app,
        "create or replace function refuse_row() returns trigger language plpgsql as
         $$ begin if new.event = tg_argv[0] then raise exception 'no row'; end if; return new; end $$",
    )
    .await;
    execute(
        app,
        &format!(
            "create trigger no_row before insert on audit_events for each row execute function refuse_row('{event}')"
        ),
    )
    .await;
    let before = kept(app).await;
    deed().await;
    assert_eq!(kept(app).await, before, "{event}: it happened without its row");
    execute(app, "drop trigger no_row on audit_events").await;
    execute(app, "delete from connection_tests where finished_at is null").await;
    let rows = events(&app.pool).await;
    deed().await;
    let written = events(&app.pool).await;
    assert!(written[rows.len()..].iter().any(|name| name == event), "{event}: {:?}", &written[rows.len()..]);
    done.push(event);
}

#[sqlx::test]
async fn people(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut done = Vec::new();
    let accounts = &app.app.accounts;
    prove(&app, &mut done, "set_up_link_made", async || drop(accounts.make_set_up_link().await)).await;
    let add = async || {
        let new = NewUser {
            email: Email::parse(SAM.email).expect("an address"),
            name: PersonName::parse(SAM.name).expect("a name"),
            role: SAM.role,
            password: PASSWORD.into(),
        };
        accounts.add(By::operator(), new).await.ok();
    };
    prove(&app, &mut done, "user_added", add).await;
    let sign_in = async |password: &str| {
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", SAM.email);
        page.fill("Password", password);
        page.press("Sign in").await;
    };
    prove(&app, &mut done, "could_not_sign_in", async || sign_in("not it, not it").await).await;
    prove(&app, &mut done, "signed_in", async || sign_in(PASSWORD).await).await;
    let sam = app.sign_in_as(&SAM).await;
    let page = sam.visit("/admin").await;
    prove(&app, &mut done, "signed_out", async || drop(page.knock("Sign out").send().await)).await;
    let vera = app.sign_in_as(&VERA).await;
    prove(&app, &mut done, "was_refused", async || drop(vera.visit("/admin/ecommerce/add").await)).await;
    assert!(done.iter().all(|event| PROVED.contains(event)));
}

#[sqlx::test]
async fn carts(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut done = Vec::new();
    let priya = app.sign_in_as(&PRIYA).await;
    let switch = async |on: bool| drop(app.app.ecommerce.switch(By::operator(), on).await);
    prove(&app, &mut done, "integration_turned_on", async || switch(true).await).await;
    prove(&app, &mut done, "integration_turned_off", async || switch(false).await).await;
    switch(true).await;

    let store = app.open_store("northwind-tea");
    let token = expose(&store.access_token).to_owned();
    let mut new = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    new.uncheck("Active");
    // a token of the right shape that is not the store's
    new.fill("Access Token", &format!("{}0000", &token[..token.len() - 4]));
    prove(&app, &mut done, "cart_added", async || drop(new.press("Save").await)).await;
    let id: String =
        sqlx::query_scalar("select replace(id::text, '-', '') from carts").fetch_one(&app.pool).await.expect("a cart");
    let path = format!("/admin/ecommerce/shopify/{id}/general");
    // a banner that waits for the next page is read now
    priya.visit(&path).await;

    let mut replacing = priya.visit(&path).await.press("Replace token").await;
    replacing.fill("Access Token", &token);
    prove(&app, &mut done, "credential_replaced", async || drop(replacing.press("Save").await)).await;
    let page = priya.visit(&path).await;
    prove(&app, &mut done, "tested", async || drop(page.press("Test Connection").await)).await;

    let changed = async |change: fn(&mut Page)| {
        let mut page = priya.visit(&path).await;
        change(&mut page);
        page
    };
    let on = changed(|page| page.check("Active")).await;
    prove(&app, &mut done, "cart_turned_on", async || drop(on.press("Save").await)).await;
    priya.visit(&path).await;
    let off = changed(|page| page.uncheck("Active")).await;
    prove(&app, &mut done, "cart_turned_off", async || drop(off.press("Save").await)).await;
    priya.visit(&path).await;
    let renamed = changed(|page| page.fill("Website Name", "Northwind Tea London")).await;
    prove(&app, &mut done, "cart_changed", async || drop(renamed.press("Save").await)).await;

    let stale = changed(|page| page.fill("Website Name", "Ours")).await;
    changed(|page| page.fill("Website Name", "Theirs")).await.press("Save").await;
    let conflict = stale.press("Save").await;
    assert_eq!(conflict.status, 409, "{conflict}");
    let deed = async || drop(conflict.press("Save my changes instead").await);
    prove(&app, &mut done, "cart_overwritten", deed).await;
    let told = priya.visit("/admin/activity").await;
    assert!(told.all(".log .deed").contains(&"Saved over Priya Shah's changes to Ours".to_owned()), "{told}");

    tamper(&app.pool, "update carts set secret = '\\x00'").await;
    let page = priya.visit(&path).await;
    assert!(page.has_field("Access Token"), "{page}");
    let test = async || {
        let (_, action, mut fields) = page.submission("Test Connection");
        fields.retain(|(name, _)| name != "access_token");
        priya.knock(axum::http::Method::POST, &action).form(&fields).send().await;
    };
    prove(&app, &mut done, "secret_unreadable", test).await;
    let page = priya.visit(&path).await.follow("Disconnect").await;
    prove(&app, &mut done, "cart_disconnected", async || drop(page.press("Disconnect").await)).await;
    priya.visit(&path).await;
    let page = priya.visit(&path).await.follow("Delete cart").await;
    prove(&app, &mut done, "cart_deleted", async || drop(page.press("Delete cart").await)).await;
    assert!(done.iter().all(|event| PROVED.contains(event)));
}

#[sqlx::test]
async fn renewals(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut done = Vec::new();
    let priya = app.priya_with_integration_on().await;
    let store = app.open_store("northwind-b2b");
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", "Northwind Wholesale");
    page.fill("API URL", "northwind-b2b");
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", expose(&store.client_secret));
    let page = page.press("Save").await;
    let cart = CartId(cart_of(&page.path).parse().expect("an id"));
    let renew = async || drop(app.app.ecommerce.live_token(cart).await);
    app.practice.stores().set("northwind-b2b", Scenario::ConnectRefused);
    prove(&app, &mut done, "token_not_renewed", renew).await;
    app.practice.stores().set("northwind-b2b", Scenario::Well);
    prove(&app, &mut done, "token_renewed", renew).await;
    assert!(done.iter().all(|event| PROVED.contains(event)));
}
