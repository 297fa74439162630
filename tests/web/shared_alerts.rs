//! Many carts that fail for one cause on our side, from the failed check to the alert: one message at the start and one
//! at the end, by e-mail and by webhook.

use cartwright::alerts::DeliveryRun;
use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, Mail, MailServer, Receiver, Speaks, TestApp,
    alerts::{deliver_all, mail_ways, pass, save_webhook, ways},
    cast::PRIYA,
    dump::tamper,
};

/// Connects one active cart per store and checks each once.
async fn connect(app: &TestApp, priya: &Browser, stores: &[&str]) {
    for store in stores {
        app.open_store(store);
        app.connect(priya, store, store).await;
    }
    tamper(&app.pool, "create table kept as select id, secret from carts").await;
}

/// Corrupts the saved secrets of carts whose store has this prefix, as if their key were lost.
async fn lose_key(app: &TestApp, prefix: &str) {
    let lost = "update carts set secret = set_byte(secret, octet_length(secret) - 1, get_byte(secret, octet_length(secret) - 1) # 1)";
    tamper(&app.pool, &format!("{lost} where store_host like '{prefix}%'")).await;
}

async fn find_key(app: &TestApp) {
    tamper(&app.pool, "update carts c set secret = kept.secret from kept where kept.id = c.id").await;
}

/// Checks every cart once.
async fn check_all(app: &TestApp) {
    tamper(&app.pool, "update cart_health set next_check_at = now()").await;
    app.app.health.sweep().await.expect("checks");
}

async fn with_mail(pool: PgPool) -> (TestApp, Browser, MailServer) {
    let server = MailServer::start(Speaks::Wrapped).await;
    let app = TestApp::start(pool).await.with_alert_ways(&mail_ways(&server));
    let priya = app.priya_with_integration_on().await;
    let mut page = priya.visit("/admin/alerts").await;
    page.check("Send e-mail to");
    page.fill("E-mail addresses", PRIYA.email);
    assert_eq!(page.press("Save").await.banner(), "The alert settings are saved.");
    (app, priya, server)
}

/// Lets the collection time pass and sends what is due.
async fn delivered(app: &TestApp, seconds: f64) -> DeliveryRun {
    pass(&app.pool, seconds).await;
    app.app.alerts.deliver().await.expect("a delivery run")
}

fn last(server: &MailServer) -> Mail {
    server.taken().into_iter().next_back().expect("a message")
}

#[sqlx::test]
async fn shared_cause_sends_one_mail_at_start_and_one_at_end(pool: PgPool) {
    let (app, priya, server) = with_mail(pool).await;
    connect(&app, &priya, &["northwind-a", "northwind-b", "northwind-c"]).await;
    lose_key(&app, "northwind").await;
    check_all(&app).await;
    assert_eq!(delivered(&app, 30.0).await, DeliveryRun { delivered: 1, ..DeliveryRun::default() });
    let mail = last(&server);
    assert_eq!(mail.to, PRIYA.email);
    assert_eq!(mail.header("Subject"), "3 carts fail for one reason: this server cannot read saved secrets");
    let body = mail.body();
    for part in [
        "3 of 3 carts have been failing since ",
        "The stores and their credentials are not the cause.",
        "What to do: 1. Run cartwright doctor on the server: it names the key that is missing. 2. Put its line back",
        "/admin/ecommerce?show=needs-attention",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("northwind-a"), "no single cart is named: {body}");

    find_key(&app).await;
    check_all(&app).await;
    assert_eq!(delivered(&app, 330.0).await.delivered, 1);
    assert_eq!(last(&server).header("Subject"), "This server reads saved secrets again");
    assert!(last(&server).body().contains("No cart fails for it any more."), "{:?}", last(&server));
    assert!(delivered(&app, 330.0).await.is_idle());
    assert_eq!(server.taken().len(), 2, "nothing about single carts");
}

#[sqlx::test]
async fn shared_cause_sends_one_webhook_at_start_and_one_at_end(pool: PgPool) {
    let receiver = Receiver::start().await;
    let app = TestApp::start(pool).await.with_alert_ways(&ways(&receiver.ca_pem));
    let priya = app.priya_with_integration_on().await;
    save_webhook(&priya, &receiver).await;
    connect(&app, &priya, &["northwind-a", "northwind-b", "northwind-c"]).await;
    lose_key(&app, "northwind").await;
    check_all(&app).await;
    pass(&app.pool, 30.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    let started = receiver.heard()[0].json();
    assert_eq!((&started["type"], &started["data"]["cause"]), (&"server.problem".into(), &"key".into()));
    assert_eq!((&started["data"]["carts"], &started["data"]["active_carts"]), (&3.into(), &3.into()));
    assert_eq!(started["data"]["class"], "OUR_KEY");
    assert!(started["data"]["cart"].is_null(), "{started}");

    find_key(&app).await;
    check_all(&app).await;
    pass(&app.pool, 30.0).await;
    assert_eq!(deliver_all(&app.app.alerts).await, 1);
    let ended = receiver.heard()[1].json();
    assert_eq!((&ended["type"], &ended["data"]["cause"]), (&"server.recovered".into(), &"key".into()));
    assert_eq!(ended["data"]["still_failing"], 0);
    assert!(ended["data"]["lasted_seconds"].as_i64().is_some_and(|lasted| lasted >= 0), "{ended}");
}

#[sqlx::test]
async fn two_shared_causes_share_a_message_and_end_separately(pool: PgPool) {
    let (app, priya, server) = with_mail(pool).await;
    let (keys, addresses) = (["key-a", "key-b", "key-c"], ["address-a", "address-b", "address-c"]);
    connect(&app, &priya, &[keys, addresses].concat()).await;
    lose_key(&app, "key").await;
    for store in addresses {
        assert!(app.practice.stores().set(store, Scenario::Says(Canned::Forbidden)));
    }
    check_all(&app).await;
    assert_eq!(delivered(&app, 30.0).await.delivered, 1);
    let body = last(&server).body();
    assert_eq!(body.matches("3 of 6 carts have been failing since ").count(), 2, "{body}");
    for cause in ["this server cannot read saved secrets", "Shopify refuses calls from this server's address"] {
        assert!(body.contains(&format!("for one reason: {cause}.")), "{cause} in {body}");
        assert!(last(&server).header("Subject").contains(cause), "{:?}", last(&server));
    }

    find_key(&app).await;
    check_all(&app).await;
    assert_eq!(delivered(&app, 330.0).await.delivered, 1);
    assert_eq!(last(&server).header("Subject"), "This server reads saved secrets again");
    for store in addresses {
        assert!(app.practice.stores().set(store, Scenario::Well));
    }
    check_all(&app).await;
    assert_eq!(delivered(&app, 330.0).await.delivered, 1);
    let subject = last(&server).header("Subject");
    assert_eq!(subject, "Shopify accepts calls from this server's address again");
    assert_eq!(server.taken().len(), 3);
}
