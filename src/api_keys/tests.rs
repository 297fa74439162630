use sqlx::PgPool;

use super::*;
use crate::audit::{self, By, Origin, RequiredRole};

fn new_key(name: &str, scopes: &str) -> NewApiKey {
    NewApiKey {
        name: ApiKeyName::parse(name).expect("a name"),
        scopes: KeyScopes::parse(scopes).expect("scopes"),
        carts: None,
        networks: None,
        lifetime: KeyLifetime::DEFAULT,
    }
}

fn keys(pool: &PgPool) -> ApiKeys {
    ApiKeys::new(Pool::from(pool))
}

async fn run(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.expect(statement);
}

#[sqlx::test]
async fn live_key_is_authenticated_with_its_scopes_and_carts(pool: PgPool) {
    let keys = keys(&pool);
    let cart = Uuid::now_v7();
    let new = NewApiKey { carts: Some(BTreeSet::from([cart])), ..new_key("sync-prod", "carts:read,tokens:issue") };
    let made = keys.create_as_operator(new).await.expect("a key");
    let program = keys.authenticate(made.text.expose(), None).await.expect("an answer").expect("a program");
    assert_eq!(
        (program.id, program.name.as_str(), program.ending.as_str()),
        (made.id, "sync-prod", made.text.ending())
    );
    assert!(program.has(Scope::CartsRead) && program.has(Scope::TokensIssue) && !program.has(Scope::CartsWrite));
    assert!(program.sees(cart) && !program.sees(Uuid::now_v7()));
    assert_eq!(program.actor(), Actor::Program { key: made.id, name: "sync-prod".into() });
    let unlimited = keys.create_as_operator(new_key("all", "carts:read")).await.expect("a key");
    let unlimited = keys.authenticate(unlimited.text.expose(), None).await.expect("an answer").expect("a program");
    assert!(unlimited.sees(cart));
    run(&pool, "update api_keys set scopes = '{carts:read,carts:later}'").await;
    let program = keys.authenticate(made.text.expose(), None).await.expect("an answer").expect("a program");
    assert_eq!(program.scopes, BTreeSet::from([Scope::CartsRead]), "a scope of a newer version allows nothing");
}

#[sqlx::test]
async fn key_that_is_unknown_revoked_or_ended_is_refused(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    let is_let_in = async |text: &str| keys.authenticate(text, None).await.expect("an answer").is_some();
    assert!(is_let_in(made.text.expose()).await);
    assert!(!is_let_in(ApiKeyText::generate().expose()).await, "unknown");
    for (ends, restores) in [
        (
            "update api_keys set created_at = now() - interval '91 days', ends_at = now()",
            "update api_keys set ends_at = now() + interval '1 day'",
        ),
        (
            "update api_keys set revoked_at = now(), revoked_by = 'x'",
            "update api_keys set revoked_at = null, revoked_by = null",
        ),
        (
            "update api_keys set created_at = now() + interval '2 minutes', ends_at = now() + interval '3 minutes'",
            "update api_keys set created_at = now()",
        ),
    ] {
        run(&pool, ends).await;
        assert!(!is_let_in(made.text.expose()).await, "{ends}");
        run(&pool, restores).await;
        assert!(is_let_in(made.text.expose()).await, "{restores}");
    }
}

#[sqlx::test]
async fn wrong_checksum_is_refused_without_a_query(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    run(&pool, "alter table api_keys rename to api_keys_away").await;
    let mut wrong = made.text.expose().to_owned();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    for text in [wrong.as_str(), "", "cwk_", "Bearer x"] {
        assert!(keys.authenticate(text, None).await.expect("no query").is_none(), "{text}");
    }
    keys.authenticate(made.text.expose(), None).await.expect_err("a right checksum is looked up");
}

#[sqlx::test]
async fn key_works_only_from_its_networks(pool: PgPool) {
    let keys = keys(&pool);
    let networks = KeyNetworks::parse("198.51.100.0/24, 2001:db8::/32").expect("networks");
    let made =
        keys.create_as_operator(NewApiKey { networks, ..new_key("sync-prod", "carts:read") }).await.expect("a key");
    let is_let_in = async |client: Option<&str>| {
        let client = client.map(|text| text.parse().expect("an address"));
        keys.authenticate(made.text.expose(), client).await.expect("an answer").is_some()
    };
    for inside in ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8::9"] {
        assert!(is_let_in(Some(inside)).await, "{inside}");
    }
    for outside in [Some("198.51.101.7"), Some("::ffff:203.0.113.7"), Some("2001:db9::"), None] {
        assert!(!is_let_in(outside).await, "{outside:?}");
    }
    run(&pool, "update api_keys set networks = '{unreadable}'").await;
    assert!(!is_let_in(Some("198.51.100.7")).await, "a network that cannot be read contains nobody");
}

