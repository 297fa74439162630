//! Names that contain markup, of shops, apps, plans, carts and users. The parsed page must contain the name as text and
//! no additional element, attribute or script.

use std::collections::BTreeMap;

use cartwright::{
    accounts::Role,
    practice::{Hostile, PracticeStore, Scenario},
};
use scraper::Html;
use sqlx::PgPool;

use crate::support::{Browser, Page, TestApp, cast::Person};

const MARKUP: &str = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}&amp;";
const MALLORY: Person =
    Person { name: "<b onclick=x>Mallory</b>&lt;", email: "mallory@northwind.example", role: Role::Administrator };

/// Counts of each element and of each attribute name.
fn shape(page: &Page) -> BTreeMap<String, usize> {
    let document = Html::parse_document(&page.html);
    let mut shape = BTreeMap::new();
    for element in document.tree.nodes().filter_map(scraper::ElementRef::wrap) {
        *shape.entry(element.value().name().to_owned()).or_insert(0) += 1;
        for (name, _) in element.value().attrs() {
            *shape.entry(format!("{name}=")).or_insert(0) += 1;
        }
    }
    // `wbr` follows each dot of an address, so its count depends on the name.
    shape.remove("wbr");
    shape
}

#[track_caller]
fn assert_is_only_text(page: &Page, what: &str) {
    let document = page.document();
    let select = |css: &str| document.select(&scraper::Selector::parse(css).expect("a selector")).count();
    assert_eq!(select("script"), 1, "{what}: {page}");
    assert_eq!(select("img, iframe, b, [onerror], [onclick], script:not([src])"), 0, "{what}: {page}");
    assert_eq!(select("title"), 1, "{what}: {page}");
}

/// The pages that show a cart's name, and its tests.
async fn walk(browser: &Browser, app: &TestApp, name: &str, handle: &str) -> Vec<Page> {
    let mut tested = app.fill_new(browser, name, handle).await.press("Test Connection").await;
    tested.uncheck("Active");
    let saved = tested.press("Save").await;
    assert_eq!(saved.status, 200, "{saved}");
    let path = saved.path.clone();
    let stale = browser.visit(&path).await;
    let mut newer = browser.visit(&path).await;
    newer.check("Active");
    newer.press("Save").await;
    let conflict = stale.press("Save").await;
    assert_eq!(conflict.status, 409, "{conflict}");
    let again = browser.visit(&path).await.press("Test Connection").await;
    let list = browser.visit("/admin/ecommerce").await;
    let mut search = browser.visit("/admin/ecommerce").await;
    search.fill("Search carts", name);
    let found = search.press("Search").await;
    let taken = app.fill_new(browser, name, "northwind-else").await.press("Save").await;
    assert_eq!(taken.complaint_class("Website Name"), "NAME_TAKEN", "{taken}");
    let same = app.fill_new(browser, "Another name", handle).await.press("Save").await;
    assert_eq!(same.complaint_class("API URL"), "DUPLICATE", "{same}");
    let (disconnection, deletion) = (saved.follow("Disconnect").await, saved.follow("Delete cart").await);
    let editor = browser.visit(&path).await;
    let deleted = deletion.knock("Delete cart");
    let gone = browser.go(deleted).await;
    vec![tested, saved, conflict, again, list, found, taken, same, disconnection, editor, deletion, gone]
}

#[sqlx::test]
async fn names_are_text_on_every_page(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.priya_with_integration_on().await;
    app.open_store("northwind-else");
    let plain = app
        .sign_in_as(&Person { name: "Mallory Plain", email: "plain@northwind.example", role: Role::Administrator })
        .await;
    app.practice.stores().put("northwind-plain", PracticeStore::sample("northwind-plain"));
    let expected = walk(&plain, &app, "Plain name", "northwind-plain").await;
    sqlx::query("delete from throttle").execute(&app.pool).await.expect("limits reset");

    let mallory = app.sign_in_as(&MALLORY).await;
    let hostile = PracticeStore::sample("northwind-tricks").with(Scenario::HostileNames(Hostile::Markup));
    app.practice.stores().put("northwind-tricks", hostile);
    let name: String = MARKUP.chars().take(80).collect();
    let pages = walk(&mallory, &app, &name, "northwind-tricks").await;
    for (number, (page, plain)) in pages.iter().zip(&expected).enumerate() {
        let what = format!("page {number}, {}", page.path);
        assert_is_only_text(page, &what);
        assert_eq!(shape(page), shape(plain), "{what}");
        assert!(page.all(".who").iter().all(|who| who == MALLORY.name), "{what}: {page}");
    }
    let [tested, saved, _, _, list, found, ..] = &pages[..] else { panic!("pages") };
    assert_eq!(tested.verdict().2, format!("Connected to {}", Hostile::Markup.name()));
    assert!(
        tested
            .text("section[aria-label='Connection test'] li[data-check=credential]")
            .contains(&Hostile::Markup.name()),
        "{tested}"
    );
    assert_eq!(tested.value("Website Name"), name);
    assert_eq!(saved.h1(), format!("ECommerce Integration Editor: {name}"));
    assert!(saved.title().contains(&name), "{}", saved.title());
    assert_eq!(
        saved.banner(),
        format!("{name} is saved and inactive. Turn on Active when you are ready to sync. See all carts")
    );
    assert_eq!(list.all("tbody th a"), [name.as_str()]);
    assert_eq!(found.value("Search carts"), name);
}

#[sqlx::test]
async fn asterisks_around_a_name_stay_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "**Tea**", "northwind-tea").await;
    assert_eq!(page.banner(), "**Tea** is saved and connected. See all carts");
}

#[sqlx::test]
async fn bidi_and_control_characters_in_names_are_removed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for hostile in [Hostile::Bidi, Hostile::Control, Hostile::Long] {
        let handle = format!("northwind-{}", format!("{hostile:?}").to_lowercase());
        app.practice.stores().put(&handle, PracticeStore::sample(&handle).with(Scenario::HostileNames(hostile)));
        let page = app.connect(&priya, &format!("{hostile:?} store"), &handle).await;
        assert!(page.banner().contains("is saved and connected."), "{page}");
        let page = page.press("Test Connection").await;
        assert_eq!(page.class(), "CONNECTED", "{page}");
        assert_is_only_text(&page, &handle);
        let bends = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' | '\0' | '\u{1b}');
        assert!(!page.html.contains(bends), "{hostile:?}");
        assert!(page.verdict().2.chars().count() < 300, "{hostile:?}");
    }
    for typed in ["a\u{202e}b", "a\u{200b}b", "a\u{7}b", "a\nb"] {
        let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
        page.fill("Website Name", typed);
        let page = page.press("Save").await;
        assert_eq!(page.status, 422, "{page}");
    }
}

#[sqlx::test]
async fn refused_sign_in_shows_the_address_as_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut page = app.browser().visit("/sign-in").await;
    page.fill("Email address", MARKUP);
    page.fill("Password", MARKUP);
    let page = page.press("Sign in").await;
    assert_eq!(page.value("Email address"), MARKUP);
    assert_is_only_text(&page, "sign-in");
    let page = app.browser().visit("/sign-in?return_to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&ended=idle").await;
    assert_is_only_text(&page, "return_to");
}
