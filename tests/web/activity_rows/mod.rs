//! A change and its row in the activity are one: the row is refused by a trigger, and the change must not have happened; with
//! the trigger gone, the same deed leaves both. Once for every event, and again where another verb writes the same one.
//!
//! Some events are no change of anything else (`could_not_sign_in`, `was_refused`): there the row refused leaves nothing. Some
//! tell of what was done outside of the database: a mail that is sent again, a key under which secrets rest already. What must
//! hold of them is said where it is proved.

mod activity;
mod alerts;
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

/// The events whose deeds are done in these files; each test is held to its list.
const PROVED: [&[&str]; 13] = [
    activity::PROVED,
    alerts::MAIL,
    alerts::SETTINGS,
    alerts::WEBHOOK,
    bulk::PROVED,
    carts::INTEGRATION,
    carts::PROVED,
    health::PROVED,
    keys::PROVED,
    people::OWN,
    people::SIGN_IN,
    tokens::PROVED,
    users::PROVED,
];

#[test]
fn every_event_is_proved_to_be_written_with_its_change() {
    // serde names all variants when it refuses one.
    let refused = serde_json::from_value::<Event<String>>(serde_json::json!({ "event": "?" })).expect_err("none");
    let told = refused.to_string();
    let names: BTreeSet<&str> = told.split('`').skip(3).step_by(2).collect();
    assert!(names.len() >= 40, "{told}");
    let proved: BTreeSet<&str> = PROVED.into_iter().flatten().copied().collect();
    assert_eq!(names, proved, "an event without a proof: do its deed in tests/web/activity_rows/");
}

/// Leases are taken before a deed and end by themselves: as if their time were over.
const LEASES_END: [&str; 5] = [
    "update carts set minting_until = null where minting_until is not null",
    "update cart_health set leased_until = null where leased_until is not null",
    "update job_items set leased_until = null where leased_until is not null",
    "update alert_deliveries set leased_until = null, attempts = 0 where leased_until is not null",
    "update alert_recipients set leased_until = null, attempts = 0 where leased_until is not null",
];
/// Of these tables the rest may be written without a row: tries, drafts, the begin of a test, the count of seals, what a session's
/// next page says and when it was seen.
const KEPT_IN_PART: [(&str, &str); 5] = [
    ("sessions", "select row(id_hash, user_id, created_at, authenticated_at, handle)::text from sessions order by 1"),
    ("throttle", "select '' where false"),
    ("unsaved_credentials", "select '' where false"),
    ("connection_tests", "select t::text from connection_tests t where finished_at is not null order by 1"),
    ("vault_keys", "select row(key_id, check_value, retired_at, resealed_count)::text from vault_keys order by 1"),
];

/// The proofs of one test, in one database.
struct Proofs {
    pool: PgPool,
    done: Vec<&'static str>,
}

impl Proofs {
    fn begin(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), done: Vec::new() }
    }

    /// Does the deed with its row refused, and then once more.
    async fn prove(&mut self, event: &'static str, deed: impl AsyncFn()) {
        let before = self.kept().await;
        self.refused(event, &deed).await;
        let after = self.kept().await;
        for (table, rows) in &before {
            assert_eq!(&after[table], rows, "{event}: it happened without its row, in {table}");
        }
        self.execute("delete from connection_tests where finished_at is null").await;
        let rows = events(&self.pool).await;
        deed().await;
        let written = events(&self.pool).await;
        assert!(written[rows.len()..].iter().any(|name| name == event), "{event}: {:?}", &written[rows.len()..]);
        assert_ne!(self.kept().await, before, "{event}");
        self.done.push(event);
    }

    /// Does the deed while no row of this event can be written. That one was tried is seen by a sequence, which no rollback
    /// turns back.
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
        assert!(was_tried, "{event}: the deed wrote no row");
        self.execute("drop sequence refusals").await;
    }

    /// Everything but what is allowed to be written before a deed.
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

    /// Everything that was promised is proved, and nothing else.
    #[track_caller]
    fn are(&self, promised: &[&str]) {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(set(&self.done), set(promised));
    }
}
