//! Which programs got a token, and how often: in the audit log and on the cart's pages.

use super::{CartId, TokenUse, Tokens};
use crate::{
    audit::{self, Actor},
    carts::sql,
    database::transaction,
};

/// Rows that one transaction records.
const BATCH: i64 = 100;
/// Programs that a page names.
const SHOWN_PROGRAMS: i64 = 5;

impl Tokens {
    /// Records the hand-outs after the first of each minute that is over: one row of the audit log for each program, cart
    /// and minute. Returns how many rows it wrote.
    pub async fn record_uses(&self) -> sqlx::Result<usize> {
        let mut recorded = 0;
        loop {
            let batch: usize = transaction::<_, sqlx::Error, _>(&self.pool, |work| {
                Box::pin(async move {
                    let due = sql::token_uses::take_unrecorded(work, BATCH).await?;
                    for uses in &due {
                        let program = Actor::Program { key: uses.key, name: uses.program.clone() };
                        audit::record_past_uses(work, program, &uses.cart, uses.more, uses.minute).await?;
                    }
                    Ok(due.len())
                })
            })
            .await?;
            recorded += batch;
            if i64::try_from(batch).unwrap_or(i64::MAX) < BATCH {
                break;
            }
        }
        sql::token_uses::delete_old(&mut *self.pool.acquire().await?).await?;
        Ok(recorded)
    }

    /// The programs that got the token of this cart, the last one first.
    pub async fn uses(&self, cart: CartId) -> sqlx::Result<Vec<TokenUse>> {
        sql::token_uses::list(&self.pool, cart, SHOWN_PROGRAMS).await
    }
}
