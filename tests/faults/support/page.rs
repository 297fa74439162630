//! A page as a user sees it: buttons by label, forms with their current values, the verdict of a connection test.

use scraper::{ElementRef, Html, Selector};

use super::http::Answer;

#[derive(Clone, Debug)]
pub struct Page {
    pub answer: Answer,
    pub text: String,
}

/// A form, ready to be submitted by one of its buttons.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Page {
    pub fn of(answer: Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Self { answer, text }
    }

    pub fn status(&self) -> u16 {
        self.answer.status
    }

    pub fn location(&self) -> &str {
        self.answer.header("location").unwrap_or_default()
    }

    /// The class of the connection test on this page.
    pub fn class(&self) -> Option<String> {
        let html = Html::parse_document(&self.text);
        let region = html.select(&selector("[data-outcome]")).next()?;
        region.attr("data-class").map(str::to_owned)
    }

    /// The page's heading and the errors of its summary.
    pub fn complaints(&self) -> Vec<String> {
        let html = Html::parse_document(&self.text);
        let words =
            |one: ElementRef<'_>| one.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
        html.select(&selector("h1, [data-class]")).map(words).collect()
    }

    /// The form of the button with this label, as a browser would submit it.
    pub fn form(&self, button: &str) -> Form {
        let html = Html::parse_document(&self.text);
        let is_it = |one: &ElementRef<'_>| one.text().collect::<String>().trim() == button;
        let pressed = html.select(&selector("form button")).find(is_it);
        let pressed = pressed.unwrap_or_else(|| panic!("no button {button:?} on {} {}", self.status(), self.text));
        let form = pressed.ancestors().filter_map(ElementRef::wrap).find(|one| one.value().name() == "form");
        let form = form.expect("button belongs to a form");
        let action = pressed.attr("formaction").or_else(|| form.attr("action")).expect("form has an action");
        let mut fields: Vec<_> = form.select(&selector("input[name]")).filter_map(field).collect();
        if let (Some(name), Some(value)) = (pressed.attr("name"), pressed.attr("value")) {
            fields.push((name.to_owned(), value.to_owned()));
        }
        Form { action: action.to_owned(), fields }
    }
}

impl Form {
    /// Fills in an existing field.
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

fn field(input: ElementRef<'_>) -> Option<(String, String)> {
    let is_choice = matches!(input.attr("type"), Some("checkbox" | "radio"));
    let counts = !is_choice || input.attr("checked").is_some();
    counts.then(|| (input.attr("name").unwrap_or_default().into(), input.attr("value").unwrap_or_default().into()))
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}
