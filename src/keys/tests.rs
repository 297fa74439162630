//! Tests of a rotation against a real database and a practice store: secrets must work before, during and after it.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::*;
use crate::{
    audit::{Actor, Authority, By, Origin},
    carts::{
        self, CartHandles, CartId, CartSubmission, CredentialInput, Progress, SavedCart, Status, TestReport,
        TestSubject, Visitor, WebsiteName,
    },
    causes::Class,
    clock::Clock,
    database::Pool,
    platforms::shopify::{
        address::StoreAddress,
        client::{Egress, ShopifyClient},
        credential::{Credential, CredentialKind},
    },
    practice::{Canned, Options, Practice, PracticeStore, Scenario},
    vault::{Binding, KeyRing, Place, Vault, key_ring},
};

const HANDLE: &str = "northwind-tea";

/// One database, one Shopify stand-in, two keys, and a browser session of the user Priya.
struct World {
    pool: Pool,
    practice: Practice,
    old: String,
    new: String,
    visitor: Visitor,
}

impl World {
    async fn new(pool: Pool) -> Self {
        let practice = Practice::start(Options::test()).await.expect("the stand-in");
        let (person, session) = (Uuid::now_v7(), vec![7; 32]);
        sqlx::query("insert into users (id, email, name, role, password_hash) values ($1, 'priya@northwind.example', 'Priya Shah', 'administrator', '')")
            .bind(person)
            .execute(&pool)
            .await
            .expect("a person");
        sqlx::query("insert into sessions (id_hash, user_id) values ($1, $2)")
            .bind(&session)
            .bind(person)
            .execute(&pool)
            .await
            .expect("a session");
        let (name, email) = ("Priya Shah".into(), "priya@northwind.example".into());
        let actor = Actor::Person { id: person, name, email, authority: Authority::Session(session.clone()) };
        let visitor = Visitor::in_session(By { actor, origin: Origin::default() }, session);
        Self { pool, practice, old: KeyRing::generate_line(), new: KeyRing::generate_line(), visitor }
    }

    fn both(&self) -> String {
        format!("{}\n{}\n", self.new, self.old)
    }

    async fn vault(&self, lines: &str) -> Vault {
        let ring = KeyRing::parse(lines).expect("keys");
        Vault::open_with(ring, self.pool.clone()).await.expect("a vault")
    }

    /// Starts a server with this key file.
    async fn server(&self, lines: &str) -> CartHandles {
        let egress = Egress {
            proxy: Some(self.practice.proxy_url().parse().expect("a proxy")),
            extra_roots_pem: Some(self.practice.ca_pem().as_bytes().to_vec()),
        };
        let client = ShopifyClient::new(&egress).expect("a client");
        let vault = Arc::new(self.vault(lines).await);
        carts::open(self.pool.clone(), vault, Arc::new(client), false, Clock::System)
    }

    /// Runs `cartwright keys rotate` with this key file.
    async fn rotate(&self, lines: &str) -> RotationReport {
        let vault = Arc::new(self.vault(lines).await);
        rotate(&vault, &self.pool, |_, _| {}).await.expect("rotated")
    }

    fn store(&self, handle: &str) -> Arc<PracticeStore> {
        self.practice.stores().put(handle, PracticeStore::sample(handle))
    }

    fn token(store: &PracticeStore) -> Credential {
        let secret = SecretString::from(store.access_token.expose_secret());
        Credential::from_stored(CredentialKind::AccessToken, None, secret).expect("a token")
    }

    fn pair(store: &PracticeStore) -> Credential {
        let secret = SecretString::from(store.client_secret.expose_secret());
        Credential::from_stored(CredentialKind::ClientCredentials, Some(store.client_id.clone()), secret)
            .expect("a pair")
    }

    fn submission(id: Uuid, handle: &str, offered: CredentialInput) -> CartSubmission {
        let name = WebsiteName::parse(&format!("Shop {handle}")).expect("a name");
        CartSubmission { id, name, address: address(handle), offered, wants_active: true }
    }

    async fn save(&self, server: &CartHandles, handle: &str, credential: Credential) -> SavedCart {
        let submission = Self::submission(Uuid::new_v4(), handle, CredentialInput::Typed(credential));
        server.carts.add(self.visitor.clone(), submission).await.expect("saved")
    }

