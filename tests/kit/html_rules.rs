//! The rules that every HTML page keeps: structure, references, names, the content security policy, form tokens, errors,
//! machine names. Applied to the samples of all states in `src/web/samples` and to pages as the site serves them.

use std::collections::HashSet;

use scraper::{ElementRef, Html, Selector};

pub fn select(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|error| panic!("invalid selector: {selector}: {error}"))
}

/// Checks all rules and returns a sentence for each violation.
pub fn violations(html: &str) -> Vec<String> {
    let mut page = Page { document: &Html::parse_document(html), violations: Vec::new() };
    page.has_its_landmarks_and_title();
    page.references_resolve();
    page.complies_with_the_content_security_policy();
    page.posts_with_a_token();
    page.names_its_controls();
    page.shows_its_errors();
    page.keeps_machine_names();
    page.keeps_the_roles_of_tables();
    page.violations
}

struct Page<'a> {
    document: &'a Html,
    violations: Vec<String>,
}

impl<'a> Page<'a> {
    fn check(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(violation());
        }
    }

    fn all(&self, selector: &str) -> Vec<ElementRef<'a>> {
        self.document.select(&select(selector)).collect()
    }

    fn title(&self) -> String {
        self.all("head > title").iter().flat_map(ElementRef::text).collect()
    }

    fn has_its_landmarks_and_title(&mut self) {
        for selector in ["html[lang=en]", "h1", "title", "head > title", "main", "[role=status]"] {
            let count = self.all(selector).len();
            self.check(count == 1, || format!("{count} times {selector}"));
        }
        let heading: String = self.all("h1").iter().flat_map(ElementRef::text).collect();
        self.check(!heading.trim().is_empty(), || "the h1 is empty".into());
        let title = self.title();
        let is_whole = title.trim_start() == title && title.ends_with(" – Order Time") && title.len() > 14;
        self.check(is_whole, || format!("the title is {title:?}"));
    }

    fn references_resolve(&mut self) {
        let mut ids = HashSet::new();
        for element in self.all("[id]") {
            let id = element.attr("id").unwrap_or_default();
            self.check(ids.insert(id), || format!("{id} twice"));
        }
        for attribute in ["for", "form", "aria-describedby", "aria-labelledby", "aria-controls", "data-show"] {
            for element in self.all(&format!("[{attribute}]")) {
                for id in element.attr(attribute).unwrap_or_default().split_whitespace() {
                    self.check(ids.contains(id), || format!("{attribute}={id} has no target"));
                }
            }
        }
        for link in self.all("a[href^='#']") {
            let href = link.attr("href").unwrap_or_default();
            self.check(ids.contains(&href[1..]), || format!("{href} has no target"));
        }
    }

    fn complies_with_the_content_security_policy(&mut self) {
        for element in self.all("*") {
            for (attribute, value) in element.value().attrs() {
                self.check(attribute != "style" && !attribute.starts_with("on"), || format!("{attribute}={value}"));
                let is_script = value.trim_start().to_ascii_lowercase().starts_with("javascript:");
                self.check(!is_script, || format!("{attribute}={value}"));
            }
        }
        for script in self.all("script") {
            let is_file = script.attr("src").is_some() && script.inner_html().is_empty();
            self.check(is_file, || "inline script".into());
        }
        for element in self.all("style, base, iframe, object") {
            self.check(false, || format!("<{}>", element.value().name()));
        }
    }

    /// A form that posts has its token, and no other form has one: it would be in the address.
    fn posts_with_a_token(&mut self) {
        for form in self.all("form") {
            let tokens = form.select(&select("input[type=hidden][name=csrf][value]:not([value=''])")).count();
            let expected = usize::from(form.attr("method") == Some("post"));
            self.check(tokens == expected, || format!("{tokens} form tokens in {}", form.html()));
        }
    }

    fn names_its_controls(&mut self) {
        for button in self.all("button:not([aria-hidden])") {
            let is_named = button.text().any(|text| !text.trim().is_empty());
            self.check(is_named, || format!("a button without a name: {}", button.html()));
        }
        for field in self.all("input:not([type=hidden]), textarea") {
            let id = field.attr("id").unwrap_or_default();
            let is_named = field.attr("aria-label").is_some_and(|name| !name.trim().is_empty())
                || !self.all(&format!("label[for='{id}']")).is_empty()
                || field.ancestors().filter_map(ElementRef::wrap).any(|node| node.value().name() == "label");
            self.check(is_named, || format!("a field without a label: {}", field.html()));
        }
        for secret in self.all("input.secret, input[type=password]") {
            self.check(secret.attr("value") == Some(""), || format!("a secret with a value: {}", secret.html()));
        }
        for link in self.all("a[target=_blank]") {
            let is_announced = link.text().any(|text| text.contains("(opens in a new tab)"));
            let is_safe = link.attr("rel") == Some("noopener noreferrer");
            self.check(is_announced && is_safe, || format!("a new tab: {}", link.html()));
        }
    }

    /// Errors show in the title, in the summary and at the fields, or not at all.
    fn shows_its_errors(&mut self) {
        let title = self.title();
        for selector in ["[role=alert]", ".error"] {
            let has_errors = !self.all(selector).is_empty();
            self.check(title.starts_with("Error: ") == has_errors, || format!("{title:?} and {selector}"));
        }
        for field in self.all("[aria-invalid=true]") {
            let described = field.attr("aria-describedby").unwrap_or_default();
            let has_error = title.starts_with("Error: ") && described.split(' ').any(|id| id.ends_with("-e"));
            self.check(has_error, || format!("a wrong field without its error: {}", field.html()));
        }
    }

    /// A browser's translation would break hosts, permissions and codes.
    fn keeps_machine_names(&mut self) {
        let is_machine_name = |word: &str| {
            let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            word.ends_with(".myshopify.com")
                || (word.contains('_')
                    && ["read_", "write_", "shpat_", "shpss_"].iter().any(|start| word.starts_with(start)))
        };
        for code in self.all("code, pre") {
            self.check(code.attr("translate") == Some("no"), || format!("{} may be translated", code.html()));
        }
        for node in self.document.tree.nodes() {
            let Some(text) = node.value().as_text() else { continue };
            // A `<wbr>` splits a long name into several text nodes; one of its parts still matches.
            let Some(found) = text.split_whitespace().find(|word| is_machine_name(word)) else { continue };
            let mut around = node.ancestors().filter_map(ElementRef::wrap);
            let is_kept = around.any(|one| one.attr("translate") == Some("no") || one.value().name() == "title");
            self.check(is_kept, || format!("{found} may be translated"));
        }
    }

    /// Table cells that are displayed as blocks are cells only by their ARIA role.
    fn keeps_the_roles_of_tables(&mut self) {
        let roles = [
            ("table", "table"),
            ("thead", "rowgroup"),
            ("tbody", "rowgroup"),
            ("tr", "row"),
            ("td", "cell"),
            ("th[scope=col]", "columnheader"),
            ("th[scope=row]", "rowheader"),
        ];
        for (selector, role) in roles {
            for element in self.all(selector) {
                self.check(element.attr("role") == Some(role), || format!("{selector} without its role"));
            }
        }
        for table in self.all("table") {
            let is_stacked = table.attr("class").is_some_and(|class| class.contains("stack"));
            self.check(is_stacked, || "a table that does not stack".into());
        }
    }
}
