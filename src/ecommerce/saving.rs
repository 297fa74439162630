//! Add and update: one transaction, one version up, the audit row inside. Saving is always possible; only switching on needs a
//! pass of exactly what is saved. A stored secret is kept only for the host that it was sealed for.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Broken, Cart, CartId, Ecommerce, Status, Visitor, WebsiteName,
    shopify::{
        address::StoreAddress,
        credential::{ClientId, Credential, CredentialKind},
    },
    sql,
    status::Facts,
};
use crate::{
    audit::{self, CartRef, Change, Event},
    database::transaction,
};

/// What the form says of the credential.
#[derive(Debug)]
pub enum Offered {
    Typed(Credential),
    /// The secret field is empty: the unsaved one of this form, else the saved one, else nothing.
    Blank {
        kind: CredentialKind,
        client_id: Option<ClientId>,
    },
}

impl Offered {
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Typed(credential) => credential.kind(),
            Self::Blank { kind, .. } => *kind,
        }
    }
}

/// A form of the editor, understood.
#[derive(Debug)]
pub struct Submission {
    /// Drawn with the form: sent twice, it saves once.
    pub id: Uuid,
    pub name: WebsiteName,
    pub address: StoreAddress,
    pub offered: Offered,
    pub wants_active: bool,
}

/// What a save did, for the banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Connected,
    ConnectedWithLimits,
    Draft {
        active_was_ticked: bool,
    },
    Inactive,
    Kept,
    NewSecret {
        kind: CredentialKind,
        ending: Option<String>,
    },
    /// The old secret works on; the new one waits for its test.
    OldSecretKept {
        kind: CredentialKind,
    },
    TurnedOff,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub cart: CartId,
    pub name: String,
    pub effect: Effect,
}

/// The cart as somebody else left it.
pub type Theirs = Box<Cart>;

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("Another cart is called {}. Enter a different Website Name", .0.name)]
    NameTaken(CartRef),
    #[error("{} already uses this store. Open it instead of adding it again.", .0.name)]
    SameStore(CartRef),
    /// `was_there`: an unsaved one was, and its thirty minutes are over.
    #[error("the secret is missing")]
    SecretMissing { was_there: bool },
    #[error("another store was entered without its secret")]
    StoreChanged,
    /// A practice cart, and practice is off.
    #[error("This cart belongs to the practice store. Enter a real store, or delete it.")]
    PracticeOff,
    #[error("somebody else changed this cart")]
    Conflict(Theirs),
    #[error("the cart is gone")]
    Gone,
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl From<sqlx::Error> for SaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// A pass of exactly what is to be saved, at most thirty minutes old and not followed by a failure.
pub(super) struct Pass {
    pub facts: sql::PassFacts,
}

