//! Naming rule: one meaning per type name.

use std::collections::{BTreeMap, BTreeSet};

use super::source;

/// Names of the types that a file defines outside of tests. Types inside of functions, `impl` blocks and traits do not count.
fn type_names(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with(char::is_whitespace))
        .filter_map(|line| {
            let line = line.strip_prefix("pub").map_or(line, |rest| {
                let rest = rest.trim_start();
                rest.strip_prefix('(')
                    .and_then(|inside| inside.split_once(')'))
                    .map_or(rest, |(_, rest)| rest.trim_start())
            });
            let (keyword, rest) = line.split_once(' ')?;
            ["struct", "enum", "trait", "type", "union"].contains(&keyword).then_some(rest)
        })
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        .collect()
}

fn shared_names(files: &[(String, String)]) -> Vec<String> {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, text) in files {
        for name in type_names(text) {
            places.entry(name).or_default().insert(file);
        }
    }
    places.into_iter().filter(|(_, files)| files.len() > 1).map(|(name, files)| format!("{name}: {files:?}")).collect()
}

/// Names that have two meanings today. The list only gets shorter.
const STILL_SHARED: &[&str] = &[
    "Alerts",
    "Answer",
    "App",
    "Asked",
    "Body",
    "Cart",
    "CartRow",
    "Chosen",
    "Client",
    "Connection",
    "Counts",
    "Data",
    "Day",
    "Deletion",
    "Details",
    "Edit",
    "Field",
    "Filter",
    "Finding",
    "Head",
    "Health",
    "Kind",
    "Known",
    "Line",
    "LinkRow",
    "Listed",
    "Meter",
    "Owner",
    "Page",
    "Payload",
    "Permission",
    "Problem",
    "Refusal",
    "Refused",
    "Route",
    "Row",
    "Session",
    "Settings",
    "Standing",
    "StatusChange",
    "Told",
    "Trouble",
    "Typed",
    "Understood",
];

#[test]
fn no_more_production_types_share_a_name() {
    let planted = [
        ("a.rs", "pub(crate) struct Line<'a> {"),
        ("b.rs", "enum Line {}\n    struct Inner;"),
        ("c.rs", "struct Inner;"),
    ];
    let planted = planted.map(|(file, text)| (file.to_owned(), text.to_owned()));
    assert_eq!(shared_names(&planted), ["Line: {\"a.rs\", \"b.rs\"}"]);
    let found = shared_names(&source::files());
    let new: Vec<_> =
        found.iter().filter(|line| !STILL_SHARED.iter().any(|name| line.starts_with(&format!("{name}:")))).collect();
    assert!(new.is_empty(), "give these names that say what they are without their module: {new:#?}");
    assert_eq!(found.len(), STILL_SHARED.len(), "a name that is unique now leaves the list");
}
