//! The row of a cart: find, lock, insert, update, delete.

use time::OffsetDateTime;
use uuid::Uuid;

use super::credentials::SealedCredential;
use crate::{
    audit::{By, CartRef},
    carts::{
        Cart, CartId, SavedCredential, Status, WebsiteName,
        saving::{SaveEffect, SavedCart},
    },
    causes::Class,
    database::{Connection, Pool},
    platforms::{CredentialKind, StoreAddress, StoreRef},
    vault::Fingerprints,
};

/// The row of a cart without its secret.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
struct CartRecord {
    id: Uuid,
    website_name: String,
    store_host: String,
    is_practice: bool,
    is_active: bool,
    status: String,
    version: i64,
    credential_kind: Option<String>,
    client_id: Option<String>,
    /// Format and key ID of the sealed secret.
    secret_head: Option<Vec<u8>>,
    secret_ending: Option<String>,
    secret_added_by: Option<String>,
    secret_added_at: Option<OffsetDateTime>,
    credential_fingerprint: Option<Vec<u8>>,
    passed_at: Option<OffsetDateTime>,
    shop_id: Option<String>,
    shop_name: Option<String>,
    last_test_id: Option<Uuid>,
    last_class: Option<String>,
    last_title: Option<String>,
    missing_count: i32,
    last_checked_at: Option<OffsetDateTime>,
    next_check_at: Option<OffsetDateTime>,
    failing_since: Option<OffsetDateTime>,
    retired_by: Option<String>,
    is_disconnected: bool,
    locations_gone: bool,
    activate_on_pass: bool,
    secret_version: i64,
    last_submission_id: Option<Uuid>,
    last_submission_digest: Option<Vec<u8>>,
    updated_at: OffsetDateTime,
    updated_by: String,
    updated_by_id: Option<Uuid>,
}

/// One list of columns for reading and for locking.
macro_rules! select_cart {
    ($tail:literal, $id:expr) => {
        sqlx::query_as!(
            CartRecord,
            "select id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id,
                substring(secret from 1 for 9) as secret_head, secret_ending, secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id,
                last_class, last_title, missing_count, failing_since, retired_by, is_disconnected, locations_gone, activate_on_pass,
                (select h.last_checked_at from cart_health h where h.cart_id = carts.id) as last_checked_at,
                (select h.next_check_at from cart_health h where h.cart_id = carts.id) as next_check_at,
                secret_version, last_submission_id, last_submission_digest, updated_at, updated_by, updated_by_id
             from carts where id = $1" + $tail,
            $id
        )
    };
}

/// A cart, the fingerprint of its saved credential, and the form that was saved last.
pub(in crate::carts) struct LockedCart {
    pub cart: Cart,
    pub fingerprint: Option<Vec<u8>>,
    pub last_submission: Option<Uuid>,
    /// The digest of that form, by [`crate::carts::saving`].
    pub last_digest: Option<Vec<u8>>,
}

/// Finds a cart, with format and key ID of its sealed secret.
pub(in crate::carts) async fn find(pool: &Pool, id: CartId) -> sqlx::Result<Option<(Cart, Option<Vec<u8>>)>> {
    Ok(select_cart!("", id.0).fetch_optional(pool).await?.map(|mut row| {
        let head = row.secret_head.take();
        (row.into_locked().cart, head)
    }))
}

/// Reads and locks the row until the transaction ends, so that no other transaction decides on data that we are about
/// to change.
pub(in crate::carts) async fn lock(connection: &mut Connection, id: CartId) -> sqlx::Result<Option<LockedCart>> {
    Ok(select_cart!(" for update", id.0).fetch_optional(connection).await?.map(CartRecord::into_locked))
}

impl CartRecord {
    fn into_locked(self) -> LockedCart {
        let kind = self.credential_kind.as_deref().and_then(CredentialKind::parse);
        let credential = kind.zip(self.secret_added_at).map(|(kind, added_at)| SavedCredential {
            kind,
            client_id: self.client_id,
            ending: self.secret_ending,
            added_by: self.secret_added_by.unwrap_or_default(),
            added_at,
            is_readable: true,
        });
        let cart = Cart {
            id: CartId(self.id),
            website_name: self.website_name,
            address: StoreAddress::from_host(&self.store_host)
                .expect("the constraint carts_store_host_form allows only stores"),
            is_practice: self.is_practice,
            is_active: self.is_active,
            status: Status::from_stored(&self.status),
            version: self.version,
            credential,
            passed_at: self.passed_at,
            shop_id: self.shop_id,
            shop_name: self.shop_name,
            last_test: self.last_test_id,
            last_class: self.last_class.as_deref().and_then(Class::from_stored),
            last_title: self.last_title,
            missing_count: self.missing_count,
            last_checked_at: self.last_checked_at,
            next_check_at: self.next_check_at,
            failing_since: self.failing_since,
            retired_by: self.retired_by,
            is_disconnected: self.is_disconnected,
            locations_gone: self.locations_gone,
            activate_on_pass: self.activate_on_pass,
            secret_version: self.secret_version,
            updated_at: self.updated_at,
            updated_by: self.updated_by,
            updated_by_id: self.updated_by_id,
        };
        LockedCart {
            cart,
            fingerprint: self.credential_fingerprint,
            last_submission: self.last_submission_id,
            last_digest: self.last_submission_digest,
        }
    }
}

/// A cart that was created by an earlier submission of a form.
pub(in crate::carts) struct SubmittedCart {
    id: Uuid,
    website_name: String,
    status: String,
    is_active: bool,
    activate_on_pass: bool,
    credential_fingerprint: Option<Vec<u8>>,
}

