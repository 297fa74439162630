//! The e-commerce domain: carts, their credentials, and whether they work.
//!
//! A *cart* is our record of one shop, a *store* the merchant's shop itself. The operations are methods of
//! [`Ecommerce`]; each is one transaction that includes its audit event and excludes network calls.

pub mod bulk;
mod cart;
mod connection_tests;
mod diagnostics;
pub mod health;
mod integration;
mod listing;
mod locations;
mod removal;
mod report;
mod rotation;
mod saving;
mod sealing;
mod search_turns;
pub mod settings;
pub mod shopify;
mod sql;
pub mod state;
pub mod status;
pub mod title;
mod token_refresh;
mod unreadable;
pub mod verdict;

use std::sync::Arc;

use crate::{
    audit::By,
    clock::Clock,
    database::Pool,
    vault::{InternalError, Vault},
};

pub use cart::{Cart, CartId, SavedCredential, WebsiteName, WebsiteNameError};
pub use connection_tests::{Progress, RunningTest, TestRefused, TestSubject};
pub use integration::Integration;
pub use listing::{CartCounts, CartFilter, CartPage, CartRow, Cursor, ListQuery, Sort, SortBy, is_short_search};
pub use locations::{LocationsRead, OtherSettings};
pub use report::TestReport;
pub use rotation::sealed_columns;
pub use saving::{CartEdit, CartSubmission, ConflictingCart, CredentialInput, SaveEffect, SaveError, SavedCart};
pub use status::Status;
pub use token_refresh::{CurrentToken, TokenError};

/// Entry point to all operations on carts.
#[derive(Clone, Debug)]
pub struct Ecommerce {
    pool: Pool,
    vault: Arc<Vault>,
    client: Arc<shopify::client::ShopifyClient>,
    tasks: tokio_util::task::TaskTracker,
    search_turns: search_turns::SearchTurns,
    /// Whether the server answers for `practice-` stores itself.
    practices: bool,
    clock: Clock,
}

/// A signed-in user in one browser session. Draft secrets belong to the session, actions to the user.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub by: By,
    /// SHA-256 of the session id.
    pub session: Vec<u8>,
}

impl Ecommerce {
    pub fn new(
        pool: Pool,
        vault: Arc<Vault>,
        client: Arc<shopify::client::ShopifyClient>,
        practices: bool,
        clock: Clock,
    ) -> Self {
        let (tasks, search_turns) = (tokio_util::task::TaskTracker::new(), search_turns::SearchTurns::default());
        Self { pool, vault, client, tasks, search_turns, practices, clock }
    }

    /// Whether the practice store answers for this address.
    fn is_practice(&self, address: &shopify::address::StoreAddress) -> bool {
        self.practices && address.handle().starts_with("practice-")
    }

    /// Reloads the operator's root certificates for calls to Shopify.
    ///
    /// # Errors
    /// The roots cannot be used; the previous ones stay in use.
    pub fn reload(&self, egress: &shopify::client::Egress) -> anyhow::Result<()> {
        self.client.reload(egress)
    }

    /// Waits for running tests, so that a shutdown loses no result. They end within 15 s; a shutdown with less time
    /// stops waiting.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts::AddError, database::is_away, vault::SealError};

    #[test]
    fn unavailable_database_is_found_behind_every_error() {
        let away = || sqlx::Error::PoolTimedOut;
        assert!(is_away(&away().into()));
        assert!(is_away(&InternalError::Database(away()).into()));
        assert!(is_away(&InternalError::Seal(SealError::Database(away())).into()));
        assert!(is_away(&SaveError::Broken(away().into()).into()));
        assert!(is_away(&TestRefused::Broken(away().into()).into()));
        assert!(is_away(&AddError::Broken(away()).into()));
        assert!(
            !is_away(&InternalError::Database(sqlx::Error::RowNotFound).into()),
            "a bug of ours is no reason to wait"
        );
    }
}
