//! The rules of sign-in and sessions against a real database.

use super::*;
use crate::audit::Origin;
use sqlx::PgPool;

const PASSWORD: &str = "four plain random words";

fn priya() -> NewUser {
    NewUser {
        email: Email::parse("priya@northwind.example").expect("fine"),
        name: PersonName::parse("Priya Shah").expect("fine"),
        role: Role::Administrator,
        password: SecretString::from(PASSWORD),
    }
}

fn from(ip: &str) -> By {
    By::stranger(Origin { ip: Some(ip.into()), ..Origin::default() })
}

async fn try_sign_in(accounts: &Accounts, email: &str, password: &str) -> Result<BrowserSecret, SignInError> {
    accounts.sign_in(from("203.0.113.7"), email, SecretString::from(password), None).await
}

#[sqlx::test]
async fn a_person_signs_in_and_out(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    accounts.add(By::operator(), priya()).await.expect("added");
    assert!(matches!(accounts.add(By::operator(), priya()).await, Err(AddError::EmailTaken)));
    let session = try_sign_in(&accounts, " PRIYA@northwind.example ", PASSWORD).await.expect("signed in");
    assert!(matches!(accounts.session(&session).await, Ok(Session::Live { user, .. }) if user.name == "Priya Shah"));
    accounts.sign_out(By::operator(), session.hash()).await.expect("signed out");
    assert!(matches!(accounts.session(&session).await, Ok(Session::Unknown)));
    let events: Vec<String> =
        sqlx::query_scalar("select event from audit_events order by id").fetch_all(&pool).await.expect("events");
    assert_eq!(events, ["user_added", "signed_in", "signed_out"]);
}

#[sqlx::test]
async fn tries_are_counted_before_hashing_whatever_the_letter_case(pool: PgPool) {
    let accounts = Accounts::new(pool);
    accounts.add(By::operator(), priya()).await.expect("added");
    for email in
        ["priya@northwind.example", "PRIYA@northwind.example", " priya@Northwind.example", "priya@northwind.example "]
    {
        assert!(matches!(try_sign_in(&accounts, email, "wrong").await, Err(SignInError::Wrong)));
    }
    assert!(matches!(try_sign_in(&accounts, "priya@northwind.example", "wrong").await, Err(SignInError::Wrong)));
    assert!(matches!(try_sign_in(&accounts, "priya@northwind.example", PASSWORD).await, Err(SignInError::TooMany(_))));
    let other =
        accounts.sign_in(from("198.51.100.20"), "priya@northwind.example", SecretString::from(PASSWORD), None).await;
    assert!(other.is_ok(), "another address is not locked out");
}

#[sqlx::test]
async fn a_right_password_lifts_the_count_of_the_account_and_not_of_the_address(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    accounts.add(By::operator(), priya()).await.expect("added");
    for _ in 0..25 {
        try_sign_in(&accounts, "priya@northwind.example", PASSWORD).await.expect("nobody is locked out by signing in");
    }
    for n in 0..5 {
        try_sign_in(&accounts, &format!("sam{n}@northwind.example"), "wrong").await.expect_err("unknown");
    }
    let refused = try_sign_in(&accounts, "priya@northwind.example", PASSWORD).await;
    assert!(matches!(refused, Err(SignInError::TooMany(_))), "thirty tries from one address are enough");
}

#[sqlx::test]
async fn sessions_end_by_the_clock_of_the_database(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    accounts.add(By::operator(), priya()).await.expect("added");
    let session = try_sign_in(&accounts, "priya@northwind.example", PASSWORD).await.expect("signed in");
    let shift = async |column: &str, minutes: i32| {
        let sql = format!("update sessions set {column} = {column} - make_interval(mins => {minutes})");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("shifted");
    };
    shift("last_seen_at", 29).await;
    assert!(matches!(accounts.session(&session).await, Ok(Session::Live { .. })));
    shift("last_seen_at", 29).await;
    assert!(
        matches!(accounts.session(&session).await, Ok(Session::Live { .. })),
        "being seen starts the half hour anew"
    );
    shift("last_seen_at", 31).await;
    assert!(matches!(accounts.session(&session).await, Ok(Session::Ended(Ended::Idle))));
    shift("last_seen_at", -31).await;
    shift("created_at", 12 * 60).await;
    assert!(matches!(accounts.session(&session).await, Ok(Session::Ended(Ended::TooOld))));
}

#[sqlx::test]
async fn the_cookie_is_nowhere_in_the_database(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    accounts.add(By::operator(), priya()).await.expect("added");
    let session = try_sign_in(&accounts, "priya@northwind.example", PASSWORD).await.expect("signed in");
    let row: String = sqlx::query_scalar("select sessions::text from sessions").fetch_one(&pool).await.expect("row");
    assert!(!row.contains(&session.to_cookie()));
}

#[sqlx::test]
async fn a_set_up_link_makes_one_administrator_once(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    let (first, second) =
        (accounts.make_set_up_link().await.expect("link"), accounts.make_set_up_link().await.expect("link"));
    accounts.check_set_up_link(&first).await.expect("alive");
    assert!(matches!(accounts.check_set_up_link(&BrowserSecret::generate()).await, Err(AddError::LinkDead)));
    let (one, two) = tokio::join!(
        accounts.set_up(Origin::default(), &first, priya()),
        accounts.set_up(Origin::default(), &second, priya())
    );
    assert_eq!(
        usize::from(one.is_ok()) + usize::from(two.is_ok()),
        1,
        "two links spent together make one administrator"
    );
    assert!(matches!(accounts.check_set_up_link(&second).await, Err(AddError::AlreadySetUp)));
}

#[sqlx::test]
async fn a_set_up_link_ends_after_an_hour(pool: PgPool) {
    let accounts = Accounts::new(pool.clone());
    let link = accounts.make_set_up_link().await.expect("link");
    sqlx::query("update set_up_links set expires_at = now()").execute(&pool).await.expect("shifted");
    assert!(matches!(accounts.set_up(Origin::default(), &link, priya()).await, Err(AddError::LinkDead)));
}

#[test]
fn one_household_has_one_count() {
    assert_eq!(network(Some("2001:db8:1:2:3:4:5:6")), network(Some("2001:db8:1:2::9")));
    assert_eq!(network(Some("::ffff:203.0.113.7")), network(Some("203.0.113.7")));
    assert_ne!(network(Some("203.0.113.7")), network(Some("203.0.113.8")));
}
