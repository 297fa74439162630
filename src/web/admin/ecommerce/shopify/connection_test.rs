//! The region "Connection test" and the lines that arrive before it. The region stands in the editor, alone behind a
//! test's own URL, and as the last part of a streamed answer: one template for all three. Words a class stand in
//! `verdict/`, one small file each, chosen by a match without a wildcard: a class without words does not compile.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::editor::{self, Editor};
use super::form::Posted;
use super::saved::{self, Desk};
use super::{Kind, Permission, handles, permissions};
use crate::app::App;
use crate::ecommerce::title::{self, Naming};
use crate::ecommerce::verdict::{Check, CheckKind, CheckState, Class, Limit, Note, Outcome, Store, Verdict};
use crate::ecommerce::{Cart, CartId, Progress, RunningTest};
use crate::web::error::Error;
use crate::web::filters::{self, Moment};
use crate::web::form::{Form, Path};
use crate::web::page::Page;
use crate::web::session::Session;
use crate::web::shell::Shell;
use crate::web::stream;

/// Where a streamed page is cut: the lines and the region go here.
pub const MARK: &str = "<!--test-->";

/// What stands behind the lines of a streamed whole page and before the region.
pub const TESTING_END: &str = "</ul></div>";

/// What stands before the lines of a streamed whole page; [`TESTING_END`] closes it.
#[derive(Clone, Debug, Template)]
#[template(
    source = "<div class=\"testing\"><p class=\"testing-head\">{{ \"busy\"|icon }}Testing {{ host|host }}</p><ul class=\"checks\">\n",
    ext = "html"
)]
pub struct TestingHead {
    pub host: String,
}

/// One finished check of a streamed answer; ends in the only line feed that it has.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_check.html")]
pub struct CheckLine {
    pub check: Check,
    pub kind: Kind,
    /// Known from the third check on.
    pub store: Option<Store>,
    pub permission_count: usize,
}

impl CheckLine {
    /// A line ends with exactly one line feed, because `app.js` splits there.
    pub fn line(&self) -> askama::Result<String> {
        let mut html = self.render()?.replace('\n', " ");
        html.push('\n');
        Ok(html)
    }

    fn view(&self) -> CheckView {
        CheckView::new(&self.check, self.kind, self.store.as_ref(), self.permission_count)
    }
}

/// A check in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    name: &'static str,
    tone: &'static str,
    icon: &'static str,
    words: String,
    time: Option<String>,
}

impl CheckView {
    fn new(check: &Check, kind: Kind, store: Option<&Store>, permissions: usize) -> Self {
        let limits = matches!(check.kind, CheckKind::Permissions | CheckKind::Version | CheckKind::Customers);
        let (tone, icon) = match check.state {
            CheckState::Passed => ("ok", "check"),
            CheckState::Failed if limits => ("warn", "warn"),
            CheckState::Failed => ("bad", "x"),
            CheckState::NotChecked => ("idle", "dot"),
        };
        let time = check.took_ms.filter(|_| check.state != CheckState::NotChecked).map(filters::duration);
        Self { name: check.kind.as_str(), tone, icon, words: words(check, kind, store, permissions), time }
    }
}

fn words(check: &Check, kind: Kind, store: Option<&Store>, permissions: usize) -> String {
    let found = check.found.as_deref().unwrap_or_default();
    let of_all = || if found.is_empty() { format!("{permissions} of {permissions}") } else { found.to_owned() };
    match (check.kind, check.state) {
        (CheckKind::Address, CheckState::Passed) => "Address understood".into(),
        (CheckKind::Address, _) => "Address".into(),
        (CheckKind::Store, CheckState::Passed) => "Store reached".into(),
        (CheckKind::Store, CheckState::Failed) => "Store not reached".into(),
        (CheckKind::Store, CheckState::NotChecked) => "Store".into(),
        (CheckKind::Credential, CheckState::Passed) => match store {
            Some(store) => format!("{} accepted: {}", kind.noun_first(), store_facts(store)),
            None if found.is_empty() => format!("{} accepted", kind.noun_first()),
            None => format!("{} accepted: {found}", kind.noun_first()),
        },
        (CheckKind::Credential, CheckState::Failed) => format!("{} not accepted", kind.noun_first()),
        (CheckKind::Credential, CheckState::NotChecked) => kind.noun_first().into(),
        (CheckKind::Permissions, CheckState::NotChecked) => "Permissions".into(),
        (CheckKind::Permissions, _) => format!("{} permissions", of_all().trim_end_matches(" permissions")),
        (CheckKind::Version, CheckState::Passed) => format!("API version {found}"),
        (CheckKind::Version, CheckState::Failed) => format!("Answered as {found}"),
        (CheckKind::Version, CheckState::NotChecked) => "API version".into(),
        (CheckKind::Customers, CheckState::Passed) => "Customer details visible".into(),
        (CheckKind::Customers, CheckState::Failed) => "Customer details hidden".into(),
        (CheckKind::Customers, CheckState::NotChecked) => "Customer details".into(),
    }
}