    /// Runs *Test Connection* for a new cart.
    async fn test_new(&self, server: &CartHandles, form: Uuid, handle: &str, credential: Credential) -> TestReport {
        let offered = CredentialInput::Typed(credential);
        let subject = TestSubject { submission: form, cart: None, address: address(handle), offered };
        report(server.connection_tests.start(self.visitor.clone(), subject).await.expect("a test").progress).await
    }

    /// The input for a test of this cart's saved credential.
    async fn saved_subject(&self, server: &CartHandles, cart: CartId) -> TestSubject {
        let cart = server.carts.find(cart).await.expect("the database").expect("the cart");
        let kind = cart.credential.as_ref().expect("a credential").kind;
        TestSubject {
            submission: Uuid::new_v4(),
            cart: Some((cart.id, cart.version)),
            address: cart.address,
            offered: CredentialInput::Blank { kind, client_id: None },
        }
    }

    async fn test_saved(&self, server: &CartHandles, cart: CartId) -> TestReport {
        let subject = self.saved_subject(server, cart).await;
        report(server.connection_tests.start(self.visitor.clone(), subject).await.expect("a test").progress).await
    }

    async fn text(&self, question: &'static str) -> String {
        sqlx::query_scalar(question).fetch_one(&self.pool).await.expect("a text")
    }

    async fn tamper(&self, statement: &'static str) {
        let done = sqlx::query(statement).execute(&self.pool).await.expect("the statement");
        assert!(done.rows_affected() > 0, "{statement}");
    }

    fn name(lines: &str) -> String {
        KeyRing::parse(lines).expect("keys").active().name()
    }
}

fn address(handle: &str) -> StoreAddress {
    StoreAddress::from_handle(handle).expect("a handle")
}

async fn report(mut progress: tokio::sync::mpsc::UnboundedReceiver<Progress>) -> TestReport {
    while let Some(step) = progress.recv().await {
        if let Progress::Report(report) = step {
            return *report;
        }
    }
    panic!("a test without a report");
}

