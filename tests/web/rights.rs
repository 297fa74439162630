//! Requests whose session, account or role ended change nothing, whatever the timing: while the form is half sent, or
//! between the guard and the domain function. Iterates over the route table, so that new forms are covered.

use axum::http::{Method, StatusCode};
use cartwright::{
    accounts::{BrowserSecret, Fresh},
    audit::{self, Actor, Authority, By, Origin},
    web::admin::guard::Access,
};
use sqlx::PgPool;
use tokio::sync::oneshot;

use crate::{
    cross_site::fields_of,
    support::{
        Answer, Browser, Knock, TestApp,
        cast::{PASSWORD, PRIYA, SAM, TOM},
        dump::{Dump, dump},
        routes::{Blanks, Door, doors},
    },
};

pub type Fields = Vec<(String, String)>;

/// How another administrator ends a user's permission.
#[derive(Clone, Copy, Debug)]
enum End {
    TurnedOff,
    Lowered,
    SignedOut,
    NewPassword,
}

const ENDS: [End; 4] = [End::TurnedOff, End::Lowered, End::SignedOut, End::NewPassword];

async fn end(app: &TestApp, by: End, fresh: Fresh) {
    let id = app.user_id(&PRIYA).await.parse().expect("an id");
    let accounts = &app.app.accounts;
    match by {
        End::TurnedOff => assert!(accounts.turn_off(By::operator(), id, fresh).await.expect("turned off")),
        End::Lowered => assert!(accounts.lower(By::operator(), id, fresh).await.expect("lowered")),
        End::SignedOut => {
            assert!(accounts.sign_out_everywhere(By::operator(), id, fresh).await.expect("signed out") > 0);
        }
        End::NewPassword => {
            let link = accounts.make_link_as_operator(id).await.expect("a link");
            accounts.join(Origin::default(), &link, None, PASSWORD.into()).await.expect("a new password");
        }
    }
}

async fn run(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(&app.pool).await.expect(statement);
}

/// Restores Priya to her initial state and signs her in, in a new browser.
pub async fn priya(app: &TestApp) -> Browser {
    run(app, "update users set role = 'administrator', disabled_at = null where email = 'priya@northwind.example'")
        .await;
    run(app, "delete from throttle").await;
    app.app.integration.switch(By::operator(), true).await.expect("integration");
    app.sign_in_as(&PRIYA).await
}

/// The form of a door, filled in so that it changes something.
pub async fn form(app: &TestApp, door: &Door, browser: &Browser, blanks: &Blanks) -> Fields {
    run(app, "update users set disabled_at = null where email = 'tom@northwind.example'").await;
    match door.template {
        "/admin/users/{user}/sessions" => drop(app.sign_in_as(&TOM).await),
        "/admin/users/{user}/activation" => {
            run(app, "update users set disabled_at = now() where email = 'tom@northwind.example'").await;
            return browser.visit("/admin").await.submission("Sign out").2;
        }
        _ => {}
    }
    let mut fields = fields_of(door, browser, app).await;
    let typed = |name: &str| match (name, door.template) {
        ("name", _) => Some("Typed Person".to_owned()),
        ("email", "/admin/users/new") => Some("typed@northwind.example".to_owned()),
        ("role", "/admin/users/{user}") => Some("administrator".to_owned()),
        ("website_name", _) => Some(format!("Typed {}", door.template.len())),
        ("api_url", "/admin/ecommerce/shopify/new" | "/admin/ecommerce/shopify/new/connection-tests") => {
            Some("northwind-new".to_owned())
        }
        ("access_token", "/admin/ecommerce/shopify/new" | "/admin/ecommerce/shopify/new/connection-tests") => {
            Some(format!("shpat_{}", "7".repeat(32)))
        }
        ("address", _) => Some("https://hooks.northwind.example/typed".to_owned()),
        ("current_password" | "new_password", _) => Some(PASSWORD.to_owned()),
        _ => None,
    };
    for (name, value) in &mut fields {
        *value = typed(name).unwrap_or_else(|| value.clone());
    }
    if door.template == "/admin/ecommerce/bulk" {
        fields.push(("cart[]".into(), blanks.cart.clone()));
    }
    fields
}