impl Ecommerce {
    /// Adds a cart. The same form sent twice makes one.
    pub async fn add(&self, visitor: Visitor, submission: Submission) -> Result<Saved, SaveError> {
        let ecommerce = self.clone();
        let (id, submitted, store) = (CartId(Uuid::now_v7()), submission.id, submission.address.host());
        let name = submission.name.as_str().to_owned();
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move {
                // Sent a second time: its credential was spent by the first, so this comes before anything is asked of it.
                if let Some(first) = sql::find_by_submission(work, submission.id).await? {
                    return Ok(first.into_saved());
                }
                ecommerce.insert(work, &visitor, id, submission).await
            })
        })
        .await;
        // Pressed twice at once, the second may have been overtaken anywhere in its transaction: no cart yet when it looked,
        // and then the secret was spent, or the name and the store taken, by the first.
        let refused = |error: &SaveError| {
            matches!(
                error,
                SaveError::SecretMissing { .. } | SaveError::Broken(Broken::Database(sqlx::Error::Database(_)))
            )
        };
        if outcome.as_ref().is_err_and(refused) {
            let mut connection = self.pool.acquire().await?;
            if let Some(first) = sql::find_by_submission(&mut connection, submitted).await? {
                return Ok(first.into_saved());
            }
        }
        self.explain(outcome, &name, &store, None).await
    }

    async fn insert(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        id: CartId,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let Submission { id: submitted, name, address, offered, wants_active } = submission;
        let credential = match self.typed_or_unsaved(work, visitor, submitted, None, &address, offered).await? {
            Found::Credential(credential) => credential,
            Found::Nothing { was_there } => return Err(SaveError::SecretMissing { was_there }),
        };
        let pass = self.last_pass(work, &address, &credential, None).await?;
        let sealed = self.seal(id, &address, &credential, visitor.by.name()).await?;
        let facts = Facts {
            has_passed: pass.is_some(),
            is_active: wants_active && pass.is_some(),
            last: pass.as_ref().map(|p| p.facts.class),
        };
        let is_practice = self.is_practice(&address);
        let (is_active, status, by) = (facts.is_active, facts.status(), visitor.by.name());
        let new = sql::NewCart { id, submitted, name: &name, address: &address, is_practice, is_active, status, by };
        sql::insert(work, &new, &sealed, pass.as_ref().map(|pass| pass.facts.passed_at)).await?;
        if let Some(pass) = &pass {
            sql::update_pass(work, id, &pass.facts).await?;
        }
        sql::adopt_tests(work, id, submitted).await?;
        super::shopify::unsaved::forget(work, submitted).await?;
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        let event = Event::CartAdded { store: address.host(), status: facts.status().as_str() };
        audit::record(work, &visitor.by, Some(&cart), &event).await?;
        Ok(Saved { cart: id, name: cart.name, effect: effect_of_new(facts, wants_active) })
    }

    /// Updates a cart, if it is still the version that the form was drawn from.
    pub async fn update(
        &self,
        visitor: Visitor,
        id: CartId,
        version: i64,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let ecommerce = self.clone();
        let (name, store) = (submission.name.as_str().to_owned(), submission.address.host());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move { ecommerce.update_in(work, &visitor, id, version, submission).await })
        })
        .await;
        self.explain(outcome, &name, &store, Some(id)).await
    }

    async fn update_in(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        id: CartId,
        version: i64,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let before = sql::lock(work, id).await?.ok_or(SaveError::Gone)?;
        if before.cart.version != version {
            return Err(SaveError::Conflict(Box::new(before.cart)));
        }
        let Submission { id: submitted, name, address, offered, wants_active } = submission;
        if before.cart.is_practice && before.cart.address == address && !self.practices {
            return Err(SaveError::PracticeOff);
        }
        let (saved, host_is_same) = (before.cart.credential.as_ref(), before.cart.address == address);
        let keeps = keeps_saved(&before.cart, &address, &offered);
        let mut new = match self.typed_or_unsaved(work, visitor, submitted, Some(id), &address, offered).await? {
            Found::Credential(credential) => Some(credential),
            Found::Nothing { .. } if keeps => None,
            Found::Nothing { .. } if saved.is_some() && !host_is_same => return Err(SaveError::StoreChanged),
            Found::Nothing { was_there } => return Err(SaveError::SecretMissing { was_there }),
        };
        // The saved one, typed again, is no change.
        if let Some(credential) = &new
            && host_is_same
            && before.fingerprint.as_ref() == Some(&self.fingerprint(&address, credential))
        {
            new = None;
        }
        let pass = match &new {
            Some(credential) => self.last_pass(work, &address, credential, before.cart.shop_id.as_deref()).await?,
            None => None,
        };
        let mut effect = Effect::Kept;
        let mut events = Vec::new();
        let mut has_passed = before.cart.passed_at.is_some();
        let mut last = before.cart.last_class;
        if let Some(credential) = new {
            if pass.is_none() && has_passed && host_is_same && saved.is_some() {
                // The old one works: it stays until the new one has passed.
                effect = Effect::OldSecretKept { kind: credential.kind() };
                super::shopify::unsaved::hold(work, &self.vault, visitor, submitted, Some(id), &address, &credential)
                    .await?;
            } else {
                (has_passed, last) = (pass.is_some(), pass.as_ref().map(|pass| pass.facts.class));
                self.replace(work, visitor, id, &address, &credential, pass.as_ref()).await?;
                let (kind, ending) = (credential.kind(), credential.ending());
                events.push(Event::CredentialReplaced { kind: kind.as_str(), ending: ending.clone() });
                effect = Effect::NewSecret { kind, ending };
            }
        }
        if !matches!(effect, Effect::OldSecretKept { .. }) {
            super::shopify::unsaved::forget_of_cart(work, visitor, submitted, id).await?;
        }
        let facts = Facts { has_passed, is_active: wants_active && has_passed, last };
        sql::update(work, id, &name, facts.is_active, facts.status(), visitor.by.name()).await?;
        super::health::settle(work, id, before.cart.status, visitor.by.name()).await?;
        events.splice(0..0, changes(&before.cart, &name, &address, facts.is_active));
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        for event in &events {
            audit::record(work, &visitor.by, Some(&cart), event).await?;
        }
        let effect = effect_of_update(effect, &before.cart, facts, wants_active);
        Ok(Saved { cart: id, name: cart.name, effect })
    }

    /// Puts a credential in the place of the old one, with the pass that covers it.
    async fn replace(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        id: CartId,
        address: &StoreAddress,
        credential: &Credential,
        pass: Option<&Pass>,
    ) -> Result<(), Broken> {
        let sealed = self.seal(id, address, credential, visitor.by.name()).await?;
        sql::update_credential(work, id, address, self.is_practice(address), &sealed).await?;
        if let Some(pass) = pass {
            sql::update_pass(work, id, &pass.facts).await?;
        }
        Ok(())
    }

    /// What was typed now, else what this form typed before and has not saved yet.
    pub(super) async fn typed_or_unsaved(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        submitted: Uuid,
        cart: Option<CartId>,
        address: &StoreAddress,
        offered: Offered,
    ) -> sqlx::Result<Found> {
        match offered {
            Offered::Typed(credential) => Ok(Found::Credential(credential)),
            Offered::Blank { kind, client_id } => {
                let client_id = client_id.as_ref();
                super::shopify::unsaved::find(work, &self.vault, visitor, submitted, cart, address, kind, client_id)
                    .await
            }
        }
    }

    /// The latest test of exactly this, if it passed, is recent, and opened the store that the cart belongs to.
    async fn last_pass(
        &self,
        work: &mut PgConnection,
        address: &StoreAddress,
        credential: &Credential,
        shop_id: Option<&str>,
    ) -> sqlx::Result<Option<Pass>> {
        let facts = sql::find_recent_pass(work, &self.fingerprint(address, credential)).await?;
        Ok(facts.filter(|facts| shop_id.is_none_or(|shop| shop == facts.shop_id)).map(|facts| Pass { facts }))
    }

    /// Turns the name of a constraint into what a person can mend.
    async fn explain(
        &self,
        outcome: Result<Saved, SaveError>,
        name: &str,
        store: &str,
        id: Option<CartId>,
    ) -> Result<Saved, SaveError> {
        let Err(SaveError::Broken(Broken::Database(sqlx::Error::Database(refusal)))) = &outcome else { return outcome };
        let other = match refusal.constraint() {
            Some("carts_website_name_key") => sql::find_by_name(&self.pool, name).await?.map(SaveError::NameTaken),
            Some("carts_store_host_key") => sql::find_by_store(&self.pool, store).await?.map(SaveError::SameStore),
            Some("carts_shop_id_key") => sql::find_by_shop_of(&self.pool, store, id).await?.map(SaveError::SameStore),
            _ => None,
        };
        other.map_or(outcome, Err)
    }
}