#[sqlx::test]
async fn rotation_moves_all_secrets_to_the_first_key(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let server = world.server(&world.old).await;
    let tea = world.save(&server, HANDLE, World::token(&world.store(HANDLE))).await.cart;
    let pair = world.save(&server, "northwind-b2b", World::pair(&world.store("northwind-b2b"))).await.cart;
    let minted = server.tokens.current(pair).await.expect("issued").token;
    world.test_new(&server, Uuid::new_v4(), "northwind-new", World::token(&world.store("northwind-new"))).await;
    let shape = "select string_agg(concat_ws(' ', id, version, updated_at, updated_by, status, mint_version), ',' order by id) from carts";
    let before = world.text(shape).await;

    let rotated = world.rotate(&world.both()).await;
    assert_eq!((rotated.secrets, rotated.left), (4, 0), "two secrets, an issued token, a draft secret");
    assert_eq!(rotated.spare, [(2, World::name(&world.old))]);
    assert_eq!(world.text(shape).await, before, "no cart has changed, so no save conflicts");
    let said =
        world.text("select actor_name || ' ' || event || ' ' || data from audit_events order by id desc limit 1").await;
    assert_eq!(said, r#"The operator encryption_key_rotated {"format": 3, "secrets": 4}"#);

    let alone = world.server(&world.new).await;
    for cart in [tea, pair] {
        let found = alone.carts.find(cart).await.expect("the database").expect("the cart");
        assert!(found.credential.expect("a credential").is_readable);
    }
    let kept = alone.tokens.current(pair).await.expect("kept").token;
    assert_eq!(kept.secret().expose_secret(), minted.secret().expose_secret());

    let events = world.text("select count(*)::text from audit_events").await;
    let again = world.rotate(&world.both()).await;
    assert_eq!((again.secrets, again.left), (0, 0));
    assert_eq!(world.text("select count(*)::text from audit_events").await, events, "no change, no audit event");
}

#[sqlx::test]
async fn passed_test_still_counts_after_the_old_key_is_gone(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let (store, form) = (world.store(HANDLE), Uuid::new_v4());
    let report = world.test_new(&world.server(&world.old).await, form, HANDLE, World::token(&store)).await;
    assert_eq!(report.verdict.class, Class::Connected);
    world.rotate(&world.both()).await;
    let alone = world.server(&world.new).await;
    let blank = CredentialInput::Blank { kind: CredentialKind::AccessToken, client_id: None };
    let saved = alone.carts.add(world.visitor.clone(), World::submission(form, HANDLE, blank)).await.expect("saved");
    let cart = alone.carts.find(saved.cart).await.expect("the database").expect("the cart");
    assert_eq!((cart.status, cart.last_test), (Status::Connected, Some(report.id)));

    // A token that worked before is reported as stopped.
    world.practice.stores().set(HANDLE, Scenario::Says(Canned::Unauthorized));
    assert_eq!(world.test_saved(&alone, saved.cart).await.verdict.class, Class::TokenStopped);
}

#[sqlx::test]
async fn results_stay_valid_between_new_key_and_rotation(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let store = world.store(HANDLE);
    let server = world.server(&world.old).await;
    let form = Uuid::new_v4();
    let tested = world.test_new(&server, form, HANDLE, World::token(&store)).await;

    let restarted = world.server(&world.both()).await;
    let typed = CredentialInput::Typed(World::token(&store));
    let saved =
        restarted.carts.add(world.visitor.clone(), World::submission(form, HANDLE, typed)).await.expect("saved");
    let cart = restarted.carts.find(saved.cart).await.expect("the database").expect("the cart");
    assert_eq!(
        (cart.status, cart.last_test),
        (Status::Connected, Some(tested.id)),
        "the pass was recorded under the old key"
    );

    let early = world.save(&server, "northwind-b2b", World::token(&world.store("northwind-b2b"))).await.cart;
    let again = world.test_saved(&restarted, early).await;
    assert!(again.was_saved, "a secret under the old key is still the saved one");
    let early = restarted.carts.find(early).await.expect("the database").expect("the cart");
    assert_eq!((early.last_test, early.passed_at.is_some()), (Some(again.id), true));
    let credential = World::token(&world.practice.stores().find("northwind-b2b").expect("open"));
    let typed = World::submission(Uuid::new_v4(), "northwind-b2b", CredentialInput::Typed(credential));
    restarted.carts.update(world.visitor.clone(), early.id, early.version, typed).await.expect("saved");
    let after = restarted.carts.find(early.id).await.expect("the database").expect("the cart");
    assert_eq!(
        after.credential.expect("kept").added_at,
        early.credential.expect("there").added_at,
        "the same secret typed again is no change"
    );
}

#[sqlx::test]
async fn test_and_token_refresh_during_a_rotation_are_recorded(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    world.store(HANDLE);
    let store = world.store("northwind-b2b");
    let lagging = world.server(&world.old).await;
    let server = world.server(&world.both()).await;
    let tea =
        world.save(&lagging, HANDLE, World::token(&world.practice.stores().find(HANDLE).expect("open"))).await.cart;
    let pair = world.save(&lagging, "northwind-b2b", World::pair(&store)).await.cart;
    for handle in [HANDLE, "northwind-b2b"] {
        world.practice.stores().set(handle, Scenario::Held);
    }
    let subject = world.saved_subject(&server, tea).await;
    let running = server.connection_tests.start(world.visitor.clone(), subject).await.expect("a test");
    let renewal = tokio::spawn({
        let server = server.clone();
        async move { server.tokens.current(pair).await }
    });
    let journal = world.practice.journal();
    while journal.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.rotate(&world.both()).await.secrets, 2);
    for handle in [HANDLE, "northwind-b2b"] {
        world.practice.stores().set(handle, Scenario::Well);
    }
    let report = report(running.progress).await;
    let cart = server.carts.find(tea).await.expect("the database").expect("the cart");
    assert_eq!((cart.last_test, cart.last_class), (Some(report.id), Some(Class::Connected)));
    let version = renewal.await.expect("ended").expect("a token").version;
    assert_eq!(server.tokens.current(pair).await.expect("kept").version, version);
}

#[sqlx::test]
async fn unreadable_rows_are_listed_and_skipped(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let server = world.server(&world.old).await;
    let tea = world.save(&server, HANDLE, World::token(&world.store(HANDLE))).await.cart;
    world.save(&server, "northwind-b2b", World::token(&world.store("northwind-b2b"))).await;
    world.tamper("update carts set secret = set_byte(secret, 30, get_byte(secret, 30) # 1) where store_host like 'northwind-tea%'").await;
    let damaged = world.text("select secret::text from carts where store_host like 'northwind-tea%'").await;
    let rotated = world.rotate(&world.both()).await;
    assert_eq!((rotated.secrets, rotated.left), (1, 1));
    assert_eq!(rotated.unreadable, [UnreadableSecret { column: "carts.secret".into(), row: tea.0 }]);
    assert_eq!(rotated.spare, [], "the old key is still in use");
    assert_eq!(world.text("select secret::text from carts where store_host like 'northwind-tea%'").await, damaged);
    assert_eq!(world.text("select count(*)::text from vault_keys where retired_at is not null").await, "0");
}

