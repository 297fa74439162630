//! Users get e-mail about changes to their account: what, when, by whom, from where, and what to do (ASVS 6.3.7).

use cartwright::{accounts::Role, audit::Origin};
use sqlx::PgPool;

use crate::support::{
    Browser, MailServer, Speaks, TestApp,
    alerts::{broke, mail_ways, pass, queue},
    cast::{PASSWORD, PRIYA, SAM, VERA},
    dump::{count, events, tamper},
};

const NEW_PASSWORD: &str = "kettle second steep leaf";
/// Longer than the first e-mail waits for others to the same address, in seconds.
const A_MOMENT: f64 = 30.0;

/// Returns address and kind of change of each message in the outbox, and empties it.
async fn outbox(app: &TestApp) -> Vec<(String, String)> {
    let rows = "with gone as (delete from alert_deliveries returning alert_id, address, place)
        select address, case jsonb_typeof(data -> 'change') when 'string' then data ->> 'change'
            else (select string_agg(key, ' ') from jsonb_object_keys(data -> 'change') key) end
        from gone join alerts on alerts.id = alert_id where data ->> 'type' = 'account.changed' order by address";
    sqlx::query_as(rows).fetch_all(&app.pool).await.expect("the outbox")
}

async fn press(browser: &Browser, path: &str, role: Option<&str>, button: &str) {
    let mut page = browser.visit(path).await;
    if let Some(role) = role {
        page.choose(role);
    }
    let page = page.press(button).await;
    assert_eq!(page.status, 200, "{page}");
}

#[sqlx::test]
async fn every_change_of_an_account_is_mailed_to_its_address_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = format!("/admin/users/{}", app.user_id(&VERA).await);
    let to_vera = |kind: &str| vec![(VERA.email.to_owned(), kind.to_owned())];
    assert_eq!(outbox(&app).await, [], "a new account and a sign-in are no change of one");

    press(&priya, &vera, Some("Administrator"), "Save").await;
    assert_eq!(outbox(&app).await, to_vera("role"));
    press(&priya, &vera, Some("Administrator"), "Save").await;
    assert_eq!(outbox(&app).await, [], "nothing was changed");
    press(&priya, &vera, Some("Viewer"), "Save").await;
    assert_eq!(outbox(&app).await, to_vera("role"));
    press(&priya, &format!("{vera}/deactivation"), None, "Turn off").await;
    assert_eq!(outbox(&app).await, to_vera("turned-off"));
    press(&priya, &vera, None, "Turn on").await;
    assert_eq!(outbox(&app).await, to_vera("turned-on"));
    let id = app.user_id(&VERA).await.parse().expect("an id");
    app.app.accounts.turn_off_as_operator(id).await.expect("turned off");
    assert_eq!(outbox(&app).await, to_vera("turned-off"));
    app.app.accounts.turn_on_as_operator(id).await.expect("turned on");
    assert_eq!(outbox(&app).await, to_vera("turned-on"));
    let link = app.app.accounts.make_link_as_operator(id).await.expect("a link");
    assert_eq!(outbox(&app).await, []);
    app.app.accounts.join(Origin::default(), &link, None, PASSWORD.into()).await.expect("a new password");
    assert_eq!(outbox(&app).await, to_vera("password-by-link"));

    let mut page = priya.visit("/admin/account").await;
    page.fill("Current password", PASSWORD);
    page.fill("New password", NEW_PASSWORD);
    page.press("Change password").await;
    assert_eq!(outbox(&app).await, [(PRIYA.email.to_owned(), "password".to_owned())]);
    let mut page = priya.visit("/admin/account").await;
    page.fill("Name", "Priya S.");
    page.press("Save").await;
    assert_eq!(outbox(&app).await, [], "a name is no way in");
    let mut page = priya.visit("/admin/account").await;
    page.fill("Email", "priya.shah@northwind.example");
    page.press("Save").await;
    let both = ["priya.shah@northwind.example", PRIYA.email].map(|to| (to.to_owned(), "email".to_owned()));
    assert_eq!(outbox(&app).await, both);
    assert_eq!(VERA.role, Role::Viewer);
}