#[sqlx::test]
async fn last_use_is_written_once_a_minute(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    let use_from = async |client: &str| {
        let client = client.parse().ok();
        keys.authenticate(made.text.expose(), client).await.expect("an answer").expect("a program");
        let key = keys.find(made.id).await.expect("an answer").expect("the key");
        key.last_used.expect("a use")
    };
    assert_eq!(keys.find(made.id).await.expect("an answer").expect("the key").last_used, None);
    let first = use_from("::ffff:198.51.100.7").await;
    assert_eq!(first.1.as_deref(), Some("198.51.100.7"));
    assert_eq!(use_from("198.51.100.8").await, first, "within the minute");
    run(&pool, "update api_key_uses set used_at = now() - interval '61 seconds'").await;
    assert_eq!(use_from("198.51.100.8").await.1.as_deref(), Some("198.51.100.8"));
}

/// A program that changes something holds its key's row locked until the change commits.
#[sqlx::test]
async fn change_in_progress_does_not_delay_the_next_request_of_its_program(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:write")).await.expect("a key");
    let program = keys.authenticate(made.text.expose(), None).await.expect("an answer").expect("a program");
    let by = By { actor: program.actor(), origin: Origin::default() };
    let mut work = keys.pool.acquire().await.expect("a connection");
    work.begin().await.expect("a transaction");
    audit::demand(&mut work, &by, RequiredRole::Change).await.expect("permitted");
    run(&pool, "update api_key_uses set used_at = now() - interval '1 hour'").await;
    assert!(keys.authenticate(made.text.expose(), None).await.expect("no wait").is_some());
    work.commit().await.expect("committed");
}

#[sqlx::test]
async fn program_with_a_revoked_key_changes_nothing(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:write")).await.expect("a key");
    let program = keys.authenticate(made.text.expose(), None).await.expect("an answer").expect("a program");
    let by = By { actor: program.actor(), origin: Origin::default() };
    let demand = async || {
        let mut work = keys.pool.acquire().await.expect("a connection");
        audit::demand(&mut work, &by, RequiredRole::Change).await
    };
    demand().await.expect("a live key");
    assert!(keys.revoke_as_operator(made.id).await.expect("revoked"));
    assert!(audit::is_not_permitted(&demand().await.expect_err("revoked")));
    assert!(!keys.revoke_as_operator(made.id).await.expect("an answer"), "revoked already");
    assert!(matches!(keys.revoke_as_operator(Uuid::now_v7()).await, Err(FindKeyError::Unknown)));
    run(&pool, "update api_keys set revoked_at = null, revoked_by = null, created_at = now() - interval '9 days', ends_at = now()").await;
    assert!(audit::is_not_permitted(&demand().await.expect_err("ended")));
    let unknown = By { actor: Actor::Program { key: Uuid::now_v7(), name: "x".into() }, ..by.clone() };
    let mut work = keys.pool.acquire().await.expect("a connection");
    let refused = audit::demand(&mut work, &unknown, RequiredRole::OwnAccount).await.expect_err("unknown");
    assert!(audit::is_not_permitted(&refused));
}

#[sqlx::test]
async fn event_of_a_program_names_its_key(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:write")).await.expect("a key");
    let by = By { actor: Actor::Program { key: made.id, name: "sync-prod".into() }, origin: Origin::default() };
    let mut work = keys.pool.acquire().await.expect("a connection");
    audit::record(&mut work, &by, None, &audit::Event::IntegrationTurnedOn).await.expect("recorded");
    let row: (String, Uuid, String) = sqlx::query_as(
        "select actor_kind, actor_id, actor_name from audit_events where event = 'integration_turned_on'",
    )
    .fetch_one(&pool)
    .await
    .expect("a row");
    assert_eq!(row, ("program".into(), made.id, "sync-prod".into()));
}

#[sqlx::test]
async fn rotation_makes_a_second_key_and_no_third(pool: PgPool) {
    let keys = keys(&pool);
    let cart = Uuid::now_v7();
    let networks = KeyNetworks::parse("198.51.100.0/24").expect("networks");
    let new = NewApiKey {
        carts: Some(BTreeSet::from([cart])),
        networks,
        lifetime: KeyLifetime::of_days(30).expect("a lifetime"),
        ..new_key("sync-prod", "carts:read,tokens:issue")
    };
    let first = keys.create_as_operator(new.clone()).await.expect("a key");
    assert!(matches!(keys.create_as_operator(new).await, Err(CreateKeyError::NameTaken)));
    let other = keys.create_as_operator(new_key("SYNC-prod", "carts:read")).await;
    assert!(matches!(other, Err(CreateKeyError::NameTaken)), "names differ in more than case");
    let rotate = async |key| keys.replace(By::operator(), key).await;
    let second = rotate(first.id).await.expect("a second key");
    let client = "198.51.100.7".parse().ok();
    for text in [&first.text, &second.text] {
        let program = keys.authenticate(text.expose(), client).await.expect("an answer").expect("both work");
        assert!(program.sees(cart) && !program.sees(Uuid::now_v7()) && program.has(Scope::TokensIssue));
        assert!(keys.authenticate(text.expose(), "203.0.113.7".parse().ok()).await.expect("an answer").is_none());
    }
    let lifetime = second.ends_at - keys.find(second.id).await.expect("an answer").expect("a key").created_at;
    assert_eq!(lifetime, time::Duration::days(30));
    for key in [first.id, second.id] {
        assert!(matches!(rotate(key).await, Err(RotateKeyError::TwoLive)));
    }
    assert!(keys.revoke_as_operator(first.id).await.expect("revoked"));
    assert!(keys.authenticate(first.text.expose(), client).await.expect("an answer").is_none());
    assert!(keys.authenticate(second.text.expose(), client).await.expect("an answer").is_some());
    assert!(matches!(rotate(first.id).await, Err(RotateKeyError::NotLive)));
    assert!(matches!(rotate(Uuid::now_v7()).await, Err(RotateKeyError::Unknown)));
    rotate(second.id).await.expect("a third key after the first is revoked");
}