#[sqlx::test]
async fn rotation_waits_for_locked_rows(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let server = world.server(&world.old).await;
    world.save(&server, HANDLE, World::token(&world.store(HANDLE))).await;
    let mut held = world.pool.acquire().await.expect("a connection");
    held.begin().await.expect("begun");
    sqlx::query("select from carts for update").execute(&mut *held).await.expect("held");
    let vault = Arc::new(world.vault(&world.both()).await);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let rotation = tokio::spawn({
        let pool = world.pool.clone();
        async move { rotate(&vault, &pool, move |done, _| tell.send(done).expect("received")).await }
    });
    // Once at the start, and once after a pass that found the row locked.
    assert_eq!((told.recv().await, told.recv().await), (Some(0), Some(0)));
    held.rollback().await.expect("released");
    let rotated = rotation.await.expect("ended").expect("rotated");
    drop(told);
    assert_eq!((rotated.secrets, rotated.left), (1, 0));
}

#[sqlx::test]
async fn key_that_seals_again_after_a_rotation_is_needed(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let late = world.server(&world.old).await;
    world.rotate(&world.both()).await;
    let start = async || Vault::open_with(KeyRing::parse(&world.new).expect("a key"), world.pool.clone()).await;
    start().await.expect("the old key is retired");
    // A server that was not restarted with the new file still seals with its key, so its secrets need that key.
    let is_needed_until_rotated = async || {
        let refusal = start().await.expect_err("needed").to_string();
        assert!(refusal.contains(&World::name(&world.old)), "{refusal}");
        let rotated = world.rotate(&world.both()).await;
        assert_eq!((rotated.secrets, rotated.left), (1, 0));
        start().await.expect("the old key is retired again");
    };
    world.save(&late, HANDLE, World::token(&world.store(HANDLE))).await;
    is_needed_until_rotated().await;
    world.test_new(&late, Uuid::new_v4(), "northwind-b2b", World::token(&world.store("northwind-b2b"))).await;
    is_needed_until_rotated().await;
    // Reverting to the old key is an ordinary rotation.
    world.server(&format!("{}\n{}\n", world.old, world.new)).await;
    assert!(start().await.is_err());
}

#[sqlx::test]
async fn rotation_does_not_retire_a_key_that_an_open_transaction_seals_with(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let late = world.vault(&world.old).await;
    let server = world.server(&world.both()).await;
    let cart = world.save(&server, HANDLE, World::token(&world.store(HANDLE))).await.cart;
    let host = address(HANDLE).host();
    let store = Binding { platform: "shopify", key: HANDLE, host: &host, generation: 1 };
    let mut held = world.pool.acquire().await.expect("a connection");
    held.begin().await.expect("begun");
    sqlx::query("update carts set secret = $2 where id = $1")
        .bind(cart.0)
        .bind(late.seal(&Place::access_token(cart.0, store), &"x".into()))
        .execute(&mut *held)
        .await
        .expect("stored");
    let vault = Arc::new(world.vault(&world.both()).await);
    let rotation = tokio::spawn({
        let pool = world.pool.clone();
        async move { rotate(&vault, &pool, |_, _| {}).await }
    });
    let waiting =
        "select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while world.text(waiting).await == "0" {
        tokio::task::yield_now().await;
    }
    held.commit().await.expect("committed");
    let rotated = rotation.await.expect("ended").expect("rotated");
    assert_eq!((rotated.left, rotated.spare), (1, Vec::new()), "the secret needs its key");
    assert_eq!(world.text("select count(*)::text from vault_keys where retired_at is not null").await, "0");
}

