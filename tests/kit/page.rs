//! A page as users read it, and its forms as browsers submit them. Controls are found by their visible labels.

use std::{collections::BTreeMap, fmt};

use axum::http::Method;
use scraper::{ElementRef, Html};

use super::html_rules::select;

/// What a button submits: the successful controls of its form.
#[derive(Clone, Debug)]
pub struct Form {
    pub method: Method,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// Replaces the value of an existing field.
    #[must_use]
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut field.unwrap_or_else(|| panic!("the form has no field {name}")).1);
        self
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}

#[derive(Clone, Debug)]
struct FormElement {
    action: Option<String>,
    method: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Hidden,
    Checkbox,
    Radio,
    Submit,
    /// A button that needs script.
    Button,
}

#[derive(Clone, Debug)]
struct Control {
    form: Option<usize>,
    kind: Kind,
    /// The accessible name.
    label: String,
    name: Option<String>,
    value: String,
    checked: bool,
    disabled: bool,
    action: Option<String>,
    described_by: Vec<String>,
    /// Values and labels of a select's options.
    options: Vec<(String, String)>,
}

/// The content of a page and the input made since.
#[derive(Clone, Debug)]
pub struct PageContent {
    /// The target of a form without an `action`.
    path: String,
    pub html: String,
    /// Status and path, for messages.
    heading: String,
    document: Html,
    forms: Vec<FormElement>,
    controls: Vec<Control>,
}

impl fmt::Display for PageContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.heading, self.html)
    }
}

