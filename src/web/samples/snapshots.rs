//! Compares every sample with its last reviewed snapshot in `tests/snapshots`, so that a change of a template is
//! reviewed as a change of pages. A page is stored whole once; for its other states only the lines that differ are. All
//! of every page is compared. `SNAPSHOTS=renew cargo test --lib snapshots` writes the current pages; without it nothing
//! is ever written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use scraper::{ElementRef, Html};
use similar::{ChangeTag, DiffTag, TextDiff};

use super::{html_rules::select, pages, readable::readable};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
/// Lines of differences to print; `git diff` shows all of them after a renewal.
const MANY: usize = 150;

/// Removed lines of one place that are listed; the rest is counted. The page that they are missing from is stored.
const REMOVED_LISTED: usize = 3;

/// The sample that this one is another state of: the one whose name is the longest beginning of this name.
fn base<'a>(name: &'a str, pages: &BTreeMap<String, String>) -> Option<&'a str> {
    match name {
        "editor-wrong" | "test-CONNECTED" => return Some("editor-new"),
        "editor-banner" | "editor-replacing" | "editor-viewer" => return Some("editor-saved"),
        _ if name.starts_with("settings-") => return Some("editor-saved"),
        _ if name.starts_with("test-") => return Some("test-CONNECTED"),
        _ => {}
    }
    name.rmatch_indices('-').map(|(at, _)| &name[..at]).find(|name| pages.contains_key(*name))
}

/// Title and content of a page. The frame around `main` is stored for one page with a user and one without.
fn content(name: &str, html: &str) -> String {
    let page = Html::parse_document(html);
    let one = |selector: &str| -> ElementRef<'_> {
        page.select(&select(selector)).next().unwrap_or_else(|| panic!("{name} has no {selector}"))
    };
    let part = if name.starts_with("home") || name.starts_with("sign-in") { "body" } else { "main" };
    readable(&[one("title"), one(part)])
}

/// The places where a page differs from its base: after `@@` the element around it, then the lines.
fn fragments(base: &str, page: &str) -> String {
    let lines: Vec<&str> = base.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut text = String::new();
    let diff = TextDiff::from_lines(base, page);
    for operation in diff.ops().iter().filter(|operation| operation.tag() != DiffTag::Equal) {
        let (removed, added): (Vec<_>, Vec<_>) =
            diff.iter_changes(operation).partition(|change| change.tag() == ChangeTag::Delete);
        let inner = removed.iter().chain(&added).next().map_or(0, |change| depth(change.value()));
        let mut before = lines[..operation.old_range().start].iter().rev();
        let around = before.find(|line| depth(line) < inner).unwrap_or(&"");
        writeln!(text, "@@ {}", around.trim_start()).expect("writing to memory cannot fail");
        for change in removed.iter().take(REMOVED_LISTED).chain(&added) {
            write!(text, "{}{}", change.tag(), change.value()).expect("writing to memory cannot fail");
        }
        if removed.len() > REMOVED_LISTED {
            let more = removed.len() - REMOVED_LISTED;
            writeln!(text, "-… {more} lines more").expect("writing to memory cannot fail");
        }
    }
    text
}

/// Every file of the folder as it should be: whole pages, and what differs in their other states. A state that differs
/// in most of its lines is stored whole.
fn now() -> BTreeMap<String, String> {
    let pages: BTreeMap<String, String> =
        pages().into_iter().map(|(name, html)| (name.clone(), content(&name, &html))).collect();
    let stored = |(name, page): (&String, &String)| {
        let differing = base(name, &pages).map(|base| fragments(&pages[base], page));
        match differing.filter(|text| text.lines().count() * 2 < page.lines().count()) {
            Some(fragments) => (format!("{name}.diff"), fragments),
            None => (format!("{name}.html"), page.clone()),
        }
    };
    pages.iter().map(stored).collect()
}

fn kept(folder: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).expect("text"))
    };
    fs::read_dir(folder).into_iter().flatten().flatten().map(read).collect()
}

