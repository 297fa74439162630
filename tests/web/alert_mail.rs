//! E-mail alerts: TLS or nothing, one message for many carts, five minutes between messages, start and end of a problem
//! in one thread. The mail server is a local one that delivers nothing.

use cartwright::alerts::DeliveryRun;
use sqlx::PgPool;

use crate::support::{
    AfterDot, Browser, Mail, MailServer, Speaks, TestApp,
    alerts::{broke, healed, mail_ways, pass, queue},
    cast::PRIYA,
    dump::{count, events},
};

const PAGE: &str = "/admin/alerts";
/// Longer than the first alert waits for others.
const A_MOMENT: f64 = 30.0;

async fn mailing(pool: PgPool, speaks: Speaks, to: &str) -> (TestApp, Browser, MailServer) {
    let server = MailServer::start(speaks).await;
    let app = TestApp::start(pool).await.with_alert_ways(&mail_ways(&server));
    let priya = app.sign_in_as(&PRIYA).await;
    let mut page = priya.visit(PAGE).await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", to);
    let page = page.press("Save").await;
    assert_eq!(page.banner(), "The alert settings are saved.", "{page}");
    (app, priya, server)
}

async fn after_a_moment(app: &TestApp) -> DeliveryRun {
    pass(&app.pool, A_MOMENT).await;
    app.app.alerts.deliver().await.expect("delivery run")
}

fn subjects(mails: &[Mail]) -> Vec<String> {
    mails.iter().map(|mail| mail.header("Subject")).collect()
}

#[sqlx::test]
async fn mail_is_plain_text_and_encrypted_with_tls_or_starttls(pool: PgPool) {
    let (app, priya, wrapped) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    let started = MailServer::start(Speaks::StartTls).await;
    queue(&app.pool, &[broke(1)]).await;
    assert!(app.app.alerts.deliver().await.expect("delivery run").is_idle(), "the first alert waits for others");
    assert_eq!(after_a_moment(&app).await, DeliveryRun { delivered: 1, ..DeliveryRun::default() });
    let app = app.with_alert_ways(&mail_ways(&started));
    queue(&app.pool, &[broke(2)]).await;
    pass(&app.pool, 300.0).await;
    assert_eq!(after_a_moment(&app).await.delivered, 1);
    for (server, cart) in [(&wrapped, 1), (&started, 2)] {
        let [mail] = &server.taken()[..] else { panic!("one message each") };
        assert_eq!((mail.from.as_str(), mail.to.as_str()), ("alerts@orders.example.com", "priya@northwind.example"));
        let name = format!("Northwind {cart}");
        assert_eq!(mail.header("Subject"), format!("{name} is not connected: the access token stopped working"));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert_eq!(mail.header("From"), "\"Order Time\" <alerts@orders.example.com>");
        assert!(mail.header("Content-Type").starts_with("text/plain"), "{mail:?}");
        let body = mail.body();
        assert!(body.starts_with(&format!("Orders from {name} stopped coming in on 21 November 2026 at 08:14 UTC.\n")));
        assert!(body.ends_with("You get this because an administrator entered your address under Admin, Alerts."));
        assert_eq!(body.matches("://").count(), 1, "one link: {body}");
        assert_eq!(server.signed_in(), [format!("sam:{}", server.password())]);
    }
    let clear = started.in_clear();
    assert!(clear.contains("STARTTLS") && !clear.contains("AUTH") && !clear.contains("MAIL"), "{clear}");
    assert_eq!(priya.visit(PAGE).await.all("tbody td:nth-child(3)"), ["sent", "sent"]);
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "alert_sent").count(), 2);
}

#[sqlx::test]
async fn server_without_tls_gets_neither_password_nor_message(pool: PgPool) {
    let (app, priya, server) = mailing(pool, Speaks::Clear, "priya@northwind.example").await;
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(after_a_moment(&app).await.failed, 1);
    assert!(server.taken().is_empty() && server.signed_in().is_empty(), "{}", server.in_clear());
    assert!(!server.in_clear().contains("Northwind"), "{}", server.in_clear());
    let page = priya.visit(PAGE).await;
    let result = page.text("tbody td:nth-child(3)");
    assert_eq!(result, "the mail server does not offer what we need (TLS, or signing in with a password)");
    assert_eq!(count(&app.pool, "alert_deliveries").await, 1, "the message stays queued");
}