fn store_facts(store: &Store) -> String {
    let Store { name, shop_id, plan, currency, .. } = store;
    let app = store.app_title.as_ref().map(|app| format!(", app “{app}”")).unwrap_or_default();
    let plan = if plan.ends_with(" plan") { plan.clone() } else { format!("{plan} plan") };
    format!("{name}, shop ID {shop_id}, {plan}, {currency}, {}{app}", city(&store.time_zone))
}

/// "London" from `Europe/London`.
fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

/// Whether what was tested is saved, and whether it syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Unsaved,
    SavedInactive,
    Active,
}

/// The region; draws itself with `{{ test|safe }}` or alone.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_connection_test.html")]
pub struct TestView {
    pub verdict: Verdict,
    /// Such as `northwind-tea.myshopify.com`.
    pub host: String,
    /// The first label of `host`.
    pub handle: String,
    /// The saved Website Name of the cart, if there is one: `WRONG_STORE` and the activity name it.
    pub cart_name: Option<String>,
    pub kind: Kind,
    /// `PRODUCT_NAME`.
    pub product: String,
    /// `SUPPORT_ADDRESS`.
    pub support: Option<String>,
    pub tested_at: OffsetDateTime,
    /// The page's own time, for "tomorrow at".
    pub now: OffsetDateTime,
    /// Our reference, for support.
    pub reference: String,
    pub standing: Standing,
    /// Whether this cart has a saved secret: then the fix says *Replace token*.
    pub has_saved_secret: bool,
    /// A day has gone since the token was entered, so `TOKEN_STOPPED` may be the end of a 24-hour token.
    pub may_be_day_token: bool,
    /// All 17, in the order of the table.
    pub permissions: Vec<Permission>,
    /// Tests that one person may run in a minute.
    pub tests_a_minute: u32,
    /// Where *Test again* posts to: `…/connection-tests`; empty where nothing can be pressed, as for a Viewer.
    pub test_url: String,
    /// The field that was changed since this test, such as "access token".
    pub changed: Option<&'static str>,
    /// What *Copy diagnostics* copies: safe to publish. Empty: no button.
    pub diagnostics: String,
}