/// Removes what a form may write without an event: counts, a session's pending message, and drafts of a session.
pub fn kept(mut dump: Dump) -> Dump {
    for table in ["throttle", "sessions", "unsaved_credentials", "vault_keys", "users"] {
        dump.remove(table);
    }
    let told = |row: &String| !row.contains("was_refused");
    dump.get_mut("audit_events").expect("the activity").retain(told);
    dump
}

pub async fn people(app: &TestApp) -> Vec<String> {
    let people = "select concat_ws(' ', id, email, name, theme, password_hash) from users order by id";
    sqlx::query_scalar(people).fetch_all(&app.pool).await.expect("users")
}

pub async fn world(pool: PgPool) -> (TestApp, Blanks, Vec<Door>) {
    let app = TestApp::start(pool).await;
    let at_first = app.priya_with_integration_on().await;
    app.add(&SAM).await;
    let blanks = Blanks::make(&app, &at_first).await;
    let forms: Vec<Door> =
        doors(&blanks).into_iter().filter(|door| door.method == Method::POST && door.access != Access::Open).collect();
    assert!(forms.len() > 20, "{forms:?}");
    (app, blanks, forms)
}

fn is_sign_in(answer: &Answer) -> bool {
    answer.text().contains("<h1>Sign in</h1>") || answer.location().starts_with("/sign-in")
}

/// Sends half of a form, awaits `meanwhile`, then sends the other half.
async fn interrupted(knock: Knock, meanwhile: impl AsyncFnOnce()) -> Answer {
    let ((half, halved), (go, going)) = (oneshot::channel(), oneshot::channel());
    let sending = tokio::spawn(knock.send_in_halves(half, going));
    halved.await.expect("first half is read");
    meanwhile().await;
    go.send(()).expect("request waits for the rest");
    sending.await.expect("an answer")
}

#[sqlx::test]
async fn form_half_sent_before_the_permission_ended_changes_nothing(pool: PgPool) {
    let (app, blanks, forms) = world(pool).await;
    let fresh = app.fresh(&app.sign_in_as(&SAM).await).await;
    for door in &forms {
        for by in ENDS {
            let name = format!("{}, {by:?}", door.name());
            let browser = priya(&app).await;
            let fields = form(&app, door, &browser, &blanks).await;
            let mut before = Dump::new();
            let knock = browser.knock(Method::POST, &door.path).form(&fields);
            let answer = interrupted(knock, async || {
                end(&app, by, fresh).await;
                before = dump(&app.pool).await;
            })
            .await;
            assert_eq!(dump(&app.pool).await, before, "{name} changed something");
            assert!(is_sign_in(&answer), "{name}: {} {}", answer.status, answer.text());
        }
        // Control: the same form does change something while the permission lasts.
        let browser = priya(&app).await;
        let fields = form(&app, door, &browser, &blanks).await;
        let before = (kept(dump(&app.pool).await), people(&app).await);
        let answer = browser.knock(Method::POST, &door.path).form(&fields).send().await;
        let after = (kept(dump(&app.pool).await), people(&app).await);
        assert!(before != after, "{}: {} {}", door.name(), answer.status, answer.text());
    }
}

/// Ends the permission in a transaction that commits while the request waits for it, after the guard has passed.
async fn overtaken(app: &TestApp, knock: Knock, statement: &'static str) -> Answer {
    let mut ending = app.pool.begin().await.expect("a transaction");
    sqlx::query(statement).execute(&mut *ending).await.expect(statement);
    let sending = tokio::spawn(knock.send());
    let waits =
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    while !sending.is_finished() {
        // Use the site's own role: other roles do not see what it waits for.
        if sqlx::query_scalar(waits).fetch_one(&app.app.pool).await.expect("an answer") {
            break;
        }
        tokio::task::yield_now().await;
    }
    ending.commit().await.expect("committed");
    sending.await.expect("an answer")
}

#[sqlx::test]
async fn permission_that_ends_after_the_guard_prevents_the_change(pool: PgPool) {
    let (app, blanks, forms) = world(pool).await;
    for (statement, is_role) in [
        ("update users set disabled_at = now() where email = 'priya@northwind.example'", false),
        ("delete from sessions where user_id = (select id from users where email = 'priya@northwind.example')", false),
        ("update users set role = 'viewer' where email = 'priya@northwind.example'", true),
    ] {
        for door in forms.iter().filter(|door| !is_role || door.access == Access::Administrator) {
            let name = format!("{}, {statement}", door.name());
            let browser = priya(&app).await;
            let fields = form(&app, door, &browser, &blanks).await;
            let before = (kept(dump(&app.pool).await), people(&app).await);
            let knock = browser.knock(Method::POST, &door.path).form(&fields);
            let answer = overtaken(&app, knock, statement).await;
            let after = (kept(dump(&app.pool).await), people(&app).await);
            assert_eq!(after, before, "{name} changed something");
            assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{name}: {}", answer.text());
            let is_guard = is_sign_in(&answer) || answer.text().contains("<h1>You cannot change this</h1>");
            assert!(is_guard, "{name}: {} {} {}", answer.status, answer.location(), answer.text());
        }
    }
}

