use super::*;
use crate::database::{Pool, roles::tests::runtime_pool};

async fn execute(pool: &Pool, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(pool).await.expect("a statement");
}

/// Inserts and links this many rows, one second apart, oldest first.
async fn recorded(pool: &Pool, rows: i32) {
    execute(
        pool,
        &format!(
            "insert into audit_events (id, at, actor_kind, actor_id, actor_name, actor_email, event, cart_id, cart_name, data, request_id,
                 ip, user_agent, what)
             select gen_random_uuid(), now() - make_interval(secs => {rows} - n), 'person', gen_random_uuid(), 'Sam Lee',
                 'sam@northwind.example', 'cart_turned_on', gen_random_uuid(), 'Tea', '{{}}', 'reference', '192.0.2.1', 'Firefox', 'carts'
             from generate_series(1, {rows}) n"
        ),
    )
    .await;
    link_all(pool).await;
}

async fn link_all(pool: &Pool) {
    while link_new_rows(pool).await.expect("linked") > 0 {}
}

/// Removes all write protection, as the owner can.
async fn unlocked(pool: &sqlx::PgPool) -> Pool {
    let owner = Pool::from(pool);
    execute(&owner, "grant update, delete, truncate on audit_events, audit_links to current_user").await;
    execute(&owner, "alter table audit_events disable trigger user").await;
    execute(&owner, "alter table audit_links disable trigger user").await;
    owner
}

async fn report(pool: &Pool) -> ChainReport {
    verify(pool, &[], |_, _| {}).await.expect("read")
}

/// Start of a subquery for the event at a position.
const ROW: &str = "(select event_id from audit_links where position =";

#[sqlx::test]
async fn rows_are_linked_in_batches_and_verify(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    assert_eq!(report(&pool).await, ChainReport::default());
    recorded(&pool, 1_201).await;
    recorded(&pool, 2).await;
    let mut heard = Vec::new();
    let found = verify(&pool, &[], |done, whole| heard.push((done, whole))).await.expect("read");
    assert_eq!((found.rows, &found.faults, found.dropped_until), (1_203, &Vec::new(), None));
    assert_eq!(found.head, find_chain_head(&pool).await.expect("a head"));
    assert_eq!(found.head.map(|head| head.position), Some(1_203));
    assert_eq!(heard.last(), Some(&(2_406, 2_406)));
}

#[sqlx::test]
async fn processes_that_link_at_once_make_one_chain(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    execute(
        &pool,
        "insert into audit_events (id, actor_kind, actor_name, event, what)
         select gen_random_uuid(), 'system', 'System', 'signed_out', 'people' from generate_series(1, 2000)",
    )
    .await;
    let tries = (0..8).map(|_| link_new_rows(&pool));
    futures_util::future::try_join_all(tries).await.expect("nobody fails");
    link_all(&pool).await;
    let found = report(&pool).await;
    assert_eq!((found.rows, found.faults), (2_000, Vec::new()));
}

#[sqlx::test]
async fn a_changed_column_is_named_whichever_it_is(pool: sqlx::PgPool) {
    recorded(&runtime_pool(&pool).await, 3).await;
    let owner = unlocked(&pool).await;
    let changes = [
        ("actor_email", "null"),
        ("actor_id", "gen_random_uuid()"),
        ("actor_kind", "'system'"),
        ("actor_name", "'Ada'"),
        ("cart_id", "null"),
        ("cart_name", "''"),
        ("data", "'{\"a\": 1}'"),
        ("event", "'cart_turned_off'"),
        ("ip", "'192.0.2.2'"),
        ("request_id", "null"),
        ("user_agent", "null"),
        ("what", "null"),
    ];
    let columns = "select attname::text from pg_attribute where attrelid = 'audit_events'::regclass and attnum > 0 and not attisdropped
                   and attname not in ('id', 'at') order by 1";
    let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&owner).await.expect("columns");
    assert_eq!(columns, changes.map(|(column, _)| column), "a column that is not hashed proves nothing");
    execute(&owner, "create table kept as select * from audit_events").await;
    for (column, value) in changes {
        execute(&owner, &format!("update audit_events set {column} = {value} where id = {ROW} 2)")).await;
        let found = report(&owner).await;
        assert!(matches!(found.faults[..], [ChainFault::Changed { position: 2, .. }]), "{column}: {:?}", found.faults);
        execute(&owner, &format!("update audit_events e set {column} = k.{column} from kept k where k.id = e.id"))
            .await;
    }
    assert!(report(&owner).await.is_intact());
    execute(&owner, &format!("update audit_events set at = at + interval '1 microsecond' where id = {ROW} 2)")).await;
    let found = report(&owner).await;
    assert!(
        matches!(found.faults[..], [ChainFault::RowMissing { position: 2, .. }, ChainFault::RowUnlinked { .. }]),
        "{:?}",
        found.faults
    );
}

#[sqlx::test]
async fn a_missing_an_inserted_and_a_reordered_row_are_named(pool: sqlx::PgPool) {
    recorded(&runtime_pool(&pool).await, 9).await;
    let owner = unlocked(&pool).await;
    execute(&owner, &format!("delete from audit_events where id = {ROW} 2)")).await;
    execute(
        &owner,
        "insert into audit_events (id, actor_kind, actor_name, event, what)
         values ('00000000-0000-7000-8000-000000000001', 'system', 'System', 'signed_out', 'people')",
    )
    .await;
    execute(&owner, "update audit_links set position = 100 where position = 5").await;
    execute(&owner, "update audit_links set position = 5 where position = 6").await;
    execute(&owner, "update audit_links set position = 6 where position = 100").await;
    execute(&owner, "delete from audit_links where position = 9").await;
    let found = report(&owner).await;
    let text: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
    assert!(text[0].starts_with("missing: position 2, event ") && text[0].ends_with("is gone"), "{text:?}");
    assert!(text[1].starts_with("changed: position 5, ") && text[2].starts_with("changed: position 6, "), "{text:?}");
    let inserted: Vec<_> = text.iter().filter(|line| line.starts_with("inserted: event ")).collect();
    assert_eq!(inserted.len(), 2, "one that was added and one that lost its link: {text:?}");
    assert!(text.iter().any(|line| line.contains("00000000-0000-7000-8000-000000000001")), "{text:?}");
}

