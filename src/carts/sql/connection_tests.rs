//! Connection tests: insert, finish, find, and link a pass to its cart.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    audit::By,
    carts::{CartId, TestReport},
    causes::Class,
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreAddress, shopify::scopes},
    vault::Fingerprints,
};

pub(in crate::carts) struct NewTest<'a> {
    pub id: Uuid,
    pub cart: Option<CartId>,
    pub submission: Uuid,
    pub by: &'a By,
    pub host: String,
    pub kind: CredentialKind,
    pub fingerprint: &'a [u8],
    pub was_saved: bool,
}

pub(in crate::carts) async fn insert(connection: &mut Connection, test: &NewTest<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into connection_tests
            (id, cart_id, submission_id, tested_by, tested_by_name, store_host, credential_kind, fingerprint, was_saved)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        test.id,
        test.cart.map(|cart| cart.0),
        test.submission,
        test.by.actor.id().unwrap_or_default(),
        test.by.name(),
        test.host,
        test.kind.as_str(),
        test.fingerprint,
        test.was_saved
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(in crate::carts) async fn finish(connection: &mut Connection, report: &TestReport) -> sqlx::Result<()> {
    let verdict = &report.verdict;
    sqlx::query!(
        "update connection_tests set finished_at = now(), passed = $2, class = $3, verdict = $4 where id = $1",
        report.id,
        verdict.outcome().passes(),
        verdict.class.as_str(),
        serde_json::to_value(verdict).expect("a verdict is plain data")
    )
    .execute(connection)
    .await
    .map(drop)
}

/// The newest finished test of a new cart's form whose draft secret is still in this session.
pub(in crate::carts) async fn find_draft(pool: &Pool, session: &[u8], person: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select tests.id from unsaved_credentials unsaved join connection_tests tests on tests.submission_id = unsaved.id
         where unsaved.session_hash = $1 and unsaved.cart_id is null and unsaved.created_at > now() - interval '30 minutes'
            and tests.cart_id is null and tests.tested_by = $2 and tests.finished_at is not null
         order by tests.started_at desc limit 1",
        session,
        person
    )
    .fetch_optional(pool)
    .await
}

pub(in crate::carts) async fn find(pool: &Pool, id: Uuid) -> sqlx::Result<Option<TestReport>> {
    let row = sqlx::query!(
        r#"select id, submission_id, cart_id, store_host, credential_kind, was_saved, finished_at as "finished_at!", verdict as "verdict!"
           from connection_tests where id = $1 and finished_at is not null"#,
        id
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        Some(TestReport {
            id: row.id,
            submission: row.submission_id,
            cart: row.cart_id.map(CartId),
            address: StoreAddress::from_host(&row.store_host)?,
            kind: CredentialKind::parse(&row.credential_kind)?,
            was_saved: row.was_saved,
            tested_at: row.finished_at,
            // A verdict written by an older version may lack a field; it then counts as missing.
            verdict: serde_json::from_value(row.verdict).ok()?,
        })
    }))
}

/// Whether this user has a running test; tests that a crash left behind do not count.
pub(in crate::carts) async fn is_testing(connection: &mut Connection, person: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from connection_tests
            where tested_by = $1 and finished_at is null and started_at > now() - interval '16 seconds') as "is_testing!""#,
        person
    )
    .fetch_one(connection)
    .await
}

/// When exactly this credential and host last passed any test.
pub(in crate::carts) async fn find_last_worked(
    connection: &mut Connection,
    fingerprints: &Fingerprints,
) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        "select max(finished_at) from connection_tests where fingerprint = any ($1) and passed",
        fingerprints.all()
    )
    .fetch_one(connection)
    .await
}

/// The facts that a pass stores on its cart.
#[derive(Debug)]
pub(in crate::carts) struct PassFacts {
    pub test: Uuid,
    pub class: Class,
    pub title: String,
    pub passed_at: OffsetDateTime,
    pub shop_id: String,
    pub shop_name: String,
    pub missing_count: i32,
    /// The granted scopes, implied ones included.
    pub granted: Vec<String>,
}

impl PassFacts {
    /// `None` unless the test passed and named its store.
    pub fn of(report: &TestReport) -> Option<Self> {
        let verdict = &report.verdict;
        let store = verdict.store.as_ref().filter(|_| verdict.outcome().passes())?;
        Some(Self {
            test: report.id,
            class: verdict.class,
            title: report.title(),
            passed_at: report.tested_at,
            shop_id: store.shop_id.clone(),
            shop_name: store.name.clone(),
            missing_count: i32::try_from(verdict.missing_scopes().len()).unwrap_or(i32::MAX),
            granted: scopes::expand(&verdict.granted).into_iter().collect(),
        })
    }
}