#[sqlx::test]
async fn administrator_disabled_on_another_replica_adds_no_user(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    app.add(&SAM).await;
    let other = app.with_clock(app.app.clock);
    let mut page = other.visit("/sign-in").await;
    page.fill("Email address", SAM.email);
    page.fill("Password", PASSWORD);
    page.press("Sign in").await;
    let mut page = priya.visit("/admin/users/new").await;
    page.fill("Name", "Eve Stone");
    page.fill("Email", "eve@northwind.example");
    page.choose("Administrator");
    let id = app.user_id(&PRIYA).await;
    let answer = interrupted(page.knock("Add user"), async || {
        let page = other.visit(&format!("/admin/users/{id}/deactivation")).await.press("Turn off").await;
        assert_eq!(page.status, StatusCode::OK, "{page}");
    })
    .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    let people: Vec<String> =
        sqlx::query_scalar("select email from users order by 1").fetch_all(&app.pool).await.expect("users");
    assert_eq!(people, [PRIYA.email, SAM.email]);
}

#[sqlx::test]
async fn domain_functions_refuse_an_ended_session(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let id = app.user_id(&PRIYA).await.parse().expect("an id");
    let sign_in = async || -> By {
        let by = By::stranger(Origin::default());
        let session = app
            .app
            .accounts
            .sign_in(by, PRIYA.email, PASSWORD.into(), &cartwright::accounts::DeviceCookie::default(), None)
            .await
            .expect("signed in");
        let authority = Authority::Session(session.hash());
        let actor = Actor::Person { id, name: PRIYA.name.into(), email: PRIYA.email.into(), authority };
        By { actor, origin: Origin::default() }
    };
    let refused = async |by: By| {
        let outcome = app.app.integration.switch(by, true).await;
        let is_on = app.app.integration.is_active().await.expect("integration");
        assert_eq!(is_on, outcome.is_ok());
        app.app.integration.switch(By::operator(), false).await.expect("turned off");
        outcome.is_err_and(|error| audit::is_not_permitted(&error))
    };
    assert!(!refused(sign_in().await).await, "a live session");
    for ended in [
        "delete from sessions",
        "update sessions set last_seen_at = now() - interval '30 minutes'",
        "update sessions set created_at = now() - interval '12 hours'",
        "update sessions set created_at = now() + interval '2 minutes'",
        "update sessions set last_seen_at = now() + interval '2 minutes'",
        "update users set disabled_at = now()",
        "update users set role = 'viewer'",
    ] {
        let by = sign_in().await;
        run(&app, ended).await;
        assert!(refused(by).await, "{ended}");
        run(&app, "update users set disabled_at = null, role = 'administrator'").await;
    }
    let theirs = sign_in().await;
    let Actor::Person { authority, .. } = &theirs.actor else { panic!("a person") };
    let sam = app.user_id(&SAM).await.parse().expect("an id");
    let (name, email, authority) = (SAM.name.into(), SAM.email.into(), authority.clone());
    let by = By { actor: Actor::Person { id: sam, name, email, authority }, origin: Origin::default() };
    assert!(refused(by).await, "another user's session");
    let unknown = Authority::Session(BrowserSecret::generate().hash());
    let by = By {
        actor: Actor::Person { id, name: PRIYA.name.into(), email: PRIYA.email.into(), authority: unknown },
        origin: Origin::default(),
    };
    assert!(refused(by).await, "no session");
    // A background action continues without the session, but not without the account or its role.
    let started = sign_in().await.started();
    run(&app, "delete from sessions").await;
    assert!(!refused(started.clone()).await, "signed out");
    for ended in ["update users set disabled_at = now()", "update users set role = 'viewer', disabled_at = null"] {
        run(&app, ended).await;
        assert!(refused(started.clone()).await, "{ended}");
    }
}
