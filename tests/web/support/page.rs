//! A page as users read it, and its forms as browsers submit them.

use std::{collections::BTreeMap, fmt};

use axum::http::{HeaderMap, Method, StatusCode};
use scraper::{ElementRef, Html, Selector};

use super::{Answer, Browser};

#[derive(Clone)]
struct Form {
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

/// A loaded page and the input made since.
pub struct Page {
    browser: Browser,
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
    forms: Vec<Form>,
    controls: Vec<Control>,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\n{}", self.status, self.path, self.html)
    }
}

pub fn selector(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|error| panic!("invalid selector: {selector}: {error}"))
}

/// The text of an element with whitespace collapsed.
pub fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub fn new(browser: Browser, answer: Answer) -> Self {
        let html = String::from_utf8(answer.body.to_vec()).expect("pages are UTF-8");
        let document = Html::parse_document(&html);
        let (forms, controls) = read(&document);
        Self { browser, path: answer.path, status: answer.status, headers: answer.headers, html, forms, controls }
    }

    // Reading the page

    pub fn document(&self) -> Html {
        Html::parse_document(&self.html)
    }

    /// The texts of all matching elements, in document order.
    pub fn all(&self, css: &str) -> Vec<String> {
        self.document().select(&selector(css)).map(text_of).collect()
    }

    /// The text of the only matching element.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let mut all = self.all(css);
        assert_eq!(all.len(), 1, "{css} matches {} times in\n{self}", all.len());
        all.remove(0)
    }

    pub fn has(&self, css: &str) -> bool {
        self.document().select(&selector(css)).next().is_some()
    }

    /// An attribute of the first matching element.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.document().select(&selector(css)).next()?.attr(name).map(str::to_owned)
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
        let regions: Vec<_> = document.select(&selector("section[aria-label='Connection test']")).collect();
        assert_eq!(regions.len(), 1, "{} regions in\n{self}", regions.len());
        let data = |name| regions[0].attr(name).unwrap_or_default().to_owned();
        let heading = regions[0].select(&selector("h1, h2, h3")).next().map(text_of).unwrap_or_default();
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
            let named = document.select(&selector(&format!("[id='{id}']"))).next();
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
            let element = document.select(&selector(&format!("[id='{id}']"))).next();
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

    /// Presses a button and follows the redirect.
    #[track_caller]
    pub fn press(&self, label: &str) -> impl Future<Output = Page> + use<> {
        let knock = self.knock(label);
        let browser = self.browser.clone();
        async move { browser.go(knock).await }
    }

    /// The request that pressing the button would send.
    #[track_caller]
    pub fn knock(&self, label: &str) -> super::Knock {
        let (method, action, fields) = self.submission(label);
        if method == Method::GET {
            let query = serde_urlencoded::to_string(&fields).expect("a query");
            return self.browser.knock(method, &format!("{action}?{query}"));
        }
        self.browser.knock(method, &action).form(&fields)
    }

    /// Method, address and fields that a button submits: the form's successful controls.
    #[track_caller]
    pub fn submission(&self, label: &str) -> (Method, String, Vec<(String, String)>) {
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
        (method, action, fields)
    }

    /// Follows the link with this text.
    #[track_caller]
    pub fn follow(&self, words: &str) -> impl Future<Output = Page> + use<> {
        let document = self.document();
        let links: Vec<String> = document
            .select(&selector("a[href]"))
            .filter(|link| text_of(*link) == words)
            .filter_map(|link| link.attr("href").map(str::to_owned))
            .collect();
        assert!(!links.is_empty(), "no link {words:?} in\n{self}");
        assert!(links.windows(2).all(|pair| pair[0] == pair[1]), "{words:?} leads to {links:?}");
        let knock = self.browser.knock(Method::GET, &links[0]);
        let browser = self.browser.clone();
        async move { browser.go(knock).await }
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

fn read(document: &Html) -> (Vec<Form>, Vec<Control>) {
    let elements: Vec<ElementRef<'_>> = document.select(&selector("form")).collect();
    let forms = elements
        .iter()
        .map(|form| Form {
            action: form.attr("action").map(str::to_owned),
            method: form.attr("method").unwrap_or("get").to_ascii_lowercase(),
        })
        .collect();
    let labels: BTreeMap<String, String> = document
        .select(&selector("label[for]"))
        .filter_map(|label| Some((label.attr("for")?.to_owned(), text_of(label))))
        .collect();
    let controls = document
        .select(&selector("input, button, textarea, select"))
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
    let options: Vec<(String, String)> = element.select(&selector("option")).map(option).collect();
    let selected = element.select(&selector("option[selected]")).next().map(|one| option(one).0);
    let first = options.first().map(|(value, _)| value.clone());
    let plain = element.attr("value").unwrap_or(if ticks { "on" } else { "" }).to_owned();
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
