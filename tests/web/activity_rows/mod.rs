//! A change and its audit event are atomic: a trigger refuses the event, and the change must not have happened; without
//! the trigger, the same action writes both. Checked for every event, and again where another function writes the same
//! event.
//!
//! Some events accompany no other change (`could_not_sign_in`, `was_refused`); refusing these leaves nothing. Some
//! report what happened outside the database: an e-mail that is resent, or a key that already seals secrets. Each
//! such test says what holds instead.

mod activity;
mod alerts;
mod api_keys;
mod bulk;
mod carts;
mod health;
mod keys;
mod people;
mod tokens;
mod users;

use std::collections::BTreeSet;

use cartwright::audit::Event;
use sqlx::PgPool;

use crate::support::dump::{Dump, dump, events};

/// The events whose actions are performed in these files; each test is held to its list.
const PROVED: [&[&str]; 15] = [
    activity::PROVED,
    alerts::MAIL,
    alerts::SETTINGS,
    alerts::WEBHOOK,
    api_keys::PROVED,
    bulk::PROVED,
    carts::INTEGRATION,
    carts::PROVED,
    health::PROVED,
    keys::PROVED,
    people::OWN,
    people::SIGN_IN,
    tokens::HANDED,
    tokens::PROVED,
    users::PROVED,
];

#[test]
fn every_event_has_an_atomicity_test() {
    // serde's error for an unknown variant lists all variants.
    let refused = serde_json::from_value::<Event<String>>(serde_json::json!({ "event": "?" })).expect_err("none");
    let told = refused.to_string();
    let names: BTreeSet<&str> = told.split('`').skip(3).step_by(2).collect();
    assert!(names.len() >= 40, "{told}");
    let proved: BTreeSet<&str> = PROVED.into_iter().flatten().copied().collect();
    assert_eq!(names, proved, "events without a proof: add them in tests/web/activity_rows/");
}

/// Leases are taken before an action and expire; these statements expire them at once.
const LEASES_END: [&str; 5] = [
    "update carts set minting_until = null where minting_until is not null",
    "update cart_health set leased_until = null where leased_until is not null",
    "update job_items set leased_until = null where leased_until is not null",
    "update alert_deliveries set leased_until = null, attempts = 0 where leased_until is not null",
    "update alert_recipients set leased_until = null, attempts = 0 where leased_until is not null",
];
/// The parts of these tables that only change with an event. The rest may change without one: attempt counts, drafts,
/// started tests, counts of sealed secrets, a session's pending message and its last use.
const KEPT_IN_PART: [(&str, &str); 5] = [
    ("sessions", "select row(id_hash, user_id, created_at, authenticated_at, handle)::text from sessions order by 1"),
    ("throttle", "select '' where false"),
    ("unsaved_credentials", "select '' where false"),
    ("connection_tests", "select t::text from connection_tests t where finished_at is not null order by 1"),
    ("vault_keys", "select row(key_id, check_value, retired_at, resealed_count)::text from vault_keys order by 1"),
];

/// The events proved by one test, on one database.
struct Proofs {
    pool: PgPool,
    done: Vec<&'static str>,
}

impl Proofs {
    fn begin(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), done: Vec::new() }
    }

    /// Performs the action with its event refused, and then again normally.
    async fn prove(&mut self, event: &'static str, deed: impl AsyncFn()) {
        let before = self.kept().await;
        self.refused(event, &deed).await;
        let after = self.kept().await;
        for (table, rows) in &before {
            assert_eq!(&after[table], rows, "{event}: changed {table} without its event");
        }
        self.execute("delete from connection_tests where finished_at is null").await;
        let rows = events(&self.pool).await;
        deed().await;
        let written = events(&self.pool).await;
        assert!(written[rows.len()..].iter().any(|name| name == event), "{event}: {:?}", &written[rows.len()..]);
        assert_ne!(self.kept().await, before, "{event}");
        self.done.push(event);
    }

    /// Performs the action while inserting this event fails. A sequence, which is not rolled back, shows that the
    /// insert was attempted.
    async fn refused(&self, event: &str, deed: impl AsyncFn()) {
        self.execute("create sequence refusals").await;
        self.execute(
            "create or replace function refuse_row() returns trigger language plpgsql security definer as
             $$ begin
                 if new.event = tg_argv[0] then perform nextval('refusals'); raise exception 'no row'; end if;
                 return new;
             end $$",
        )
        .await;
        let trigger = "create trigger no_row before insert on audit_events for each row execute function refuse_row";
        self.execute(&format!("{trigger}('{event}')")).await;
        deed().await;
        self.execute("drop trigger no_row on audit_events").await;
        let was_tried: bool =
            sqlx::query_scalar("select is_called from refusals").fetch_one(&self.pool).await.expect("a sequence");
        assert!(was_tried, "{event}: the action wrote no such event");
        self.execute("drop sequence refusals").await;
    }

    /// Dumps everything except what may be written before an action commits.
    async fn kept(&self) -> Dump {
        for statement in LEASES_END {
            self.execute(statement).await;
        }
        let mut kept = dump(&self.pool).await;
        for (table, part) in KEPT_IN_PART {
            let rows = sqlx::query_scalar(part).fetch_all(&self.pool).await.expect("the rows");
            kept.insert(table.to_owned(), rows).expect("a table");
        }
        kept
    }

    async fn execute(&self, statement: &str) {
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&self.pool).await.expect("a statement");
    }

    /// Asserts that exactly the promised events are proved.
    #[track_caller]
    fn are(&self, promised: &[&str]) {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(set(&self.done), set(promised));
    }
}