/// The latest test of exactly this credential and host, and whether it ended at most 30 minutes ago.
pub(in crate::carts) async fn find_latest(
    connection: &mut Connection,
    fingerprints: &Fingerprints,
) -> sqlx::Result<Option<(TestReport, bool)>> {
    let row = sqlx::query!(
        r#"select id, submission_id, cart_id, store_host, credential_kind, was_saved, finished_at as "finished_at!", verdict as "verdict!",
               finished_at > now() - interval '30 minutes' as "is_recent!"
           from connection_tests where fingerprint = any ($1) and finished_at is not null
           order by started_at desc limit 1"#,
        fingerprints.all()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let report = TestReport {
            id: row.id,
            submission: row.submission_id,
            cart: row.cart_id.map(CartId),
            address: StoreAddress::from_host(&row.store_host)?,
            kind: CredentialKind::parse(&row.credential_kind)?,
            was_saved: row.was_saved,
            tested_at: row.finished_at,
            verdict: serde_json::from_value(row.verdict).ok()?,
        };
        Some((report, row.is_recent))
    }))
}

/// Shop ID and name of the store that exactly this credential and host opened in their latest test, passed or not, in
/// the last 30 minutes.
pub(in crate::carts) async fn find_recent_shop(
    connection: &mut Connection,
    fingerprints: &Fingerprints,
) -> sqlx::Result<Option<(String, String)>> {
    let row = sqlx::query!(
        r#"select verdict -> 'store' ->> 'shop_id' as shop_id, verdict -> 'store' ->> 'name' as name
           from connection_tests where fingerprint = any ($1) and finished_at > now() - interval '30 minutes'
           order by started_at desc limit 1"#,
        fingerprints.all()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| Some((row.shop_id?, row.name.unwrap_or_default()))))
}

/// The last test that a user ran from the form of a new cart. There are few, because they are deleted after a day.
pub(in crate::carts) async fn find_last_of_new(pool: &Pool, form: Uuid, person: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select id from connection_tests
         where cart_id is null and submission_id = $1 and tested_by = $2 and finished_at is not null
         order by started_at desc limit 1",
        form,
        person
    )
    .fetch_optional(pool)
    .await
}

/// The last test that a user ran from this form of a saved cart.
pub(in crate::carts) async fn find_last_of_cart(
    pool: &Pool,
    cart: CartId,
    form: Uuid,
    person: Uuid,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select id from connection_tests
         where cart_id = $1 and submission_id = $2 and tested_by = $3 and finished_at is not null
         order by started_at desc limit 1",
        cart.0,
        form,
        person
    )
    .fetch_optional(pool)
    .await
}

/// The fingerprint of the tested credential and host.
pub(in crate::carts) async fn find_fingerprint(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select fingerprint from connection_tests where id = $1", id).fetch_optional(connection).await
}

/// Links a pass to the cart whose saved credential it covers. Scopes that were granted before and no longer are count
/// as lost from now.
pub(in crate::carts) async fn update_pass(
    connection: &mut Connection,
    id: CartId,
    pass: &PassFacts,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set passed_at = $2, shop_id = $3, shop_name = $4, last_test_id = $5, last_class = $6, last_title = $7,
            missing_count = $8, last_checked_at = $2, granted = $9,
            lost_scopes = (select coalesce(jsonb_object_agg(scope, coalesce(lost_scopes -> scope, to_jsonb($2::timestamptz))), '{}')
                from (select unnest(granted) as scope union select jsonb_object_keys(lost_scopes)) known where scope <> all($9))
         where id = $1",
        id.0,
        pass.passed_at,
        pass.shop_id,
        pass.shop_name,
        pass.test,
        pass.class.as_str(),
        pass.title,
        pass.missing_count,
        &pass.granted
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Sets the test that the page of the cart shows.
pub(in crate::carts) async fn update_tested(
    connection: &mut Connection,
    id: CartId,
    report: &TestReport,
) -> sqlx::Result<()> {
    sqlx::query!("update carts set last_test_id = $2 where id = $1", id.0, report.id)
        .execute(connection)
        .await
        .map(drop)
}

/// Assigns the tests of a form to the cart that it created.
pub(in crate::carts) async fn adopt(connection: &mut Connection, id: CartId, form: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update connection_tests set cart_id = $1 where submission_id = $2 and cart_id is null", id.0, form)
        .execute(connection)
        .await
        .map(drop)
}

/// Deletes tests of stores that were never saved, after a day.
pub(in crate::carts) async fn delete_old(pool: &Pool) -> sqlx::Result<u64> {
    let deleted =
        sqlx::query!("delete from connection_tests where cart_id is null and started_at < now() - interval '1 day'")
            .execute(pool)
            .await?;
    Ok(deleted.rows_affected())
}