impl TestView {
    fn naming(&self) -> Naming<'_> {
        Naming { host: &self.host, credential: self.kind.noun(), tests_a_minute: self.tests_a_minute, now: self.now }
    }

    /// The first heading of the region.
    pub fn title(&self) -> String {
        title::of(&self.verdict, &self.naming())
    }

    const fn tone(&self) -> &'static str {
        match self.verdict.outcome() {
            Outcome::Connected => "ok",
            Outcome::Limited => "warn",
            Outcome::NotConnected => "bad",
        }
    }

    const fn icon(&self) -> &'static str {
        match self.verdict.outcome() {
            Outcome::Connected => "check",
            Outcome::Limited => "warn",
            Outcome::NotConnected => "x",
        }
    }

    /// Cause and what to do of the class itself.
    fn words(&self) -> VerdictWords<'_> {
        VerdictWords { class: self.verdict.class, test: self }
    }

    /// The limits behind the first, each with its title.
    fn more_limits(&self) -> Vec<(String, VerdictWords<'_>)> {
        let rest = self.verdict.limits.iter().map(Limit::class).filter(|class| *class != self.verdict.class);
        rest.map(|class| (title::of_class(class, &self.verdict, &self.naming()), VerdictWords { class, test: self }))
            .collect()
    }

    fn checks(&self) -> Vec<CheckView> {
        let view = |check| CheckView::new(check, self.kind, self.verdict.store.as_ref(), self.permissions.len());
        self.verdict.checks.iter().map(view).collect()
    }

    fn tested(&self) -> Moment {
        Moment::exactly(self.tested_at)
    }

    /// Rows of *Technical details*: a name and a value.
    fn details(&self) -> Vec<(&'static str, String)> {
        let details = &self.verdict.details;
        let time = |ms: Option<u32>| ms.map(filters::duration);
        [
            ("DNS", time(details.dns_ms)),
            ("TCP", time(details.tcp_ms)),
            ("TLS", time(details.tls_ms)),
            ("HTTP", time(details.http_ms)),
            ("HTTP status", details.status.map(|status| status.to_string())),
            ("Remark", details.remark.clone()),
            ("Shopify’s x-request-id", details.shopify_request_id.clone()),
            ("API version asked", details.api_version_asked.clone()),
            ("API version answered", details.api_version_answered.clone()),
            ("Our reference", Some(self.reference.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }

    fn notes(&self) -> Vec<NoteView> {
        self.verdict.notes.iter().map(|note| self.note(note)).collect()
    }

    fn note(&self, note: &Note) -> NoteView {
        let text = match note {
            Note::ExtraScopes { count: 1 } => format!("Your app has 1 permission that {} does not use.", self.product),
            Note::ExtraScopes { count } => {
                format!("Your app has {count} permissions that {} does not use.", self.product)
            }
            Note::OptionalMissing { scopes } => optional_missing(&self.named(scopes)),
            Note::OtherName { host } => format!("Shopify's own name for this store is {host}."),
            Note::NoCustomerSeen => {
                "This store has no orders with a customer yet, so we could not check customer details.".into()
            }
            Note::DevelopmentStore => {
                "This is a development store. It shows customer details that a live store may hide.".into()
            }
        };
        let use_handle = match note {
            Note::OtherName { host } => host.strip_suffix(".myshopify.com").map(str::to_owned),
            _ => None,
        };
        NoteView { text, use_handle }
    }

    /// These scopes with their words; a scope that the table does not know keeps its own name.
    fn named(&self, scopes: &[String]) -> Vec<Permission> {
        let unknown = |scope: &String| Permission {
            scope: scope.clone(),
            say: scope.clone(),
            without: "a part of the work stops".into(),
            is_needed: true,
        };
        let find = |scope: &String| self.permissions.iter().find(|permission| permission.scope == *scope).cloned();
        scopes.iter().map(|scope| find(scope).unwrap_or_else(|| unknown(scope))).collect()
    }
}

fn optional_missing(missing: &[Permission]) -> String {
    let says = missing.iter().map(|permission| permission.say.as_str()).collect::<Vec<_>>().join(", ");
    match missing.len() {
        1 => format!("1 permission that is nice to have is missing: {says}. Nothing you need is lost."),
        n => format!("{n} permissions that are nice to have are missing: {says}. Nothing you need is lost."),
    }
}

/// A line under the checks.
#[derive(Clone, Debug)]
pub struct NoteView {
    text: String,
    /// *Use it* submits the form with `intent=use:{handle}`.
    use_handle: Option<String>,
}

/// Cause and remedy of one class. In the region its buttons work; on the help page there are none.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_verdict.html")]
pub struct VerdictWords<'a> {
    pub class: Class,
    pub test: &'a TestView,
}

impl VerdictWords<'_> {
    fn store(&self) -> &str {
        title::store_name(&self.test.verdict, &self.test.host)
    }

    fn missing(&self) -> Vec<Permission> {
        let scopes = self.test.verdict.limits.iter().find_map(|limit| match limit {
            Limit::ScopesMissing { scopes } => Some(scopes.as_slice()),
            _ => None,
        });
        self.test.named(scopes.unwrap_or_default())
    }

    fn missing_label(&self) -> String {
        match self.missing().len() {
            1 => "Copy the missing permission".into(),
            n => format!("Copy the {n} missing permissions"),
        }
    }

    fn missing_list(&self) -> String {
        handles(&self.missing(), ",")
    }

    fn all_list(&self) -> String {
        handles(&self.test.permissions, ",")
    }

    fn covered(&self) -> String {
        let all = self.test.permissions.len();
        if self.test.verdict.covered >= all {
            return format!("All {all} permissions are in place.");
        }
        let covered = self.test.verdict.covered;
        format!("Every permission that {} needs is in place ({covered} of {all}).", self.test.product)
    }

    fn versions(&self) -> (String, String) {
        let from_limit = self.test.verdict.limits.iter().find_map(|limit| match limit {
            Limit::ApiVersionOld { asked, answered } => Some((asked.clone(), answered.clone())),
            _ => None,
        });
        from_limit.unwrap_or_default()
    }

    fn moved_handle(&self) -> &str {
        let host = self.test.verdict.moved_to.as_deref().unwrap_or_default();
        host.strip_suffix(".myshopify.com").unwrap_or(host)
    }

    fn last_worked(&self) -> Option<String> {
        self.test.verdict.last_worked_at.map(|at| {
            let words = filters::date_time(at);
            words.replacen(", ", " at ", 1)
        })
    }

    fn other_store(&self) -> &str {
        self.test.verdict.other_name.as_deref().unwrap_or("Another cart")
    }

    fn expected_store(&self) -> &str {
        self.test.verdict.other_name.as_deref().or(self.test.cart_name.as_deref()).unwrap_or("another store")
    }

    fn can_act(&self) -> bool {
        !self.test.test_url.is_empty()
    }

    fn wait(&self) -> u32 {
        self.test.verdict.wait_seconds.unwrap_or(60)
    }

    fn waited(&self) -> u32 {
        self.test.verdict.waited_seconds.unwrap_or(15)
    }

    fn city(&self) -> String {
        self.test.verdict.store.as_ref().map(|store| city(&store.time_zone)).unwrap_or_default()
    }

    /// What travels to Shopify, in short.
    fn short(&self) -> &'static str {
        if self.test.kind.is_token() { "token" } else { "secret" }
    }

    fn billing(&self) -> String {
        format!("https://admin.shopify.com/store/{}/settings/billing", self.test.handle)
    }

    fn develop_apps(&self) -> String {
        format!("https://admin.shopify.com/store/{}/settings/apps/development", self.test.handle)
    }
}

