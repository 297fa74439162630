//! Naming rules: one meaning per type name, plain words in names and documentation.

use std::collections::{BTreeMap, BTreeSet};

use super::source;

/// Returns the types that a file defines outside tests. Types inside functions, `impl` blocks and traits do not count.
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

#[test]
fn no_two_production_types_share_a_name() {
    let planted = [
        ("a.rs", "pub(crate) struct Line<'a> {"),
        ("b.rs", "enum Line {}\n    struct Inner;"),
        ("c.rs", "struct Inner;"),
    ];
    let planted = planted.map(|(file, text)| (file.to_owned(), text.to_owned()));
    assert_eq!(shared_names(&planted), ["Line: {\"a.rs\", \"b.rs\"}"]);
    assert_eq!(shared_names(&source::files()), [""; 0]);
}

/// Words that names, headings and doc comments must not use, because each has a plain equivalent.
const BANNED: &[&str] = &[
    "anew",
    "blot",
    "deed",
    "deeds",
    "for ever",
    "in vain",
    "inside of",
    "minting",
    "patience",
    "seats",
    "tame",
    "whoever",
];

fn banned_words(lines: impl Iterator<Item = (String, String)>) -> Vec<String> {
    lines
        .filter_map(|(place, line)| {
            let words: String =
                line.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
            let words = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
            let banned = BANNED.iter().find(|banned| words.contains(&format!(" {banned} ")))?;
            Some(format!("{place}: \"{banned}\" in {}", line.trim()))
        })
        .collect()
}

/// Comments and definitions of the sources, headings and prose of the documents.
fn prose() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (file, text) in source::files() {
        let spoken = |line: &str| {
            let line = line.trim_start();
            line.starts_with("//")
                || ["fn ", "struct ", "enum ", "mod ", "const "].iter().any(|word| line.contains(word))
        };
        let lines = text.lines().enumerate().filter(|(_, line)| spoken(line));
        found.extend(lines.map(|(at, line)| (format!("{file}:{}", at + 1), line.to_owned())));
    }
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/operating.md"] {
        let text = std::fs::read_to_string(document).expect(document);
        found.extend(text.lines().enumerate().map(|(at, line)| (format!("{document}:{}", at + 1), line.to_owned())));
    }
    found
}

#[test]
fn names_headings_and_doc_comments_use_plain_words() {
    let planted = |line: &str| banned_words([("x.rs:1".to_owned(), line.to_owned())].into_iter());
    assert_eq!(planted("/// Whoever asks.").len(), 1);
    assert_eq!(planted("fn deed_of(x: u8) {}").len(), 1);
    assert_eq!(planted("/// Indeed a tamer.").len(), 0);
    let found = banned_words(prose().into_iter());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
