//! Sweeps against the Shopify stand-in and a real Postgres. No test sleeps: time passes by shifting stored timestamps.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::*;
use crate::{
    carts::{self, CartHandles, CartSubmission, CredentialInput, Visitor, WebsiteName},
    clock::Clock,
    database::Pool,
    platforms::shopify::{
        address::StoreAddress,
        client::{Egress, ShopifyClient},
        credential::{Credential, CredentialKind},
    },
    practice::{Canned, ExchangeError, Options, Practice, PracticeStore, Scenario},
    vault::{KeyRing, Vault},
};

mod shared;

const HANDLE: &str = "northwind-tea";
const HOST: &str = "northwind-tea.myshopify.com";

struct House {
    pool: Pool,
    practice: Practice,
    line: String,
    handles: CartHandles,
}

fn visitor() -> Visitor {
    Visitor::in_session(By::operator(), vec![0; 32])
}

impl House {
    /// Turns the integration on; there is no cart yet.
    async fn open(pool: Pool) -> Self {
        let practice = Practice::start(Options::test()).await.expect("the stand-in");
        let line = KeyRing::generate_line();
        let handles = replica(&pool, &practice, &line).await;
        handles.integration.switch(By::operator(), true).await.expect("the switch");
        Self { pool, practice, line, handles }
    }

    /// Same, with one active cart that is due.
    async fn with_cart(pool: Pool, kind: CredentialKind) -> (Self, CartId) {
        let house = Self::open(pool).await;
        let cart = house.cart(HANDLE, kind).await;
        (house, cart)
    }

    async fn other(&self) -> CartHandles {
        replica(&self.pool, &self.practice, &self.line).await
    }

    /// Adds a cart that has passed once and is active and due.
    async fn cart(&self, handle: &str, kind: CredentialKind) -> CartId {
        let store = self.practice.stores().put(handle, PracticeStore::sample(handle));
        let (secret, id) = match kind {
            CredentialKind::AccessToken => (&store.access_token, None),
            CredentialKind::ClientCredentials => (&store.client_secret, Some(store.client_id.clone())),
        };
        let secret = SecretString::from(secret.expose_secret());
        let submission = CartSubmission {
            id: Uuid::new_v4(),
            name: WebsiteName::parse(handle).expect("a name"),
            address: StoreAddress::from_handle(handle).expect("a handle"),
            offered: CredentialInput::Typed(Credential::from_stored(kind, id, secret).expect("a credential")),
            wants_active: false,
        };
        let cart = self.handles.carts.add(visitor(), submission).await.expect("saved").cart;
        self.tamper(&format!(
            "update carts set passed_at = now(), shop_id = '{}', shop_name = 'Northwind Tea', is_active = true,
                status = 'connected' where id = '{}'",
            store.shop_id, cart.0
        ))
        .await;
        self.make_due().await;
        cart
    }

    async fn tamper(&self, statement: &str) {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&self.pool).await.expect(statement);
    }

    async fn make_due(&self) {
        self.tamper("update cart_health set next_check_at = now() where next_check_at is not null").await;
    }

    /// Lets `time` pass by moving stored timestamps back.
    async fn pass(&self, time: &str) {
        self.tamper(&format!(
            "update cart_health set next_check_at = next_check_at - interval '{time}', streak_since = streak_since - interval '{time}',
                leased_until = leased_until - interval '{time}', last_good_at = last_good_at - interval '{time}',
                customers_asked_at = customers_asked_at - interval '{time}'"
        ))
        .await;
        self.tamper(&format!("update carts set failing_since = failing_since - interval '{time}'")).await;
        self.tamper(&format!("update cart_problems set began_at = began_at - interval '{time}'")).await;
    }

    fn set(&self, scenario: Scenario) {
        assert!(self.practice.stores().set(HANDLE, scenario));
    }

    /// Makes the cart due, sweeps, and returns its status and class.
    async fn check(&self) -> (String, Option<String>) {
        self.make_due().await;
        assert_eq!(self.handles.health.sweep().await.expect("swept").checked, 1);
        self.status().await
    }

    async fn status(&self) -> (String, Option<String>) {
        sqlx::query_as("select status, last_class from carts").fetch_one(&self.pool).await.expect("a cart")
    }

    async fn events(&self) -> Vec<(String, serde_json::Value)> {
        sqlx::query_as(
            "select event, data from audit_events where event in ('cart_needs_attention', 'cart_not_connected', 'cart_recovered')
             order by at, id",
        )
        .fetch_all(&self.pool)
        .await
        .expect("the activity")
    }

    fn asked(&self) -> usize {
        self.practice.journal().requests_to(HOST).len()
    }

    async fn health(&self, cart: CartId) -> HealthHistory {
        self.handles.health.find_history(cart).await.expect("read").expect("a cart")
    }
}