/// Tells `app.js` from a browser that follows a form: the first wants the lines and the region alone.
pub const PARTIAL: &str = "x-partial";

/// POST `/admin/ecommerce/shopify/new/connection-tests`.
pub async fn create_new(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Result<Response, Error> {
    let desk = Desk { app: &app, shell, session: &session, cart: None };
    saved::test(desk, posted, headers.contains_key(PARTIAL)).await
}

/// POST `/admin/ecommerce/shopify/{cart}/connection-tests`.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Result<Response, Error> {
    let desk = Desk { app: &app, shell, session: &session, cart: Some(CartId(id)) };
    saved::test(desk, posted, headers.contains_key(PARTIAL)).await
}

/// GET `…/new/connection-tests/{test}`.
pub async fn show_new(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    headers: HeaderMap,
    Path(test): Path<Uuid>,
) -> Result<Response, Error> {
    show_of(&app, shell, &session, None, test, &headers).await
}

/// GET `/admin/ecommerce/shopify/{cart}/connection-tests/{test}`.
pub async fn show(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    headers: HeaderMap,
    Path((cart, test)): Path<(Uuid, Uuid)>,
) -> Result<Response, Error> {
    show_of(&app, shell, &session, Some(CartId(cart)), test, &headers).await
}

/// The stored result, for a reload and for the activity.
async fn show_of(
    app: &App,
    shell: Shell,
    session: &Session,
    id: Option<CartId>,
    test: Uuid,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let report = app.ecommerce.find_test(test).await?.filter(|report| report.cart == id).ok_or(Error::NotFound)?;
    let cart = match id {
        Some(id) => Some(app.ecommerce.find(id).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    if headers.contains_key(PARTIAL) {
        return Ok(Html(editor::test_view(app, &shell, &report, cart.as_ref()).render()?).into_response());
    }
    let mut form = match &cart {
        Some(cart) => editor::of_cart(cart),
        None => editor::blank(),
    };
    if cart.is_none() {
        form.kind = report.kind.into();
        form.submission = report.submission.to_string();
        form.api_url.value = report.address.admin_url();
        editor::understand(&mut form, &report.address);
        editor::receive_unsaved(app, session, &mut form, Some(&report.address)).await?;
    }
    let page = Editor { app, shell, cart, form, report: Some(report) }.page(false).await?;
    Ok(Page::ok(page).into_response())
}

/// Streams a running test: the page's head, a line a check, the region, the page's tail; or for `app.js` lines and region.
pub(super) fn stream(
    app: App,
    shell: Shell,
    cart: Option<Cart>,
    frame: Option<(String, String)>,
    host: String,
    mut running: RunningTest,
) -> Response {
    let (tell, pieces) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let whole = frame.is_some();
        let (head, tail) = frame.unwrap_or_default();
        if whole {
            let testing = TestingHead { host }.render().unwrap_or_default();
            tell.send(head + &testing).ok();
        }
        while let Some(progress) = running.progress.recv().await {
            match progress {
                Progress::Check(check) => {
                    let line = CheckLine {
                        kind: running.kind.into(),
                        check,
                        store: None,
                        permission_count: permissions().len(),
                    };
                    tell.send(line.line().unwrap_or_default()).ok();
                }
                Progress::Report(report) => {
                    metrics::counter!("cartwright_connection_tests_total", "class" => report.verdict.class.as_str())
                        .increment(1);
                    // What the test changed of the cart is what its page would show now.
                    let cart = match cart.as_ref().map(|cart| cart.id) {
                        Some(id) => app.ecommerce.find(id).await.ok().flatten().or(cart.clone()),
                        None => None,
                    };
                    let region = editor::test_view(&app, &shell, &report, cart.as_ref()).render().unwrap_or_default();
                    tell.send(if whole { format!("{TESTING_END}{region}") } else { region }).ok();
                }
            }
        }
        tell.send(tail).ok();
    });
    (StatusCode::OK, stream::html(pieces)).into_response()
}
