//! Carts, their credentials, and whether they work.
//!
//! A *cart* is our record of one shop, a *store* the merchant's shop itself. Each noun has one handle; [`open`] makes them
//! all. An operation is one transaction that includes its audit event and excludes network calls.

pub mod bulk;
mod cart;
mod collection;
mod connection_tests;
mod credential_input;
pub mod diagnostics_text;
pub mod draft_secret;
mod handles;
pub mod health;
mod integration;
mod listing;
mod locations;
mod report;
mod rotation;
mod saving;
mod sealing;
mod search_turns;
pub mod settings;
mod sql;
pub mod state;
pub mod status;
mod token_refresh;
mod visitor;

pub use cart::{Cart, CartId, SavedCredential, WebsiteName, WebsiteNameError};
pub use collection::{Carts, OtherSettings};
pub use connection_tests::{ConnectionTests, Progress, RunningTest, TestRefused, TestSubject};
pub use credential_input::CredentialInput;
pub use draft_secret::DraftSecrets;
pub use handles::{CartHandles, open};
pub use integration::Integration;
pub use listing::{CartCounts, CartFilter, CartPage, CartRow, Cursor, ListQuery, Sort, SortBy, is_short_search};
pub use locations::{LocationsRead, StoreLocations};
pub use report::TestReport;
pub use rotation::sealed_columns;
pub use saving::{CartEdit, CartSubmission, ConflictingCart, SaveEffect, SaveError, SavedCart};
pub use search_turns::SearchTurns;
pub use status::Status;
pub use token_refresh::{CurrentToken, TokenError, Tokens};
pub use visitor::Visitor;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts::AddError, database::is_away, vault::InternalError};

    #[test]
    fn unavailable_database_is_found_behind_every_error() {
        let away = || sqlx::Error::PoolTimedOut;
        assert!(is_away(&away().into()));
        assert!(is_away(&InternalError::Database(away()).into()));
        assert!(is_away(&SaveError::Broken(away().into()).into()));
        assert!(is_away(&TestRefused::Broken(away().into()).into()));
        assert!(is_away(&AddError::Broken(away()).into()));
        assert!(
            !is_away(&InternalError::Database(sqlx::Error::RowNotFound).into()),
            "a bug of ours is no reason to wait"
        );
    }
}
