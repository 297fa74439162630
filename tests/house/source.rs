//! The production sources as text: without test modules and sample pages.

use std::{fs, path::Path};

/// Each file under `src` with its path from the project's root.
pub fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    read(Path::new("src"), &mut found);
    assert!(found.len() > 200, "the sources are found");
    found.sort();
    found
}

fn read(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let name = path.to_string_lossy().replace('\\', "/");
            if name.ends_with("/tests.rs") || name.contains("/tests/") || name.contains("/samples/") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let before_tests = before_tests.split("\n#[cfg(all(test").next().unwrap_or_default();
            found.push((name, before_tests.to_owned()));
        }
    }
}
