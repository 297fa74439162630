use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::{
    audit::{By, Fresh},
    carts::{
        self, CartHandles, CartId, CartSubmission, CredentialInput, TokenError, Visitor, WebsiteName,
        sealing::{binding, place},
    },
    clock::Clock,
    keys,
    platforms::shopify::{
        address::StoreAddress,
        client::{Egress, ShopifyClient},
        credential::{Credential, CredentialKind},
    },
    vault::{KeyRing, Vault},
};

const HANDLE: &str = "northwind-tea";

/// A server that nothing answers, and an operator who saves carts.
struct World {
    pool: Pool,
    vault: Arc<Vault>,
    server: CartHandles,
}

impl World {
    async fn new(pool: &sqlx::PgPool) -> Self {
        let pool = Pool::from(pool);
        let vault = Arc::new(Vault::open_with(KeyRing::generate(), pool.clone()).await.expect("a vault"));
        let client = Arc::new(ShopifyClient::new(&Egress::default()).expect("a client"));
        let server = carts::open(pool.clone(), vault.clone(), client, false, Clock::System);
        Self { pool, vault, server }
    }

    fn visitor() -> Visitor {
        Visitor::in_session(By::operator(), vec![0; 32])
    }

    fn submission(token: &str) -> CartSubmission {
        let credential = Credential::from_stored(CredentialKind::AccessToken, None, SecretString::from(token));
        CartSubmission {
            id: Uuid::new_v4(),
            name: WebsiteName::parse("Northwind Tea").expect("a name"),
            address: StoreAddress::from_handle(HANDLE).expect("a handle"),
            offered: CredentialInput::Typed(credential.expect("a token")),
            wants_active: false,
        }
    }

    async fn add(&self, token: &str) -> CartId {
        self.server.carts.add(Self::visitor(), Self::submission(token)).await.expect("added").cart
    }

    async fn version(&self, cart: CartId) -> i64 {
        self.server.carts.find(cart).await.expect("the database").expect("the cart").version
    }

    async fn save(&self, cart: CartId, token: &str) {
        let version = self.version(cart).await;
        self.server.carts.update(Self::visitor(), cart, version, Self::submission(token)).await.expect("saved");
    }

    async fn disconnect(&self, cart: CartId) {
        let version = self.version(cart).await;
        let is_done = self.server.carts.disconnect(By::operator(), cart, version, Fresh::proved()).await;
        assert!(is_done.expect("the database"));
    }

    /// What the writer of the database keeps of every cart, to put it back later.
    async fn back_up(&self) {
        self.tamper("create table kept as select * from carts").await;
    }