#[sqlx::test]
async fn a_row_dated_before_those_ahead_of_it_is_named(pool: sqlx::PgPool) {
    let pool = runtime_pool(&pool).await;
    recorded(&pool, 2).await;
    execute(
        &pool,
        "insert into audit_events (id, at, actor_kind, actor_name, event, what)
         values (gen_random_uuid(), now() - interval '2 hours', 'system', 'System', 'signed_out', 'people')",
    )
    .await;
    link_all(&pool).await;
    let found = report(&pool).await;
    assert!(matches!(found.faults[..], [ChainFault::Backdated { position: 3, .. }]), "{:?}", found.faults);
}

#[sqlx::test]
async fn a_row_whose_link_was_kept_back_is_named_after_ten_minutes(pool: sqlx::PgPool) {
    let runtime = runtime_pool(&pool).await;
    execute(
        &runtime,
        "insert into audit_events (id, at, actor_kind, actor_name, event, what)
         select gen_random_uuid(), now() - make_interval(mins => ago), 'system', 'System', 'signed_out', 'people' from unnest(array[9, 11]) ago",
    )
    .await;
    let found = report(&runtime).await;
    assert!(matches!(found.faults[..], [ChainFault::RowUnlinked { .. }]), "{:?}", found.faults);
    execute(&unlocked(&pool).await, "delete from audit_events").await;
    let found = report(&runtime).await;
    assert!(matches!(found.faults[..], [ChainFault::RowLost { .. }]), "{:?}", found.faults);
}

#[sqlx::test]
async fn a_rewritten_and_a_cut_chain_are_noticed_by_an_earlier_head(pool: sqlx::PgPool) {
    recorded(&runtime_pool(&pool).await, 3).await;
    let owner = unlocked(&pool).await;
    let head = find_chain_head(&owner).await.expect("read").expect("a head");
    assert!(verify(&owner, &[head], |_, _| {}).await.expect("read").is_intact());
    execute(&owner, &format!("update audit_events set actor_name = 'Ada' where id = {ROW} 2)")).await;
    execute(&owner, "delete from audit_links").await;
    execute(&owner, "insert into audit_unlinked (event_id, event_at) select id, at from audit_events").await;
    link_all(&owner).await;
    assert!(report(&owner).await.is_intact(), "a whole new chain agrees with itself");
    let found = verify(&owner, &[head], |_, _| {}).await.expect("read");
    assert_eq!(found.faults, [ChainFault::HeadDiffers { head }]);
    execute(&owner, &format!("delete from audit_events where id = {ROW} 3)")).await;
    execute(&owner, "delete from audit_links where position = 3").await;
    let found = verify(&owner, &[head], |_, _| {}).await.expect("read");
    assert_eq!(found.faults, [ChainFault::HeadMissing { head }]);
}

fn row() -> ChainedRow {
    ChainedRow {
        id: Uuid::from_u128(7),
        at: 845_000_000_000_000_i64.to_be_bytes().to_vec(),
        actor_kind: "person".into(),
        actor_id: None,
        actor_name: "Sam Lee".into(),
        actor_email: Some("sam@northwind.example".into()),
        event: "signed_in".into(),
        cart_id: None,
        cart_name: None,
        data: "{}".into(),
        request_id: Some(String::new()),
        ip: Some("192.0.2.1".into()),
        user_agent: None,
        what: Some("people".into()),
    }
}

/// The expected value was computed independently, with Python's hashlib: a link made today must verify as long as it is
/// kept.
#[test]
fn the_hash_of_a_link_is_the_documented_one() {
    let head = ChainHead { position: 1, hash: link_hash(&GENESIS, 1, &row()) };
    assert_eq!(head.to_string(), "1:bccf0150cf181fcd37269cfc13ce720e219eef993e3b56e8ac6cc7c9f3b85f43");
    assert_eq!(head.to_string().parse(), Ok(head));
}

#[test]
fn no_two_rows_have_one_encoding() {
    let hash = |row: ChainedRow| link_hash(&GENESIS, 1, &row);
    let base = hash(row());
    let none = ChainedRow { request_id: None, ..row() };
    let moved = ChainedRow { actor_kind: "personS".into(), actor_name: "am Lee".into(), ..row() };
    let swapped = ChainedRow { cart_name: Some("192.0.2.1".into()), ip: None, ..row() };
    for other in [hash(none), hash(moved), hash(swapped), link_hash(&GENESIS, 2, &row()), link_hash(&base, 1, &row())] {
        assert_ne!(base, other);
    }
}

#[test]
fn what_is_no_head_is_refused() {
    let hash = "ab".repeat(32);
    for text in [
        "",
        "5",
        &format!("0:{hash}"),
        &format!("-1:{hash}"),
        "5:abcd",
        &format!("5:{}", "zz".repeat(32)),
        &format!("5:{}é", "a".repeat(62)),
    ] {
        assert_eq!(text.parse::<ChainHead>(), Err(ChainHeadError), "{text}");
    }
}
