//! The reads: one page, one batch of an export, the options of the filters.

use uuid::Uuid;

use super::{AuditCursor, AuditFilter, AuditPage, AuditRecord, CHOICES_MAX, FilterChoices, PAGE};
use crate::{audit::sql, database::Pool};

/// Lists one page.
pub async fn list(pool: &Pool, filter: &AuditFilter, from: AuditCursor) -> sqlx::Result<AuditPage> {
    let mut connection = pool.acquire().await?;
    let mut rows = sql::page::list(&mut connection, filter, from, PAGE + 1).await?;
    drop(connection);
    let more = rows.len() > usize::try_from(PAGE).expect("a page is small");
    if more {
        rows.pop();
    }
    let backwards = matches!(from, AuditCursor::NewerThan(_));
    if backwards {
        rows.reverse();
    }
    let has_newer = if backwards { more } else { from != AuditCursor::Newest };
    let has_older = backwards || more;
    Ok(AuditPage {
        newer: rows.first().filter(|_| has_newer).map(|row| AuditCursor::NewerThan(row.id)),
        older: rows.last().filter(|_| has_older).map(|row| AuditCursor::OlderThan(row.id)),
        rows,
    })
}

/// Returns the next rows of an export, following `after`, newest first.
pub async fn batch(
    pool: &Pool,
    filter: &AuditFilter,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<AuditRecord>> {
    let mut connection = pool.acquire().await?;
    sql::page::list(&mut connection, filter, after.map_or(AuditCursor::Newest, AuditCursor::OlderThan), limit).await
}

/// Returns the users and carts that the filters offer. The current selection is always among them.
pub async fn offer(pool: &Pool, filter: &AuditFilter) -> sqlx::Result<FilterChoices> {
    let mut people = sql::names::list_people(pool, CHOICES_MAX).await?;
    let mut carts = sql::names::list_carts(pool, CHOICES_MAX + 1).await?;
    // Strangers cause only failed sign-ins.
    people.retain(|one| filter.with_failed_sign_ins || one.kind != "stranger");
    let limit = usize::try_from(CHOICES_MAX).expect("an offer is small");
    let has_more_carts = carts.len() > limit;
    carts.truncate(limit);
    if let Some(id) = filter.cart.filter(|id| carts.iter().all(|cart| cart.id != *id))
        && let Some(chosen) = sql::names::find_cart(pool, id).await?
    {
        carts.push(chosen);
    }
    if let Some(key) =
        filter.person.as_deref().filter(|key| !filter.is_of_strangers() && people.iter().all(|one| one.key != *key))
        && let Some(chosen) = sql::names::find_person(pool, key).await?
    {
        people.push(chosen);
    }
    people.sort_by_key(|one| (one.kind != "person", one.name.to_lowercase()));
    carts.sort_by_key(|cart| cart.name.to_lowercase());
    Ok(FilterChoices { people, carts, has_more_carts })
}
