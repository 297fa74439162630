//! Carts, their credentials, and whether they work.
//!
//! A *cart* is our record of one shop, a *store* the merchant's shop itself. Each noun has one handle; [`open`] makes them
//! all. An operation is one transaction that includes its audit event and excludes network calls.

pub mod bulk;
mod cart;
mod cart_list;
pub mod changes;
mod collection;
mod connection_tests;
mod credential_input;
pub mod diagnostics_text;
pub mod draft_secret;
mod generations;
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
mod summary;
pub mod token_issue;
mod token_refresh;
mod visitor;

pub use cart::{Cart, CartId, SavedCredential, WebsiteName, WebsiteNameError};
pub use cart_list::{CartListError, find_listed};
pub use changes::Changes;
pub use collection::{Carts, OtherSettings};
pub use connection_tests::{ConnectionTests, Progress, RunningTest, TestRefused, TestSubject};
pub use credential_input::CredentialInput;
pub use draft_secret::DraftSecrets;
pub use generations::{GenerationReport, SecretFault, verify_generations};
pub use handles::{CartHandles, open};
pub use integration::Integration;
pub use listing::{CartCounts, CartFilter, CartPage, CartRow, Cursor, ListQuery, Sort, SortBy, is_short_search};
pub use locations::{LocationsRead, StoreLocations};
pub use report::TestReport;
pub use rotation::sealed_columns;
pub use saving::{
    CartEdit, CartSubmission, ConflictingCart, SaveComplaint, SaveEffect, SaveError, SavedCart, SubmittedField,
    missing_secret,
};
pub use search_turns::SearchTurns;
pub use status::Status;
pub use summary::{CartSummary, SummaryCursor, SummaryPage, SummaryQuery};
pub use token_refresh::{CurrentToken, TokenError, Tokens};
pub use visitor::{DraftOwner, Visitor};

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
