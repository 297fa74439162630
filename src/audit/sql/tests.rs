use uuid::Uuid;

use super::{
    names::{list_carts, list_people},
    page::list,
};
use crate::{
    audit::{AuditCursor, AuditFilter, By, CartRef, Change, Event, What, record},
    database::{Connection, Pool},
};

/// Runs a statement that Postgres must refuse, and returns the error code.
async fn refusal(pool: &Pool, statement: &'static str) -> String {
    let refused = sqlx::query(statement).execute(pool).await.expect_err(statement);
    refused.as_database_error().and_then(sqlx::error::DatabaseError::code).expect("a code").into_owned()
}

/// Statements that would change or delete recorded events; `WAYS_AROUND` has statements that would make that possible.
const CHANGES: [&str; 3] = ["update audit_events set event = 'x'", "delete from audit_events", "truncate audit_events"];
const WAYS_AROUND: [&str; 16] = [
    "update audit_links set position = position + 1",
    "delete from audit_links",
    "truncate audit_links",
    "delete from audit_events_other",
    "truncate audit_events_other",
    "drop table audit_events_other",
    "alter table audit_events detach partition audit_events_other",
    "drop table audit_links",
    "alter table audit_events disable trigger audit_events_append_only",
    "alter table audit_events disable trigger all",
    "drop trigger audit_events_append_only on audit_events",
    "drop function refuse_change() cascade",
    "create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'",
    "alter table audit_events owner to cartwright_runtime",
    "alter table audit_events rename to other",
    "drop table audit_events cascade",
];

async fn record_one(pool: &Pool) {
    let mut connection = pool.acquire().await.expect("connection");
    let changes = vec![Change { field: "Website Name", before: "Old".into(), after: "New".into() }];
    let cart = CartRef { id: Uuid::now_v7(), name: "New".into() };
    record(&mut connection, &By::operator(), Some(&cart), &Event::CartChanged { changes }).await.expect("recorded");
}

#[sqlx::test]
async fn rows_are_kept_and_nobody_changes_them(pool: sqlx::PgPool) {
    let runtime = crate::database::roles::tests::runtime_pool(&pool).await;
    record_one(&runtime).await;
    for statement in CHANGES.into_iter().chain(WAYS_AROUND) {
        assert_eq!(refusal(&runtime, statement).await, "42501", "the runtime role may not: {statement}");
    }
    let (event, data, what): (String, serde_json::Value, String) =
        sqlx::query_as("select event, data, what from audit_events").fetch_one(&runtime).await.expect("row");
    assert_eq!((event.as_str(), what.as_str()), ("cart_changed", "carts"));
    assert_eq!(data["changes"][0]["before"], "Old");
}

#[sqlx::test]
async fn a_statement_of_the_owner_is_refused_by_the_trigger(pool: sqlx::PgPool) {
    let owner = Pool::from(&pool);
    record_one(&owner).await;
    // With privileges that an owner can always grant itself.
    sqlx::query("grant update, delete, truncate on audit_events to current_user")
        .execute(&owner)
        .await
        .expect("granted");
    for change in CHANGES {
        assert_eq!(refusal(&owner, change).await, "23001", "{change}");
    }
}

/// Inserts 20,000 rows of last month, which is one partition: nearly all of one cart and one user; the ten oldest belong
/// to another cart, user and group.
async fn long_past(pool: &Pool) -> (Uuid, Uuid) {
    let (often, rarely) = (Uuid::from_u128(1), Uuid::from_u128(2));
    sqlx::query(
        "insert into audit_events (id, at, actor_kind, actor_id, actor_name, event, cart_id, cart_name, what)
         select gen_random_uuid(), date_trunc('month', now()) - (n + 1440) * interval '1 minute', 'person',
            case when n > 19990 or n % 5000 = 0 then $2 else $1 end, 'Somebody', 'cart_turned_on',
            case when n > 19990 or n % 4999 = 0 then $2 else $1 end, 'Cart',
            case when n > 19990 then 'integration' when n % 3000 = 0 then 'carts' else 'tests' end
         from generate_series(1, 20000) n",
    )
    .bind(often)
    .bind(rarely)
    .execute(pool)
    .await
    .expect("rows");
    sqlx::query("analyze audit_events").execute(pool).await.expect("analyzed");
    (often, rarely)
}

/// Number of rows that this session has read so far, from Postgres's own statistics.
async fn read_so_far(connection: &mut Connection) -> i64 {
    let read = "select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint
                from pg_stat_xact_user_tables where relname like 'audit\\_events%'";
    sqlx::query_scalar(read).fetch_one(connection).await.expect("counted")
}

/// Reads a page. Returns the number of its rows, and the number of rows that Postgres read for it.
async fn read_by(pool: &Pool, filter: &AuditFilter, from: AuditCursor) -> (usize, i64) {
    let mut transaction = pool.acquire().await.expect("a connection");
    transaction.begin().await.expect("begun");
    let before = read_so_far(&mut transaction).await;
    let rows = list(&mut transaction, filter, from, 51).await.expect("a page");
    (rows.len(), read_so_far(&mut transaction).await - before)
}

#[sqlx::test]
async fn page_reads_only_its_own_rows(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (often, rarely) = long_past(&pool).await;
    let middle: Uuid = sqlx::query_scalar("select id from audit_events order by at limit 1 offset 10000")
        .fetch_one(&pool)
        .await
        .expect("a row");
    let some = |id: Uuid| [None, Some(id)];
    let mut filters = vec![AuditFilter { what: Some(What::Integration), ..AuditFilter::default() }];
    for cart in [some(often), some(rarely)].concat() {
        for person in [some(often), some(rarely)].concat() {
            for what in [None, Some(What::Carts), Some(What::Integration)] {
                // A filter with all three uses an index for two of them: no index covers all three.
                if cart.is_none() || person.is_none() || what.is_none() {
                    let person = person.map(|id| id.to_string());
                    filters.push(AuditFilter { cart, person, what, ..AuditFilter::default() });
                }
            }
        }
    }
    for filter in &filters {
        for from in [AuditCursor::Newest, AuditCursor::OlderThan(middle), AuditCursor::NewerThan(middle)] {
            let (rows, read) = read_by(&pool, filter, from).await;
            assert!(
                (rows..=60).contains(&usize::try_from(read).expect("never negative")),
                "{rows} rows by reading {read}: {filter:?} {from:?}"
            );
        }
    }
    assert_eq!(read_by(&pool, &filters[0], AuditCursor::Newest).await.0, 10);
}

#[sqlx::test]
async fn filter_choices_do_not_scan_the_log(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    long_past(&pool).await;
    let (people, carts) =
        (list_people(&pool, 100).await.expect("people"), list_carts(&pool, 100).await.expect("carts"));
    assert_eq!((people.len(), carts.len()), (2, 2), "{people:?} {carts:?}");
    assert_eq!(carts[0].id, Uuid::from_u128(2), "the newest first");
    for (offered, kept) in
        [(list_people(&pool, 1).await.expect("one").len(), 1), (list_carts(&pool, 1).await.expect("one").len(), 1)]
    {
        assert_eq!(offered, kept);
    }
}
