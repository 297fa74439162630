//! Parses a list of carts as a person enters it, by ID or by store, and finds each of them.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::sql;
use crate::{
    database::Pool,
    pasted::is_padding,
    platforms::{StoreAddress, redact_secrets},
};

/// Mistaken lines that are named.
const NAMED_MAX: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum CartListError {
    /// The lines, and the entry of the first one.
    #[error("{}", unknown(.lines, .first))]
    Unknown { lines: Vec<usize>, first: String },
    #[error("Enter {0} carts or fewer")]
    TooMany(usize),
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

fn unknown(lines: &[usize], first: &str) -> String {
    let named: Vec<String> = lines.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    match (lines.len(), named.join(", ")) {
        (1, line) => format!("Line {line}: no cart has the ID or the store “{first}”"),
        (..=NAMED_MAX, named) => format!("Lines {named} name no cart of yours. The first is “{first}”"),
        (_, named) => format!("Lines {named} and others name no cart of yours. The first is “{first}”"),
    }
}

/// Finds the carts of a list: IDs, names of stores or their addresses, separated by commas or white space. `None` if the
/// list is empty.
///
/// # Errors
/// [`CartListError::Unknown`] with every mistaken line, or [`CartListError::TooMany`] above `max`.
pub async fn find_listed(pool: &Pool, text: &str, max: usize) -> Result<Option<BTreeSet<Uuid>>, CartListError> {
    let entries: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .flat_map(|(line, text)| {
            let parts = text.split(|c: char| c == ',' || is_padding(c)).filter(|entry| !entry.is_empty());
            parts.map(move |entry| (line + 1, entry))
        })
        .collect();
    if entries.len() > max {
        return Err(CartListError::TooMany(max));
    }
    let ids: Vec<Uuid> = entries.iter().filter_map(|(_, entry)| Uuid::parse_str(entry).ok()).collect();
    let hosts: Vec<String> = entries.iter().filter_map(|(_, entry)| host_of(entry)).collect();
    let found = sql::cart_refs::list_by_id_or_host(pool, &ids, &hosts).await?;
    let by_host: HashMap<&str, Uuid> = found.iter().map(|(id, host)| (host.as_str(), *id)).collect();
    let by_id: BTreeSet<Uuid> = found.iter().map(|(id, _)| *id).collect();
    let (mut carts, mut unknown) = (BTreeSet::new(), Vec::new());
    for (line, entry) in &entries {
        let id = Uuid::parse_str(entry).ok().filter(|id| by_id.contains(id));
        match id.or_else(|| by_host.get(host_of(entry)?.as_str()).copied()) {
            Some(cart) => drop(carts.insert(cart)),
            None => unknown.push((*line, *entry)),
        }
    }
    if let Some((_, first)) = unknown.first() {
        let first = redact_secrets(first).chars().take(60).collect();
        let mut lines: Vec<usize> = unknown.iter().map(|(line, _)| *line).collect();
        lines.dedup();
        return Err(CartListError::Unknown { lines, first });
    }
    Ok(Some(carts).filter(|carts| !carts.is_empty()))
}

fn host_of(entry: &str) -> Option<String> {
    StoreAddress::parse(entry).ok().map(|parsed| parsed.address.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistaken_lines_are_named() {
        assert_eq!(unknown(&[3], "x"), "Line 3: no cart has the ID or the store “x”");
        assert_eq!(unknown(&[3, 4], "x"), "Lines 3, 4 name no cart of yours. The first is “x”");
        let many = unknown(&[1, 2, 3, 4, 5, 6], "x");
        assert_eq!(many, "Lines 1, 2, 3, 4, 5 and others name no cart of yours. The first is “x”");
    }
}
