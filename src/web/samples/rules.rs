//! Rules for every sample: those of every HTML page, vocabulary, size.

use std::collections::HashSet;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use scraper::Html;

use super::html_rules::{select, violations};
use super::pages;
use crate::web::admin::form::SECRET_FIELDS;

#[test]
fn every_page_keeps_the_html_rules() {
    for (name, html) in pages() {
        assert_eq!(violations(&html), [""; 0], "{name}");
    }
}

#[test]
fn every_secret_input_is_listed_where_forms_are_parsed() {
    let mut seen = HashSet::new();
    for (name, html) in pages() {
        for input in Html::parse_document(&html).select(&select("input[type=password], input.secret")) {
            let field = input.attr("name").expect("an input has a name").to_owned();
            assert!(SECRET_FIELDS.contains(&field.as_str()), "{field} in {name}: name it in web::form::SECRETS");
            seen.insert(field);
        }
    }
    assert_eq!(seen.len(), SECRET_FIELDS.len(), "{seen:?}");
}

#[test]
fn no_page_uses_an_avoided_word() {
    let avoided = ["please", "sorry", "oops", "invalid", "forbidden", "error code", "couldn't", "can't"];
    for (name, html) in pages() {
        let text: String = Html::parse_document(&html).select(&select("main")).flat_map(|main| main.text()).collect();
        let text = text.to_lowercase();
        for word in avoided {
            assert!(!text.contains(word), "“{word}” in {name}");
        }
    }
}

/// Words that only the authors of a text would understand. The samples contain no user-typed text with them.
const UNPLAIN: [&str; 14] = [
    "deed",
    "deeds",
    "told",
    "whoever",
    "way",
    "ways",
    "stands",
    "rests",
    "anew",
    "begin",
    "inside of",
    "for ever",
    "in vain",
    "one moment",
];

#[test]
fn no_page_uses_a_word_that_is_not_plain() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        let text: String = page.root_element().text().collect::<Vec<_>>().join(" ").to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let text = format!(" {} ", words.join(" "));
        for word in UNPLAIN {
            assert!(!text.contains(&format!(" {word} ")), "“{word}” in {name}");
        }
        for sentence in [" nothing to do ", " it lasts ", " go on ", " since just now ", " understand what we sent "] {
            assert!(!text.contains(sentence), "“{sentence}” in {name}");
        }
    }
}

#[test]
fn user_input_is_escaped_on_every_page() {
    for (name, html) in pages() {
        assert!(!html.contains("<Tea>"), "{name}");
    }
}

#[test]
#[ignore = "writes the pages as files, for viewing"]
fn look() {
    let folder = std::path::PathBuf::from(std::env::var_os("LOOK_DIR").expect("LOOK_DIR"));
    for (name, html) in pages() {
        std::fs::write(folder.join(format!("{name}.html")), html).expect("a file");
    }
    let statics = folder.join("static");
    std::fs::create_dir_all(&statics).expect("a folder");
    for url in [
        crate::web::admin::assets::app_css(),
        crate::web::admin::assets::app_js(),
        crate::web::admin::assets::icons_svg(),
        crate::web::admin::assets::favicon_svg(),
    ] {
        let name = url.strip_prefix("/static/").expect("under /static/");
        std::fs::write(statics.join(name), crate::web::admin::assets::find(name).expect("an asset").bytes)
            .expect("a file");
    }
}

fn packed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail").len()
}

#[test]
fn pages_and_assets_stay_small() {
    for (url, limit) in [
        (crate::web::admin::assets::app_css(), 8),
        (crate::web::admin::assets::app_js(), 4),
        (crate::web::admin::assets::icons_svg(), 3),
    ] {
        let asset = crate::web::admin::assets::find(url.trim_start_matches("/static/")).expect("an asset");
        let size = packed(asset.bytes);
        assert!(size <= limit * 1024, "{url}: {size} bytes");
    }
    for (name, html) in pages() {
        let size = packed(html.as_bytes());
        assert!(size <= 12 * 1024, "{name}: {size} bytes");
    }
}
