//! Reads one page of carts.

use uuid::Uuid;

use super::{CartPage, CartRow, ListQuery, PAGE, SORTED_MATCHES_MAX, is_short_search};
use crate::{carts::sql, database::Connection};

/// Carts from the cursor on that are scanned first: a common word is found among them, in order, without the index.
const FIRST_SCAN_LEN: i64 = 128;
const STRIDES: [i64; 3] = [4_000, 32_000, i64::MAX];

/// Returns one page of carts in the requested order, on the caller's connection.
pub(in crate::carts) async fn read_page(connection: &mut Connection, query: &ListQuery) -> sqlx::Result<CartPage> {
    let (integration_is_on, counts) = sql::counts::count(connection).await?;
    let mut rows = match query.under(integration_is_on) {
        Some(query) => read_rows(connection, &query).await?,
        None => Vec::new(),
    };
    let more = rows.len() > usize::try_from(PAGE).expect("PAGE fits usize");
    let backwards = query.before.is_some();
    if more {
        rows.pop();
    }
    if backwards {
        rows.reverse();
    }
    let cursor = |row: &CartRow| row.cursor.clone();
    let has_previous = if backwards { more } else { query.after.is_some() };
    let has_next = if backwards { true } else { more };
    Ok(CartPage {
        integration_is_on,
        counts,
        previous: rows.first().filter(|_| has_previous).map(cursor),
        next: rows.last().filter(|_| has_next).map(cursor),
        rows,
    })
}

/// Reads one row more than a page, to see whether there are more.
async fn read_rows(connection: &mut Connection, query: &ListQuery) -> sqlx::Result<Vec<CartRow>> {
    let Some(text) = query.search.as_deref() else {
        return sql::listing::list(connection, query).await;
    };
    let found = search(connection, query, text).await?;
    if found.is_empty() { Ok(Vec::new()) } else { sql::listing::list_these(connection, &found).await }
}

async fn search(connection: &mut Connection, query: &ListQuery, text: &str) -> sqlx::Result<Vec<Uuid>> {
    if is_short_search(text) {
        let ids = sql::listing::list_beginning(connection, text).await?;
        return sql::listing::search(
            connection,
            query,
            text,
            sql::listing::SearchBounds { nearest: SORTED_MATCHES_MAX, ids: Some(&ids) },
        )
        .await;
    }
    let is_whole = |found: &[Uuid]| found.len() > usize::try_from(PAGE).expect("a page is small");
    let mut found = sql::listing::search(
        connection,
        query,
        text,
        sql::listing::SearchBounds { nearest: FIRST_SCAN_LEN, ids: None },
    )
    .await?;
    if is_whole(&found) {
        return Ok(found);
    }
    let ids = sql::listing::list_like(connection, text).await?;
    if ids.is_empty() {
        return Ok(ids);
    }
    if ids.len() <= usize::try_from(SORTED_MATCHES_MAX).expect("a thousand is small") {
        return sql::listing::search(
            connection,
            query,
            text,
            sql::listing::SearchBounds { nearest: SORTED_MATCHES_MAX, ids: Some(&ids) },
        )
        .await;
    }
    for nearest in STRIDES {
        found =
            sql::listing::search(connection, query, text, sql::listing::SearchBounds { nearest, ids: None }).await?;
        if is_whole(&found) {
            break;
        }
    }
    Ok(found)
}
