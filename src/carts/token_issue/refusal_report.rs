//! A program reports that a store refused the token that it was given. A rejected token of client credentials is renewed
//! once; any other refusal makes the check of the cart due, which decides its status by the usual rules.

use std::time::{Duration, Instant};

use super::{CartId, IssueError, IssueRow, Tokens};
use crate::{
    audit::{self, By, CartRef, Event},
    carts::{sql, sql::token_refresh::MintRow, token_refresh::TokenNeed},
    database::{
        throttle::{Bucket, BucketKind, Throttle},
        transaction,
    },
    platforms::{CredentialKind, redact_secrets, sanitize_foreign_text},
    vault::Fingerprint,
};

/// Reports by one program about one cart. A token that is refused again and again is not helped by more renewals.
const REPORTS: Throttle = Throttle { limit: 5, window: Duration::from_mins(10) };
/// Longest request ID of Shopify that is kept, in characters.
const REQUEST_ID_MAX_LEN: usize = 100;
/// The status of a token that Shopify does not accept.
const UNAUTHORIZED: u16 = 401;

/// A refused token, as a program reports it.
#[derive(Clone, Debug)]
pub struct RefusedToken {
    /// The `token_id` that came with the token.
    pub token_id: String,
    /// The HTTP status of the store's response.
    pub status: u16,
    /// Shopify's `X-Request-Id`. Foreign text: sanitized before it is stored.
    pub request_id: Option<String>,
}

/// What a report caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalEffect {
    /// There is another token.
    Renewed,
    /// The cart is checked within seconds.
    CheckQueued,
    /// The report is about an older token, or one that is not known.
    NewerExists,
}

impl Tokens {
    /// Takes a report of the program `by`.
    ///
    /// # Errors
    /// [`IssueError`]: too many reports, the cart is not in use, or the renewal failed.
    pub async fn report_refusal(
        &self,
        by: &By,
        id: CartId,
        refused: RefusedToken,
    ) -> Result<RefusalEffect, IssueError> {
        let began = Instant::now();
        let row = sql::token_issue::find(&self.pool, id).await?.ok_or(IssueError::NoCart)?;
        row.demand_in_use(self.practices)?;
        let is_current = self.is_current(id, &row, &refused.token_id)?;
        let renews = is_current && refused.status == UNAUTHORIZED && row.is_renewable();
        self.record_report(by, id, &row, &refused, is_current, is_current && !renews).await?;
        if !is_current {
            return Ok(RefusalEffect::NewerExists);
        }
        if !renews {
            return Ok(RefusalEffect::CheckQueued);
        }
        if let Some(withheld) = row.recent_failure() {
            return Err(IssueError::Withheld(Box::new(withheld)));
        }
        let rejected = row.mint.as_ref().map(|mint| mint.version);
        self.renewed_token(id, &row, TokenNeed { rejected, left: Duration::ZERO }, began).await?;
        Ok(RefusalEffect::Renewed)
    }

    /// Whether this names the token that the cart has now.
    fn is_current(&self, id: CartId, row: &IssueRow, token_id: &str) -> Result<bool, IssueError> {
        let Some(mint) = &row.mint else { return Ok(false) };
        let current = match mint.kind {
            CredentialKind::AccessToken => Some(self.own_token(id, mint).map_err(|error| row.refusal(error))?),
            CredentialKind::ClientCredentials => self.minted(id, mint),
        };
        Ok(current.is_some_and(|current| self.token_ids(&current.token).is(parse_token_id(token_id).as_ref())))
    }

    /// Counts and records the report, and makes the check due if it `asks_for_check`.
    async fn record_report(
        &self,
        by: &By,
        id: CartId,
        row: &IssueRow,
        refused: &RefusedToken,
        is_current: bool,
        asks_for_check: bool,
    ) -> Result<(), IssueError> {
        let by = by.clone();
        let cart = CartRef { id: id.0, name: row.mint.as_ref().map(|mint| mint.name.clone()).unwrap_or_default() };
        let request =
            refused.request_id.as_deref().map(|text| sanitize_foreign_text(&redact_secrets(text), REQUEST_ID_MAX_LEN));
        let event = Event::TokenRefusalReported {
            status: refused.status,
            request: request.filter(|text| !text.is_empty()),
            is_current,
        };
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let program = by.actor.id().unwrap_or_default();
                let bucket = Bucket::of(BucketKind::TokenRefusal, &[program.as_bytes(), id.0.as_bytes()]);
                if let Some(wait) = REPORTS.count(work, bucket).await? {
                    return Err(IssueError::TooManyReports(wait));
                }
                if asks_for_check {
                    sql::token_issue::check_now(work, id).await?;
                }
                audit::record(work, &by, Some(&cart), &event).await?;
                Ok(())
            })
        })
        .await
    }
}

impl IssueRow {
    /// Whether another token can be had without a person.
    fn is_renewable(&self) -> bool {
        self.mint.as_ref().is_some_and(|mint: &MintRow| mint.kind == CredentialKind::ClientCredentials)
    }
}

/// Parses 32 hex digits; `None` for any other text, which names no token.
fn parse_token_id(text: &str) -> Option<Fingerprint> {
    if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..16).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}