/// What a form's secret comes to.
pub(super) enum Found {
    Credential(Credential),
    Nothing { was_there: bool },
}

/// Whether a blank secret may mean the saved one: same host, same kind, same Client ID, in every route.
pub(super) fn keeps_saved(cart: &Cart, address: &StoreAddress, offered: &Offered) -> bool {
    match (offered, &cart.credential) {
        (Offered::Blank { kind, client_id }, Some(saved)) => {
            cart.address == *address
                && saved.kind == *kind
                && saved.client_id.as_deref() == client_id.as_ref().map(ClientId::as_str)
        }
        _ => false,
    }
}

fn changes(before: &Cart, name: &WebsiteName, address: &StoreAddress, is_active: bool) -> Vec<Event> {
    let pairs = [
        ("Website Name", before.website_name.clone(), name.as_str().to_owned()),
        ("API URL", before.address.admin_url(), address.admin_url()),
    ];
    let changes: Vec<Change> = pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| Change { field, before, after })
        .collect();
    let mut events = Vec::new();
    if !changes.is_empty() {
        events.push(Event::CartChanged { changes });
    }
    match (before.is_active, is_active) {
        (false, true) => events.push(Event::CartTurnedOn),
        (true, false) => events.push(Event::CartTurnedOff),
        _ => {}
    }
    events
}

fn effect_of_new(facts: Facts, wants_active: bool) -> Effect {
    match facts.status() {
        Status::Draft => Effect::Draft { active_was_ticked: wants_active },
        Status::Inactive => Effect::Inactive,
        Status::Connected => Effect::Connected,
        Status::NeedsAttention | Status::NotConnected => Effect::ConnectedWithLimits,
    }
}

fn effect_of_update(effect: Effect, before: &Cart, facts: Facts, wants_active: bool) -> Effect {
    match (effect, facts.status()) {
        (kept @ Effect::OldSecretKept { .. }, _) => kept,
        (_, Status::Draft) => Effect::Draft { active_was_ticked: wants_active },
        (_, Status::Inactive) if before.is_active => Effect::TurnedOff,
        (Effect::Kept, Status::Inactive) if before.status != Status::Inactive => Effect::Inactive,
        (_, Status::Connected) if !before.is_active => Effect::Connected,
        (_, Status::NeedsAttention) if !before.is_active => Effect::ConnectedWithLimits,
        (effect, _) => effect,
    }
}
