use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::*;
use crate::{
    carts::{self, CartSubmission, CredentialInput, Visitor, WebsiteName},
    clock::Clock,
    database::Pool,
    platforms::shopify::client::{Egress, ShopifyClient},
    practice::{Options, Practice, PracticeStore, Scenario},
    vault::{KeyRing, Vault},
};

const HANDLE: &str = "northwind-tea";

/// Two replicas on one database, one key and one Shopify stand-in, with a cart that has a Client ID and Client secret.
async fn replicas(pool: &Pool) -> (Practice, Tokens, Tokens, CartId) {
    let practice = Practice::start(Options::test()).await.expect("the stand-in");
    let store = practice.stores().put(HANDLE, PracticeStore::sample(HANDLE));
    let egress = Egress {
        proxy: Some(practice.proxy_url().parse().expect("a proxy")),
        extra_roots_pem: Some(practice.ca_pem().as_bytes().to_vec()),
    };
    let line = KeyRing::generate_line();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let ring = KeyRing::parse(&line).expect("a key");
        let vault = Vault::open_with(ring, pool.clone()).await.expect("a vault");
        let client = ShopifyClient::new(&egress).expect("a client");
        replicas.push(carts::open(pool.clone(), Arc::new(vault), Arc::new(client), false, Clock::System));
    }
    let secret = SecretString::from(store.client_secret.expose_secret());
    let credential = Credential::from_stored(CredentialKind::ClientCredentials, Some(store.client_id.clone()), secret)
        .expect("a pair");
    let submission = CartSubmission {
        id: Uuid::new_v4(),
        name: WebsiteName::parse("Northwind Tea").expect("a name"),
        address: StoreAddress::from_handle(HANDLE).expect("a handle"),
        offered: CredentialInput::Typed(credential),
        wants_active: false,
    };
    let visitor = Visitor::in_session(By::operator(), vec![0; 32]);
    let saved = replicas[0].carts.add(visitor, submission).await.expect("saved");
    let (one, two) = (replicas.remove(0).tokens, replicas.remove(0).tokens);
    (practice, one, two, saved.cart)
}

fn exchanges(practice: &Practice) -> usize {
    practice.journal().requests().iter().filter(|request| request.path.ends_with("/oauth/access_token")).count()
}

async fn shift_end(pool: &Pool, hours: i32) {
    sqlx::query(
        "update carts set minted_at = now() + make_interval(hours => $1 - 24), minted_ends_at = now() + make_interval(hours => $1)",
    )
        .bind(hours)
        .execute(pool)
        .await
        .expect("shifted");
}

#[sqlx::test]
async fn fifty_callers_on_two_replicas_make_one_exchange(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (practice, one, two, cart) = replicas(&pool).await;
    let callers = (0..50).map(|n| {
        let replica = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { replica.current(cart).await.expect("a token") })
    });
    let mut tokens = std::collections::BTreeSet::new();
    for caller in callers.collect::<Vec<_>>() {
        tokens.insert(caller.await.expect("ended").token.secret().expose_secret().to_owned());
    }
    assert_eq!((tokens.len(), exchanges(&practice)), (1, 1));
}

#[sqlx::test]
async fn rejected_token_is_refreshed_once(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (practice, one, two, cart) = replicas(&pool).await;
    let first = one.current(cart).await.expect("a token");
    practice.stores().end_minted_tokens(HANDLE);
    let (mine, theirs) = tokio::join!(one.refresh_rejected(cart, &first), two.refresh_rejected(cart, &first));
    let (mine, theirs) = (mine.expect("refreshed"), theirs.expect("the same"));
    assert_eq!(mine.token.secret().expose_secret(), theirs.token.secret().expose_secret());
    assert_ne!(mine.token.secret().expose_secret(), first.token.secret().expose_secret());
    assert_eq!(exchanges(&practice), 2);
}

#[sqlx::test]
async fn token_is_refreshed_early_and_kept_while_it_works(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (practice, one, two, cart) = replicas(&pool).await;
    let first = one.current(cart).await.expect("a token");
    shift_end(&pool, 20).await;
    assert_eq!(two.current(cart).await.expect("kept").version, first.version);
    shift_end(&pool, 3).await;
    assert_eq!(two.current(cart).await.expect("refreshed").version, first.version + 1);
    assert_eq!(exchanges(&practice), 2);

    shift_end(&pool, 3).await;
    practice.stores().set(HANDLE, Scenario::ConnectRefused);
    let kept = one.current(cart).await.expect("the current token still works");
    assert_eq!(kept.version, first.version + 1);
    shift_end(&pool, -1).await;
    let refused = one.current(cart).await;
    let Err(TokenError::NotRenewed(verdict)) = refused else { panic!("{refused:?}") };
    assert_eq!(verdict.class, Class::NetworkUnreachable);
    assert!(verdict.details.remark.is_some(), "{verdict:?}");
    assert!(
        matches!(one.current(cart).await, Err(TokenError::NotRenewed(_))),
        "a failed refresh leaves no lease behind"
    );
}

#[sqlx::test]
async fn a_token_moved_to_another_host_is_not_used(pool: sqlx::PgPool) {
    let pool = crate::database::Pool::from(&pool);
    let (practice, one, _, cart) = replicas(&pool).await;
    one.current(cart).await.expect("a token");
    sqlx::query("update carts set store_host = 'evil-shop.myshopify.com'").execute(&pool).await.expect("by SQL");
    assert!(matches!(one.current(cart).await, Err(TokenError::Unreadable)));
    assert!(practice.journal().requests_to("evil-shop.myshopify.com").is_empty());
}