async fn replica(pool: &Pool, practice: &Practice, line: &str) -> CartHandles {
    let egress = Egress {
        proxy: Some(practice.proxy_url().parse().expect("a proxy")),
        extra_roots_pem: Some(practice.ca_pem().as_bytes().to_vec()),
    };
    let ring = KeyRing::parse(line).expect("a key");
    let vault = Vault::open_with(ring, pool.clone()).await.expect("a vault");
    let client = ShopifyClient::new(&egress).expect("a client");
    carts::open(pool.clone(), Arc::new(vault), Arc::new(client), false, Clock::System)
}

fn word(status: Status, class: Class) -> (String, Option<String>) {
    (status.as_str().to_owned(), Some(class.as_str().to_owned()))
}

#[sqlx::test]
async fn due_cart_is_checked_once_and_rescheduled(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::AccessToken).await;
    assert_eq!(house.handles.health.sweep().await.expect("swept"), SweepReport { checked: 1, dropped: 0 });
    assert_eq!(house.handles.health.sweep().await.expect("swept"), SweepReport::default(), "nothing is due any more");
    assert_eq!(house.status().await, word(Status::Connected, Class::Connected));
    assert_eq!(house.asked(), 2, "the test query and the customer query");
    let health = house.health(cart).await;
    let [check] = health.recent[..] else { panic!("{health:?}") };
    assert!(check.passed() && check.took_ms.is_some(), "{check:?}");
    let next = health.next_check_at.expect("a next check") - health.last_checked_at.expect("a check");
    assert!((810..=990).contains(&next.whole_seconds()), "15 minutes ± 10 %: {next}");
    assert_eq!((health.days.len(), health.days[0].checks, health.days[0].failed), (1, 1, 0));
    assert_eq!(health.store.expect("store facts").covered, 17);
    assert_eq!(house.events().await, []);
    // The customer query runs once a day while the cart is healthy.
    house.check().await;
    assert_eq!(house.asked(), 3);
    house.pass("25 hours").await;
    house.check().await;
    assert_eq!(house.asked(), 5);
}

#[sqlx::test]
async fn inactive_carts_are_not_checked(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.handles.integration.switch(By::operator(), false).await.expect("off");
    assert_eq!(house.handles.health.sweep().await.expect("swept"), SweepReport::default());
    assert_eq!(house.handles.health.lag().await.expect("read"), Duration::ZERO);
    house.handles.integration.switch(By::operator(), true).await.expect("on");
    house.tamper("update carts set is_active = false, status = 'inactive'").await;
    assert_eq!(house.handles.health.sweep().await.expect("swept"), SweepReport::default());
    house.tamper("update carts set is_active = true, is_practice = true").await;
    house.make_due().await;
    assert_eq!(house.handles.health.sweep().await.expect("swept"), SweepReport::default(), "practice is off");
    assert_eq!(house.asked(), 0);
}

#[sqlx::test]
async fn activated_cart_is_checked_within_minutes_or_at_once_if_its_last_check_is_old(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::AccessToken).await;
    let activated_after = async |time: &str| {
        house.tamper("update carts set is_active = false, status = 'inactive'").await;
        assert_eq!(house.health(cart).await.next_check_at, None);
        house.tamper(&format!("update carts set passed_at = now() - interval '{time}'")).await;
        house.tamper(&format!("update cart_health set last_checked_at = now() - interval '{time}'")).await;
        house.tamper("update carts set is_active = true, status = 'connected'").await;
        let seconds: f64 =
            sqlx::query_scalar("select extract(epoch from next_check_at - now())::float8 from cart_health")
                .fetch_one(&house.pool)
                .await
                .expect("a next check");
        seconds
    };
    let at = activated_after("14 minutes").await;
    assert!((115.0..=240.0).contains(&at), "{at}");
    // Otherwise a token that was revoked months ago would count as connected until then.
    let at = activated_after("16 minutes").await;
    assert!(at <= 0.0, "{at}");
}

