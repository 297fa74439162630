//! Adding and updating carts: one transaction that increments the version and includes the audit event.
//!
//! Saving is always possible; only activation needs a pass of exactly what is saved. A stored secret is kept only for
//! the host that it was sealed for. This file has the shared code and the first save; later saves are in `update`.

mod complaint;
mod credential_change;
mod digest;
mod effect;
mod matching_test;
mod update;

use uuid::Uuid;

use super::{
    Cart, CartId, Carts, CredentialInput, Visitor, WebsiteName, changes,
    credential_input::CredentialSource,
    draft_secret::{self, typed_or_draft},
    sql,
    status::Facts,
};
use crate::{
    audit::{CartRef, Event},
    database::{Connection, transaction},
    direction::bidi_isolate,
    platforms::{CredentialKind, StoreAddress, StoreRef},
    vault::InternalError,
};

pub use complaint::{SaveComplaint, SubmittedField, missing_secret};
use digest::BlankSecret;
pub use effect::{SaveEffect, SavedCart};
pub use update::CartEdit;

/// The generation of the secret that a cart is added with. A later one is the version of the save that enters or deletes
/// the secret.
const FIRST_GENERATION: i64 = 1;

/// A parsed form of the editor.
#[derive(Debug)]
pub struct CartSubmission {
    /// Generated when the form is rendered: submitted twice, it saves once.
    pub id: Uuid,
    pub name: WebsiteName,
    pub address: StoreAddress,
    pub offered: CredentialInput,
    pub wants_active: bool,
}

