//! How a later save changes the credential: a working credential stays in use until a new one has passed, and a cart
//! stays bound to its store.

use uuid::Uuid;

use super::{SaveEffect, SaveError, matching_test::MatchingTest};
use crate::{
    audit::Event,
    carts::{Cart, CartId, Carts, TestReport, Visitor, credential_input::CredentialSource, draft_secret, sql},
    causes::Class,
    database::Connection,
    platforms::{Credential, StoreAddress},
};

/// The change of a cart's credential by a save.
pub(super) struct CredentialChange {
    pub effect: SaveEffect,
    pub has_passed: bool,
    pub last: Option<Class>,
    pub replaced: Option<Event>,
    /// The last test of a credential that is new to this cart.
    pub tested: Option<TestReport>,
}

impl Carts {
    /// Returns the new credential of the form; `None` if the saved one stays.
    pub(super) fn new_credential(
        &self,
        before: &sql::carts::LockedCart,
        address: &StoreAddress,
        keeps: bool,
        found: CredentialSource,
    ) -> Result<Option<Credential>, SaveError> {
        let host_is_same = before.cart.address == *address;
        match found {
            // Entering the saved credential again is no change.
            CredentialSource::Credential(credential)
                if host_is_same
                    && self.credentials.fingerprints(address, &credential).is(before.fingerprint.as_ref()) =>
            {
                Ok(None)
            }
            CredentialSource::Credential(credential) => Ok(Some(credential)),
            CredentialSource::Nothing { .. } if keeps => Ok(None),
            CredentialSource::Nothing { .. } if before.cart.credential.is_some() && !host_is_same => {
                Err(SaveError::StoreChanged)
            }
            CredentialSource::Nothing { was_there } => Err(SaveError::SecretMissing { was_there }),
        }
    }

    /// Puts a new credential into use if that is allowed; otherwise the old one stays in use until the new one has
    /// passed.
    pub(super) async fn connect(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        submitted: Uuid,
        before: &sql::carts::LockedCart,
        address: &StoreAddress,
        new: Option<Credential>,
    ) -> Result<CredentialChange, SaveError> {
        let cart = &before.cart;
        let (has_passed, last) = (cart.passed_at.is_some(), cart.last_class);
        let kept = CredentialChange { effect: SaveEffect::Kept, has_passed, last, replaced: None, tested: None };
        let Some(credential) = new else {
            draft_secret::forget_of_cart(work, visitor, submitted, cart.id).await?;
            return Ok(kept);
        };
        self.refuse_other_store(work, cart, address, &credential).await?;
        let (tested, pass) = match self.latest_test(work, address, &credential, Some(cart)).await? {
            Some(MatchingTest { report, pass }) => (Some(report), pass),
            None => (None, None),
        };
        let kind = credential.kind();
        if pass.is_none() && has_passed && cart.address == *address && cart.credential.is_some() {
            // Without a place for the new one, a save would lose it.
            if visitor.drafts.session().is_none() {
                return Err(SaveError::SecretUntested { kind });
            }
            draft_secret::hold(work, &self.credentials.vault, visitor, submitted, Some(cart.id), address, &credential)
                .await?;
            return Ok(CredentialChange { effect: SaveEffect::OldSecretKept { kind }, ..kept });
        }
        let generation = cart.version + 1;
        self.replace(work, visitor, cart.id, address, &credential, generation, pass.as_ref()).await?;
        draft_secret::forget_of_cart(work, visitor, submitted, cart.id).await?;
        let ending = credential.ending();
        Ok(CredentialChange {
            effect: SaveEffect::NewSecret { kind, ending: ending.clone() },
            has_passed: pass.is_some(),
            last: pass.map(|pass| pass.class),
            replaced: Some(Event::CredentialReplaced { kind: kind.as_str(), ending, generation: Some(generation) }),
            tested,
        })
    }

    /// Rejects a credential that recently opened another store than the one that the cart belongs to.
    async fn refuse_other_store(
        &self,
        work: &mut Connection,
        cart: &Cart,
        address: &StoreAddress,
        credential: &Credential,
    ) -> Result<(), SaveError> {
        let Some(own) = &cart.shop_id else { return Ok(()) };
        match sql::connection_tests::find_recent_shop(work, &self.credentials.fingerprints(address, credential)).await?
        {
            Some((shop, found)) if shop != *own => {
                let expected = cart.shop_name.clone().unwrap_or_else(|| cart.website_name.clone());
                Err(SaveError::WrongStore { expected, found })
            }
            _ => Ok(()),
        }
    }

    /// Replaces the credential by this generation of it, and stores the pass that covers it.
    #[expect(clippy::too_many_arguments, reason = "each is written to the row")]
    async fn replace(
        &self,
        work: &mut Connection,
        visitor: &Visitor,
        id: CartId,
        address: &StoreAddress,
        credential: &Credential,
        generation: i64,
        pass: Option<&sql::connection_tests::PassFacts>,
    ) -> sqlx::Result<()> {
        let sealed = self.credentials.seal(id, address, credential, visitor.by.name(), generation);
        sql::credentials::update(work, id, self.is_practice(address), &sealed).await?;
        if let Some(pass) = pass {
            sql::connection_tests::update_pass(work, id, pass).await?;
        }
        Ok(())
    }
}
