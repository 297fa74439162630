//! Compares the generation of each saved secret with the audit log, to find secrets that were put back.
//!
//! A secret opens only as the generation that it was sealed as, so an earlier one opens only if the row says that it is
//! earlier. The audit log says otherwise, and cannot be rewritten unnoticed. Secrets in an earlier format are bound to no
//! generation; they are found by their format.

use std::fmt;

use uuid::Uuid;

use super::sql;
use crate::{audit, database::Pool, vault::FORMAT};

/// Carts that one statement reads.
const READ_BATCH: i64 = 500;

/// A cart whose secret is not the one that was last entered or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFault {
    Generation {
        cart: Uuid,
        generation: i64,
        recorded: i64,
    },
    /// The secret has a format that was not written any more when the cart's secret was last recorded or rotated.
    Format {
        cart: Uuid,
    },
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation { cart, generation, recorded } if generation < recorded => write!(
                f,
                "put back: the secret of cart {cart} is of generation {generation}, and generation {recorded} is recorded"
            ),
            Self::Generation { cart, generation, recorded } => write!(
                f,
                "changed: the secret of cart {cart} is of generation {generation}, and only generation {recorded} is recorded"
            ),
            Self::Format { cart } => {
                write!(f, "put back: the secret of cart {cart} has the format of an earlier version of the program")
            }
        }
    }
}

/// Result of [`verify_generations`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenerationReport {
    pub faults: Vec<SecretFault>,
    /// Carts with a secret of which no generation is recorded: it was entered by an earlier version, or in a month that
    /// was dropped.
    pub unrecorded: usize,
}

/// Compares every cart with the audit log, whose chain must be verified separately.
pub async fn verify_generations(pool: &Pool) -> sqlx::Result<GenerationReport> {
    // Before the carts: from the end of a rotation on, no secret is sealed in an earlier format.
    let is_rotated = audit::was_rotated_to(&mut *pool.acquire().await?, FORMAT).await?;
    let (mut report, mut after) = (GenerationReport::default(), Uuid::nil());
    loop {
        let batch = sql::generations::list(pool, after, READ_BATCH).await?;
        let Some(last) = batch.last() else { return Ok(report) };
        after = last.id;
        for row in batch {
            let cart = row.id;
            match row.recorded {
                Some(recorded) if recorded != row.generation => {
                    report.faults.push(SecretFault::Generation { cart, generation: row.generation, recorded });
                }
                recorded => {
                    let has_old_format = row.format.as_ref().is_some_and(|format| format[..] != [FORMAT]);
                    if has_old_format && (recorded.is_some() || is_rotated) {
                        report.faults.push(SecretFault::Format { cart });
                    } else if row.format.is_some() && recorded.is_none() {
                        report.unrecorded += 1;
                    }
                }
            }
        }
    }
}

#[cfg(all(test, feature = "practice"))]
mod tests;
