//! Webhook deliveries: payload, signature and retries. The receiver is a real TLS server that verifies the signature
//! with its own copy of the secret.

use base64::{Engine, engine::general_purpose::STANDARD};
use cartwright::alerts::{CartStatus, DeliveryRun};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::PgPool;

use crate::support::{
    Browser, Heard, Receiver, Reply, TestApp,
    alerts::{broke, change, deliver_all, healed, pass, queue, save_webhook, ways},
    cast::PRIYA,
    dump::{count, events},
};

const PAGE: &str = "/admin/alerts";

/// Priya's webhook at a receiver; returns the signing secret that was shown.
async fn listening(pool: PgPool) -> (TestApp, Browser, Receiver, String) {
    let receiver = Receiver::start().await;
    let app = TestApp::start(pool).await.with_alert_ways(&ways(&receiver.ca_pem));
    let priya = app.sign_in_as(&PRIYA).await;
    let (_, secret) = save_webhook(&priya, &receiver).await;
    (app, priya, receiver, secret)
}

/// Verifies the signature over exactly the received bytes, as a receiver would.
#[track_caller]
fn assert_signed(heard: &Heard, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a signing secret")).expect("base64");
    assert!(key.len() >= 24, "the standard asks for 24 bytes");
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("a key");
    let (id, at) = (heard.header("webhook-id"), heard.header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{}", heard.body).as_bytes());
    let signature = heard.header("webhook-signature").strip_prefix("v1,").expect("version 1");
    mac.verify_slice(&STANDARD.decode(signature).expect("base64")).expect("signed with the secret that was shown");
}

async fn round(app: &TestApp) -> DeliveryRun {
    app.app.alerts.deliver().await.expect("delivery run")
}

#[sqlx::test]
async fn change_is_delivered_signed_and_audited(pool: PgPool) {
    let (app, priya, receiver, secret) = listening(pool).await;
    queue(&app.pool, &[broke(7)]).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    let heard = &receiver.heard()[0];
    assert_eq!(heard.line, format!("POST /hooks/{} HTTP/1.1", Receiver::KEY));
    assert_eq!(heard.header("content-type"), "application/json");
    assert_eq!(heard.header("host"), format!("localhost:{}", receiver.port));
    assert_signed(heard, &secret);
    let json = heard.json();
    let id = "00000000000000000000000000000007";
    assert_eq!(json["type"], "cart.needs-attention");
    assert_eq!(json["data"]["cart"]["id"], id);
    assert_eq!(json["data"]["previous_status"], "connected");
    assert_eq!(json["data"]["url"], format!("http://127.0.0.1:8080/admin/ecommerce/shopify/{id}/health"));
    let page = priya.visit(PAGE).await;
    assert_eq!(page.all("tbody td:nth-child(3)"), ["answered 200"], "{page}");
    assert_eq!(page.all("tbody td:nth-child(4)"), ["Northwind 7 is not connected"], "{page}");
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    app.app.sweep().await.expect("sweep runs");
    assert_eq!(count(&app.pool, "alerts").await, 0, "delivered alerts are deleted");
}

#[sqlx::test]
async fn only_committed_status_changes_are_alerted(pool: PgPool) {
    use CartStatus::{Connected, Draft, Inactive, NotConnected};
    let (app, _, receiver, _) = listening(pool).await;
    let quiet = [(Connected, Connected), (NotConnected, NotConnected), (Draft, NotConnected), (NotConnected, Inactive)];
    queue(&app.pool, &quiet.map(|(from, to)| change(1, from, to))).await;
    let undone = cartwright::database::transaction::<(), sqlx::Error, _>(&app.app.pool, |work| {
        Box::pin(async move {
            cartwright::alerts::queue(work, &broke(2)).await?;
            Err(sqlx::Error::RowNotFound)
        })
    });
    undone.await.expect_err("undone");
    assert!(round(&app).await.is_idle());
    assert!(receiver.heard().is_empty());
}

#[sqlx::test]
async fn failure_is_retried_under_the_same_id_with_back_off(pool: PgPool) {
    let (app, priya, receiver, secret) = listening(pool).await;
    receiver.will([Reply::Status(500), Reply::Status(404)]);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(round(&app).await, DeliveryRun { failed: 1, ..DeliveryRun::default() });
    assert!(round(&app).await.is_idle(), "not at once");
    let page = priya.visit(PAGE).await;
    let said = page.text(".card .notice");
    assert!(said.starts_with("The webhook has failed since just now. We try again at "), "{said}");
    pass(&app.pool, 11.0).await;
    assert_eq!(round(&app).await.failed, 1);
    pass(&app.pool, 11.0).await;
    assert!(round(&app).await.is_idle(), "the second pause is longer");
    pass(&app.pool, 60.0).await;
    assert_eq!(round(&app).await.delivered, 1);
    let heard = receiver.heard();
    assert_eq!(heard.len(), 3);
    for one in &heard {
        assert_signed(one, &secret);
        assert_eq!((one.header("webhook-id"), &one.body), (heard[0].header("webhook-id"), &heard[0].body));
    }
    let page = priya.visit(PAGE).await;
    assert!(!page.html.contains("has failed since"), "{page}");
    assert_eq!(
        page.all("tbody td:nth-child(3)"),
        ["answered 200", "answered 500"],
        "one line for all attempts: {page}"
    );
}

#[sqlx::test]
async fn delivery_is_given_up_after_a_day_of_failures(pool: PgPool) {
    let (app, priya, receiver, _) = listening(pool).await;
    queue(&app.pool, &[broke(1), broke(2)]).await;
    pass(&app.pool, 86_400.0).await;
    receiver.will([Reply::Status(503), Reply::Status(503)]);
    assert_eq!(round(&app).await, DeliveryRun { given_up: 2, ..DeliveryRun::default() });
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0);
    let page = priya.visit(PAGE).await;
    assert_eq!(page.all("tbody td:nth-child(3)"), ["answered 503; given up after a day"; 2], "{page}");
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "alert_not_delivered").count(), 2);
}

