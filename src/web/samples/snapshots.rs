//! Compares every sample with its last reviewed snapshot, one file each in `tests/snapshots`, so that a change of a
//! template is reviewed as a change of pages. `SNAPSHOTS=renew cargo test --lib snapshots` writes the current pages;
//! without it nothing is ever written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use scraper::{ElementRef, Html};
use similar::TextDiff;

use super::{pages, readable::readable, rules::select};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
/// Lines of differences to print; `git diff` shows all of them after a renewal.
const MANY: usize = 150;

/// Selects the part of a page to store: everything that is not the same on another page. The editor is the same around
/// every test and every setting; what surrounds `main` is stored for one page with a user and one without.
fn part(name: &str) -> &'static str {
    match name {
        "home" | "sign-in" => "body",
        _ if name.starts_with("test-") => "#connection-test",
        _ if name.starts_with("settings-") && name != "settings-wrong" => ".settings",
        "editor-banner" => ".notice",
        "editor-replacing" | "editor-saved-client" => "main form",
        _ => "main",
    }
}

fn snapshot(name: &str, html: &str) -> String {
    let page = Html::parse_document(html);
    let one = |selector: &str| -> ElementRef<'_> {
        page.select(&select(selector)).next().unwrap_or_else(|| panic!("{name} has no {selector}"))
    };
    readable(&[one("title"), one(part(name))])
}

fn now() -> BTreeMap<String, String> {
    pages().into_iter().map(|(name, html)| (name.clone(), snapshot(&name, &html))).collect()
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.html"))
}

fn kept(folder: &Path) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(entry.path()).expect("text"))
    };
    fs::read_dir(folder).into_iter().flatten().flatten().map(read).collect()
}

fn renew(folder: &Path, pages: &BTreeMap<String, String>) {
    fs::create_dir_all(folder).expect("a folder");
    for name in kept(folder).keys().filter(|name| !pages.contains_key(*name)) {
        fs::remove_file(file(folder, name)).expect("a file of ours");
    }
    for (name, text) in pages {
        fs::write(file(folder, name), text).expect("a file");
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
            let headers = (format!("tests/snapshots/{name}.html"), format!("{name} as it is now"));
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

/// Renders the samples twice: nothing random may be in a snapshot.
#[test]
fn snapshots_are_deterministic() {
    assert_eq!(differences(&now(), &now()), []);
}
