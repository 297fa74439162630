//! The activity with sample data: a page of several days, a cart's tab, no results, a date that cannot be read.

use time::Duration;
use uuid::Uuid;

use super::{LONG, NOW, complaint, draw, editor::programs_line, field, head, shell, viewer};
use crate::{
    carts::Status,
    web::admin::{
        activity::{ActivityDay, ActivityLine, ActivityPage, Choice, Choices, Entry, EntryRow, FilterForm},
        fields::FormField,
    },
};

fn line(minutes: i64, person: &str, sentence: &str, changes: &[(&str, &str, &str)]) -> ActivityLine {
    let change = |(field, before, after): &(&str, &str, &str)| EntryRow {
        field: (*field).into(),
        before: (*before).into(),
        after: (*after).into(),
    };
    let facts = [
        ("Store", "northwind-tea.myshopify.com"),
        ("Time", "23 November 2026, 19:31:07 UTC"),
        ("Reference", "0198f3c2a7d84e1f9b3c5d7e9f1a2b3c"),
        ("IP address", "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
        (
            "Browser",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        ),
    ];
    let base = "/admin/ecommerce/shopify/0198f3c2a7d84e1f9b3c5d7e9f1a2b3c";
    ActivityLine {
        entry: Entry {
            at: NOW - Duration::minutes(minutes),
            person: person.into(),
            email: match person {
                "Order Time" => None,
                "Priya Shah" => Some("priya@northwind.example".into()),
                _ => Some("sam@northwind.example".into()),
            },
            sentence: sentence.into(),
            changes: changes.iter().map(change).collect(),
            facts: facts.map(|(name, value)| (name.into(), value.into())).to_vec(),
            cart: Some((Uuid::nil(), "Northwind Tea".into())),
            test: None,
        },
        cart_url: Some(format!("{base}/general")),
        test_url: sentence.starts_with("Tested").then(|| format!("{base}/connection-tests/1")),
    }
}

fn days() -> Vec<ActivityDay> {
    let today = vec![
        line(0, "Priya Shah", "Tested Northwind Tea: connected, but 2 permissions are missing", &[]),
        line(
            3,
            "Sam Lee",
            "Replaced the access token of Northwind Tea (ends in 77ab)",
            &[("Access Token", "–", "Changed")],
        ),
        line(11, "Order Time", "Could not renew the token of Northwind Wholesale: Shopify did not answer in time", &[]),
        line(
            12,
            LONG,
            &format!("Changed Website Name and API URL of {LONG}"),
            &[
                ("Website Name", LONG, "Northwind Tea"),
                (
                    "API URL",
                    "https://northwind-tea.myshopify.com/admin",
                    "https://northwind-tea-co.myshopify.com/admin",
                ),
            ],
        ),
    ];
    let before = vec![line(1500, "Vera Novak", "Was refused /admin/ecommerce/shopify/…/deletion", &[])];
    let day = |lines: Vec<ActivityLine>| ActivityDay { date: lines[0].entry.day(), lines };
    vec![day(today), day(before)]
}

fn form() -> FilterForm {
    let choice = |value: &str, name: &str| Choice { value: value.into(), name: name.into() };
    FilterForm {
        choices: Choices {
            people: vec![choice("1", "Priya Shah"), choice("2", LONG), choice("system", "Order Time")],
            carts: vec![choice("1", "Northwind Tea"), choice("2", LONG)],
            has_more_carts: false,
        },
        cart: String::new(),
        person: String::new(),
        what: String::new(),
        from: FormField::default(),
        to: FormField::default(),
    }
}

fn page() -> ActivityPage {
    ActivityPage {
        shell: shell(),
        cart: None,
        programs: None,
        form: form(),
        days: days(),
        previous: None,
        next: Some("/admin/activity?older=1".into()),
    }
}

pub(super) fn pages() -> Vec<(String, String)> {
    let both = ActivityPage { previous: Some("/admin/activity?newer=1".into()), ..page() };
    let nothing =
        ActivityPage { days: vec![], next: None, form: FilterForm { what: "carts".into(), ..form() }, ..page() };
    let yet =
        ActivityPage { days: vec![], next: None, cart: Some(head(Status::Draft, Some("Not tested yet"))), ..page() };
    let mut many = page();
    many.form.choices.has_more_carts = true;
    let wrong = FormField {
        complaint: Some(complaint("DATE_UNREADABLE", "Enter a date like 2026-11-23")),
        ..field("23.11.2026")
    };
    vec![
        ("activity".into(), draw(&page())),
        ("activity-viewer".into(), draw(&ActivityPage { shell: viewer(), ..both })),
        ("activity-many-carts".into(), draw(&many)),
        ("activity-nothing".into(), draw(&nothing)),
        (
            "activity-tab".into(),
            draw(&ActivityPage {
                cart: Some(head(Status::Connected, None)),
                programs: Some(programs_line(true)),
                ..page()
            }),
        ),
        ("activity-tab-yet".into(), draw(&yet)),
        (
            "activity-wrong".into(),
            draw(&ActivityPage { days: vec![], next: None, form: FilterForm { from: wrong, ..form() }, ..page() }),
        ),
    ]
}
