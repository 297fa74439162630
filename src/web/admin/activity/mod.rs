//! The activity page: who did what to which cart and when. Has filters, pages of fifty entries grouped by day, and the
//! same rows as a CSV file. The tab *Activity* of a cart is this page with the cart fixed. Viewers see it too; nothing
//! here changes data.

mod entry;
mod export;
mod filter;
mod words;

use std::collections::HashSet;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use time::Date;
use uuid::Uuid;

pub use entry::{Entry, EntryRow};
pub use export::export;
pub use filter::{ActivityQuery, Choice, Choices, FilterForm};

use super::ecommerce::shopify::{CartHead, programs::ProgramsLine};
use super::{error::Error, fields::FieldProblem, filters, form::Query, page::HtmlPage, shell::Shell};
use crate::web::urls;
use crate::{
    app::App,
    audit::{self, AuditCursor, AuditPage, FilterChoices},
    carts::CartId,
    direction::bidi_isolate,
};

/// The page. Its filter is a GET form with `cart`, `person`, `what`, `from`, `to`; on a cart's tab without `cart`.
#[derive(Debug, Template)]
#[template(path = "admin/activity/list.html")]
pub struct ActivityPage {
    pub shell: Shell,
    /// The cart, if the page is a cart's tab.
    pub cart: Option<CartHead>,
    /// Which programs use the cart.
    pub programs: Option<ProgramsLine>,
    pub form: FilterForm,
    pub days: Vec<ActivityDay>,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// The entries of one day, newest first.
#[derive(Clone, Debug)]
pub struct ActivityDay {
    pub date: Date,
    pub lines: Vec<ActivityLine>,
}

/// An entry and the links in its details.
#[derive(Clone, Debug)]
pub struct ActivityLine {
    pub entry: Entry,
    /// The cart, while it exists.
    pub cart_url: Option<String>,
    /// The result of the test that the entry is about, while its cart exists.
    pub test_url: Option<String>,
}

impl ActivityPage {
    fn base(&self) -> String {
        self.cart.as_ref().map_or_else(|| urls::ACTIVITY.into(), |cart| urls::cart_activity(&cart.id))
    }

    fn title(&self) -> String {
        let page = match &self.cart {
            Some(cart) => format!("Activity – {}", bidi_isolate(&cart.name)),
            None => "Activity".into(),
        };
        if self.problems().is_empty() { page } else { format!("Error: {page}") }
    }

    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[("from", &self.form.from.complaint), ("to", &self.form.to.complaint)])
    }

    /// The download with the page's filter, covering all its pages.
    fn csv(&self) -> String {
        let fixed = self.cart.as_ref().map(|cart| cart.id.as_str());
        with_query(urls::ACTIVITY_CSV, &self.form.pairs(fixed))
    }

    fn needs_pages(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

impl ActivityDay {
    fn id(&self) -> String {
        format!("day-{}", self.date)
    }

    fn heading(&self) -> String {
        filters::date(self.date.midnight().assume_utc())
    }
}

/// GET `/admin/activity`.
pub async fn list(State(app): State<App>, shell: Shell, Query(asked): Query<ActivityQuery>) -> Result<Response, Error> {
    show(&app, shell, None, asked).await
}

/// The page, for all carts or for one.
pub async fn show(
    app: &App,
    shell: Shell,
    cart: Option<(CartHead, Option<ProgramsLine>)>,
    asked: ActivityQuery,
) -> Result<Response, Error> {
    let (cart, programs) = cart.unzip();
    let fixed = cart.as_ref().and_then(|cart| Uuid::parse_str(&cart.id).ok());
    let (from, (wanted, refused)) = (asked.place(), asked.understand());
    let with_failed_sign_ins = shell.can_change();
    let wanted = audit::AuditFilter { cart: fixed.or(wanted.cart), with_failed_sign_ins, ..wanted };
    let offer = audit::offer(&app.pool, &wanted).await?;
    let listed = match refused {
        None => audit::list(&app.pool, &wanted, from).await?,
        Some(_) => AuditPage { rows: Vec::new(), newer: None, older: None },
    };
    let is_refused = refused.is_some();
    let lines = lines(app, &shell, &listed).await?;
    let form = FilterForm::new(asked, &wanted, choices(&shell, offer), refused.as_ref());
    let mut page =
        ActivityPage { shell, cart, programs: programs.flatten(), form, days: days(lines), previous: None, next: None };
    (page.previous, page.next) = (page.turn(listed.newer), page.turn(listed.older));
    Ok(if is_refused { HtmlPage::refused(page) } else { HtmlPage::ok(page) }.into_response())
}

impl ActivityPage {
    /// The address of the previous or next page, with the same filter.
    fn turn(&self, to: Option<AuditCursor>) -> Option<String> {
        let (way, id) = match to? {
            AuditCursor::OlderThan(id) => ("older", id),
            AuditCursor::NewerThan(id) => ("newer", id),
            AuditCursor::Newest => return Some(self.base()),
        };
        let mut pairs = self.form.pairs(None);
        pairs.push((way, id.to_string()));
        Some(with_query(&self.base(), &pairs))
    }
}

fn with_query(path: &str, pairs: &[(&str, String)]) -> String {
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// The options of the filters as text.
fn choices(shell: &Shell, offer: FilterChoices) -> Choices {
    let person = |one: audit::ActorRef| {
        let name = entry::actor_name(&one.kind, &one.name, &shell.product);
        let email = one.email.map(|email| format!(" ({})", entry::encoded(&email))).unwrap_or_default();
        Choice { name: format!("{name}{email}"), value: one.key }
    };
    let cart = |one: audit::CartRef| Choice { value: CartId(one.id).to_string(), name: entry::encoded(&one.name) };
    Choices {
        people: offer.people.into_iter().map(person).collect(),
        carts: offer.carts.into_iter().map(cart).collect(),
        has_more_carts: offer.has_more_carts,
    }
}

async fn lines(app: &App, shell: &Shell, listed: &AuditPage) -> Result<Vec<ActivityLine>, Error> {
    let carts: HashSet<Uuid> = listed.rows.iter().filter_map(|row| Some(row.cart.as_ref()?.id)).collect();
    let there = app.carts.existing(&carts.into_iter().collect::<Vec<_>>()).await?;
    let line = |row| {
        let entry = Entry::of(row, &shell.product);
        let cart = entry.cart.as_ref().map(|(id, _)| CartId(*id)).filter(|id| there.contains(id));
        ActivityLine {
            test_url: cart.zip(entry.test).map(|(cart, test)| urls::cart_test(cart, test)),
            cart_url: cart.map(urls::cart_general),
            entry,
        }
    };
    Ok(listed.rows.iter().map(line).collect())
}

fn days(lines: Vec<ActivityLine>) -> Vec<ActivityDay> {
    let mut days: Vec<ActivityDay> = Vec::new();
    for line in lines {
        match days.last_mut() {
            Some(day) if day.date == line.entry.day() => day.lines.push(line),
            _ => days.push(ActivityDay { date: line.entry.day(), lines: vec![line] }),
        }
    }
    days
}
