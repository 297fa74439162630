//! Adding and updating carts: one transaction that increments the version and includes the audit event.
//!
//! Saving is always possible; only activation needs a pass of exactly what is saved. A stored secret is kept only for
//! the host that it was sealed for. This file has the shared code and the first save; later saves are in `update`.

mod credential_change;
mod digest;
mod effect;
mod update;

use uuid::Uuid;

use super::{
    Cart, CartId, Ecommerce, InternalError, Visitor, WebsiteName,
    shopify::{
        address::StoreAddress,
        credential::{ClientId, Credential, CredentialKind},
    },
    sql,
    status::Facts,
};
use crate::{
    audit::{self, CartRef, Event},
    database::{Connection, transaction},
    direction::bidi_isolate,
};

use digest::BlankSecret;
pub use effect::SaveEffect;
pub use update::CartEdit;

/// The credential part of a form.
#[derive(Debug)]
pub enum CredentialInput {
    Typed(Credential),
    /// The secret field is empty: means the draft secret of this form, else the saved secret, else nothing.
    Blank {
        kind: CredentialKind,
        client_id: Option<ClientId>,
    },
}

impl CredentialInput {
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Typed(credential) => credential.kind(),
            Self::Blank { kind, .. } => *kind,
        }
    }
}

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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCart {
    pub cart: CartId,
    pub name: String,
    pub effect: SaveEffect,
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

impl Ecommerce {
    /// Adds a cart. Submitting the same form twice adds one cart.
    pub async fn add(&self, visitor: Visitor, submission: CartSubmission) -> Result<SavedCart, SaveError> {
        let ecommerce = self.clone();
        let (id, submitted, store) = (CartId(Uuid::now_v7()), submission.id, submission.address.host());
        let name = submission.name.as_str().to_owned();
        let digest = self.digest(&submission, None);
        let (again, blank, who) = (digest.clone(), BlankSecret::of(&submission), visitor.clone());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move {
                // A repeated submission: the first one used up the draft secret, so check for it before looking for a
                // credential.
                let blank = BlankSecret::of(&submission);
                if let Some(first) =
                    ecommerce.came_before(work, &visitor, submission.id, &digest, blank.as_ref()).await?
                {
                    return Ok(first);
                }
                ecommerce.insert(work, &visitor, id, submission, digest.active()).await
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
        let credential = match self.typed_or_draft(work, visitor, submitted, None, &address, offered).await? {
            CredentialSource::Credential(credential) => credential,
            CredentialSource::Nothing { was_there } => return Err(SaveError::SecretMissing { was_there }),
        };
        let tested = self.latest_test(work, &address, &credential, None).await?;
        let pass = tested.as_ref().and_then(|tested| tested.pass.as_ref());
        let sealed = self.seal(id, &address, &credential, visitor.by.name()).await?;
        let facts = Facts {
            has_passed: pass.is_some(),
            is_active: wants_active && pass.is_some(),
            last: pass.map(|pass| pass.class),
        };
        let is_practice = self.is_practice(&address);
        let (is_active, status, by) = (facts.is_active, facts.status(), &visitor.by);
        let activate_on_pass = wants_active && !is_active;
        let new = sql::NewCart {
            id,
            submitted,
            digest,
            name: &name,
            address: &address,
            is_practice,
            is_active,
            activate_on_pass,
            status,
            by,
        };
        sql::insert(work, &new, &sealed, pass.map(|pass| pass.passed_at)).await?;
        if let Some(pass) = pass {
            sql::update_pass(work, id, pass).await?;
        }
        sql::adopt_tests(work, id, submitted).await?;
        if let Some(tested) = &tested {
            super::health::record_saved_with(work, id, &tested.report).await?;
        }
        super::shopify::draft_secret::forget(work, submitted).await?;
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        let event = Event::CartAdded { store: address.host(), status: facts.status().as_str() };
        audit::record(work, &visitor.by, Some(&cart), &event).await?;
        Ok(SavedCart { cart: id, name: cart.name, effect: effect::of_new(facts, wants_active) })
    }

    /// Returns the typed credential, else the draft secret of this form.
    pub(super) async fn typed_or_draft(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        submitted: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
        offered: CredentialInput,
    ) -> sqlx::Result<CredentialSource> {
        match offered {
            CredentialInput::Typed(credential) => Ok(CredentialSource::Credential(credential)),
            CredentialInput::Blank { kind, client_id } => {
                let client_id = client_id.as_ref();
                super::shopify::draft_secret::find(
                    work,
                    &self.vault,
                    visitor,
                    submitted,
                    cart,
                    address,
                    kind,
                    client_id,
                )
                .await
            }
        }
    }

    /// Converts a violated constraint into an error that a user can correct.
    pub(super) async fn explain(
        &self,
        outcome: Result<SavedCart, SaveError>,
        name: &str,
        store: &str,
        id: Option<CartId>,
    ) -> Result<SavedCart, SaveError> {
        let Err(SaveError::Broken(InternalError::Database(sqlx::Error::Database(refusal)))) = &outcome else {
            return outcome;
        };
        let other = match refusal.constraint() {
            Some("carts_website_name_key") => sql::find_by_name(&self.pool, name).await?.map(SaveError::NameTaken),
            Some("carts_store_host_key") => sql::find_by_store(&self.pool, store).await?.map(SaveError::SameStore),
            Some("carts_shop_id_key") => sql::find_by_shop_of(&self.pool, store, id).await?.map(SaveError::SameStore),
            _ => None,
        };
        other.map_or(outcome, Err)
    }
}

/// The credential that a form refers to.
pub(super) enum CredentialSource {
    Credential(Credential),
    Nothing { was_there: bool },
}

/// Whether a blank secret field may mean the saved secret: same host, same kind, same Client ID, in every route.
pub(super) fn keeps_saved(cart: &Cart, address: &StoreAddress, offered: &CredentialInput) -> bool {
    match (offered, &cart.credential) {
        (CredentialInput::Blank { kind, client_id }, Some(saved)) => {
            cart.address == *address
                && saved.kind == *kind
                && saved.client_id.as_deref() == client_id.as_ref().map(ClientId::as_str)
        }
        _ => false,
    }
}
