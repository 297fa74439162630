use super::*;

/// A pool of the runtime role for the same database.
pub(crate) async fn runtime_pool(pool: &sqlx::PgPool) -> Pool {
    let granted = grant(&Pool::from(pool), RUNTIME).await;
    granted.expect("the tests' Postgres has the role: create role cartwright_runtime login");
    Pool::new([pool.connect_options().as_ref().clone().username(RUNTIME)])
}

const RUNTIME: &str = "cartwright_runtime";

async fn statements_left(owner: &Pool) -> Vec<String> {
    sqlx::query_file_scalar!("src/database/grants.sql", RUNTIME).fetch_all(owner).await.expect("the statements")
}

async fn execute(pool: &Pool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.expect(statement);
}

#[sqlx::test]
async fn grant_gives_what_serving_needs_and_is_done_once(pool: sqlx::PgPool) {
    let owner = Pool::from(&pool);
    let left = statements_left(&owner).await;
    assert!(left.iter().any(|one| one == "grant insert on audit_events to cartwright_runtime"), "{left:?}");
    assert!(left.iter().any(|one| one == "grant update on carts to cartwright_runtime"), "{left:?}");
    assert!(!left.iter().any(|one| one.contains(" audit_events to ") && one.contains("update")), "{left:?}");
    let runtime = runtime_pool(&pool).await;
    assert_eq!(statements_left(&owner).await, [""; 0]);
    execute(&runtime, "delete from throttle").await;
    execute(&runtime, "select * from audit_events").await;
}

#[sqlx::test]
async fn grant_takes_back_what_the_runtime_role_must_not_have(pool: sqlx::PgPool) {
    let owner = Pool::from(&pool);
    let runtime = runtime_pool(&pool).await;
    assert!(!RoleFacts::read(&runtime).await.expect("facts").may_change_activity);
    execute(&owner, "grant all on audit_events, _sqlx_migrations to cartwright_runtime").await;
    execute(&owner, "grant create on schema public to cartwright_runtime").await;
    assert!(RoleFacts::read(&runtime).await.expect("facts").may_change_activity);
    grant(&owner, RUNTIME).await.expect("granted");
    assert!(!RoleFacts::read(&runtime).await.expect("facts").may_change_activity);
    for statement in ["truncate audit_events", "delete from _sqlx_migrations", "create table mine ()"] {
        let refused = sqlx::query(statement).execute(&runtime).await.expect_err(statement);
        assert_eq!(
            refused.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("42501"),
            "{statement}"
        );
    }
}

#[sqlx::test]
async fn the_owner_is_known_as_one_who_may_change_the_activity(pool: sqlx::PgPool) {
    let facts = RoleFacts::read(&Pool::from(&pool)).await.expect("facts");
    assert_eq!((facts.is_superuser, facts.superuser_by_membership.as_deref()), (false, None), "{facts:?}");
    assert!(facts.may_change_activity);
}

#[sqlx::test]
async fn a_role_that_does_not_exist_is_named(pool: sqlx::PgPool) {
    let refused = grant(&Pool::from(&pool), "nobody_of_this_name").await.expect_err("no such role");
    assert!(format!("{refused:#}").contains("nobody_of_this_name"), "{refused:#}");
}