#[sqlx::test]
async fn transient_failures_are_announced_after_threshold_and_window_with_their_duration(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.check().await;
    house.set(Scenario::Says(Canned::Unavailable));
    for _ in 0..2 {
        assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
        house.pass("5 minutes").await;
    }
    // Three consecutive failures, but within ten minutes.
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
    assert_eq!(house.events().await, []);
    house.pass("5 minutes").await;
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::ShopifyDown));
    house.pass("5 minutes").await;
    house.set(Scenario::ConnectRefused);
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::NetworkUnreachable));
    house.pass("20 minutes").await;
    house.set(Scenario::Well);
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
    let events = house.events().await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cart_needs_attention", "cart_recovered"], "no repeats");
    assert_eq!(events[0].1["class"], "SHOPIFY_DOWN");
    let lasted = events[1].1["lasted_seconds"].as_i64().expect("a number");
    assert!((2400..2460).contains(&lasted), "from the first failure: {lasted}");
    let health = house.health(cart).await;
    let [problem] = &health.problems[..] else { panic!("two transient causes are one problem: {health:?}") };
    assert!(problem.ended_at.is_some() && problem.ended_by.is_none(), "{problem:?}");
    assert_eq!(problem.title, "Shopify has a problem at the moment");
    assert_eq!((health.days[0].checks, health.days[0].failed), (7, 5));
}

#[sqlx::test]
async fn revoked_token_is_checked_hourly_for_a_day_then_daily(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.check().await;
    let token = SecretString::from(format!("shpat_{}", Uuid::new_v4().simple()));
    house.practice.stores().change(HANDLE, |store| store.access_token = token);
    house.practice.journal().clear();
    assert_eq!(house.check().await, word(Status::NotConnected, Class::TokenStopped));
    assert_eq!(house.asked(), 1, "an access token is not tried twice");
    // A day of sweeps, one per minute: at most one call per hour.
    for _ in 0..24 * 60 {
        house.pass("1 minute").await;
        house.handles.health.sweep().await.expect("swept");
    }
    let in_a_day = house.asked() - 1;
    assert!((20..=27).contains(&in_a_day), "{in_a_day}");
    // Then one call per day.
    house.practice.journal().clear();
    for _ in 0..3 * 24 {
        house.pass("1 hour").await;
        house.handles.health.sweep().await.expect("swept");
    }
    assert!((2..=4).contains(&house.asked()), "{}", house.asked());
    assert_eq!(house.events().await.len(), 1, "announced once");
    assert_eq!(house.health(cart).await.problems.len(), 1);
}

#[sqlx::test]
async fn no_transaction_is_open_during_a_shopify_call(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.set(Scenario::Held);
    let health = house.handles.health.clone();
    let sweep = tokio::spawn(async move { health.sweep().await });
    house.practice.journal().wait_for_requests(1).await;
    let open: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null",
    )
    .fetch_one(&house.pool)
    .await
    .expect("counted");
    house.set(Scenario::Well);
    assert_eq!(sweep.await.expect("ended").expect("swept").checked, 1);
    assert_eq!(open, 0);
}

#[sqlx::test]
async fn leased_cart_is_skipped_until_the_lease_expires(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    let other = house.other().await;
    house.set(Scenario::Held);
    let first = house.handles.health.clone();
    let first = tokio::spawn(async move { first.sweep().await });
    house.practice.journal().wait_for_requests(1).await;
    assert_eq!(other.health.sweep().await.expect("swept"), SweepReport::default(), "it is being checked");
    house.pass("31 seconds").await;
    let second = tokio::spawn(async move { other.health.sweep().await });
    house.practice.journal().wait_for_requests(2).await;
    house.set(Scenario::Well);
    let (first, second) = (first.await.expect("ended").expect("swept"), second.await.expect("ended").expect("swept"));
    let both = (first.checked + second.checked, first.dropped + second.dropped);
    assert_eq!(both, (1, 1), "the result under the expired lease is dropped");
    assert_eq!(first.dropped, 1);
}

#[sqlx::test]
async fn finding_for_a_changed_cart_is_dropped(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::open(pool).await;
    let changes = [
        "update carts set website_name = 'Renamed', version = version + 1",
        "update carts set credential_fingerprint = 'another'",
        "update carts set is_active = false, status = 'inactive'",
        "delete from carts",
    ];
    for (n, change) in changes.into_iter().enumerate() {
        house.cart(HANDLE, CredentialKind::AccessToken).await;
        house.set(Scenario::Held);
        let health = house.handles.health.clone();
        let sweep = tokio::spawn(async move { health.sweep().await });
        house.practice.journal().wait_for_requests(n + 1).await;
        house.tamper(change).await;
        // Keep this sweep from checking the cart again.
        house
            .tamper("update cart_health set next_check_at = now() + interval '1 hour' where next_check_at is not null")
            .await;
        house.set(Scenario::Says(Canned::Frozen));
        assert_eq!(sweep.await.expect("ended").expect("swept"), SweepReport { checked: 0, dropped: 1 }, "{change}");
        let told: Vec<Option<String>> =
            sqlx::query_scalar("select last_class from carts").fetch_all(&house.pool).await.expect("read");
        assert!(told.iter().all(Option::is_none), "{change}: {told:?}");
        house.tamper("delete from carts").await;
    }
}

