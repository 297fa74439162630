//! Recorded tests: find them again, and delete those of stores that were never saved.

use uuid::Uuid;

use super::ConnectionTests;
use crate::{
    carts::{CartId, TestReport, Visitor, credential_input::CredentialSource, draft_secret, sql},
    platforms::ClientId,
};

impl ConnectionTests {
    /// Returns the last test that this user ran from this form.
    pub async fn find_last(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
    ) -> sqlx::Result<Option<TestReport>> {
        let person = visitor.by.actor.id().unwrap_or_default();
        let found = match cart {
            Some(cart) => sql::connection_tests::find_last_of_cart(&self.pool, cart, form, person).await?,
            None => sql::connection_tests::find_last_of_new(&self.pool, form, person).await?,
        };
        match found {
            Some(id) => self.find(id).await,
            None => Ok(None),
        }
    }

    /// Returns the last test of a new cart whose draft secret is still in this browser session.
    pub async fn find_draft(&self, visitor: &Visitor) -> sqlx::Result<Option<Uuid>> {
        let Some(session) = visitor.drafts.session() else { return Ok(None) };
        let person = visitor.by.actor.id().unwrap_or_default();
        sql::connection_tests::find_draft(&self.pool, session, person).await
    }

    /// Whether a form still has the tested secret and, for client credentials, the tested Client ID: its draft secret
    /// if there is one, else the saved secret.
    pub async fn still_applies(
        &self,
        visitor: &Visitor,
        form: Uuid,
        cart: Option<CartId>,
        client_id: Option<&ClientId>,
        tested: &TestReport,
    ) -> sqlx::Result<bool> {
        let TestReport { id, address, kind, .. } = tested;
        let mut connection = self.pool.acquire().await?;
        let then = sql::connection_tests::find_fingerprint(&mut connection, *id).await?;
        let found = draft_secret::find(
            &mut connection,
            &self.credentials.vault,
            visitor,
            form,
            cart,
            address,
            *kind,
            client_id,
        )
        .await?;
        drop(connection);
        Ok(match (found, cart) {
            (CredentialSource::Credential(credential), _) => {
                self.credentials.fingerprints(address, &credential).is(then.as_ref())
            }
            (CredentialSource::Nothing { .. }, Some(cart)) => {
                then.is_some() && sql::credentials::find_fingerprint(&self.pool, cart).await? == then
            }
            (CredentialSource::Nothing { .. }, None) => false,
        })
    }

    /// Deletes the tests of stores that were never saved.
    pub async fn delete_old(&self) -> sqlx::Result<u64> {
        sql::connection_tests::delete_old(&self.pool).await
    }

    /// Finds a recorded test by its id; `None` while it runs and if there is no such test.
    pub async fn find(&self, id: Uuid) -> sqlx::Result<Option<TestReport>> {
        sql::connection_tests::find(&self.pool, id).await
    }
}