#[sqlx::test]
async fn concurrent_keys_with_one_name_are_made_once(pool: PgPool) {
    let keys = keys(&pool);
    let make = || keys.create_as_operator(new_key("sync-prod", "carts:read"));
    let made = futures_util::future::join_all([make(), make(), make(), make()]).await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
}

#[sqlx::test]
async fn database_refuses_a_key_that_lives_longer_than_a_year(pool: PgPool) {
    let keys = keys(&pool);
    keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    let longer = sqlx::query("update api_keys set ends_at = created_at + interval '367 days'").execute(&pool).await;
    assert!(longer.expect_err("too long").to_string().contains("api_keys_ends_at"));
}

#[sqlx::test]
async fn end_is_announced_once_and_14_days_before(pool: PgPool) {
    let keys = keys(&pool);
    run(&pool, "update alert_settings set email_on = true, email_addresses = '{ops@northwind.example}'").await;
    let made = keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    let short = NewApiKey { lifetime: KeyLifetime::of_days(7).expect("a lifetime"), ..new_key("short", "carts:read") };
    keys.create_as_operator(short).await.expect("a key");
    let revoked = keys.create_as_operator(new_key("revoked", "carts:read")).await.expect("a key");
    keys.revoke_as_operator(revoked.id).await.expect("revoked");
    let notified = async || keys.notify_ending_soon().await.expect("an answer");
    assert_eq!(notified().await, 0, "90 days are left, 7 days are no surprise");
    run(&pool, "update api_keys set created_at = created_at - interval '77 days', ends_at = ends_at - interval '77 days' where name <> 'short'").await;
    assert_eq!(keys.find(made.id).await.expect("an answer").expect("a key").state, ApiKeyState::EndsSoon);
    assert_eq!(notified().await, 1);
    assert_eq!(notified().await, 0, "once");
    let queued: Vec<serde_json::Value> =
        sqlx::query_scalar("select data from alerts").fetch_all(&pool).await.expect("alerts");
    assert_eq!(queued.len(), 1, "{queued:?}");
    assert_eq!((&queued[0]["type"], &queued[0]["name"]), (&"api-key.ends-soon".into(), &"sync-prod".into()));
    assert_eq!(queued[0]["ending"], made.text.ending());
}

#[sqlx::test]
async fn list_begins_with_the_live_key_that_ends_first(pool: PgPool) {
    let keys = keys(&pool);
    let mut ids = Vec::new();
    for (name, days) in [("a", 90), ("b", 30), ("c", 365), ("d", 60)] {
        let lifetime = KeyLifetime::of_days(days).expect("a lifetime");
        ids.push(
            keys.create_as_operator(NewApiKey { lifetime, ..new_key(name, "carts:read") }).await.expect("a key").id,
        );
    }
    keys.revoke_as_operator(ids[1]).await.expect("revoked");
    let listed = keys.list().await.expect("keys");
    let named: Vec<(&str, ApiKeyState)> = listed.iter().map(|key| (key.name.as_str(), key.state)).collect();
    assert_eq!(
        named,
        [("d", ApiKeyState::Live), ("a", ApiKeyState::Live), ("c", ApiKeyState::Live), ("b", ApiKeyState::Revoked)]
    );
    assert_eq!(listed[3].revoked.as_ref().expect("revoked").1, "The operator");
}

#[sqlx::test]
async fn database_holds_only_the_hash_of_a_key(pool: PgPool) {
    let keys = keys(&pool);
    let made = keys.create_as_operator(new_key("sync-prod", "carts:read")).await.expect("a key");
    keys.authenticate(made.text.expose(), None).await.expect("an answer").expect("a program");
    for table in ["api_keys", "api_key_uses", "audit_events", "alerts"] {
        let rows = format!("select t::text from {table} t");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&pool).await.expect("the rows");
        assert!(!rows.join("\n").contains(&made.text.expose()[4..14]), "{table}");
    }
    let told = format!("{made:?}");
    assert!(!told.contains(&made.text.expose()[4..14]), "{told}");
}
