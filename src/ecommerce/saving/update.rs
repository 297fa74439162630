//! The later saves of a cart: nothing over somebody else's, nothing that works is lost, and the other settings in the same
//! transaction.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Effect, Found, SaveError, Saved, Submission, effect, keeps_saved};
use crate::{
    audit::{self, CartRef, Change, Event},
    database::transaction,
    ecommerce::{
        Broken, Cart, CartId, Ecommerce, Visitor, health,
        settings::{Asked, ItemGroupError},
        shopify::{
            address::StoreAddress,
            credential::{Credential, CredentialKind},
            unsaved,
        },
        sql,
        status::Facts,
    },
};

/// What an update needs beside the form of the connection.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The one that the form was drawn from.
    pub version: i64,
    /// The other settings, where the form had them.
    pub settings: Option<Asked>,
    /// The person saw somebody else's changes and saves over them.
    pub is_overwrite: bool,
}

impl From<i64> for Edit {
    fn from(version: i64) -> Self {
        Self { version, ..Self::default() }
    }
}

/// The connection as it is after a save.
struct Connection {
    effect: Effect,
    has_passed: bool,
    last: Option<crate::ecommerce::verdict::Class>,
    replaced: Option<(CredentialKind, Option<String>)>,
}

impl Ecommerce {
    /// Updates a cart, if it is still the version that the form was drawn from.
    pub async fn update(
        &self,
        visitor: Visitor,
        id: CartId,
        edit: impl Into<Edit>,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let (ecommerce, edit) = (self.clone(), edit.into());
        let (name, store) = (submission.name.as_str().to_owned(), submission.address.host());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move { ecommerce.update_in(work, &visitor, id, edit, submission).await })
        })
        .await;
        self.explain(outcome, &name, &store, Some(id)).await
    }

    async fn update_in(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        id: CartId,
        edit: Edit,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let before = sql::lock(work, id).await?.ok_or(SaveError::Gone)?;
        if before.cart.version != edit.version {
            return came_before(&before, &edit, &submission).ok_or(SaveError::Conflict(Box::new(before.cart)));
        }
        let Submission { id: submitted, name, address, offered, wants_active } = submission;
        if before.cart.is_practice && before.cart.address == address && !self.practices {
            return Err(SaveError::PracticeOff);
        }
        let keeps = keeps_saved(&before.cart, &address, &offered);
        let found = self.typed_or_unsaved(work, visitor, submitted, Some(id), &address, offered).await?;
        let new = self.new_credential(&before, &address, keeps, found)?;
        let connection = self.connect(work, visitor, submitted, &before, &address, new).await?;
        let mut changes = changes(&before.cart, name.as_str(), &address);
        let mut are_gone = before.cart.locations_gone;
        if let Some(asked) = &edit.settings {
            let more = settle(work, id, asked).await?;
            if !more.is_empty() {
                are_gone = sql::note_locations_gone(work, id).await?;
                changes.extend(more);
            }
        }
        let Connection { effect, has_passed, last, replaced } = connection;
        let facts = Facts { has_passed, is_active: wants_active && has_passed, last };
        let status = facts.status().with_locations(are_gone);
        sql::update(work, id, submitted, &name, facts.is_active, status, visitor.by.name()).await?;
        health::settle(work, id, before.cart.status, visitor.by.name()).await?;
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        let over = edit.is_overwrite.then(|| before.cart.updated_by.clone());
        for event in events(changes, (before.cart.is_active, facts.is_active), replaced, over) {
            audit::record(work, &visitor.by, Some(&cart), &event).await?;
        }
        let effect = effect::of_update(effect, &before.cart, facts, wants_active);
        Ok(Saved { cart: id, name: cart.name, effect })
    }

    /// The credential that the form brings; `None` where the saved one stays.
    fn new_credential(
        &self,
        before: &sql::Locked,
        address: &StoreAddress,
        keeps: bool,
        found: Found,
    ) -> Result<Option<Credential>, SaveError> {
        let host_is_same = before.cart.address == *address;
        match found {
            // The saved one, typed again, is no change.
            Found::Credential(credential)
                if host_is_same && self.fingerprints(address, &credential).is(before.fingerprint.as_ref()) =>
            {
                Ok(None)
            }
            Found::Credential(credential) => Ok(Some(credential)),
            Found::Nothing { .. } if keeps => Ok(None),
            Found::Nothing { .. } if before.cart.credential.is_some() && !host_is_same => Err(SaveError::StoreChanged),
            Found::Nothing { was_there } => Err(SaveError::SecretMissing { was_there }),
        }
    }

    /// Puts a new credential in use, if it may be; the old one works on until the new one has passed.
    async fn connect(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        submitted: Uuid,
        before: &sql::Locked,
        address: &StoreAddress,
        new: Option<Credential>,
    ) -> Result<Connection, SaveError> {
        let cart = &before.cart;
        let (has_passed, last) = (cart.passed_at.is_some(), cart.last_class);
        let kept = Connection { effect: Effect::Kept, has_passed, last, replaced: None };
        let Some(credential) = new else {
            unsaved::forget_of_cart(work, visitor, submitted, cart.id).await?;
            return Ok(kept);
        };
        self.refuse_other_store(work, cart, address, &credential).await?;
        let pass = self.last_pass(work, address, &credential, Some(cart)).await?;
        let kind = credential.kind();
        if pass.is_none() && has_passed && cart.address == *address && cart.credential.is_some() {
            unsaved::hold(work, &self.vault, visitor, submitted, Some(cart.id), address, &credential).await?;
            return Ok(Connection { effect: Effect::OldSecretKept { kind }, ..kept });
        }
        self.replace(work, visitor, cart.id, address, &credential, pass.as_ref()).await?;
        unsaved::forget_of_cart(work, visitor, submitted, cart.id).await?;
        let ending = credential.ending();
        Ok(Connection {
            effect: Effect::NewSecret { kind, ending: ending.clone() },
            has_passed: pass.is_some(),
            last: pass.map(|pass| pass.class),
            replaced: Some((kind, ending)),
        })
    }

    /// A cart stays the cart of its store: what was just seen to open another one is not put in its place.
    async fn refuse_other_store(
        &self,
        work: &mut PgConnection,
        cart: &Cart,
        address: &StoreAddress,
        credential: &Credential,
    ) -> Result<(), SaveError> {
        let Some(own) = &cart.shop_id else { return Ok(()) };
        match sql::find_recent_shop(work, &self.fingerprints(address, credential)).await? {
            Some((shop, found)) if shop != *own => {
                let expected = cart.shop_name.clone().unwrap_or_else(|| cart.website_name.clone());
                Err(SaveError::WrongStore { expected, found })
            }
            _ => Ok(()),
        }
    }

    /// Puts a credential in the place of the old one, with the pass that covers it.
    async fn replace(
        &self,
        work: &mut PgConnection,
        visitor: &Visitor,
        id: CartId,
        address: &StoreAddress,
        credential: &Credential,
        pass: Option<&sql::PassFacts>,
    ) -> Result<(), Broken> {
        let sealed = self.seal(id, address, credential, visitor.by.name()).await?;
        sql::update_credential(work, id, address, self.is_practice(address), &sealed).await?;
        if let Some(pass) = pass {
            sql::update_pass(work, id, pass).await?;
        }
        Ok(())
    }
}

