//! Alert settings and the events of deliveries. A sent message cannot be rolled back: without its event it counts as
//! not sent, stays queued and is sent again under the same id.

use sqlx::PgPool;

use super::Proofs;
use crate::support::{
    MailServer, Receiver, Reply, Speaks, TestApp,
    alerts::{broke, mail_ways, pass, queue, save_webhook, ways},
    cast::PRIYA,
    dump::count,
};

const PAGE: &str = "/admin/alerts";
/// Longer than the first alert waits for others, in seconds.
const A_MOMENT: f64 = 30.0;
/// Longer than deliveries are retried, in seconds.
const A_DAY: f64 = 86_400.0;

pub const SETTINGS: &[&str] = &["alerts_changed"];

#[sqlx::test]
async fn alert_settings_events_are_atomic(pool: PgPool) {
    let receiver = Receiver::start().await;
    let app = TestApp::start(pool).await.with_alert_ways(&ways(&receiver.ca_pem));
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.sign_in_as(&PRIYA).await;
    let mut page = priya.visit(PAGE).await;
    page.fill("Address", &receiver.address());
    proofs.prove("alerts_changed", async || drop(page.press("Save").await)).await;
    let page = priya.visit(PAGE).await;
    proofs.prove("alerts_changed", async || drop(page.press("New secret").await)).await;
    proofs.are(SETTINGS);
}

pub const MAIL: &[&str] = &["alert_sent", "alert_not_delivered"];

#[sqlx::test]
async fn mail_delivery_events_are_atomic(pool: PgPool) {
    let server = MailServer::start(Speaks::Wrapped).await;
    let app = TestApp::start(pool).await.with_alert_ways(&mail_ways(&server));
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.sign_in_as(&PRIYA).await;
    let mut page = priya.visit(PAGE).await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", PRIYA.email);
    page.press("Save").await;
    let deliver = async || drop(app.app.alerts.deliver().await);

    queue(&app.pool, &[broke(1)]).await;
    // The first run only creates the recipient's row and writes no event.
    assert!(app.app.alerts.deliver().await.expect("delivery run").is_idle());
    pass(&app.pool, A_MOMENT).await;
    proofs.prove("alert_sent", deliver).await;
    let ids: Vec<String> = server.taken().iter().map(|mail| mail.header("Message-ID")).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "resent with the same Message-ID: {ids:?}");
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);

    let page = priya.visit(PAGE).await;
    proofs.prove("alert_sent", async || drop(page.press("Try it").await)).await;

    // Permanently refused: the delivery stays queued until the event is written.
    server.refuse(PRIYA.email, 550);
    proofs.prove("alert_not_delivered", async || drop(page.press("Try it").await)).await;
    pass(&app.pool, A_DAY).await;
    queue(&app.pool, &[broke(2)]).await;
    pass(&app.pool, A_MOMENT).await;
    proofs.prove("alert_not_delivered", deliver).await;

    // The same without a mail server.
    queue(&app.pool, &[broke(3)]).await;
    pass(&app.pool, A_DAY).await;
    let app = app.with_alert_ways(&ways(&server.ca_pem));
    proofs.prove("alert_not_delivered", async || drop(app.app.alerts.deliver().await)).await;
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    proofs.are(MAIL);
}

pub const WEBHOOK: &[&str] = &["alert_not_delivered"];

#[sqlx::test]
async fn webhook_delivery_events_are_atomic(pool: PgPool) {
    let receiver = Receiver::start().await;
    let app = TestApp::start(pool).await.with_alert_ways(&ways(&receiver.ca_pem));
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.sign_in_as(&PRIYA).await;
    save_webhook(&priya, &receiver).await;
    let deliver = async || drop(app.app.alerts.deliver().await);
    for (cart, status, seconds) in [(1, 503, A_DAY), (2, 410, 0.0)] {
        queue(&app.pool, &[broke(cart)]).await;
        pass(&app.pool, seconds).await;
        receiver.will([Reply::Status(status), Reply::Status(status)]);
        proofs.prove("alert_not_delivered", deliver).await;
        let heard = receiver.heard();
        let [.., one, again] = &heard[..] else { panic!("called twice") };
        assert_eq!(one.header("webhook-id"), again.header("webhook-id"));
        assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    }
    assert_eq!(count(&app.pool, "alert_webhooks where gone_at is not null").await, 1);
    proofs.are(WEBHOOK);
}
