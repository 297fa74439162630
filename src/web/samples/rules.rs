//! Rules for every page: structure, names, references, the content security policy, vocabulary, size.

use std::collections::HashSet;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use scraper::{Html, Selector};

use super::pages;
use crate::web::form::SECRET_FIELDS;

pub(super) fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector")
}

#[test]
fn every_page_has_one_h1_a_title_and_one_main() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for selector in ["h1", "title", "main", "[role=status]"] {
            assert_eq!(page.select(&select(selector)).count(), 1, "{selector} in {name}");
        }
        let title: String = page.select(&select("title")).flat_map(|title| title.text()).collect();
        assert!(
            title.trim_start() == title && title.ends_with(" – Order Time") && title.len() > 14,
            "{name}: {title:?}"
        );
    }
}

#[test]
fn ids_are_unique_and_every_reference_resolves() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        let mut ids = HashSet::new();
        for element in page.select(&select("[id]")) {
            let id = element.attr("id").expect("an id");
            assert!(ids.insert(id), "{id} twice in {name}");
        }
        let attributes = ["for", "form", "aria-describedby", "aria-labelledby", "aria-controls", "data-show"];
        for attribute in attributes {
            for element in page.select(&select(&format!("[{attribute}]"))) {
                for id in element.attr(attribute).expect("the selector requires it").split_whitespace() {
                    assert!(ids.contains(id), "{attribute}={id} has no target in {name}");
                }
            }
        }
        for link in page.select(&select("a[href^='#']")) {
            let id = &link.attr("href").expect("the selector requires it")[1..];
            assert!(ids.contains(id), "#{id} has no target in {name}");
        }
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
fn every_page_complies_with_the_content_security_policy() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for element in page.select(&select("*")) {
            for (attribute, value) in element.value().attrs() {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{attribute} in {name}");
                let is_script = value.trim_start().to_ascii_lowercase().starts_with("javascript:");
                assert!(!is_script, "{attribute}={value} in {name}");
            }
        }
        for script in page.select(&select("script")) {
            assert!(script.attr("src").is_some() && script.inner_html().is_empty(), "inline script in {name}");
        }
        assert_eq!(page.select(&select("style, base, iframe, object")).count(), 0, "{name}");
    }
}

#[test]
fn every_post_form_has_the_form_token() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for form in page.select(&select("form[method=post]")) {
            assert_eq!(form.select(&select("input[type=hidden][name=csrf]")).count(), 1, "{name}");
        }
    }
}

#[test]
fn every_control_has_a_name_and_new_tabs_are_announced() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for button in page.select(&select("button:not([aria-hidden])")) {
            assert!(!button.text().collect::<String>().trim().is_empty(), "a button without a name in {name}");
        }
        for input in page.select(&select("input:not([type=hidden])")) {
            if input.attr("aria-label").is_some_and(|name| !name.is_empty()) {
                continue;
            }
            let id = input.attr("id").expect("an input has an id");
            let says_it_itself = input.attr("aria-label").is_some_and(|name| !name.trim().is_empty());
            let is_named = says_it_itself
                || page.select(&select(&format!("label[for='{id}']"))).next().is_some()
                || page.select(&select(&format!("label > #{id}"))).next().is_some();
            assert!(is_named, "{id} without a label in {name}");
        }
        for link in page.select(&select("a[target=_blank]")) {
            assert_eq!(link.attr("rel"), Some("noopener noreferrer"), "{name}");
            assert!(link.text().collect::<String>().contains("(opens in a new tab)"), "{name}");
        }
    }
}

#[test]
fn form_errors_show_in_the_title_and_at_the_fields() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        let is_wrong = page.select(&select("[role=alert]")).next().is_some();
        let title: String = page.select(&select("title")).flat_map(|title| title.text()).collect();
        assert_eq!(title.starts_with("Error: "), is_wrong, "{name}: {title}");
        assert_eq!(page.select(&select(".error")).count() > 0, is_wrong, "{name}");
    }
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

/// A browser's translation would break machine names.
#[test]
fn hosts_scopes_and_codes_are_not_translated() {
    let is_machine_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        word.ends_with(".myshopify.com")
            || (word.contains('_')
                && ["read_", "write_", "shpat_", "shpss_"].iter().any(|start| word.starts_with(start)))
    };
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for code in page.select(&select("code, pre")) {
            assert_eq!(code.attr("translate"), Some("no"), "{} in {name}", code.html());
        }
        for node in page.tree.nodes() {
            let Some(text) = node.value().as_text() else { continue };
            let is_kept = node
                .ancestors()
                .filter_map(scraper::ElementRef::wrap)
                .any(|element| element.attr("translate") == Some("no") || element.value().name() == "title");
            // a `<wbr>` splits a long name into several text nodes; one of its parts still matches
            let found = text.split_whitespace().find(|word| is_machine_name(word));
            assert!(is_kept || found.is_none(), "{found:?} may be translated in {name}");
        }
    }
}

/// Table cells that are displayed as blocks are cells only by their ARIA role.
#[test]
fn stacked_tables_keep_their_aria_roles() {
    let roles = [
        ("table", "table"),
        ("thead", "rowgroup"),
        ("tbody", "rowgroup"),
        ("tr", "row"),
        ("td", "cell"),
        ("th[scope=col]", "columnheader"),
        ("th[scope=row]", "rowheader"),
    ];
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for table in page.select(&select("table")) {
            assert!(table.attr("class").is_some_and(|class| class.contains("stack")), "{name}");
        }
        for (selector, role) in roles {
            for element in page.select(&select(selector)) {
                assert_eq!(element.attr("role"), Some(role), "{selector} in {name}");
            }
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
fn no_secret_field_is_rendered_with_a_value() {
    for (name, html) in pages() {
        let page = Html::parse_document(&html);
        for input in page.select(&select("input.secret, input[type=password]")) {
            assert_eq!(input.attr("value"), Some(""), "{name}");
        }
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
        crate::web::assets::app_css(),
        crate::web::assets::app_js(),
        crate::web::assets::icons_svg(),
        crate::web::assets::favicon_svg(),
    ] {
        let name = url.strip_prefix("/static/").expect("under /static/");
        std::fs::write(statics.join(name), crate::web::assets::find(name).expect("an asset").bytes).expect("a file");
    }
}

fn packed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing to memory cannot fail");
    encoder.finish().expect("writing to memory cannot fail").len()
}

#[test]
fn pages_and_assets_stay_small() {
    for (url, limit) in
        [(crate::web::assets::app_css(), 8), (crate::web::assets::app_js(), 4), (crate::web::assets::icons_svg(), 3)]
    {
        let asset = crate::web::assets::find(url.trim_start_matches("/static/")).expect("an asset");
        let size = packed(asset.bytes);
        assert!(size <= limit * 1024, "{url}: {size} bytes");
    }
    for (name, html) in pages() {
        let size = packed(html.as_bytes());
        assert!(size <= 12 * 1024, "{name}: {size} bytes");
    }
}
