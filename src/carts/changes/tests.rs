use uuid::Uuid;

use super::*;
use crate::database::Pool;

async fn begin(pool: &Pool) -> crate::database::Lease {
    let mut connection = pool.acquire().await.expect("a connection");
    connection.begin().await.expect("begun");
    connection
}

async fn write(work: &mut Connection, name: &str) {
    let facts = ChangeFacts { website_name: name.to_owned(), ..ChangeFacts::default() };
    note(work, ChangeKind::Changed, Some(Uuid::nil()), &facts).await.expect("written");
}

/// Follows the feed from this cursor; returns the names, and the cursor behind them.
async fn follow(changes: &Changes, from: Uuid) -> (Vec<String>, Uuid) {
    let page = changes.read(ChangeCursor::After(from), 100, |_| true).await.expect("read").expect("kept");
    (page.changes.into_iter().map(|change| change.facts.website_name).collect(), page.cursor)
}

fn changes_of(pool: &Pool) -> Changes {
    Changes::new(pool.clone(), TaskTracker::new())
}

/// Two transactions overlap, and the one whose row comes later commits first. The test server runs other transactions too,
/// which only delay what is read: so it asserts what is never read, and reads again until everything is.
#[sqlx::test]
async fn change_that_commits_late_is_not_skipped(pool: sqlx::PgPool) {
    let pool = Pool::from(&pool);
    let changes = changes_of(&pool);
    let start = changes.read(ChangeCursor::Oldest, 1, |_| true).await.expect("read").expect("kept").cursor;
    let (mut early, mut late) = (begin(&pool).await, begin(&pool).await);
    write(&mut early, "early").await;
    write(&mut late, "late").await;
    late.commit().await.expect("committed");
    let (names, cursor) = follow(&changes, start).await;
    assert!(names.is_empty(), "a reader must not pass the transaction that still runs: {names:?}");
    early.commit().await.expect("committed");
    let (mut read, mut cursor) = (names, cursor);
    while read.len() < 2 {
        let (names, next) = follow(&changes, cursor).await;
        read.extend(names);
        cursor = next;
        tokio::task::yield_now().await;
    }
    assert_eq!(read, ["early", "late"]);
    assert_eq!(follow(&changes, cursor).await.0, Vec::<String>::new(), "each once");
}

#[sqlx::test]
async fn rolled_back_change_is_not_in_the_feed(pool: sqlx::PgPool) {
    let pool = Pool::from(&pool);
    let changes = changes_of(&pool);
    let mut undone = begin(&pool).await;
    write(&mut undone, "undone").await;
    undone.rollback().await.expect("rolled back");
    let mut done = begin(&pool).await;
    write(&mut done, "done").await;
    done.commit().await.expect("committed");
    let (mut read, mut cursor) = (Vec::new(), Uuid::nil());
    while read.is_empty() {
        let (names, next) = follow(&changes, cursor).await;
        read.extend(names);
        cursor = next;
        tokio::task::yield_now().await;
    }
    assert_eq!(read, ["done"]);
}

#[sqlx::test]
async fn old_changes_are_deleted_except_the_newest(pool: sqlx::PgPool) {
    let pool = Pool::from(&pool);
    let changes = changes_of(&pool);
    for name in ["one", "two"] {
        let mut work = begin(&pool).await;
        write(&mut work, name).await;
        work.commit().await.expect("committed");
    }
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from cart_changes order by xid, position").fetch_all(&pool).await.expect("ids");
    sqlx::query("update cart_changes set at = now() - interval '31 days'").execute(&pool).await.expect("a month");
    assert_eq!(changes.delete_old().await.expect("deleted"), 2);
    assert!(changes.read(ChangeCursor::After(ids[1]), 10, |_| true).await.expect("read").is_none(), "too old");
    let kept = changes.read(ChangeCursor::After(ids[2]), 10, |_| true).await.expect("read");
    assert!(kept.is_some_and(|page| page.cursor == ids[2]), "a reader of a quiet feed keeps its place");
}

/// A database that was restored into another server has transaction IDs of the future.
#[sqlx::test]
async fn cursor_of_another_server_is_refused(pool: sqlx::PgPool) {
    let pool = Pool::from(&pool);
    let changes = changes_of(&pool);
    let future = "update cart_changes set xid = '9000000000000000000'::xid8 returning id";
    let id: Uuid = sqlx::query_scalar(future).fetch_one(&pool).await.expect("moved");
    assert!(changes.read(ChangeCursor::After(id), 10, |_| true).await.expect("read").is_none());
    changes.delete_old().await.expect("deleted");
    let kinds: Vec<String> = sqlx::query_scalar("select kind from cart_changes").fetch_all(&pool).await.expect("kinds");
    assert_eq!(kinds, ["feed.begun"], "an emptied feed starts with its marker");
}

#[test]
fn kinds_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = ChangeKind::ALL.into_iter().map(ChangeKind::as_str).collect();
    assert_eq!(names.len(), ChangeKind::ALL.len());
}
