//! Later saves of a cart: no lost update, no loss of a working credential, and the other settings in the same
//! transaction.

use super::{
    CartSubmission, SaveEffect, SaveError, SavedCart, credential_change::CredentialChange, digest::BlankSecret, effect,
};
use crate::{
    audit::{self, CartRef, Change, Event, RequiredRole},
    carts::{
        Cart, CartId, Carts, Visitor, changes,
        credential_input::keeps_saved,
        draft_secret::typed_or_draft,
        health,
        settings::{CartSettings, ItemGroupError, Setting, SettingsInput},
        sql,
        status::Facts,
    },
    database::{Connection, transaction},
    platforms::StoreAddress,
    vault::Fingerprints,
};

/// The parts of an update other than the connection form.
#[derive(Clone, Debug, Default)]
pub struct CartEdit {
    /// The version that the form was rendered from.
    pub version: i64,
    /// The other settings, if the form had them.
    pub settings: Option<SettingsInput>,
    /// The user saw another user's changes and overwrites them.
    pub is_overwrite: bool,
}

impl From<i64> for CartEdit {
    fn from(version: i64) -> Self {
        Self { version, ..Self::default() }
    }
}

impl Carts {
    /// Updates a cart, if it still has the version that the form was rendered from.
    pub async fn update(
        &self,
        visitor: Visitor,
        id: CartId,
        edit: impl Into<CartEdit>,
        submission: CartSubmission,
    ) -> Result<SavedCart, SaveError> {
        let (carts, edit) = (self.clone(), edit.into());
        let (name, store) = (submission.name.as_str().to_owned(), submission.address.store_ref());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move { carts.update_in(work, &visitor, id, edit, submission).await })
        })
        .await;
        self.explain(outcome, &name, &store, Some(id)).await
    }

    async fn update_in(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        id: CartId,
        edit: CartEdit,
        submission: CartSubmission,
    ) -> Result<SavedCart, SaveError> {
        let before = sql::carts::lock(work, id).await?.ok_or(SaveError::Gone)?;
        // Demand the permission here: a save increments the version, and may store a draft secret, even without an
        // event.
        audit::demand(work, &visitor.by, RequiredRole::Change).await?;
        let digest = self.digest(&submission, edit.settings.as_ref());
        if before.cart.version != edit.version {
            return if came_before(&before, &edit, &submission, &digest)
                && !self.has_passed_since(work, visitor, BlankSecret::of(&submission).as_ref(), &before.cart).await?
            {
                Ok(SavedCart { cart: id, name: before.cart.website_name, effect: SaveEffect::Again })
            } else {
                Err(SaveError::Conflict(Box::new(before.cart)))
            };
        }
        let CartSubmission { id: submitted, name, address, offered, wants_active } = submission;
        if before.cart.is_practice && before.cart.address == address && !self.practices {
            return Err(SaveError::PracticeOff);
        }
        let keeps = keeps_saved(&before.cart, &address, &offered);
        let found =
            typed_or_draft(work, &self.credentials.vault, visitor, submitted, Some(id), &address, offered).await?;
        let new = self.new_credential(&before, &address, keeps, found)?;
        let connection = self.connect(work, visitor, submitted, &before, &address, new).await?;
        let mut fields = changed_fields(&before.cart, name.as_str(), &address);
        let mut are_gone = before.cart.locations_gone;
        if let Some(asked) = &edit.settings {
            let more = settle(work, id, asked).await?;
            if !more.is_empty() {
                are_gone = sql::locations::note_gone(work, id).await?;
                fields.extend(more);
            }
        }
        let CredentialChange { effect, has_passed, last, replaced, tested } = connection;
        let facts = Facts { has_passed, is_active: wants_active && has_passed, last };
        let status = facts.status().with_locations(are_gone);
        let active = (facts.is_active, wants_active && !facts.is_active);
        let form = (submitted, digest.active());
        sql::carts::update(work, id, form, &name, active, status, &visitor.by).await?;
        health::apply_user_change(work, id, before.cart.status, visitor.by.name()).await?;
        if let Some(report) = &tested {
            health::record_saved_with(work, id, report).await?;
        }
        let was_ticked = before.cart.activate_on_pass;
        if !before.cart.is_active && !facts.is_active && was_ticked != active.1 {
            fields.push(Change::of_requested_active(was_ticked));
        }
        let cart = CartRef { id: id.0, name: name.as_str().to_owned() };
        let over = edit.is_overwrite.then(|| before.cart.updated_by.clone());
        for event in events(fields, (before.cart.is_active, facts.is_active), replaced, over) {
            changes::record(work, &visitor.by, &cart, &event).await?;
        }
        let effect = effect::of_update(effect, &before.cart, facts, wants_active);
        Ok(SavedCart { cart: id, name: cart.name, effect })
    }
}

/// Whether this is the form that was saved last, submitted again with the same content: no conflict with another user.
fn came_before(
    before: &sql::carts::LockedCart,
    edit: &CartEdit,
    submission: &CartSubmission,
    digest: &Fingerprints,
) -> bool {
    before.last_submission == Some(submission.id)
        && before.cart.version == edit.version + 1
        && digest.is(before.last_digest.as_ref())
}

/// Stores the settings that may be changed, and returns the changes in words.
async fn settle(work: &mut Connection, id: CartId, asked: &SettingsInput) -> Result<Vec<Change>, SaveError> {
    let known = sql::locations::find(work, id).await?;
    let (mut saved, granted) = sql::settings::find(work, id).await?;
    saved.locations = known.chosen();
    let mut asked = asked.clone();
    asked.settings.locations.retain(|id| known.all.iter().any(|location| location.id == *id));
    let next = saved.with(&asked, &granted);
    let imports = |settings: &CartSettings| settings.switches.contains(&Setting::ImportProducts);
    if imports(&next) && next.item_group.is_empty() && !imports(&saved) {
        return Err(ItemGroupError::Empty.into());
    }
    let changes = saved.changes(&next, |id| known.name(id));
    if next.locations != saved.locations {
        sql::locations::choose(work, id, &next.locations.iter().cloned().collect::<Vec<_>>()).await?;
    }
    if !changes.is_empty() {
        sql::settings::upsert(work, id, &next).await?;
    }
    Ok(changes)
}

fn changed_fields(before: &Cart, name: &str, address: &StoreAddress) -> Vec<Change> {
    let pairs = [
        ("Website Name", before.website_name.clone(), name.to_owned()),
        ("API URL", before.address.admin_url(), address.admin_url()),
    ];
    let differs = pairs.into_iter().filter(|(_, before, after)| before != after);
    differs.map(|(field, before, after)| Change { field, before, after }).collect()
}

/// The audit events of a save, in the order in which a reader expects them.
fn events(
    changes: Vec<Change>,
    (was_active, is_active): (bool, bool),
    replaced: Option<Event>,
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
    events.extend(replaced);
    events
}