#[sqlx::test]
async fn webhook_redirect_is_not_followed(pool: PgPool) {
    let (app, priya, receiver, _) = listening(pool).await;
    let elsewhere = Receiver::start().await;
    for status in [301, 302, 303, 307, 308] {
        receiver.will([Reply::Redirect(status, elsewhere.address())]);
        queue(&app.pool, &[broke(status.into())]).await;
        assert_eq!(round(&app).await.failed, 1, "{status}");
    }
    assert!(elsewhere.heard().is_empty());
    let page = priya.visit(PAGE).await;
    let result = page.text("tbody td:nth-child(3)");
    let told =
        format!("answered 301: it points to https://localhost:{}, and redirects are not followed", elsewhere.port);
    assert!(result.starts_with(&told), "{result}");
}

#[sqlx::test]
async fn gone_response_disables_the_webhook_until_saved(pool: PgPool) {
    let (app, priya, receiver, secret) = listening(pool).await;
    receiver.will([Reply::Status(410)]);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(round(&app).await, DeliveryRun { given_up: 1, ..DeliveryRun::default() });
    queue(&app.pool, &[broke(2)]).await;
    assert_eq!(count(&app.pool, "alert_deliveries").await, 0, "nothing is queued for a disabled webhook");
    let page = priya.visit(PAGE).await;
    assert!(page.text(".card .notice").contains("answered 410"), "{page}");
    let page = page.press("Save").await;
    assert!(!page.has(".card .notice") && !page.has("#signing-secret"), "{page}");
    queue(&app.pool, &[broke(3)]).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    assert_signed(receiver.heard().last().expect("a call"), &secret);
}

#[sqlx::test]
async fn replicas_share_deliveries_without_duplicates(pool: PgPool) {
    let (app, _, receiver, _) = listening(pool).await;
    let changes: Vec<_> = (1..=40).map(broke).collect();
    queue(&app.pool, &changes).await;
    let (one, two) = (app.app.alerts.clone(), app.app.alerts.clone());
    let (first, second) = tokio::join!(deliver_all(&one), deliver_all(&two));
    assert_eq!(first + second, 40);
    let ids: std::collections::BTreeSet<String> =
        receiver.heard().iter().map(|heard| heard.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), receiver.heard().len()), (40, 40));
}

