//! The activity filter, as a query string and as a form. A date means the whole day in UTC.

use serde::Deserialize;
use time::{Date, Duration, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use crate::{
    audit::{AuditCursor, AuditFilter, What},
    web::admin::fields::{Complaint, FormField},
};

/// The query of the page and of the download. Every field may be empty, as forms send it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActivityQuery {
    cart: String,
    person: String,
    what: String,
    from: String,
    to: String,
    older: String,
    newer: String,
}

/// Which of the two dates is invalid, and the complaint shown there.
#[derive(Clone, Debug)]
pub struct FilterRefused {
    is_from: bool,
    complaint: Complaint,
}

impl ActivityQuery {
    /// Where the page starts: at the newest entry, unless a link of ours has a cursor.
    pub fn place(&self) -> AuditCursor {
        let id = |text: &str| Uuid::parse_str(text).ok();
        match (id(&self.older), id(&self.newer)) {
            (Some(id), None) => AuditCursor::OlderThan(id),
            (None, Some(id)) => AuditCursor::NewerThan(id),
            (None, None) | (Some(_), Some(_)) => AuditCursor::Newest,
        }
    }

    /// Parses the filter, and reports a date that cannot be read. An unknown choice counts as *All*.
    pub fn understand(&self) -> (AuditFilter, Option<FilterRefused>) {
        let (cart, what) = (Uuid::parse_str(&self.cart).ok(), What::parse(&self.what));
        let person = Some(&self.person).filter(|person| (1..=40).contains(&person.len()));
        let mut filter = AuditFilter { cart, what, person: person.cloned(), ..AuditFilter::default() };
        let dates = date(&self.from).and_then(|from| match date(&self.to) {
            Ok(to) if from.zip(to).is_some_and(|(from, to)| to < from) => Err(NOT_BEFORE),
            Ok(to) => Ok((from, to)),
            Err(unreadable) => Err(DateMistake { is_from: false, ..unreadable }),
        });
        let refused = match dates {
            Ok((from, to)) => {
                filter.from = from;
                filter.until = to.map(|to| to + Duration::DAY);
                None
            }
            Err(DateMistake { is_from, class, sentence }) => {
                Some(FilterRefused { is_from, complaint: Complaint::new(class, sentence) })
            }
        };
        (filter, refused)
    }
}

struct DateMistake {
    is_from: bool,
    class: &'static str,
    sentence: &'static str,
}

const UNREADABLE: DateMistake =
    DateMistake { is_from: true, class: "DATE_UNREADABLE", sentence: "Enter a date like 2026-11-23" };
const NOT_BEFORE: DateMistake =
    DateMistake { is_from: false, class: "DATE_ORDER", sentence: "Enter the same day as From, or a later one" };

/// The start of a day. Years have four digits, so that the database accepts them.
fn date(typed: &str) -> Result<Option<OffsetDateTime>, DateMistake> {
    let typed = crate::pasted::trim(typed);
    if typed.is_empty() {
        return Ok(None);
    }
    match Date::parse(typed, format_description!("[year]-[month]-[day]")) {
        Ok(date) if (1000..=9998).contains(&date.year()) => Ok(Some(date.midnight().assume_utc())),
        _ => Err(UNREADABLE),
    }
}

/// An option of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub name: String,
}

/// The options of the form.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub people: Vec<Choice>,
    pub carts: Vec<Choice>,
    /// Whether there are more carts than the form offers.
    pub has_more_carts: bool,
}

/// The form as rendered, valid or not.
#[derive(Clone, Debug)]
pub struct FilterForm {
    pub choices: Choices,
    /// The chosen values; empty for *All*.
    pub cart: String,
    pub person: String,
    pub what: String,
    pub from: FormField,
    pub to: FormField,
}

impl FilterForm {
    pub fn new(asked: ActivityQuery, filter: &AuditFilter, choices: Choices, refused: Option<&FilterRefused>) -> Self {
        let field = |value: String, is_from: bool| FormField {
            complaint: refused.filter(|one| one.is_from == is_from).map(|one| one.complaint.clone()),
            value: value.chars().take(40).collect(),
            note: None,
        };
        Self {
            from: field(asked.from, true),
            to: field(asked.to, false),
            cart: filter.cart.map(|id| id.simple().to_string()).unwrap_or_default(),
            person: asked.person,
            what: asked.what,
            choices,
        }
    }

    /// Whether anything other than a tab's own cart is filtered.
    pub(super) fn is_narrow(&self, is_tab: bool) -> bool {
        let cart = if is_tab { "" } else { &self.cart };
        [cart, &self.person, &self.what, &self.from.value, &self.to.value].iter().any(|value| !value.is_empty())
    }

    /// The filter as query parameters. `cart` is the cart of a tab, whose own address has no such parameter.
    pub(super) fn pairs(&self, cart: Option<&str>) -> Vec<(&'static str, String)> {
        let cart = cart.map_or_else(|| self.cart.clone(), str::to_owned);
        let pairs = [
            ("cart", cart),
            ("person", self.person.clone()),
            ("what", self.what.clone()),
            ("from", self.from.value.clone()),
            ("to", self.to.value.clone()),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    pub(super) fn whats() -> [What; 4] {
        What::ALL
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn asked(query: &str) -> ActivityQuery {
        serde_urlencoded::from_str(query).expect("a query")
    }

    fn complaint(query: &str) -> Option<(&'static str, bool)> {
        asked(query).understand().1.map(|refused| (refused.complaint.class, refused.is_from))
    }

    #[test]
    fn date_range_includes_both_days() {
        let (filter, refused) = asked("cart=&person=&what=&from=2026-11-22&to=2026-11-23").understand();
        assert!(refused.is_none());
        assert_eq!(filter.from, Some(datetime!(2026-11-22 00:00 UTC)));
        assert_eq!(filter.until, Some(datetime!(2026-11-24 00:00 UTC)));
        assert_eq!(filter, AuditFilter { from: filter.from, until: filter.until, ..AuditFilter::default() });
    }

    #[test]
    fn unreadable_date_is_reported_at_its_field() {
        assert_eq!(complaint("from=23.11.2026"), Some(("DATE_UNREADABLE", true)));
        assert_eq!(complaint("from=2026-11-22&to=2026-02-30"), Some(("DATE_UNREADABLE", false)));
        assert_eq!(complaint("to=-4800-01-01"), Some(("DATE_UNREADABLE", false)));
        assert_eq!(complaint("from=99999-01-01"), Some(("DATE_UNREADABLE", true)));
        assert_eq!(complaint("from=2026-11-22&to=2026-11-21"), Some(("DATE_ORDER", false)));
        assert_eq!(complaint("from=2026-11-22&to=2026-11-22"), None);
    }

    #[test]
    fn unknown_choice_counts_as_all() {
        for query in ["cart=1", "what=everything", &format!("person={}", "x".repeat(41)), "who=me"] {
            let (filter, refused) = asked(query).understand();
            assert!(filter == AuditFilter::default() && refused.is_none(), "{query}");
        }
        for query in ["older=1", "older=00000000000000000000000000000000&newer=00000000000000000000000000000000"] {
            assert!(matches!(asked(query).place(), AuditCursor::Newest), "{query}");
        }
    }
}