#[sqlx::test]
async fn rejected_token_is_refreshed_once_and_a_second_rejection_is_final(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::ClientCredentials).await;
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
    house.practice.journal().clear();
    house.practice.stores().end_minted_tokens(HANDLE);
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
    assert_eq!(house.asked(), 3, "rejected, refreshed, accepted");
    house.practice.journal().clear();
    house.set(Scenario::Says(Canned::Unauthorized));
    assert_eq!(house.check().await, word(Status::NotConnected, Class::TokenStopped));
    assert_eq!(house.asked(), 3, "rejected, refreshed, rejected: no loop");
}

#[sqlx::test]
async fn refused_token_exchange_is_the_finding(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::ClientCredentials).await;
    house
        .practice
        .stores()
        .change(HANDLE, |store| store.on_exchange = Some(Scenario::Exchange(ExchangeError::NotInstalled)));
    assert_eq!(house.check().await, word(Status::NotConnected, Class::CcNotInstalled));
}

#[sqlx::test]
async fn failed_token_refresh_keeps_the_reason_for_health_and_email(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::ClientCredentials).await;
    house.tamper("update alert_settings set email_on = true, email_addresses = '{ops@northwind.example}'").await;
    house.check().await;
    let cases = [
        (
            Scenario::Exchange(ExchangeError::UnknownClient),
            "Shopify knows no app with this Client ID",
            Class::CcRefused,
        ),
        (
            Scenario::Redirect(301, Some("https://northwind-new.myshopify.com/admin")),
            "This store is now called northwind-new",
            Class::StoreMoved,
        ),
    ];
    for (scenario, title, class) in cases {
        house.tamper("update carts set minted_token = null, minted_at = null, minted_ends_at = null").await;
        house.practice.stores().change(HANDLE, |store| store.on_exchange = Some(scenario.clone()));
        assert_eq!(house.check().await, word(Status::NotConnected, class));
        let health = house.health(cart).await;
        assert_eq!(health.problems[0].title, title, "{:?}", health.problems);
    }
    let alerts: Vec<serde_json::Value> =
        sqlx::query_scalar("select data from alerts order by id").fetch_all(&house.pool).await.expect("the outbox");
    let mail = &alerts[0];
    assert_eq!(
        (&mail["title"], &mail["credential"], &mail["class"]),
        (&"Shopify knows no app with this Client ID".into(), &"client-secret".into(), &"CC_REFUSED".into())
    );
    let said: serde_json::Value =
        sqlx::query_scalar("select data from audit_events where event = 'token_not_renewed' order by at, id limit 1")
            .fetch_one(&house.pool)
            .await
            .expect("the activity");
    assert_eq!(said["error_name"], "application_cannot_be_found");
}

#[sqlx::test]
async fn check_stopped_by_an_internal_error_counts_as_a_failure(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.check().await;
    house.tamper("alter table carts rename column mint_version to mint_version_away").await;
    for _ in 0..3 {
        assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
        house.pass("20 minutes").await;
    }
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::OurBug));
    house.tamper("alter table carts rename column mint_version_away to mint_version").await;
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
}

#[sqlx::test]
async fn unreadable_secret_is_announced_without_a_call(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.tamper("update carts set store_host = 'evil-shop.myshopify.com'").await;
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::OurKey));
    assert_eq!(house.practice.journal().requests().len(), 0, "a host changed by SQL receives no request");
    assert_eq!(house.events().await[0].1["class"], "OUR_KEY");
}

#[sqlx::test]
async fn fourth_internal_error_needs_attention(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, cart) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.check().await;
    house.set(Scenario::Says(Canned::BadRequest));
    for _ in 0..3 {
        assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
        house.pass("20 minutes").await;
    }
    assert_eq!(house.health(cart).await.recent.last().map(|check| check.class), Some(Class::OurBug));
    assert_eq!(house.events().await, []);
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::OurBug));
    let health = house.health(cart).await;
    assert_eq!(
        health.problems.iter().map(|problem| problem.title.as_str()).collect::<Vec<_>>(),
        ["We cannot check this store"]
    );
    let told: i64 = sqlx::query_scalar("select count(*) from audit_events where event = 'cart_needs_attention'")
        .fetch_one(&house.pool)
        .await
        .expect("read");
    assert_eq!(told, 1);
    house.set(Scenario::Well);
    assert_eq!(house.check().await, word(Status::Connected, Class::Connected));
    let names: Vec<String> = house.events().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cart_needs_attention", "cart_recovered"]);
}