/// The text of an element with whitespace collapsed.
pub fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl PageContent {
    pub fn new(status: impl fmt::Display, path: String, html: String) -> Self {
        let document = Html::parse_document(&html);
        let (forms, controls) = read(&document);
        Self { heading: format!("{status} {path}"), path, html, document, forms, controls }
    }

    // Reading the page

    pub const fn document(&self) -> &Html {
        &self.document
    }

    /// The texts of all matching elements, in document order.
    pub fn all(&self, css: &str) -> Vec<String> {
        self.document().select(&select(css)).map(text_of).collect()
    }

    /// The text of the only matching element.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let mut all = self.all(css);
        assert_eq!(all.len(), 1, "{css} matches {} times in\n{self}", all.len());
        all.remove(0)
    }

    pub fn has(&self, css: &str) -> bool {
        self.document().select(&select(css)).next().is_some()
    }

    /// An attribute of the first matching element.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.document().select(&select(css)).next()?.attr(name).map(str::to_owned)
    }

    #[track_caller]
    pub fn h1(&self) -> String {
        self.text("h1")
    }

    #[track_caller]
    pub fn title(&self) -> String {
        self.text("head > title")
    }

    /// The result message of the last action; empty if there is none.
    pub fn banner(&self) -> String {
        self.all("main > .notice:not(.summary)").join(" ")
    }

    /// The lines of "There is a problem".
    pub fn summary(&self) -> Vec<String> {
        self.all(".summary li")
    }

    /// Outcome, class and first heading of the region *Connection test*.
    #[track_caller]
    pub fn verdict(&self) -> (String, String, String) {
        let document = self.document();
        let regions: Vec<_> = document.select(&select("section[aria-label='Connection test']")).collect();
        assert_eq!(regions.len(), 1, "{} regions in\n{self}", regions.len());
        let data = |name| regions[0].attr(name).unwrap_or_default().to_owned();
        let heading = regions[0].select(&select("h1, h2, h3")).next().map(text_of).unwrap_or_default();
        (data("data-outcome"), data("data-class"), heading)
    }

    /// The class of the region *Connection test*.
    #[track_caller]
    pub fn class(&self) -> String {
        self.verdict().1
    }

    /// `data-class` and text of a field's error, found through `aria-describedby`.
    #[track_caller]
    pub fn complaint(&self, label: &str) -> Option<(String, String)> {
        let document = self.document();
        let field = self.control(label, &[Kind::Text]);
        let mut found = None;
        for id in &self.controls[field].described_by {
            let named = document.select(&select(&format!("[id='{id}']"))).next();
            let element = named.unwrap_or_else(|| panic!("{label} is described by {id}, which is not in\n{self}"));
            if let Some(class) = element.attr("data-class") {
                found = Some((class.to_owned(), text_of(element).trim_start_matches("Error: ").to_owned()));
            }
        }
        found
    }

    /// The class of a field's error; empty if there is none.
    #[track_caller]
    pub fn complaint_class(&self, label: &str) -> String {
        self.complaint(label).map(|(class, _)| class).unwrap_or_default()
    }

    /// The value of a field.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        self.controls[self.control(label, &[Kind::Text])].value.clone()
    }

    pub fn has_field(&self, label: &str) -> bool {
        self.controls.iter().any(|one| one.kind == Kind::Text && one.label == label)
    }

    #[track_caller]
    pub fn is_checked(&self, label: &str) -> bool {
        self.controls[self.control(label, &[Kind::Checkbox, Kind::Radio])].checked
    }

    /// Whether a control is disabled.
    #[track_caller]
    pub fn is_disabled(&self, label: &str) -> bool {
        self.controls[self.control(label, &[Kind::Checkbox, Kind::Radio, Kind::Text])].disabled
    }

    /// Ids and texts of the elements that a control's `aria-describedby` references.
    #[track_caller]
    pub fn descriptions(&self, label: &str) -> Vec<(String, String)> {
        let document = self.document();
        let control = self.control(label, &[Kind::Text, Kind::Checkbox, Kind::Radio]);
        let named = |id: &String| {
            let element = document.select(&select(&format!("[id='{id}']"))).next();
            let element = element.unwrap_or_else(|| panic!("{label} is described by {id}, which is not in\n{self}"));
            (id.clone(), text_of(element))
        };
        self.controls[control].described_by.iter().map(named).collect()
    }

    pub fn has_button(&self, label: &str) -> bool {
        self.controls.iter().any(|one| one.kind == Kind::Submit && one.label == label)
    }

    // Using the page

    #[track_caller]
    pub fn fill(&mut self, label: &str, text: &str) {
        let field = self.control(label, &[Kind::Text]);
        text.clone_into(&mut self.controls[field].value);
    }

    #[track_caller]
    pub fn check(&mut self, label: &str) {
        let field = self.control(label, &[Kind::Checkbox]);
        self.controls[field].checked = true;
    }

    #[track_caller]
    pub fn uncheck(&mut self, label: &str) {
        let field = self.control(label, &[Kind::Checkbox]);
        self.controls[field].checked = false;
    }

    /// Selects the option with this label.
    #[track_caller]
    pub fn pick(&mut self, label: &str, words: &str) {
        let field = self.control(label, &[Kind::Text]);
        let options = &self.controls[field].options;
        let option = options.iter().find(|(_, shown)| shown == words);
        let value = option.unwrap_or_else(|| panic!("{words:?} is not among {options:?}")).0.clone();
        self.controls[field].value = value;
    }

    /// The labels of a select's options.
    #[track_caller]
    pub fn options(&self, label: &str) -> Vec<String> {
        let field = self.control(label, &[Kind::Text]);
        self.controls[field].options.iter().map(|(_, words)| words.clone()).collect()
    }

    #[track_caller]
    pub fn choose(&mut self, label: &str) {
        let chosen = self.control(label, &[Kind::Radio]);
        let (form, name) = (self.controls[chosen].form, self.controls[chosen].name.clone());
        for (index, other) in self.controls.iter_mut().enumerate() {
            if other.kind == Kind::Radio && other.form == form && other.name == name {
                other.checked = index == chosen;
            }
        }
    }

    /// What this button submits.
    #[track_caller]
    pub fn form(&self, label: &str) -> Form {
        let pressed = self.control(label, &[Kind::Submit]);
        let button = &self.controls[pressed];
        assert!(!button.disabled, "{label} cannot be pressed in\n{self}");
        let index = button.form.unwrap_or_else(|| panic!("{label} belongs to no form in\n{self}"));
        let form = &self.forms[index];
        let fields = self
            .controls
            .iter()
            .enumerate()
            .filter(|(place, control)| {
                let counts = match control.kind {
                    Kind::Text | Kind::Hidden => true,
                    Kind::Checkbox | Kind::Radio => control.checked,
                    Kind::Submit => *place == pressed,
                    Kind::Button => false,
                };
                counts && control.form == Some(index) && !control.disabled
            })
            .filter_map(|(_, control)| Some((control.name.clone()?, control.value.clone())))
            .collect();
        let action = button.action.clone().or_else(|| form.action.clone()).unwrap_or_else(|| self.path.clone());
        let method = if form.method == "post" { Method::POST } else { Method::GET };
        Form { method, action, fields }
    }

    /// The address of the link with this text.
    #[track_caller]
    pub fn link(&self, words: &str) -> String {
        let all = select("a[href]");
        let links = self.document().select(&all).filter(|link| text_of(*link) == words);
        let mut links: Vec<String> = links.filter_map(|link| link.attr("href").map(str::to_owned)).collect();
        links.dedup();
        assert_eq!(links.len(), 1, "{words:?} leads to {links:?} in\n{self}");
        links.remove(0)
    }

    #[track_caller]
    fn control(&self, label: &str, kinds: &[Kind]) -> usize {
        let found: Vec<usize> = (0..self.controls.len())
            .filter(|index| kinds.contains(&self.controls[*index].kind) && self.controls[*index].label == label)
            .collect();
        match found[..] {
            [one] => one,
            [] => {
                let known: Vec<_> = self.controls.iter().map(|one| (&one.kind, &one.label)).collect();
                panic!("nothing is called {label:?} in {known:?} of\n{self}")
            }
            _ => panic!("{} controls are called {label:?} in\n{self}", found.len()),
        }
    }
}

