//! Key rotation for carts: three columns hold sealed secrets, and two fingerprints and the tests of a credential depend
//! on its key. A rotation changes the encryption of a secret and nothing else.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    CartId,
    sealing::{binding, fingerprints, place, token_fingerprints},
    sql::{
        self,
        rotation::{Resealed, StoredCredential},
    },
};
use crate::platforms::{Credential, CredentialKind};
use crate::{
    database::{Connection, Pool, transaction},
    vault::{Batch, Place, SealedColumn, Tally, Unreadable, Vault},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Secret,
    MintedToken,
    UnsavedSecret,
}

/// All columns of carts that hold sealed secrets.
pub fn sealed_columns() -> Vec<Box<dyn SealedColumn>> {
    [Column::Secret, Column::MintedToken, Column::UnsavedSecret]
        .map(|column| Box::new(column) as Box<dyn SealedColumn>)
        .into()
}

impl SealedColumn for Column {
    fn table(&self) -> &'static str {
        match self {
            Self::Secret | Self::MintedToken => "carts",
            Self::UnsavedSecret => "unsaved_credentials",
        }
    }

    fn column(&self) -> &'static str {
        match self {
            Self::Secret | Self::UnsavedSecret => "secret",
            Self::MintedToken => "minted_token",
        }
    }

    fn tally<'a>(&'a self, connection: &'a mut Connection) -> BoxFuture<'a, sqlx::Result<Vec<Tally>>> {
        Box::pin(async move {
            match self {
                Self::Secret => sql::rotation::tally_secrets(connection).await,
                Self::MintedToken => sql::rotation::tally_tokens(connection).await,
                Self::UnsavedSecret => sql::rotation::tally_draft_secrets(connection).await,
            }
        })
    }

    fn reseal<'a>(&'a self, vault: &'a Arc<Vault>, pool: &'a Pool, after: Uuid) -> BoxFuture<'a, sqlx::Result<Batch>> {
        let (column, vault) = (*self, Arc::clone(vault));
        Box::pin(transaction(pool, move |work| Box::pin(async move { column.reseal_in(work, &vault, after).await })))
    }
}

impl Column {
    async fn reseal_in(self, work: &mut Connection, vault: &Vault, after: Uuid) -> sqlx::Result<Batch> {
        let head = vault.head();
        let mut batch = Batch::default();
        let resealed = match self {
            Self::Secret => {
                let rows = sql::rotation::find_secrets(work, &head, after).await?;
                let resealed = reseal_credentials(work, vault, &mut batch, rows, saved).await?;
                sql::rotation::replace_secrets(work, &resealed).await?
            }
            Self::UnsavedSecret => {
                let rows = sql::rotation::find_draft_secrets(work, &head, after).await?;
                let resealed = reseal_credentials(work, vault, &mut batch, rows, unsaved).await?;
                sql::rotation::replace_draft_secrets(work, &resealed).await?
            }
            Self::MintedToken => {
                let mut resealed = Resealed::default();
                for row in sql::rotation::find_tokens(work, &head, after).await? {
                    batch.last = Some(row.id);
                    let place = Place::minted_token(row.id, binding(&row.store, row.generation));
                    match vault.open(&place, &row.token) {
                        Ok(token) => resealed.push(row.id, row.token, vault.seal(&place, &token)),
                        Err(Unreadable) => batch.unreadable.push(row.id),
                    }
                }
                sql::rotation::replace_tokens(work, &resealed).await?
            }
        };
        batch.resealed = i64::try_from(resealed).expect("a batch fits i64");
        vault.count_resealed(work, batch.resealed).await?;
        Ok(batch)
    }
}

fn saved(kind: CredentialKind, row: &StoredCredential) -> Place<'_> {
    place(kind, CartId(row.id), binding(&row.store, row.generation))
}

fn unsaved(_: CredentialKind, row: &StoredCredential) -> Place<'_> {
    Place::unsaved(row.id, binding(&row.store, row.generation))
}

/// Re-seals each credential for the same place, with its fingerprints, and moves its tests to them.
async fn reseal_credentials(
    work: &mut Connection,
    vault: &Vault,
    batch: &mut Batch,
    rows: Vec<StoredCredential>,
    place: fn(CredentialKind, &StoredCredential) -> Place<'_>,
) -> sqlx::Result<Resealed> {
    let mut resealed = Resealed::default();
    let (mut tests_before, mut tests_after) = (Vec::new(), Vec::new());
    for row in rows {
        batch.last = Some(row.id);
        let opened = CredentialKind::parse(&row.kind).and_then(|kind| {
            let secret = vault.open(&place(kind, &row), &row.secret).ok()?;
            Some((kind, Credential::from_stored(kind, row.client_id.clone(), secret)?))
        });
        let Some((kind, credential)) = opened else {
            batch.unreadable.push(row.id);
            continue;
        };
        let sealed = vault.seal(&place(kind, &row), credential.secret());
        let exactly = fingerprints(vault, &row.store.host, &credential);
        for earlier in exactly.earlier() {
            tests_before.push(earlier.clone());
            tests_after.push(exactly.active().to_vec());
        }
        resealed.fingerprints.push(exactly.active().to_vec());
        resealed.token_fingerprints.push(token_fingerprints(vault, &credential).active().to_vec());
        resealed.push(row.id, row.secret, sealed);
    }
    sql::rotation::move_tests(work, &tests_before, &tests_after).await?;
    Ok(resealed)
}

impl Resealed {
    fn push(&mut self, id: Uuid, before: Vec<u8>, after: Vec<u8>) {
        self.ids.push(id);
        self.before.push(before);
        self.after.push(after);
    }
}