#[sqlx::test]
async fn missing_permissions_are_announced_at_once_and_their_count_is_updated(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (house, _) = House::with_cart(pool, CredentialKind::AccessToken).await;
    house.set(Scenario::ScopesMissing(&["write_inventory", "read_shipping"]));
    assert_eq!(house.check().await, word(Status::NeedsAttention, Class::ScopesMissing));
    house.set(Scenario::ScopesMissing(&["write_inventory"]));
    house.check().await;
    let missing: i32 =
        sqlx::query_scalar("select missing_count from carts").fetch_one(&house.pool).await.expect("read");
    assert_eq!((missing, house.events().await.len()), (1, 1));
    // A change from limited to failed is announced, and so is the recovery.
    house.set(Scenario::Says(Canned::Frozen));
    assert_eq!(house.check().await, word(Status::NotConnected, Class::StoreFrozen));
    house.set(Scenario::Well);
    house.check().await;
    let names: Vec<String> = house.events().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cart_needs_attention", "cart_not_connected", "cart_recovered"]);
}

#[sqlx::test]
async fn two_replicas_check_sixty_due_carts_once_each(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::open(pool).await;
    for n in 0..60 {
        house.cart(&format!("shop-{n}"), CredentialKind::AccessToken).await;
    }
    let other = house.other().await;
    let (one, two) = tokio::join!(house.handles.health.sweep(), other.health.sweep());
    let (one, two) = (one.expect("swept"), two.expect("swept"));
    assert_eq!(one.checked + two.checked, 60);
    let tests = |host: String| {
        let requests = house.practice.journal().requests_to(&host);
        requests.iter().filter(|request| request.operation == Some(crate::practice::Operation::ConnectionTest)).count()
    };
    assert!((0..60).all(|n| tests(format!("shop-{n}.myshopify.com")) == 1));
}

/// Measures the size of one cart's full history; docs/performance.md lists the number.
#[sqlx::test]
async fn history_of_a_year_has_a_bounded_size(pool: sqlx::PgPool) {
    const CARTS: i64 = 200;
    let pool = crate::database::Pool::from(&pool);
    let house = House::open(pool).await;
    house
        .tamper(&format!(
            "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
             select gen_random_uuid(), gen_random_uuid(), 'shopify', 'Shop ' || n, 'shop-' || n || '.myshopify.com', false, 'draft', 'x'
             from generate_series(1, {CARTS}) n"
        ))
        .await;
    // A year of daily totals; the first check of a day deletes the old ones.
    let carts: Vec<Uuid> = sqlx::query_scalar("select id from carts").fetch_all(&house.pool).await.expect("carts");
    house
        .tamper(
            "insert into cart_days (cart_id, day, checks, failed, slowest_ms)
             select id, (now() at time zone 'UTC')::date - n, 96, 1, 1200 from carts, generate_series(1, 365) n",
        )
        .await;
    let class = Class::Connected;
    let finding = Finding {
        class,
        title: "Connected to Northwind Tea".into(),
        granted: None,
        missing: Vec::new(),
        took_ms: Some(212),
        store: None,
        wait_seconds: None,
        asked_customers: false,
    };
    for cart in &carts {
        let mut work = house.pool.acquire().await.expect("a connection");
        work.begin().await.expect("begun");
        for _ in 0..40 {
            let now = crate::carts::sql::health::lock(&mut work, CartId(*cart)).await.expect("read").expect("a cart");
            record(&mut work, &now, &finding).await.expect("recorded");
        }
        work.commit().await.expect("committed");
    }
    let (recent, days): (i64, i64) = sqlx::query_as(
        "select max(octet_length(recent))::int8, (select max(n) from (select count(*) n from cart_days group by cart_id) d) from cart_health",
    )
    .fetch_one(&house.pool)
    .await
    .expect("read");
    assert_eq!((recent, days), (240, 90));
    let row: f64 = sqlx::query_scalar("select avg(pg_column_size(d.*))::float8 from cart_days d")
        .fetch_one(&house.pool)
        .await
        .expect("read");
    assert!(row <= 60.0, "a day takes {row} bytes");
    house.tamper("vacuum full cart_days").await;
    house.tamper("vacuum full cart_health").await;
    let bytes: i64 =
        sqlx::query_scalar("select pg_total_relation_size('cart_days') + pg_total_relation_size('cart_health')")
            .fetch_one(&house.pool)
            .await
            .expect("read");
    let each = bytes / CARTS;
    assert!(each < 12 * 1024, "{each} bytes a cart");
}
