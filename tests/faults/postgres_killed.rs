//! `kill -9` of the database while users save: no acknowledged save is lost, none is stored twice, and the server
//! recovers.

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use sqlx::Connection;

use super::{
    storm::{Journal, Storm, Told, settle},
    support::{cluster::Folder, is_long, until, world::World},
};

/// From the database's first response to the server's: the limit is 5 s, the rest is slack for a busy machine.
const BACK_WITHIN: Duration = Duration::from_secs(12);

async fn is_back(folder: &Folder) -> bool {
    match sqlx::PgConnection::connect_with(&folder.options()).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(_) => false,
    }
}

/// Kills the postmaster, alone or with all its children, and waits until the server's supervisor has restarted it.
async fn kill_and_wait(folder: &Folder, alone: bool) {
    let before = folder.postmaster().expect("postmaster runs");
    if alone {
        kill_process(before, Signal::KILL).expect("the postmaster");
    } else {
        folder.signal(Signal::KILL);
    }
    until(Duration::from_mins(1), "the database comes back", || async {
        folder.postmaster().is_some_and(|pid| pid != before) && is_back(folder).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed() {
    let world = World::with(4).await;
    let journal = Journal::default();
    for round in 0..if is_long() { 50 } else { 5 } {
        let acknowledged = journal.count(Told::Acknowledged);
        let storm = Storm::begin(&world.people, &journal).await;
        until(Duration::from_secs(30), "users save", || async {
            journal.count(Told::Acknowledged) >= acknowledged + 20
        })
        .await;
        kill_and_wait(&world.folder, round % 2 == 0).await;
        let back = Instant::now();
        let person = world.people[0].clone();
        until(BACK_WITHIN, "the server answers again", || {
            let mut person = person.clone();
            async move { person.get("/admin/ecommerce").await.is_ok_and(|page| page.status() == 200) }
        })
        .await;
        println!("round {round}: answering {:?} after the database", back.elapsed());
        storm.end().await;
        assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
        settle(&world.people, &journal).await;
        assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
    }
    assert_eq!(journal.count(Told::Refused), 0, "a killed database is no input error");
    let acknowledged = journal.count(Told::Acknowledged);
    println!("{acknowledged} saves acknowledged, 0 lost, 0 doubled");
    planted_lies_are_found(&world.folder, &journal).await;
}

/// Control of every run: the checker must notice a lost row and an extra row.
async fn planted_lies_are_found(folder: &Folder, journal: &Journal) {
    let mut connection = folder.connect().await;
    let lost = "delete from carts where id in (select id from carts limit 2)";
    assert_eq!(sqlx::query(lost).execute(&mut connection).await.expect("deleted").rows_affected(), 2);
    sqlx::query("update carts set submission_id = gen_random_uuid() where id in (select id from carts limit 1)")
        .execute(&mut connection)
        .await
        .expect("an unknown row");
    let found = journal.contradictions(folder).await;
    assert_eq!(found.iter().filter(|lie| lie.contains("Acknowledged and 0 times")).count(), 3, "{found:?}");
    assert_eq!(found.iter().filter(|lie| lie.contains("never asked for")).count(), 1, "{found:?}");
}

/// Control of the long run: with asynchronous commit, the same kills lose acknowledged rows.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_loses_rows_without_synchronous_commit() {
    if !is_long() {
        println!("only with CARTWRIGHT_FAULTS=long: how much is lost depends on the disk");
        return;
    }
    let world = World::with(1).await;
    let mut connection = world.folder.connect().await;
    sqlx::query("create table control (n bigint primary key)").execute(&mut connection).await.expect("a table");
    let (mut next, mut lost) = (0_i64, 0);
    for _ in 0..20 {
        let acknowledged = insert_without_waiting(&world.folder, &mut next).await;
        kill_and_wait(&world.folder, false).await;
        let there = world.folder.count("select count(*) from control").await;
        lost += acknowledged - there;
        sqlx::query("truncate control").execute(&mut world.folder.connect().await).await.expect("emptied");
        if lost > 0 {
            println!("{lost} acknowledged rows were lost");
            return;
        }
    }
    panic!("the control lost no row, so the kills prove nothing");
}

/// Inserts for 500 ms over a separate connection with `synchronous_commit = off`; returns the number of acknowledged
/// rows.
async fn insert_without_waiting(folder: &Folder, next: &mut i64) -> i64 {
    let mut connection = folder.connect().await;
    sqlx::query("set synchronous_commit = off").execute(&mut connection).await.expect("set");
    let (begun, first) = (Instant::now(), *next);
    while begun.elapsed() < Duration::from_millis(500) {
        sqlx::query("insert into control values ($1)").bind(*next).execute(&mut connection).await.expect("inserted");
        *next += 1;
    }
    *next - first
}