impl SubmittedCart {
    /// Whether the saved credential has this fingerprint.
    pub fn holds(&self, fingerprints: &Fingerprints) -> bool {
        fingerprints.is(self.credential_fingerprint.as_ref())
    }

    pub fn into_saved(self) -> SavedCart {
        let effect = match (Status::from_stored(&self.status), self.is_active) {
            (Status::Draft, _) => SaveEffect::Draft { active_was_ticked: self.activate_on_pass },
            (Status::Connected, true) => SaveEffect::Connected,
            (_, true) => SaveEffect::ConnectedWithLimits,
            (_, false) => SaveEffect::Inactive,
        };
        SavedCart { cart: CartId(self.id), name: self.website_name, effect }
    }
}

/// The cart that this form created, if the submission had the same content.
pub(in crate::carts) async fn find_by_submission(
    connection: &mut Connection,
    form: Uuid,
    digests: &[Vec<u8>],
) -> sqlx::Result<Option<SubmittedCart>> {
    sqlx::query_as!(
        SubmittedCart,
        "select id, website_name, status, is_active, activate_on_pass, credential_fingerprint from carts
          where submission_id = $1 and submission_digest = any($2)",
        form,
        digests
    )
    .fetch_optional(connection)
    .await
}

pub(in crate::carts) struct NewCart<'a> {
    pub id: CartId,
    pub submitted: Uuid,
    pub digest: &'a [u8],
    pub name: &'a WebsiteName,
    pub is_practice: bool,
    pub is_active: bool,
    pub activate_on_pass: bool,
    pub status: Status,
    pub by: &'a By,
}

/// Inserts a cart with its credential; `update_pass` then adds the store facts of a pass.
pub(in crate::carts) async fn insert(
    connection: &mut Connection,
    new: &NewCart<'_>,
    sealed: &SealedCredential,
    passed_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into carts (id, submission_id, website_name, store_host, is_active, status, credential_kind, client_id, secret,
            secret_ending, secret_added_by, secret_added_at, credential_fingerprint, token_fingerprint, updated_by, passed_at, is_practice,
            activate_on_pass, submission_digest, updated_by_id, platform, store_key, secret_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now(), $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        new.id.0,
        new.submitted,
        new.name.as_str(),
        sealed.store.host,
        new.is_active,
        new.status.as_str(),
        sealed.kind.as_str(),
        sealed.client_id,
        sealed.secret,
        sealed.ending,
        sealed.added_by,
        sealed.fingerprint,
        sealed.token_fingerprint,
        new.by.name(),
        passed_at,
        new.is_practice,
        new.activate_on_pass,
        new.digest,
        new.by.actor.id(),
        sealed.store.platform.as_str(),
        sealed.store.key,
        sealed.generation
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Writes the fields that a user can change, and increments the version.
pub(in crate::carts) async fn update(
    connection: &mut Connection,
    id: CartId,
    (submitted, digest): (Uuid, &[u8]),
    name: &WebsiteName,
    (is_active, activate_on_pass): (bool, bool),
    status: Status,
    by: &By,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update carts set website_name = $2, name_twin = case when name_key(website_name) = name_key($2) then name_twin else 0 end,
            retired_by = case when is_active and not $3 then $5 else retired_by end,
            is_active = $3, status = $4, version = version + 1, updated_at = now(), updated_by = $5, last_submission_id = $6,
            activate_on_pass = $7, last_submission_digest = $8, updated_by_id = $9
         where id = $1",
        id.0,
        name.as_str(),
        is_active,
        status.as_str(),
        by.name(),
        submitted,
        activate_on_pass,
        digest,
        by.actor.id()
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Activates a cart that waited for its pass; `false` if activation was not requested. Keeps the version, because the
/// form that the tester has open shows the tick already.
pub(in crate::carts) async fn turn_on_after_pass(connection: &mut Connection, id: CartId) -> sqlx::Result<bool> {
    let turned_on = sqlx::query!(
        "update carts set is_active = true, activate_on_pass = false where id = $1 and activate_on_pass and not is_active",
        id.0
    )
    .execute(connection)
    .await?;
    Ok(turned_on.rows_affected() == 1)
}

/// The cart that has exactly the tested credential although the test was not of that cart: it was saved while its test
/// ran. A cart with a known shop counts only its own tests, which compare the shop.
pub(in crate::carts) async fn find_holder(
    connection: &mut Connection,
    store: &StoreRef,
    fingerprints: &Fingerprints,
    own: Option<CartId>,
) -> sqlx::Result<Option<CartRef>> {
    sqlx::query_as!(
        CartRef,
        "select id, website_name as name from carts
         where platform = $4 and store_key = $1 and credential_fingerprint = any ($2) and (shop_id is null or id = $3)",
        store.key,
        fingerprints.all(),
        own.map(|own| own.0),
        store.platform.as_str()
    )
    .fetch_optional(connection)
    .await
}

/// Returns the cart, its host, and the generation after its last secret.
pub(in crate::carts) async fn delete(
    connection: &mut Connection,
    id: CartId,
    version: i64,
) -> sqlx::Result<Option<(CartRef, String, i64)>> {
    let row = sqlx::query!(
        "delete from carts where id = $1 and version = $2 returning id, website_name, store_host, version",
        id.0,
        version
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (CartRef { id: row.id, name: row.website_name }, row.store_host, row.version + 1)))
}