#[sqlx::test]
async fn mail_server_with_an_untrusted_certificate_gets_nothing(pool: PgPool) {
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    let other = MailServer::start(Speaks::Wrapped).await;
    let mut ways = mail_ways(&server);
    ways.extra_roots_pem = Some(other.ca_pem.clone().into_bytes());
    let app = app.with_alert_ways(&ways);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(after_a_moment(&app).await.failed, 1);
    assert!(server.taken().is_empty() && server.signed_in().is_empty());
    let page = priya.visit(PAGE).await;
    assert!(page.text("tbody td:nth-child(3)").starts_with("the mail server could not be"), "{page}");
}

#[sqlx::test]
async fn start_and_end_of_a_problem_share_a_thread(pool: PgPool) {
    let (app, _, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    queue(&app.pool, &[broke(1)]).await;
    after_a_moment(&app).await;
    queue(&app.pool, &[healed(1)]).await;
    assert!(after_a_moment(&app).await.is_idle(), "at most one message in five minutes");
    pass(&app.pool, 300.0).await;
    assert_eq!(after_a_moment(&app).await.delivered, 1);
    queue(&app.pool, &[broke(1)]).await;
    pass(&app.pool, 300.0).await;
    after_a_moment(&app).await;
    let mails = server.taken();
    assert_eq!(subjects(&mails)[1], "Northwind 1 is connected again");
    let start = mails[0].header("Message-ID");
    assert!(start.starts_with('<') && start.ends_with("@127.0.0.1>"), "{start}");
    assert_eq!((mails[1].header("In-Reply-To"), mails[1].header("References")), (start.clone(), start.clone()));
    assert!(
        !mails[0].has_header("In-Reply-To") && !mails[2].has_header("In-Reply-To"),
        "the next problem starts a new thread"
    );
    assert_ne!(mails[2].header("Message-ID"), start);
}

#[sqlx::test]
async fn many_failures_at_once_make_one_message_per_recipient(pool: PgPool) {
    let to = "priya@northwind.example, ops@northwind.example";
    let (app, _, server) = mailing(pool, Speaks::Wrapped, to).await;
    let changes: Vec<_> = (1..=12).map(broke).collect();
    queue(&app.pool, &changes).await;
    let (one, two) = (app.app.alerts.clone(), app.app.alerts.clone());
    pass(&app.pool, A_MOMENT).await;
    let (first, second) = tokio::join!(one.deliver(), two.deliver());
    assert_eq!(first.expect("delivery run").delivered + second.expect("delivery run").delivered, 2);
    let mails = server.taken();
    assert_eq!(subjects(&mails), ["12 carts need attention: the access token stopped working"; 2]);
    let body = mails[0].body();
    assert!(
        body.starts_with("Since 21 November 2026 at 08:14 UTC, 12 of 12 carts: Northwind 1, Northwind 2, "),
        "{body}"
    );
    queue(&app.pool, &[healed(5)]).await;
    pass(&app.pool, 300.0).await;
    after_a_moment(&app).await;
    let ends: Vec<String> = server.taken()[2..].iter().map(|mail| mail.header("In-Reply-To")).collect();
    let starts: Vec<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert!(ends.iter().all(|end| starts.contains(end)) && ends.len() == 2, "{ends:?} {starts:?}");
}

#[sqlx::test]
async fn permanently_refused_address_does_not_stop_others(pool: PgPool) {
    let to = "gone@northwind.example, priya@northwind.example";
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, to).await;
    server.refuse("gone@northwind.example", 550);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(after_a_moment(&app).await, DeliveryRun { delivered: 1, given_up: 1, failed: 0 });
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    let mut results = priya.visit(PAGE).await.all("tbody td:nth-child(3)");
    results.sort();
    assert_eq!(results, ["sent", "the mail server refused the message (550); given up"]);
    assert!(events(&app.pool).await.contains(&"alert_not_delivered".to_owned()));
}

#[sqlx::test]
async fn temporary_refusal_is_retried_for_a_day(pool: PgPool) {
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    server.refuse("priya@northwind.example", 451);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(after_a_moment(&app).await.failed, 1);
    server.accept_all();
    assert_eq!(after_a_moment(&app).await.delivered, 1);
    server.refuse("priya@northwind.example", 451);
    queue(&app.pool, &[broke(2)]).await;
    pass(&app.pool, 86_400.0).await;
    assert_eq!(after_a_moment(&app).await.given_up, 1);
    let page = priya.visit(PAGE).await;
    assert_eq!(
        page.all("tbody td:nth-child(3)")[0],
        "the mail server did not take the message for now (451); given up after a day"
    );
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
}

#[sqlx::test]
async fn removed_recipient_gets_no_more_mail(pool: PgPool) {
    let to = "priya@northwind.example, ops@northwind.example";
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, to).await;
    queue(&app.pool, &[broke(1)]).await;
    let mut page = priya.visit(PAGE).await;
    page.fill("E-mail addresses", "ops@northwind.example");
    page.press("Save").await;
    assert_eq!(after_a_moment(&app).await.delivered, 1);
    assert_eq!(server.taken()[0].to, "ops@northwind.example");
}