fn renew(folder: &Path, pages: &BTreeMap<String, String>) {
    fs::create_dir_all(folder).expect("a folder");
    for name in kept(folder).keys().filter(|name| !pages.contains_key(*name)) {
        fs::remove_file(folder.join(name)).expect("a file of ours");
    }
    for (name, text) in pages {
        fs::write(folder.join(name), text).expect("a file");
    }
}

/// Each page that differs from its snapshot, with its diff.
fn differences(kept: &BTreeMap<String, String>, pages: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let names: BTreeSet<&String> = kept.keys().chain(pages.keys()).collect();
    let differ = names.into_iter().filter(|name| kept.get(*name) != pages.get(*name));
    let of = |texts: &BTreeMap<String, String>, name: &str| texts.get(name).cloned().unwrap_or_default();
    differ
        .map(|name| {
            let (before, after) = (of(kept, name), of(pages, name));
            let headers = (format!("tests/snapshots/{name}"), format!("{name} as it is now"));
            let diff = TextDiff::from_lines(&before, &after);
            let told = diff.unified_diff().context_radius(2).header(&headers.0, &headers.1).to_string();
            (name.clone(), told)
        })
        .collect()
}

/// The names of all changed pages, and the first lines of their diffs.
fn tell(differences: &[(String, String)]) -> String {
    let mut told = String::new();
    let lines: Vec<&str> = differences.iter().flat_map(|(_, diff)| diff.lines()).collect();
    for line in lines.iter().take(MANY) {
        writeln!(told, "{line}").expect("writing to memory cannot fail");
    }
    if lines.len() > MANY {
        writeln!(told, "… and {} lines more", lines.len() - MANY).expect("writing to memory cannot fail");
    }
    let names: Vec<&str> = differences.iter().map(|(name, _)| name.as_str()).collect();
    format!("{told}\n{} of the pages look different: {}", names.len(), names.join(", "))
}

#[test]
fn every_page_matches_its_snapshot() {
    let (folder, pages) = (Path::new(FOLDER), now());
    if std::env::var("SNAPSHOTS").is_ok_and(|wish| wish == "renew") {
        renew(folder, &pages);
    }
    let differences = differences(&kept(folder), &pages);
    assert!(
        differences.is_empty(),
        "{}\nAs it should be? SNAPSHOTS=renew cargo test --lib snapshots, and commit tests/snapshots.",
        tell(&differences)
    );
}

#[test]
fn changed_new_and_removed_pages_are_reported() {
    let texts = |all: &[(&str, &str)]| all.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let kept: BTreeMap<String, String> = texts(&[("same", "<p>a</p>\n"), ("changed", "<p>a</p>\n"), ("gone", "x\n")]);
    let now = texts(&[("same", "<p>a</p>\n"), ("changed", "<p>b</p>\n"), ("new", "y\n")]);
    let told = tell(&differences(&kept, &now));
    for line in ["-<p>a</p>", "+<p>b</p>", "-x", "+y", "3 of the pages look different: changed, gone, new"] {
        assert!(told.lines().any(|told| told == line), "{line} in {told}");
    }
    assert_eq!(differences(&kept, &kept), []);
    let folder = tempfile::tempdir().expect("a folder");
    renew(folder.path(), &kept);
    renew(folder.path(), &now);
    assert_eq!(super::snapshots::kept(folder.path()), now);
}

#[test]
fn another_state_is_stored_as_the_lines_that_differ() {
    let page = |list: &str| format!("<title>A</title>\n<main>\n <ul>\n{list} </ul>\n <p>End</p>\n</main>\n");
    let items = |names: &str| names.chars().map(|name| format!("  <li>{name}</li>\n")).collect::<String>();
    let five = page(&items("abcde"));
    assert_eq!(fragments(&five, &five), "");
    let expected = "@@ <ul>\n-  <li>c</li>\n+  <li>x</li>\n+  <li>y</li>\n";
    assert_eq!(fragments(&five, &page(&items("abxyde"))), expected);
    let expected = "@@ <ul>\n-  <li>a</li>\n-  <li>b</li>\n-  <li>c</li>\n-… 2 lines more\n";
    assert_eq!(fragments(&five, &page("")), expected);
}

/// Renders the samples twice: nothing random may be in a snapshot.
#[test]
fn snapshots_are_deterministic() {
    assert_eq!(differences(&now(), &now()), []);
}
