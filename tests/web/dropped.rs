//! A save whose client disconnects at any moment. The handler is dropped at each await point in turn: acknowledged
//! saves are stored, others completely or not at all, and no transaction stays open.

use std::{
    future::{Future, poll_fn},
    task::Poll,
};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::TestApp;

/// More saves than needed to reach every await point in one pass or in several.
const SAVES: usize = 200;

/// Polls a future this many times, each time when woken, then drops it. Returns its output if it completed.
async fn drop_at<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut so_far = 0;
    poll_fn(|context| {
        so_far += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if so_far == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Counts over a connection outside the site's pool.
async fn count(other: &mut PgConnection, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(other).await.expect("a number")
}

#[sqlx::test]
async fn save_dropped_at_any_await_point_loses_no_acknowledged_save(_: PgPoolOptions, options: PgConnectOptions) {
    let app = TestApp::start(PgPool::connect_lazy_with(options.clone())).await;
    let priya = app.priya_with_integration_on().await;
    // the site's own role: another one does not see the state of its connections
    let options = options.username("cartwright_runtime");
    let mut other = PgConnection::connect_with(&options).await.expect("a connection");
    let (mut acknowledged, mut dropped, mut in_a_row, mut polls) = (0, 0, 0, 0);
    for n in 1..=SAVES {
        polls += 1;
        let handle = format!("shop-{n}");
        app.open_store(&handle);
        let page = app.fill_new(&priya, &format!("Shop {n}"), &handle).await;
        let Some(answer) = drop_at(page.knock("Save").send(), polls).await else {
            (dropped, in_a_row) = (dropped + 1, 0);
            continue;
        };
        assert_eq!(answer.status, 303, "{}", answer.text());
        (acknowledged, in_a_row) = (acknowledged + 1, in_a_row + 1);
        let there = "select count(*) from carts where store_host = $1";
        let there = sqlx::query_scalar(there).bind(format!("{handle}.myshopify.com"));
        let there: i64 = there.fetch_one(&mut other).await.expect("a number");
        assert_eq!(there, 1, "{handle} was acknowledged");
        if in_a_row == 3 {
            // Past the last await point. On a busy machine I/O is often ready at once, so one pass may reach few await
            // points.
            if dropped >= 10 {
                break;
            }
            (polls, in_a_row) = (0, 0);
        }
    }
    assert!(dropped >= 10 && in_a_row == 3, "{dropped} dropped, {acknowledged} acknowledged");
    // A unit of work that lost its client completes in its own task; the last ones may still be running.
    let idle = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'";
    let mut looks = 0;
    while count(&mut other, idle).await > 0 {
        looks += 1;
        assert!(looks < 1_000, "a transaction is still open");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let halves = "select count(*) from carts c where \
        (select count(*) from audit_events where cart_id = c.id and event = 'cart_added') <> 1";
    assert_eq!(count(&mut other, halves).await, 0, "each cart has exactly one audit event");
    let carts = count(&mut other, "select count(*) from carts").await;
    assert!((acknowledged..=acknowledged + dropped).contains(&carts), "{carts}, {acknowledged}, {dropped}");
}