/// The same server with a timeout for the final response that is short enough for a test.
fn impatient(server: &MailServer) -> cartwright::alerts::Transports {
    let mail =
        cartwright::alerts::MailServer::parse(&server.url(), "alerts@orders.example.com").expect("a mail server");
    let mail = mail.with_confirm_timeout(std::time::Duration::from_millis(300));
    cartwright::alerts::Transports { mail: Some(mail.into()), ..mail_ways(server) }
}

const UNCERTAIN: &str = "so it may have arrived; it is sent once more in an hour";

async fn assert_sent_once_more(pool: PgPool, what: AfterDot, phrase: &str) {
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    let app = app.with_alert_ways(&impatient(&server));
    server.after_dot(what);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(after_a_moment(&app).await, DeliveryRun { failed: 1, ..DeliveryRun::default() });
    let page = priya.visit(PAGE).await;
    let result = page.text("tbody td:nth-child(3)");
    assert!(result.contains(phrase) && result.ends_with(UNCERTAIN), "{result}");
    assert_eq!(page.all("tbody td:nth-child(3) .warn").len(), 1, "neither sent nor failed: {page}");
    for _ in 0..8 {
        pass(&app.pool, 400.0).await;
        assert!(app.app.alerts.deliver().await.expect("delivery run").is_idle());
    }
    assert_eq!(server.taken().len(), 1, "one retry within 53 minutes");
    pass(&app.pool, 500.0).await;
    assert_eq!(app.app.alerts.deliver().await.expect("delivery run").failed, 1);
    let mails = server.taken();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"), "mail programs deduplicate by Message-ID");
    let page = priya.visit(PAGE).await;
    let results = page.all("tbody td:nth-child(3)");
    assert!(results[0].ends_with("so it may have arrived; it is not sent again"), "{results:?}");
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    pass(&app.pool, 90_000.0).await;
    assert!(app.app.alerts.deliver().await.expect("delivery run").is_idle());
}

#[sqlx::test]
async fn unconfirmed_message_is_uncertain_and_resent_once(pool: PgPool) {
    assert_sent_once_more(pool, AfterDot::Silence, "did not confirm the message").await;
}

#[sqlx::test]
async fn connection_lost_after_the_final_dot_is_uncertain_and_resent_once(pool: PgPool) {
    assert_sent_once_more(pool, AfterDot::Closed, "closed the connection").await;
}

#[sqlx::test]
async fn newer_alert_replaces_an_unconfirmed_message(pool: PgPool) {
    let (app, _, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    let app = app.with_alert_ways(&impatient(&server));
    server.after_dot(AfterDot::Silence);
    queue(&app.pool, &[broke(1)]).await;
    after_a_moment(&app).await;
    server.accept_all();
    queue(&app.pool, &[healed(1), broke(2)]).await;
    pass(&app.pool, 300.0).await;
    assert_eq!(after_a_moment(&app).await.delivered, 1);
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0, "an outdated message is not resent");
    pass(&app.pool, 7_200.0).await;
    assert!(app.app.alerts.deliver().await.expect("delivery run").is_idle());
}

#[sqlx::test]
async fn refusal_after_the_final_dot_counts_as_refused(pool: PgPool) {
    let (app, priya, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    for (code, result) in [
        (451, "the mail server did not take the message for now (451)"),
        (554, "the mail server refused the message (554); given up"),
    ] {
        server.after_dot(AfterDot::Refused(code));
        queue(&app.pool, &[broke(1)]).await;
        pass(&app.pool, 300.0).await;
        after_a_moment(&app).await;
        assert_eq!(priya.visit(PAGE).await.all("tbody td:nth-child(3)")[0], result);
    }
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
}

#[sqlx::test]
async fn deferred_or_unconfirmed_test_alert_is_not_called_refused(pool: PgPool) {
    let (_, priya, server) = mailing(pool, Speaks::Wrapped, "priya@northwind.example").await;
    server.refuse("priya@northwind.example", 450);
    let page = priya.visit(PAGE).await.press("Try it").await;
    assert!(page.to_string().contains("did not take the message for now (450)"), "{page}");
    assert!(!page.to_string().contains("refused"), "{page}");
    server.accept_all();
    server.after_dot(AfterDot::Closed);
    let page = priya.visit(PAGE).await.press("Try it").await;
    assert!(page.to_string().contains("The test alert may have arrived."), "{page}");
}
