//! Walks the whole chain and compares it with the rows. Reads in batches, so that no statement runs long.

use std::fmt;

use uuid::Uuid;

use super::{ChainHead, GENESIS, link_hash};
use crate::{audit::sql, database::Pool};

/// Links or rows that one statement reads.
const READ_BATCH: i64 = 2_000;
/// Maximum number of faults that are listed; the rest are only counted.
const NAMED_FAULTS: usize = 100;

/// A difference between the audit log and what was recorded. Times are UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainFault {
    /// The row or its link was changed, or links were reordered.
    Changed {
        position: i64,
        event: Uuid,
        at: String,
    },
    /// The row is gone, and its month was not dropped.
    RowMissing {
        position: i64,
        event: Uuid,
        at: String,
    },
    LinksMissing {
        from: i64,
        to: i64,
    },
    /// The row is dated more than an hour before one that was linked earlier.
    Backdated {
        position: i64,
        event: Uuid,
        at: String,
    },
    /// The row has no link, and it is either not queued for one or older than ten minutes.
    RowUnlinked {
        event: Uuid,
        at: String,
    },
    /// The row was recorded, but disappeared before it was linked.
    RowLost {
        event: Uuid,
        at: String,
    },
    /// The chain has a different hash at the position of this reported head.
    HeadDiffers {
        head: ChainHead,
    },
    /// The chain ends before this reported head.
    HeadMissing {
        head: ChainHead,
    },
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { position, event, at } => {
                write!(f, "changed: position {position}, event {event} of {at} is not what was recorded")
            }
            Self::RowMissing { position, event, at } => {
                write!(f, "missing: position {position}, event {event} of {at} is gone")
            }
            Self::LinksMissing { from, to } if from == to => write!(f, "missing: position {from} of the chain is gone"),
            Self::LinksMissing { from, to } => write!(f, "missing: positions {from} to {to} of the chain are gone"),
            Self::Backdated { position, event, at } => {
                write!(
                    f,
                    "inserted: position {position}, event {event} is dated {at}, long before those recorded ahead of it"
                )
            }
            Self::RowUnlinked { event, at } => write!(f, "inserted: event {event} of {at} is not in the chain"),
            Self::RowLost { event, at } => write!(f, "missing: event {event} of {at} was gone before it was linked"),
            Self::HeadDiffers { head } => {
                write!(f, "rewritten: position {} has another hash than the head {head}", head.position)
            }
            Self::HeadMissing { head } => write!(f, "missing: the chain ends before the head {head}"),
        }
    }
}

/// Result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// Rows that match what was recorded.
    pub rows: i64,
    pub head: Option<ChainHead>,
    /// The last dropped month, such as `2024-10`; rows are verified from the following month on.
    pub dropped_until: Option<String>,
    /// Heads to look for whose position is in a dropped month.
    pub too_old: Vec<ChainHead>,
    /// At most 100 faults.
    pub faults: Vec<ChainFault>,
    pub more_faults: usize,
}

impl ChainReport {
    pub const fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, fault: ChainFault) {
        if self.faults.len() < NAMED_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

/// Verifies the chain, and that it contains each of `heads`. Calls `progress` with the number of links and rows read so
/// far and the total.
///
/// # Errors
/// The database could not be read. Faults of the chain are in the report.
pub async fn verify(
    pool: &Pool,
    heads: &[ChainHead],
    mut progress: impl FnMut(i64, i64) + Send,
) -> sqlx::Result<ChainReport> {
    let mut report =
        ChainReport { dropped_until: sql::chain::find_dropped_until(pool).await?, ..ChainReport::default() };
    // Nearly every row has a link. Both are counted: the links are read first, then the rows.
    let whole = 2 * sql::chain::count_links(pool).await?;
    let mut walk = Walk { previous: None, newest: f64::MIN, first: None };
    let mut done = 0;
    loop {
        let after = walk.previous.map_or(0, |head| head.position);
        let batch = sql::chain::list_links(pool, after, report.dropped_until.as_deref(), READ_BATCH).await?;
        if batch.is_empty() {
            break;
        }
        for link in &batch {
            walk.step(link, heads, &mut report);
        }
        done += i64::try_from(batch.len()).expect("a batch is small");
        progress(done, whole);
    }
    report.head = walk.previous;
    check_ends(&walk, heads, &mut report);
    let mut after = Uuid::nil();
    loop {
        let batch = sql::chain::list_rows(pool, after, READ_BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        done += i64::try_from(batch.len()).expect("a batch is small");
        for row in batch.into_iter().filter(|row| !row.is_accounted) {
            report.add(ChainFault::RowUnlinked { event: row.id, at: row.at });
        }
        progress(done, whole);
    }
    for (event, at) in sql::chain::list_lost(pool).await? {
        report.add(ChainFault::RowLost { event, at });
    }
    Ok(report)
}

/// State of a walk.
struct Walk {
    previous: Option<ChainHead>,
    first: Option<i64>,
    /// The latest row time so far, in seconds since 1970.
    newest: f64,
}

impl Walk {
    fn step(&mut self, link: &sql::chain::ChainLinkRow, heads: &[ChainHead], report: &mut ChainReport) {
        let position = link.position;
        let (event, at) = (link.event_id, link.event_at.clone());
        let hash = link.hash.as_slice().try_into().unwrap_or(GENESIS);
        // After months were dropped, the previous link of the first kept one is gone, so the first link is accepted
        // without verification.
        let is_anchor = self.first.is_none() && report.dropped_until.is_some() && link.is_of_dropped_month;
        let before = self.previous.map_or((0, GENESIS), |head| (head.position, head.hash));
        let follows = position == before.0 + 1;
        if !follows && !is_anchor {
            report.add(ChainFault::LinksMissing { from: before.0 + 1, to: position - 1 });
        }
        match link.row() {
            Some(row) if follows && link_hash(&before.1, position, &row) != hash => {
                report.add(ChainFault::Changed { position, event, at: at.clone() });
            }
            Some(_) => report.rows += 1,
            None if link.is_of_dropped_month => {}
            None => report.add(ChainFault::RowMissing { position, event, at: at.clone() }),
        }
        if link.event_seconds < self.newest - 3_600.0 && !link.is_of_dropped_month {
            report.add(ChainFault::Backdated { position, event, at });
        }
        self.newest = self.newest.max(link.event_seconds);
        for head in heads.iter().filter(|head| head.position == position && head.hash != hash) {
            report.add(ChainFault::HeadDiffers { head: *head });
        }
        self.first.get_or_insert(position);
        self.previous = Some(ChainHead { position, hash });
    }
}

/// Checks the heads that are outside of the kept links.
fn check_ends(walk: &Walk, heads: &[ChainHead], report: &mut ChainReport) {
    let last = walk.previous.map_or(0, |head| head.position);
    for head in heads {
        if head.position > last {
            report.add(ChainFault::HeadMissing { head: *head });
        } else if walk.first.is_some_and(|first| head.position < first) {
            report.too_old.push(*head);
        }
    }
}