/// Pressed twice: the form that was saved last, sent again with nothing else in it, is no change of somebody else's.
fn came_before(before: &sql::Locked, edit: &Edit, submission: &Submission) -> Option<Saved> {
    let cart = &before.cart;
    let is_same = before.last_submission == Some(submission.id)
        && cart.version == edit.version + 1
        && cart.website_name == submission.name.as_str()
        && cart.address == submission.address;
    is_same.then(|| Saved { cart: cart.id, name: cart.website_name.clone(), effect: Effect::Again })
}

/// Stores what may be changed of the settings; what changed, in words.
async fn settle(work: &mut PgConnection, id: CartId, asked: &Asked) -> Result<Vec<Change>, SaveError> {
    let known = sql::find_locations(work, id).await?;
    let (mut saved, granted) = sql::find_settings(work, id).await?;
    saved.locations = known.chosen();
    let mut asked = asked.clone();
    asked.settings.locations.retain(|id| known.all.iter().any(|location| location.id == *id));
    let next = saved.with(&asked, &granted);
    if next.import_products && next.item_group.is_empty() && !saved.import_products {
        return Err(ItemGroupError::Empty.into());
    }
    let changes = saved.changes(&next, |id| known.name(id));
    if next.locations != saved.locations {
        sql::choose_locations(work, id, &next.locations.iter().cloned().collect::<Vec<_>>()).await?;
    }
    if !changes.is_empty() {
        sql::upsert_settings(work, id, &next).await?;
    }
    Ok(changes)
}

fn changes(before: &Cart, name: &str, address: &StoreAddress) -> Vec<Change> {
    let pairs = [
        ("Website Name", before.website_name.clone(), name.to_owned()),
        ("API URL", before.address.admin_url(), address.admin_url()),
    ];
    let differs = pairs.into_iter().filter(|(_, before, after)| before != after);
    differs.map(|(field, before, after)| Change { field, before, after }).collect()
}

/// The lines of the activity, in the order in which a person would tell them.
fn events(
    changes: Vec<Change>,
    (was_active, is_active): (bool, bool),
    replaced: Option<(CredentialKind, Option<String>)>,
    over: Option<String>,
) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(of) = over {
        events.push(Event::CartOverwritten { of });
    }
    if !changes.is_empty() {
        events.push(Event::CartChanged { changes });
    }
    match (was_active, is_active) {
        (false, true) => events.push(Event::CartTurnedOn),
        (true, false) => events.push(Event::CartTurnedOff),
        _ => {}
    }
    if let Some((kind, ending)) = replaced {
        events.push(Event::CredentialReplaced { kind: kind.as_str(), ending });
    }
    events
}
