//! Fixtures for alert tests: transports to this machine, settings, and synthetic cart changes.

use cartwright::alerts::{self, Alerts, CartStatus, StatusChange, Transports, TrustedHosts};
use sqlx::PgPool;
use time::macros::datetime;
use uuid::Uuid;

use super::{Browser, MailServer, Page, Receiver};

/// Transports that trust a local server's root certificate and allow its private host.
pub fn ways(ca_pem: &str) -> Transports {
    Transports { mail: None, trusted_hosts: trust("localhost"), extra_roots_pem: Some(ca_pem.as_bytes().to_vec()) }
}

/// `CARTWRIGHT_ALERT_HOSTS`.
pub fn trust(hosts: &str) -> TrustedHosts {
    TrustedHosts::parse(hosts).expect("host names")
}

/// The same with a mail server.
pub fn mail_ways(server: &MailServer) -> Transports {
    let mail = alerts::MailServer::parse(&server.url(), "Order Time <alerts@orders.example.com>");
    Transports { mail: Some(mail.expect("a mail server").into()), ..ways(&server.ca_pem) }
}

/// A status change of the cart with this number.
pub fn change(cart: u128, previous: CartStatus, status: CartStatus) -> StatusChange {
    StatusChange {
        cart: Uuid::from_u128(cart),
        website_name: format!("Northwind {cart}"),
        store_host: format!("northwind-{cart}.myshopify.com"),
        previous,
        status,
        class: "TOKEN_STOPPED".into(),
        title: "The access token stopped working".into(),
        credential: alerts::AlertCredential::AccessToken,
        missing_permissions: Vec::new(),
        what_stops: Vec::new(),
        since: datetime!(2026-11-21 08:14:40 UTC),
        last_good_at: Some(datetime!(2026-11-21 07:59:41 UTC)),
    }
}

/// A cart that stopped working.
pub fn broke(cart: u128) -> StatusChange {
    change(cart, CartStatus::Connected, CartStatus::NotConnected)
}

/// A cart that works again.
pub fn healed(cart: u128) -> StatusChange {
    change(cart, CartStatus::NotConnected, CartStatus::Connected)
}

/// Queues alerts in one transaction, as the change itself does.
pub async fn queue(pool: &PgPool, changes: &[StatusChange]) {
    let (pool, changes) = (cartwright::database::Pool::from(pool), changes.to_vec());
    let queued = cartwright::database::transaction::<(), sqlx::Error, _>(&pool, |work| {
        Box::pin(async move {
            for change in &changes {
                alerts::queue(work, change).await?;
            }
            Ok(())
        })
    });
    queued.await.expect("queued");
}

/// Saves the receiver as the webhook; returns the page that shows the signing secret, and the secret.
pub async fn save_webhook(browser: &Browser, receiver: &Receiver) -> (Page, String) {
    let mut page = browser.visit("/admin/alerts").await;
    page.fill("Address", &receiver.address());
    let page = page.press("Save").await;
    let secret = page.text("#signing-secret");
    (page, secret)
}

/// Lets time pass for everything queued.
pub async fn pass(pool: &PgPool, seconds: f64) {
    for statement in [
        "update alert_deliveries set created_at = created_at - make_interval(secs => $1), \
         due_at = due_at - make_interval(secs => $1), leased_until = leased_until - make_interval(secs => $1)",
        "update alert_recipients set next_at = next_at - make_interval(secs => $1), \
         leased_until = leased_until - make_interval(secs => $1)",
    ] {
        sqlx::query(statement).bind(seconds).execute(pool).await.expect("shifted");
    }
}

/// Delivers until nothing is due; returns the number of successful deliveries.
pub async fn deliver_all(alerts: &Alerts) -> usize {
    let mut delivered = 0;
    loop {
        let round = alerts.deliver().await.expect("delivery run");
        delivered += round.delivered;
        if round.is_idle() {
            return delivered;
        }
    }
}