    async fn tamper(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&self.pool).await.expect("the statement");
    }

    /// The secret that a call to the store would send.
    async fn used(&self, cart: CartId) -> Option<String> {
        match self.server.tokens.current(cart).await {
            Ok(current) => Some(current.token.secret().expose_secret().to_owned()),
            Err(TokenError::Unreadable) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn faults(&self) -> Vec<SecretFault> {
        verify_generations(&self.pool).await.expect("compared").faults
    }

    /// A secret of this cart, sealed by an earlier version of the program.
    fn seal_in_earlier_format(&self, cart: CartId, token: &str) -> Vec<u8> {
        let store = StoreAddress::from_handle(HANDLE).expect("a handle").store_ref();
        let place = place(CredentialKind::AccessToken, cart, binding(&store, 0));
        self.vault.seal_in_earlier_format(&place, &token.into())
    }

    async fn put(&self, cart: CartId, secret: &[u8]) {
        let put = sqlx::query("update carts set secret = $2 where id = $1").bind(cart.0).bind(secret);
        assert_eq!(put.execute(&self.pool).await.expect("put").rows_affected(), 1);
    }
}

/// A token that no store has.
fn token() -> String {
    format!("shpat_{}", Uuid::new_v4().simple())
}

#[sqlx::test]
async fn every_change_of_a_secret_by_the_program_verifies(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let (first, second, third) = (token(), token(), token());
    let cart = world.add(&first).await;
    world.add_other().await;
    let clean = async |step: &str| {
        let report = verify_generations(&world.pool).await.expect("compared");
        assert_eq!(report, GenerationReport::default(), "{step}");
    };
    clean("added").await;
    world.save(cart, &first).await;
    clean("saved without a change of the secret").await;
    world.save(cart, &second).await;
    clean("replaced").await;
    world.put(cart, &world.seal_in_earlier_format(cart, &second)).await;
    let rotated = keys::rotate(&world.vault, &world.pool, |_, _| {}).await.expect("rotated");
    assert_eq!((rotated.secrets, rotated.left), (1, 0), "a secret of an earlier format, under the first key");
    clean("rotated").await;
    assert_eq!(world.used(cart).await, Some(second));
    world.disconnect(cart).await;
    clean("disconnected").await;
    world.save(cart, &third).await;
    clean("connected again").await;
    assert_eq!(world.used(cart).await, Some(third));
    let version = world.version(cart).await;
    assert!(world.server.carts.delete(By::operator(), cart, version, Fresh::proved()).await.expect("the database"));
    clean("deleted").await;
}

impl World {
    async fn add_other(&self) {
        let name = WebsiteName::parse("Northwind B2B").expect("a name");
        let address = StoreAddress::from_handle("northwind-b2b").expect("a handle");
        let submission = CartSubmission { name, address, ..Self::submission(&token()) };
        self.server.carts.add(Self::visitor(), submission).await.expect("added");
    }
}

#[sqlx::test]
async fn replaced_secret_that_is_put_back_does_not_open(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let (leaked, new) = (token(), token());
    let cart = world.add(&leaked).await;
    world.back_up().await;
    world.save(cart, &new).await;
    assert_eq!(world.used(cart).await, Some(new));
    world.tamper("update carts set secret = kept.secret from kept").await;
    assert_eq!(world.used(cart).await, None, "the secret of another generation");
}

#[sqlx::test]
async fn replaced_secret_that_is_put_back_with_its_generation_is_reported(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let leaked = token();
    let cart = world.add(&leaked).await;
    world.back_up().await;
    world.save(cart, &token()).await;
    world.tamper("update carts set secret = kept.secret, secret_version = kept.secret_version from kept").await;
    assert_eq!(world.used(cart).await, Some(leaked), "the row alone does not say that it is an earlier one");
    let fault = SecretFault::Generation { cart: cart.0, generation: 1, recorded: 2 };
    assert_eq!(world.faults().await, [fault]);
    // Neither a later generation than was recorded nor a forged event of a lower one hides it.
    world.tamper("update carts set secret_version = 3").await;
    assert_eq!(world.used(cart).await, None);
    assert_eq!(world.faults().await.len(), 1);
    world.tamper("update carts set secret_version = 1").await;
    world
        .tamper(
            "insert into audit_events (id, actor_kind, actor_name, event, cart_id, data, what)
             select gen_random_uuid(), 'system', '', 'credential_replaced', id, '{\"generation\": 1}', 'carts' from carts",
        )
        .await;
    assert_eq!(world.faults().await.len(), 1);
}

#[sqlx::test]
async fn secret_that_is_put_back_after_a_disconnection_is_reported(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let leaked = token();
    let cart = world.add(&leaked).await;
    world.back_up().await;
    world.disconnect(cart).await;
    let row = "update carts set secret = kept.secret, credential_kind = kept.credential_kind,
        credential_fingerprint = kept.credential_fingerprint";
    world.tamper(&format!("{row} from kept")).await;
    assert_eq!(world.used(cart).await, None, "the secret of another generation");
    world.tamper(&format!("{row}, secret_version = kept.secret_version from kept")).await;
    assert_eq!(world.used(cart).await, Some(leaked));
    let fault = SecretFault::Generation { cart: cart.0, generation: 1, recorded: 2 };
    assert_eq!(world.faults().await, [fault]);
}

#[sqlx::test]
async fn cart_that_is_put_back_after_its_deletion_is_reported(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let cart = world.add(&token()).await;
    world.back_up().await;
    assert!(world.server.carts.delete(By::operator(), cart, 1, Fresh::proved()).await.expect("the database"));
    let columns = "id, submission_id, platform, website_name, store_host, is_active, status, updated_by, secret,
        credential_kind, credential_fingerprint, secret_version";
    world.tamper(&format!("insert into carts ({columns}) select {columns} from kept")).await;
    assert!(world.used(cart).await.is_some(), "the whole row is there again");
    let fault = SecretFault::Generation { cart: cart.0, generation: 1, recorded: 2 };
    assert_eq!(world.faults().await, [fault]);
}

#[sqlx::test]
async fn secret_in_an_earlier_format_is_reported_once_its_generation_is_recorded(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let cart = world.add(&token()).await;
    let leaked = token();
    world.put(cart, &world.seal_in_earlier_format(cart, &leaked)).await;
    assert_eq!(world.used(cart).await, Some(leaked), "it is bound to no generation");
    assert_eq!(world.faults().await, [SecretFault::Format { cart: cart.0 }]);
}

#[sqlx::test]
async fn secret_of_an_earlier_version_is_reported_if_it_is_put_back_after_a_rotation(pool: sqlx::PgPool) {
    let world = World::new(&pool).await;
    let cart = CartId(Uuid::now_v7());
    let (leaked, current) = (token(), token());
    sqlx::query(
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by,
            secret, credential_kind, credential_fingerprint)
         values ($1, $1, 'shopify', 'Northwind Tea', 'northwind-tea.myshopify.com', false, 'draft', '', $2, 'access_token', '')",
    )
    .bind(cart.0)
    .bind(world.seal_in_earlier_format(cart, &current))
    .execute(&world.pool)
    .await
    .expect("a cart of an earlier version");
    let unrecorded = GenerationReport { faults: Vec::new(), unrecorded: 1 };
    assert_eq!(verify_generations(&world.pool).await.expect("compared"), unrecorded);
    keys::rotate(&world.vault, &world.pool, |_, _| {}).await.expect("rotated");
    assert_eq!(verify_generations(&world.pool).await.expect("compared"), unrecorded);
    assert_eq!(world.used(cart).await, Some(current));
    world.put(cart, &world.seal_in_earlier_format(cart, &leaked)).await;
    assert_eq!(world.faults().await, [SecretFault::Format { cart: cart.0 }]);
}

#[test]
fn faults_name_the_cart_and_both_generations() {
    let cart = Uuid::nil();
    let said = |generation| SecretFault::Generation { cart, generation, recorded: 5 }.to_string();
    assert!(
        said(4).starts_with("put back: the secret of cart 00000000-0000-0000-0000-000000000000 is of generation 4,")
    );
    assert!(said(6).starts_with("changed: the secret of cart ") && said(6).ends_with("only generation 5 is recorded"));
}