#[sqlx::test]
async fn kill_during_a_delivery_loses_nothing(pool: PgPool) {
    let (app, _, receiver, secret) = listening(pool).await;
    receiver.will([Reply::Silent]);
    queue(&app.pool, &[broke(1)]).await;
    let alerts = app.app.alerts.clone();
    let killed = tokio::spawn(async move { alerts.deliver().await.map(drop) });
    receiver.next().await;
    killed.abort();
    assert!(killed.await.expect_err("it was killed").is_cancelled());
    assert!(round(&app).await.is_idle(), "the lease has not expired");
    pass(&app.pool, 61.0).await;
    assert_eq!(round(&app).await.delivered, 1);
    let heard = receiver.heard();
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_signed(&heard[1], &secret);
}

#[sqlx::test]
async fn alerts_of_one_cart_are_delivered_in_order(pool: PgPool) {
    let (app, _, receiver, _) = listening(pool).await;
    receiver.will([Reply::Status(500)]);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(round(&app).await.failed, 1);
    queue(&app.pool, &[healed(1), broke(2)]).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1, "only the other cart's");
    pass(&app.pool, 11.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 2);
    let told: Vec<String> = receiver
        .heard()
        .iter()
        .map(|heard| format!("{} {}", heard.json()["data"]["cart"]["website_name"], heard.json()["type"]))
        .collect();
    assert_eq!(told[2..], ["\"Northwind 1\" \"cart.needs-attention\"", "\"Northwind 1\" \"cart.recovered\""]);
    assert!(receiver.heard()[3].json()["data"]["lasted_seconds"].as_i64().is_some_and(|lasted| lasted >= 0));
}

#[sqlx::test]
async fn only_the_status_of_a_response_is_read(pool: PgPool) {
    let (app, _, receiver, _) = listening(pool).await;
    receiver.will([Reply::Endless]);
    queue(&app.pool, &[broke(1)]).await;
    let began = std::time::Instant::now();
    assert_eq!(round(&app).await.delivered, 1);
    assert!(began.elapsed().as_secs() < 5, "the body was read");
}

#[sqlx::test]
async fn silent_receiver_times_out_after_ten_seconds(pool: PgPool) {
    let (app, priya, receiver, _) = listening(pool).await;
    receiver.will([Reply::Silent]);
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(round(&app).await.failed, 1);
    assert_eq!(priya.visit(PAGE).await.all("tbody td:nth-child(3)"), ["did not answer in 10 seconds"]);
}

#[sqlx::test]
async fn webhook_with_an_untrusted_certificate_gets_no_message(pool: PgPool) {
    let (app, priya, receiver, _) = listening(pool).await;
    let app = app.with_alert_ways(&ways(&Receiver::start().await.ca_pem));
    queue(&app.pool, &[broke(1)]).await;
    assert_eq!(round(&app).await.failed, 1);
    assert!(receiver.heard().is_empty());
    let result = priya.visit(PAGE).await.all("tbody td:nth-child(3)");
    assert_eq!(result, ["showed a certificate that we do not trust"]);
}

/// Delivery by the background worker, as `serve` and `worker` run it.
#[sqlx::test]
async fn head_of_the_activity_reaches_the_webhook(pool: PgPool) {
    let (app, _, receiver, secret) = listening(pool).await;
    let pool = cartwright::database::Pool::from(&app.pool);
    cartwright::audit::link_new_rows(&pool).await.expect("linked");
    let stop = tokio_util::sync::CancellationToken::new();
    let keep = cartwright::audit::ActivityKeep::default();
    let working = tokio::spawn(cartwright::worker::run(app.app.clone(), keep, stop.clone()));
    receiver.next().await;
    stop.cancel();
    working.await.expect("the worker ends");
    let heard = &receiver.heard()[0];
    assert_signed(heard, &secret);
    let json = heard.json();
    assert_eq!(json["type"], "activity.head");
    let head: cartwright::audit::ChainHead = json["data"]["head"].as_str().expect("text").parse().expect("a head");
    let report = cartwright::audit::verify(&pool, &[head], |_, _| {}).await.expect("verified");
    assert!(report.is_intact(), "{report:?}");
}
