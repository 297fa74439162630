//! Many carts that fail for one cause on our side raise one alert, and one when it ends.

use super::*;

impl House {
    /// Opens with `count` carts, each with its own store, and an address that gets every alert.
    async fn with_carts(pool: Pool, count: usize) -> Self {
        let house = Self::open(pool).await;
        house.tamper("update alert_settings set email_on = true, email_addresses = '{ops@northwind.example}'").await;
        for n in 0..count {
            house.cart(&store(n), CredentialKind::AccessToken).await;
        }
        house.tamper("create table kept as select id, secret from carts").await;
        house
    }

    /// Makes the secrets of these carts unreadable, as a lost key does.
    async fn lose(&self, stores: std::ops::Range<usize>) {
        for n in stores {
            self.tamper(&format!(
                "update carts set secret = set_byte(secret, octet_length(secret) - 1, get_byte(secret, octet_length(secret) - 1) # 1)
                 where store_host = '{}.myshopify.com'",
                store(n)
            ))
            .await;
        }
    }

    async fn find_again(&self) {
        self.tamper("update carts c set secret = kept.secret from kept where kept.id = c.id").await;
    }

    async fn check_all(&self) {
        self.make_due().await;
        let other = self.other().await;
        let (one, two) = tokio::join!(self.handles.health.sweep(), other.health.sweep());
        assert!(one.expect("swept").checked + two.expect("swept").checked > 0);
    }

    /// The queued alerts, counted by type.
    async fn waiting(&self) -> Vec<(String, i64)> {
        sqlx::query_as(
            "select a.data ->> 'type', count(*) from alerts a join alert_deliveries d on d.alert_id = a.id group by 1 order by 1",
        )
        .fetch_all(&self.pool)
        .await
        .expect("the outbox")
    }
}

fn store(n: usize) -> String {
    format!("northwind-{n}")
}

fn told(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[sqlx::test]
async fn forty_carts_with_one_cause_on_our_side_raise_one_alert_and_one_recovery(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 40).await;
    house.lose(0..40).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
    assert_eq!(house.events().await.len(), 40, "one event per cart in the activity");
    let (carts, cause): (i64, String) =
        sqlx::query_as("select carts, cause from shared_problems where told_at is not null")
            .fetch_one(&house.pool)
            .await
            .expect("an open problem");
    assert!((3..=40).contains(&carts) && cause == "key", "{carts} {cause}");
    house.find_again().await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1), ("server.recovered", 1)]));
    house.handles.health.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await.len(), 2, "the recovery is announced once");
}

#[sqlx::test]
async fn two_carts_raise_separate_delayed_alerts(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 8).await;
    house.lose(0..2).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("cart.needs-attention", 2)]));
    let held: i64 = sqlx::query_scalar("select count(*) from alert_deliveries where due_at > now()")
        .fetch_one(&house.pool)
        .await
        .expect("the outbox");
    assert_eq!(held, 2, "held, so that they can be folded");
    house.find_again().await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("cart.needs-attention", 2), ("cart.recovered", 2)]));
}

#[sqlx::test]
async fn carts_failing_within_an_hour_share_one_alert(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 12).await;
    for n in 0..7 {
        house.lose(n..n + 1).await;
        house.check_all().await;
    }
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
}

#[sqlx::test]
async fn merchant_causes_are_not_folded_into_a_server_problem(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 12).await;
    house.lose(0..6).await;
    for n in 6..12 {
        assert!(house.practice.stores().set(&store(n), Scenario::Says(Canned::Frozen)));
    }
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("cart.needs-attention", 6), ("server.problem", 1)]));
    house.find_again().await;
    house.check_all().await;
    let rows = told(&[("cart.needs-attention", 6), ("server.problem", 1), ("server.recovered", 1)]);
    assert_eq!(house.waiting().await, rows);
}

#[sqlx::test]
async fn shared_problem_ends_when_its_last_carts_are_turned_off(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 3).await;
    house.lose(0..3).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
    house.handles.health.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await.len(), 1, "still open");
    house.tamper("update carts set is_active = false, status = 'inactive'").await;
    house.handles.health.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await, told(&[("server.problem", 1), ("server.recovered", 1)]));
}
