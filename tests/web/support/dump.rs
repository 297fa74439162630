//! Dumps the whole database as text, to check that nothing changed or that it does not contain a value.

use std::collections::BTreeMap;

use sqlx::{PgPool, Row};

/// Every row of every table, with bytes in hex. The activity's partitions are listed as one table; the queue
/// `audit_unlinked` is left out.
pub type Dump = BTreeMap<String, Vec<String>>;

pub async fn dump(pool: &PgPool) -> Dump {
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                 and not relispartition and relname <> 'audit_unlinked' order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the tables");
    assert!(tables.iter().any(|table| table == "carts"), "no tables to look at: {tables:?}");
    let mut dump = Dump::new();
    for table in tables {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("select t::text from \"{table}\" t order by 1")))
            .fetch_all(pool)
            .await
            .expect("the rows");
        dump.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    dump
}

/// Number of rows in a table.
pub async fn count(pool: &PgPool, table: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(query).fetch_one(pool).await.expect("a count")
}

/// Runs a statement as someone with write access to the database would.
pub async fn tamper(pool: &PgPool, statement: &str) {
    let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(pool).await.expect("the statement");
    assert!(done.rows_affected() > 0, "no row was changed: {statement}");
}

/// The audit events, oldest first.
pub async fn events(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select event from audit_events order by at, id").fetch_all(pool).await.expect("the activity")
}