fn read(document: &Html) -> (Vec<FormElement>, Vec<Control>) {
    let elements: Vec<ElementRef<'_>> = document.select(&select("form")).collect();
    let forms = elements
        .iter()
        .map(|form| FormElement {
            action: form.attr("action").map(str::to_owned),
            method: form.attr("method").unwrap_or("get").to_ascii_lowercase(),
        })
        .collect();
    let labels: BTreeMap<String, String> = document
        .select(&select("label[for]"))
        .filter_map(|label| Some((label.attr("for")?.to_owned(), text_of(label))))
        .collect();
    let controls = document
        .select(&select("input, button, textarea, select"))
        .map(|element| {
            let form = match element.attr("form") {
                Some(id) => elements.iter().position(|form| form.attr("id") == Some(id)),
                None => element.ancestors().find_map(|node| elements.iter().position(|form| form.id() == node.id())),
            };
            control(element, form, &labels)
        })
        .collect();
    (forms, controls)
}

fn control(element: ElementRef<'_>, form: Option<usize>, labels: &BTreeMap<String, String>) -> Control {
    let kind = match (element.value().name(), element.attr("type")) {
        ("button", None | Some("submit")) | ("input", Some("submit")) => Kind::Submit,
        ("button", _) => Kind::Button,
        (_, Some("hidden")) => Kind::Hidden,
        (_, Some("checkbox")) => Kind::Checkbox,
        (_, Some("radio")) => Kind::Radio,
        _ => Kind::Text,
    };
    let ticks = matches!(kind, Kind::Checkbox | Kind::Radio);
    let wrapping = || element.ancestors().filter_map(ElementRef::wrap).find(|node| node.value().name() == "label");
    let label = element
        .attr("aria-label")
        .map(str::to_owned)
        .or_else(|| labels.get(element.attr("id")?).cloned())
        .or_else(|| wrapping().map(text_of))
        .unwrap_or_else(|| text_of(element));
    let option = |one: ElementRef<'_>| (one.attr("value").map_or_else(|| text_of(one), str::to_owned), text_of(one));
    let options: Vec<(String, String)> = element.select(&select("option")).map(option).collect();
    let selected = element.select(&select("option[selected]")).next().map(|one| option(one).0);
    let first = options.first().map(|(value, _)| value.clone());
    let plain = match element.value().name() {
        "textarea" => element.text().collect(),
        _ => element.attr("value").unwrap_or(if ticks { "on" } else { "" }).to_owned(),
    };
    Control {
        form,
        kind,
        label,
        name: element.attr("name").map(str::to_owned),
        value: selected.or(first).unwrap_or(plain),
        options,
        checked: element.attr("checked").is_some(),
        disabled: element.attr("disabled").is_some(),
        action: element.attr("formaction").map(str::to_owned),
        described_by: element
            .attr("aria-describedby")
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .filter(|id| !id.is_empty())
            .collect(),
    }
}
