//! Many carts that fail for one cause on our side are told once, and so is their end.

use super::*;

impl House {
    /// So many carts, each with a store of its own, and an address that gets every alert.
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
        let (one, two) = tokio::join!(self.ecommerce.sweep(), other.sweep());
        assert!(one.expect("swept").checked + two.expect("swept").checked > 0);
    }

    /// The alerts that wait, with how many of each.
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
async fn forty_carts_that_fail_for_one_cause_of_ours_are_told_once_and_so_is_the_end(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 40).await;
    house.lose(0..40).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
    assert_eq!(house.events().await.len(), 40, "the activity keeps each cart");
    let (carts, cause): (i64, String) =
        sqlx::query_as("select carts, cause from shared_problems where told_at is not null")
            .fetch_one(&house.pool)
            .await
            .expect("one lasts");
    assert!((3..=40).contains(&carts) && cause == "key", "{carts} {cause}");
    house.find_again().await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1), ("server.recovered", 1)]));
    house.ecommerce.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await.len(), 2, "the end is told once");
}

#[sqlx::test]
async fn two_carts_are_told_each_for_itself_after_a_moment(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 8).await;
    house.lose(0..2).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("cart.needs-attention", 2)]));
    let held: i64 = sqlx::query_scalar("select count(*) from alert_deliveries where due_at > now()")
        .fetch_one(&house.pool)
        .await
        .expect("the outbox");
    assert_eq!(held, 2, "they wait for others like them");
    house.find_again().await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("cart.needs-attention", 2), ("cart.recovered", 2)]));
}

#[sqlx::test]
async fn carts_that_fail_one_after_the_other_within_an_hour_are_folded_into_one(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 12).await;
    for n in 0..7 {
        house.lose(n..n + 1).await;
        house.check_all().await;
    }
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
}

#[sqlx::test]
async fn a_cause_of_the_merchants_is_never_folded_into_ours(pool: sqlx::PgPool) {
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
async fn a_problem_whose_last_carts_were_turned_off_is_over(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let house = House::with_carts(pool, 3).await;
    house.lose(0..3).await;
    house.check_all().await;
    assert_eq!(house.waiting().await, told(&[("server.problem", 1)]));
    house.ecommerce.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await.len(), 1, "it lasts");
    house.tamper("update carts set is_active = false, status = 'inactive'").await;
    house.ecommerce.end_shared_problems().await.expect("swept");
    assert_eq!(house.waiting().await, told(&[("server.problem", 1), ("server.recovered", 1)]));
}
