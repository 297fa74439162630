//! Links new rows of the audit log, and reports the head of the chain.

use super::{ChainHead, GENESIS, link_hash};
use crate::{
    audit::sql,
    database::{Connection, Pool, transaction},
};

/// Rows that one transaction links.
const BATCH: i64 = 500;

/// Links one batch of unlinked rows. Returns how many it linked; 0 if another process holds the chain lock.
pub async fn link_new_rows(pool: &Pool) -> sqlx::Result<usize> {
    transaction(pool, |work| Box::pin(link_batch(work))).await
}

async fn link_batch(work: &mut Connection) -> sqlx::Result<usize> {
    if !sql::chain::try_lock(work).await? {
        return Ok(0);
    }
    let rows = sql::chain::list_unlinked(work, BATCH).await?;
    let head = sql::chain::find_head(work).await?;
    let (mut position, mut previous) = head.map_or((0, GENESIS), |head| (head.position, head.hash));
    let (first, mut ids, mut hashes) = (position + 1, Vec::new(), Vec::new());
    for row in &rows {
        position += 1;
        previous = link_hash(&previous, position, row);
        ids.push(row.id);
        hashes.push(previous.to_vec());
    }
    if !rows.is_empty() {
        sql::chain::insert_links(work, first, &ids, &hashes).await?;
        sql::chain::delete_unlinked(work, &ids).await?;
    }
    Ok(rows.len())
}

/// Returns the newest link.
pub async fn find_chain_head(pool: &Pool) -> sqlx::Result<Option<ChainHead>> {
    let mut connection = pool.acquire().await?;
    sql::chain::find_head(&mut connection).await
}

/// Returns the newest link once a day across all processes; `None` in between, and if the chain is empty. The day
/// counts from the commit.
pub async fn claim_head_report(work: &mut Connection) -> sqlx::Result<Option<ChainHead>> {
    match sql::chain::find_head(work).await? {
        Some(head) => Ok(sql::chain::claim_head_report(work).await?.then_some(head)),
        None => Ok(None),
    }
}