/// The cart as another user saved it.
pub type ConflictingCart = Box<Cart>;

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("Another cart is called {}. Enter a different Website Name", bidi_isolate(&.0.name))]
    NameTaken(CartRef),
    #[error("{} already uses this store. Open it instead of adding it again.", bidi_isolate(&.0.name))]
    SameStore(CartRef),
    /// `was_there`: the form had a draft secret, and its 30 minutes are over.
    #[error("the secret is missing")]
    SecretMissing { was_there: bool },
    /// The saved credential works, and the sender keeps no draft of the new one until it has passed.
    #[error("The saved {} works. A new one replaces it after it has passed a test", .kind.noun())]
    SecretUntested { kind: CredentialKind },
    #[error("another store was entered without its secret")]
    StoreChanged,
    /// The credential opens another store than the one that this cart was created with. Holds the names of both stores.
    #[error("This cart was set up for **{}**. The address and the secret you entered open **{}**", bidi_isolate(.expected), bidi_isolate(.found))]
    WrongStore { expected: String, found: String },
    #[error(transparent)]
    ItemGroup(#[from] super::settings::ItemGroupError),
    /// The cart belongs to the practice store, which is off.
    #[error("This cart belongs to the practice store. Enter a real store, or delete it.")]
    PracticeOff,
    #[error("somebody else changed this cart")]
    Conflict(ConflictingCart),
    #[error("the cart is gone")]
    Gone,
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl From<sqlx::Error> for SaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl Carts {
    /// Adds a cart. Submitting the same form twice adds one cart.
    pub async fn add(&self, visitor: Visitor, submission: CartSubmission) -> Result<SavedCart, SaveError> {
        let carts = self.clone();
        let (id, submitted, store) = (CartId(Uuid::now_v7()), submission.id, submission.address.store_ref());
        let name = submission.name.as_str().to_owned();
        let digest = self.digest(&submission, None);
        let (again, blank, who) = (digest.clone(), BlankSecret::of(&submission), visitor.clone());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move {
                // A repeated submission: the first one used up the draft secret, so check for it before looking for a
                // credential.
                let blank = BlankSecret::of(&submission);
                if let Some(first) = carts.came_before(work, &visitor, submission.id, &digest, blank.as_ref()).await? {
                    return Ok(first);
                }
                carts.insert(work, &visitor, id, submission, digest.active()).await
            })
        })
        .await;
        // Of two concurrent submissions, the second can lose the race anywhere in its transaction: it found no cart
        // yet, and then the first one used up the draft secret or took the name and the store.
        let refused = |error: &SaveError| {
            matches!(
                error,
                SaveError::SecretMissing { .. }
                    | SaveError::SameStore(_)
                    | SaveError::Broken(InternalError::Database(sqlx::Error::Database(_)))
            )
        };
        if outcome.as_ref().is_err_and(refused) {
            let mut connection = self.pool.acquire().await?;
            if let Some(first) = self.came_before(&mut connection, &who, submitted, &again, blank.as_ref()).await? {
                return Ok(first);
            }
        }
        self.explain(outcome, &name, &store, None).await
    }

    async fn insert(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        id: CartId,
        submission: CartSubmission,
        digest: &[u8],
    ) -> Result<SavedCart, SaveError> {
        let CartSubmission { id: submitted, name, address, offered, wants_active } = submission;
        let credential =
            match typed_or_draft(work, &self.credentials.vault, visitor, submitted, None, &address, offered).await? {
                CredentialSource::Credential(credential) => credential,
                CredentialSource::Nothing { was_there } => return Err(SaveError::SecretMissing { was_there }),
            };
        let tested = self.latest_test(work, &address, &credential, None).await?;
        let pass = tested.as_ref().and_then(|tested| tested.pass.as_ref());
        let sealed = self.credentials.seal(id, &address, &credential, visitor.by.name(), FIRST_GENERATION);
        let facts = Facts {
            has_passed: pass.is_some(),
            is_active: wants_active && pass.is_some(),
            last: pass.map(|pass| pass.class),
        };
        let is_practice = self.is_practice(&address);
        let (is_active, status, by) = (facts.is_active, facts.status(), &visitor.by);
        let activate_on_pass = wants_active && !is_active;
        let new = sql::carts::NewCart {
            id,
            submitted,
            digest,
            name: &name,
            is_practice,
            is_active,
            activate_on_pass,
            status,
            by,
        };
        sql::carts::insert(work, &new, &sealed, pass.map(|pass| pass.passed_at)).await?;
        if let Some(pass) = pass {
            sql::connection_tests::update_pass(work, id, pass).await?;
        }
        sql::connection_tests::adopt(work, id, submitted).await?;
        if let Some(tested) = &tested {
            super::health::record_saved_with(work, id, &tested.report).await?;
        }
        draft_secret::forget(work, submitted).await?;
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        let event = Event::CartAdded {
            store: address.host(),
            status: facts.status().as_str(),
            generation: Some(FIRST_GENERATION),
        };
        changes::record(work, &visitor.by, &cart, &event).await?;
        Ok(SavedCart { cart: id, name: cart.name, effect: effect::of_new(facts, wants_active) })
    }

    /// Converts a violated constraint into an error that a user can correct.
    async fn explain(
        &self,
        outcome: Result<SavedCart, SaveError>,
        name: &str,
        store: &StoreRef,
        id: Option<CartId>,
    ) -> Result<SavedCart, SaveError> {
        let Err(SaveError::Broken(InternalError::Database(sqlx::Error::Database(refusal)))) = &outcome else {
            return outcome;
        };
        let other = match refusal.constraint() {
            Some("carts_website_name_key") => {
                sql::cart_refs::find_by_name(&self.pool, name).await?.map(SaveError::NameTaken)
            }
            // The second one is dropped when no server of the previous version is left.
            Some("carts_store_key_key" | "carts_store_host_key") => {
                sql::cart_refs::find_by_store(&self.pool, store).await?.map(SaveError::SameStore)
            }
            Some("carts_shop_id_key") => {
                sql::cart_refs::find_by_shop_of(&self.pool, store, id).await?.map(SaveError::SameStore)
            }
            _ => None,
        };
        other.map_or(outcome, Err)
    }
}