#[sqlx::test]
async fn lost_key_is_retired_and_its_carts_need_attention(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let server = world.server(&world.old).await;
    let form = Uuid::new_v4();
    world.test_new(&server, form, HANDLE, World::token(&world.store(HANDLE))).await;
    let blank = CredentialInput::Blank { kind: CredentialKind::AccessToken, client_id: None };
    let cart =
        server.carts.add(world.visitor.clone(), World::submission(form, HANDLE, blank)).await.expect("saved").cart;
    let (old, ring) = (World::name(&world.old), |lines: &str| KeyRing::parse(lines).expect("keys"));
    let refused = async |lines: &str, id: &str| forget(&world.pool, Some(&ring(lines)), id).await.expect_err("refused");
    assert!(matches!(refused(&world.both(), "00ff").await, RetireError::NoId(_)));
    assert!(matches!(refused(&world.both(), &World::name(&world.new)).await, RetireError::Unknown(_)));
    assert!(matches!(refused(&world.old, &old).await, RetireError::Seals(_)));
    assert!(matches!(refused(&world.both(), &old).await, RetireError::Opens { line: 2, secrets: 1, .. }));
    let start = async || Vault::open_with(ring(&world.new), world.pool.clone()).await;
    assert!(start().await.expect_err("needed").to_string().contains(&format!("cartwright keys forget {old}")));

    let forgotten = forget(&world.pool, Some(&ring(&world.new)), &old.to_uppercase()).await.expect("forgotten");
    assert_eq!(forgotten, RetiredKey { secrets: 1, was_retired: false });
    let said = world.text("select event || ' ' || data from audit_events order by id desc limit 1").await;
    assert_eq!(said, format!(r#"encryption_key_forgotten {{"key": "{old}", "secrets": 1}}"#));
    let again = forget(&world.pool, None, &old).await.expect("no harm");
    assert_eq!(again, RetiredKey { secrets: 1, was_retired: true });

    let alone = world.server(&world.new).await;
    assert_eq!(alone.connection_tests.find_unreadable_secrets().await.expect("checked"), 1);
    assert_eq!(alone.connection_tests.find_unreadable_secrets().await.expect("checked"), 0, "recorded once");
    let found = alone.carts.find(cart).await.expect("the database").expect("the cart");
    assert_eq!((found.status, found.last_class), (Status::NeedsAttention, Some(Class::OurKey)));
    assert!(!found.credential.expect("still there").is_readable);
    let said = world.text("select actor_name || ' ' || event from audit_events order by id desc limit 1").await;
    assert_eq!(said, "System secret_unreadable");

    // With its line restored, the key opens everything as before, and the next test says so.
    let server = world.server(&world.both()).await;
    assert_eq!(world.test_saved(&server, cart).await.verdict.class, Class::Connected);
    let found = server.carts.find(cart).await.expect("the database").expect("the cart");
    assert!(found.credential.expect("there").is_readable);
}

#[sqlx::test]
async fn list_shows_the_state_of_each_key(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let world = World::new(pool).await;
    let server = world.server(&world.old).await;
    world.save(&server, HANDLE, World::token(&world.store(HANDLE))).await;
    let look = async |lines: Option<&str>| {
        let ring = lines.map(|lines| KeyRing::parse(lines).expect("keys"));
        let lines = list(&world.pool, ring.as_ref()).await.expect("a list");
        lines.into_iter().map(|line| (line.name.clone(), line.standing, line.total())).collect::<Vec<_>>()
    };
    let (old, new) = (World::name(&world.old), World::name(&world.new));
    assert_eq!(look(Some(&world.old)).await, [(old.clone(), KeyState::Seals, 1)]);
    assert_eq!(look(Some(&world.both())).await, [(new.clone(), KeyState::Seals, 0), (old.clone(), KeyState::Opens, 1)]);
    assert_eq!(look(Some(&world.new)).await, [(new.clone(), KeyState::Seals, 0), (old.clone(), KeyState::Missing, 1)]);
    assert_eq!(look(None).await, [(old.clone(), KeyState::Missing, 1)]);
    let is_known =
        async |lines: &str| is_known(&world.pool, &KeyRing::parse(lines).expect("keys")).await.expect("a bool");
    assert!(is_known(&world.old).await && !is_known(&world.both()).await, "no server has started with the new one");
    world.rotate(&world.both()).await;
    assert!(is_known(&world.both()).await);
    assert_eq!(look(Some(&world.new)).await, [(new.clone(), KeyState::Seals, 1), (old.clone(), KeyState::Retired, 0)]);
    world.tamper("update carts set secret = set_byte(secret, 1, get_byte(secret, 1) # 1)").await;
    let lines = look(Some(&world.new)).await;
    assert_eq!(lines.last().map(|line| (line.1, line.2)), Some((KeyState::Unknown, 1)), "{lines:?}");
    world.tamper("update vault_keys set check_value = sha256('x')").await;
    assert_eq!(look(Some(&world.new)).await[0].1, KeyState::IsAnother);
    assert_eq!(key_ring::name(&[0, 255]), "00ff");
}
