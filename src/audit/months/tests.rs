use super::*;
use crate::{
    audit::{self, ChainFault},
    database::roles::tests::runtime_pool,
};

async fn execute(pool: &Pool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.expect(statement);
}

async fn count(pool: &Pool, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(pool).await.expect(question)
}

/// Inserts three rows five months ago, two rows two months ago and one row now, and creates the partitions of these
/// months.
async fn past(pool: &Pool) {
    execute(
        pool,
        "insert into audit_events (id, at, actor_kind, actor_name, event, what)
         select gen_random_uuid(), date_trunc('month', now()) - make_interval(months => ago) + interval '1 day',
             'system', 'System', 'signed_out', 'people' from unnest(array[5, 5, 5, 2, 2]) ago
         union all select gen_random_uuid(), now(), 'system', 'System', 'signed_out', 'people'",
    )
    .await;
    make_months(pool).await.expect("months");
}

async fn link_all(pool: &Pool) {
    while audit::link_new_rows(pool).await.expect("linked") > 0 {}
}

async fn list_months(pool: &Pool) -> Vec<String> {
    let months = "select relname::text from pg_class
                  where relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$' and relkind = 'r' order by 1";
    sqlx::query_scalar(months).fetch_all(pool).await.expect("months")
}

#[test]
fn keep_is_months_or_forever() {
    for (text, expected) in [
        ("24", Some(ActivityKeep::Months(24))),
        ("24 months", Some(ActivityKeep::Months(24))),
        ("1 month", Some(ActivityKeep::Months(1))),
        ("1200months", Some(ActivityKeep::Months(1_200))),
        ("forever", Some(ActivityKeep::Forever)),
        ("0", None),
        ("0 months", None),
        ("-1", None),
        ("1201", None),
        ("2 years", None),
        ("months", None),
        ("", None),
    ] {
        assert_eq!(ActivityKeep::parse(text), expected, "{text:?}");
    }
}

#[sqlx::test]
async fn rows_that_came_before_their_month_are_moved_unchanged(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    past(&pool).await;
    let others = "select count(*) from audit_events where tableoid = 'audit_events_other'::regclass";
    assert_eq!(count(&pool, others).await, 0);
    execute(
        &pool,
        "insert into audit_events (id, at, actor_kind, actor_name, event, what) values
         (gen_random_uuid(), date_trunc('month', now()) - interval '9 months', 'system', 'System', 'signed_out', 'people')",
    )
    .await;
    assert_eq!(count(&pool, others).await, 1);
    link_all(&pool).await;
    make_months(&pool).await.expect("months");
    assert_eq!((count(&pool, others).await, count(&pool, "select count(*) from audit_events").await), (0, 7));
    let report = audit::verify(&pool, &[], |_, _| {}).await.expect("read");
    assert_eq!((report.faults, report.rows), (Vec::new(), 7));
}

#[sqlx::test]
async fn a_month_made_later_is_append_only_too(pool: sqlx::PgPool) {
    let owner = Pool::from(&pool);
    past(&owner).await;
    let month = list_months(&owner).await.remove(0);
    for change in ["update M set event = 'x'", "delete from M", "truncate M"] {
        let statement = sqlx::AssertSqlSafe(change.replace('M', &month));
        let refused = sqlx::query(statement).execute(&owner).await.expect_err(change);
        assert_eq!(
            refused.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("23001"),
            "{change}"
        );
    }
}

#[sqlx::test]
async fn old_month_is_dropped_with_its_event_and_the_rest_verifies(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    past(&pool).await;
    link_all(&pool).await;
    let head = audit::find_chain_head(&pool).await.expect("read").expect("a head");
    for keep in [ActivityKeep::Forever, ActivityKeep::Months(24)] {
        assert_eq!(drop_old_months(&pool, keep).await.expect("asked"), Vec::new());
    }
    let dropped = drop_old_months(&pool, ActivityKeep::Months(3)).await.expect("dropped");
    assert_eq!(dropped.iter().map(|month| month.rows).collect::<Vec<_>>(), [3]);
    let event = "select data from audit_events where event = 'activity_month_dropped'";
    let event: serde_json::Value = sqlx::query_scalar(event).fetch_one(&pool).await.expect("its event");
    assert_eq!(event, serde_json::json!({ "month": dropped[0].month, "rows": 3, "head": head.to_string() }));
    link_all(&pool).await;
    // The last link of the dropped month stays, because the next link is hashed with it.
    assert_eq!(count(&pool, "select min(position) from audit_links").await, 3);
    let first: audit::ChainHead = format!("1:{}", "00".repeat(32)).parse().expect("a head");
    let report = audit::verify(&pool, &[first, head], |_, _| {}).await.expect("read");
    assert_eq!((&report.faults, report.rows), (&Vec::new(), 4), "two, one, and the event of the drop");
    assert_eq!((report.dropped_until.as_ref(), report.too_old), (Some(&dropped[0].month), vec![first]));
    assert_eq!(drop_old_months(&pool, ActivityKeep::Months(3)).await.expect("asked"), Vec::new());
}

#[sqlx::test]
async fn the_database_refuses_to_drop_what_it_must_keep(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    past(&pool).await;
    for (statement, words) in [
        ("select audit_drop_month(now()::date)", "ended less than a month ago"),
        (
            "select audit_drop_month((date_trunc('month', now()) - interval '2 days')::date)",
            "ended less than a month ago",
        ),
        ("select audit_drop_month((date_trunc('month', now()) - interval '2 months')::date)", "is not the oldest"),
        ("select audit_drop_month((date_trunc('month', now()) - interval '5 months')::date)", "rows without a link"),
        ("select audit_make_month('2020-01-01')", "permission denied"),
    ] {
        let refused = sqlx::query(statement).execute(&pool).await.expect_err(statement).to_string();
        assert!(refused.contains(words), "{statement}: {refused}");
    }
    assert_eq!(count(&pool, "select count(*) from audit_events").await, 6);
}

#[sqlx::test]
async fn a_month_that_the_owner_drops_without_an_event_is_missing(pool: sqlx::PgPool) {
    let owner = Pool::from(&pool);
    past(&owner).await;
    link_all(&owner).await;
    let month = list_months(&owner).await.remove(0);
    sqlx::query(sqlx::AssertSqlSafe(format!("drop table {month}"))).execute(&owner).await.expect("dropped");
    let report = audit::verify(&owner, &[], |_, _| {}).await.expect("read");
    assert_eq!(report.faults.len(), 3);
    assert!(report.faults.iter().all(|fault| matches!(fault, ChainFault::RowMissing { .. })), "{:?}", report.faults);
}