#[sqlx::test]
async fn mail_about_an_account_says_what_when_who_and_what_to_do(pool: PgPool) {
    let server = MailServer::start(Speaks::Wrapped).await;
    let app = TestApp::start(pool).await.with_alert_ways(&mail_ways(&server));
    let priya = app.sign_in_as(&PRIYA).await;
    let sam = format!("/admin/users/{}", app.user_id(&SAM).await);
    // Sam gets alerts as well, in a separate message.
    let mut page = priya.visit("/admin/alerts").await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", SAM.email);
    page.press("Save").await;
    queue(&app.pool, &[broke(1)]).await;
    press(&priya, &sam, Some("Viewer"), "Save").await;
    // Alert settings suppress no account notice.
    let mut page = priya.visit("/admin/alerts").await;
    page.fill("E-mail addresses", "ops@northwind.example");
    page.press("Save").await;
    tamper(&app.pool, "update alerts set at = '2026-11-21T08:14:40Z'").await;
    pass(&app.pool, A_MOMENT).await;
    assert_eq!(app.app.alerts.deliver().await.expect("a round").delivered, 1);
    let [mail] = &server.taken()[..] else { panic!("one message: {:?}", server.taken()) };
    assert_eq!((mail.to.as_str(), mail.header("Subject").as_str()), (SAM.email, "Your role was changed"));
    let expected = "Sam Lee, your role at Order Time was changed from Administrator to Viewer. Sign in again.\n\
        When: 21 November 2026 at 08:14 UTC\n\
        Who: Priya Shah (priya@northwind.example)\n\
        From: 127.0.0.1, An unknown browser\n\
        Did you not expect this? Ask an administrator at once.\n\n\
        You get this because you have an account at Order Time, http://127.0.0.1:8080.";
    assert_eq!(mail.body(), expected);
}

#[sqlx::test]
async fn mail_about_an_account_waits_for_no_alert_and_holds_none(pool: PgPool) {
    let server = MailServer::start(Speaks::Wrapped).await;
    let app = TestApp::start(pool).await.with_alert_ways(&mail_ways(&server));
    let priya = app.sign_in_as(&PRIYA).await;
    let mut page = priya.visit("/admin/alerts").await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", PRIYA.email);
    page.press("Save").await;
    queue(&app.pool, &[broke(1)]).await;
    let mut page = priya.visit("/admin/account").await;
    page.fill("Current password", PASSWORD);
    page.fill("New password", NEW_PASSWORD);
    page.press("Change password").await;
    for subject in ["Your password was changed", "Northwind 1 is not connected: the access token stopped working"] {
        pass(&app.pool, 300.0).await;
        assert_eq!(app.app.alerts.deliver().await.expect("a round").delivered, 1);
        let mail = server.taken().pop().expect("a message");
        assert_eq!(mail.header("Subject"), subject);
        assert!(!mail.body().contains(NEW_PASSWORD) && !mail.body().contains("/set-up/"), "{}", mail.body());
    }
    assert!(server.taken()[0].body().contains("Ask an administrator at once to sign you out everywhere"));
}

#[sqlx::test]
async fn without_a_mail_server_nobody_is_told_and_nothing_fails(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = format!("/admin/users/{}", app.user_id(&VERA).await);
    press(&priya, &vera, Some("Administrator"), "Save").await;
    pass(&app.pool, A_MOMENT).await;
    assert!(app.app.alerts.deliver().await.expect("a round").is_idle());
    pass(&app.pool, 86_400.0).await;
    assert!(app.app.alerts.deliver().await.expect("a round").is_idle());
    assert_eq!((count(&app.pool, "alert_deliveries").await, count(&app.pool, "alert_log").await), (0, 0));
    assert!(!events(&app.pool).await.contains(&"alert_not_delivered".to_owned()));
}
