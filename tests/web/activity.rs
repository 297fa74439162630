//! The activity pages: who did what, filters, paging, CSV export. An event that cannot be written prevents its change.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PRIYA, SAM, VERA},
    dump::{events, tamper},
    routes::cart_of,
};

/// User and sentence of each line, newest first.
fn lines(page: &Page) -> Vec<String> {
    page.all(".log .by").into_iter().zip(page.all(".log .deed")).map(|(by, deed)| format!("{by}: {deed}")).collect()
}

fn deeds(page: &Page) -> Vec<String> {
    page.all(".log .deed")
}

/// Inserts this many events, one per minute; `Cart 0` is the newest.
async fn past(app: &TestApp, rows: i32) {
    sqlx::query(
        "insert into audit_events (id, at, actor_kind, actor_name, event, cart_id, cart_name, data, what)
         select gen_random_uuid(), '2025-06-15 12:00:00Z'::timestamptz - n * interval '1 minute', 'system', 'System',
            'cart_turned_on', '00000000-0000-0000-0000-000000000001', 'Cart ' || n, '{}', 'carts'
         from generate_series(0, $1 - 1) n",
    )
    .bind(rows)
    .execute(&app.pool)
    .await
    .expect("inserted");
}

#[sqlx::test]
async fn activity_shows_who_did_what_with_details(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.fill("Website Name", "Northwind Tea London");
    let page = page.press("Save").await;
    page.press("Test Connection").await;
    let activity = priya.visit("/admin").await.follow("Activity").await;
    assert_eq!((activity.h1().as_str(), activity.title().as_str()), ("Activity", "Activity – Order Time"));
    assert_eq!(
        lines(&activity),
        [
            "Priya Shah: Tested Northwind Tea London: connected to northwind-tea store",
            "Priya Shah: Changed Website Name of Northwind Tea London",
            "Priya Shah: Added Northwind Tea",
            "Priya Shah: Tested a store that is not saved: connected to northwind-tea store",
            "The operator: Turned on Ecommerce Integration",
            "Priya Shah: Signed in",
            "The operator: Made priya@northwind.example an Administrator",
        ]
        .map(|line| line.replace("northwind-tea store", &shop_name(&app)))
    );
    assert_eq!(activity.all("h2").len(), 1, "one day");
    assert!(activity.has(".log time[datetime$=Z]"), "{activity}");
    assert_eq!(activity.all(".log table td"), ["Northwind Tea", "Northwind Tea London", "Off", "On"]);
    let facts = activity.all(".log li:first-child dt");
    assert_eq!(facts, ["Store", "Result", "Time", "Reference", "IP address", "Browser"]);
    let result = activity.follow("See the result").await;
    assert_eq!(result.class(), "CONNECTED", "{result}");
}

fn shop_name(app: &TestApp) -> String {
    app.practice.stores().find("northwind-tea").expect("a store").name.clone()
}

#[sqlx::test]
async fn activity_tab_of_a_cart_is_filtered_by_the_cart(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for (name, handle) in [("Northwind Tea", "northwind-tea"), ("Northwind Wholesale", "northwind-b2b")] {
        app.open_store(handle);
        app.draft(&priya, name, handle).await;
    }
    let cart = priya.visit("/admin/ecommerce").await.follow("Northwind Tea").await;
    assert_eq!(cart.all(".tabs a"), ["General", "Health", "Activity"]);
    let tab = cart.follow("Activity").await;
    assert_eq!(tab.h1(), "ECommerce Integration Editor: Northwind Tea");
    assert_eq!(tab.all(".tabs [aria-current=page]"), ["Activity"]);
    assert_eq!(lines(&tab), ["Priya Shah: Added Northwind Tea as a draft"]);
    assert!(!tab.has_field("Cart"), "{tab}");
    let mut narrow = priya.visit(&tab.path).await;
    narrow.pick("What", "Tests and checks");
    let nothing = narrow.press("Filter").await;
    assert!(nothing.text(".nothing").starts_with("Nothing has happened with this filter."), "{nothing}");
    assert_eq!(lines(&nothing.follow("Clear filters").await).len(), 1);
    let csv = tab.attribute(".download a", "href").expect("a download");
    assert_eq!(csv, format!("/admin/activity.csv?cart={}", cart_of(&cart.path)));
    // The cart is deleted meanwhile: no tab. Tests of unsaved stores stay listed.
    tamper(&app.pool, "delete from carts where website_name = 'Northwind Tea'").await;
    assert_eq!(priya.visit(&tab.path).await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test]
async fn deleted_cart_stays_named_and_can_be_filtered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    page.follow("Delete cart").await.press("Delete cart").await;
    let mut page = priya.visit("/admin/activity").await;
    assert_eq!(page.options("Cart"), ["All", "Northwind Tea"]);
    page.pick("Cart", "Northwind Tea");
    let page = page.press("Filter").await;
    assert_eq!(deeds(&page), ["Deleted Northwind Tea", "Added Northwind Tea as a draft"]);
    assert!(!page.html.contains("Open Northwind Tea"), "it is no longer a link: {page}");
}

#[sqlx::test]
async fn filters_show_matching_events(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let sam = app.sign_in_as(&SAM).await;
    app.open_store("northwind-tea");
    app.connect(&sam, "Northwind Tea", "northwind-tea").await;
    past(&app, 3).await;
    let page = priya.visit("/admin/activity").await;
    let (priya_is, sam_is) = ("Priya Shah (priya@northwind.example)", "Sam Lee (sam@northwind.example)");
    assert_eq!(page.options("Person"), ["All", priya_is, sam_is, "Order Time", "The operator"]);
    assert_eq!(page.options("What"), ["All", "Carts", "Tests and checks", "Integration and alerts", "People and keys"]);
    let filtered = async |picks: &[(&str, &str)], days: Option<(&str, &str)>| {
        let mut page = priya.visit("/admin/activity").await;
        for (label, words) in picks {
            page.pick(label, words);
        }
        if let Some((from, to)) = days {
            page.fill("From", from);
            page.fill("To", to);
        }
        page.press("Filter").await
    };
    let page = filtered(&[("Person", sam_is)], None).await;
    assert_eq!(page.all(".log .by"), ["Sam Lee"; 3], "{page}");
    assert_eq!(page.all("#person option[selected]"), [sam_is], "the filter stays selected");
    let page = filtered(&[("Person", sam_is), ("What", "Carts")], None).await;
    assert_eq!(deeds(&page), ["Added Northwind Tea"]);
    let page = filtered(&[("Cart", "Northwind Tea"), ("Person", priya_is)], None).await;
    assert!(page.text(".nothing").starts_with("Nothing has happened with this filter."), "{page}");
    assert!(lines(&page.follow("Clear filters").await).len() > 5);
    let page = filtered(&[("Person", "Order Time"), ("What", "Carts")], Some(("2025-06-15", "2025-06-15"))).await;
    assert_eq!(
        lines(&page),
        ["Order Time: Turned on Cart 0", "Order Time: Turned on Cart 1", "Order Time: Turned on Cart 2"]
    );
    assert_eq!(page.all("h2"), ["15 June 2025"]);
    assert_eq!((page.value("From").as_str(), page.value("To").as_str()), ("2025-06-15", "2025-06-15"));
    let page = filtered(&[], Some(("2025-06-16", "2025-06-17"))).await;
    assert!(page.text(".nothing").starts_with("Nothing has happened with this filter."), "{page}");
}

#[sqlx::test]
async fn user_is_shown_with_their_email_address(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    for name in ["System", "the operator", "Cartwright", "Order  Time"] {
        let mut page = priya.visit("/admin/account").await;
        page.fill("Name", name);
        let page = page.press("Save").await;
        let (class, _) = page.complaint("Name").expect("field error");
        assert_eq!(class, "PERSON_NAME", "{name}: {page}");
    }
    let mut page = priya.visit("/admin/account").await;
    page.fill("Name", "Sam Lee");
    page.press("Save").await;
    priya.visit("/admin").await.press("Dark").await;
    let page = priya.visit("/admin/activity").await;
    assert_eq!(page.all(".log .address"), [PRIYA.email; 2], "{page}");
    assert_eq!(page.all(".log li:first-child td"), ["Priya Shah", "Sam Lee"], "before and after: {page}");
    let stored: Vec<Option<String>> =
        sqlx::query_scalar("select actor_email from audit_events where actor_kind = 'person'")
            .fetch_all(&app.pool)
            .await
            .expect("rows");
    assert_eq!(stored, [Some(PRIYA.email.to_owned()), Some(PRIYA.email.to_owned())]);
    let rows = csv(&priya, "/admin/activity.csv").await;
    assert_eq!((&rows[1][1], &rows[1][9]), ("Priya Shah", PRIYA.email));
}

#[sqlx::test]
async fn invalid_date_is_reported_at_its_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    for (query, label, class, sentence) in [
        ("from=23.11.2026", "From", "DATE_UNREADABLE", "Enter a date like 2026-11-23"),
        ("to=2026-02-30", "To", "DATE_UNREADABLE", "Enter a date like 2026-11-23"),
        ("from=2026-11-23&to=2026-11-22", "To", "DATE_ORDER", "Enter the same day as From, or a later one"),
    ] {
        let page = priya.visit(&format!("/admin/activity?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        assert_eq!(page.complaint(label), Some((class.to_owned(), sentence.to_owned())), "{page}");
        assert_eq!(page.summary(), [sentence]);
        assert!(page.title().starts_with("Error: Activity"), "{}", page.title());
        // The CSV link redirects to the page with the error.
        let page = priya.visit(&format!("/admin/activity.csv?{query}")).await;
        assert_eq!((page.status, page.summary()), (StatusCode::UNPROCESSABLE_ENTITY, vec![sentence.to_owned()]));
    }
    for query in ["who=me", "what=all", "cart=1", "older=1", "person=%00", "what=carts&what=tests"] {
        for path in ["/admin/activity", "/admin/activity.csv"] {
            let page = priya.visit(&format!("{path}?{query}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}?{query}");
        }
    }
    let page = priya.visit(&format!("/admin/activity?older={}", Uuid::nil())).await;
    assert!(page.text(".nothing").starts_with("Nothing"), "{page}");
}

#[sqlx::test]
async fn activity_pages_show_fifty_events_without_loss_or_repetition(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    past(&app, 120).await;
    // Two events at the same time: the order is still total.
    past(&app, 1).await;
    let first = priya.visit("/admin/activity?what=carts").await;
    assert_eq!(first.all(".pages a"), ["Next"]);
    let second = first.follow("Next").await;
    assert_eq!(second.all(".pages a"), ["Previous", "Next"]);
    assert!(second.path.contains("what=carts"), "{}", second.path);
    let third = second.follow("Next").await;
    assert_eq!(third.all(".pages a"), ["Previous"]);
    let expected: Vec<String> =
        std::iter::once(0).chain(0..120).map(|number| format!("Turned on Cart {number}")).collect();
    assert_eq!([deeds(&first), deeds(&second), deeds(&third)].concat(), expected);
    assert_eq!(deeds(&third.follow("Previous").await), deeds(&second));
    let back = second.follow("Previous").await;
    assert_eq!((deeds(&back), back.all(".pages a")), (deeds(&first), vec!["Next".to_owned()]));
    // A new event while paging: no event is skipped.
    past(&app, 1).await;
    assert_eq!(deeds(&first.follow("Next").await), deeds(&second));
}

#[sqlx::test]
async fn empty_activity_is_stated(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    sqlx::query(
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
         values ('00000000-0000-0000-0000-000000000009', gen_random_uuid(), 'shopify', 'Tea', 'tea.myshopify.com', false, 'draft', 'x')",
    )
    .execute(&app.pool)
    .await
    .expect("a draft");
    let page = priya.visit("/admin/ecommerce/shopify/00000000000000000000000000000009/activity").await;
    assert_eq!(page.text(".nothing"), "Nothing has happened yet.");
}

#[sqlx::test]
async fn viewer_can_read_the_activity_and_refusals_are_recorded(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = app.sign_in_as(&VERA).await;
    for _ in 0..15 {
        assert_eq!(vera.visit("/admin/ecommerce/add").await.status, StatusCode::FORBIDDEN);
    }
    let page = vera.visit("/admin").await.follow("Activity").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    let refused =
        lines(&page).into_iter().filter(|line| line == "Vera Novak: Was refused /admin/ecommerce/add").count();
    assert_eq!(refused, 10, "at most ten are recorded: {page}");
    let csv = vera.knock(Method::GET, "/admin/activity.csv").send().await;
    assert_eq!(csv.status, StatusCode::OK);
    assert!(priya.visit("/admin/activity?what=people").await.html.contains("Was refused"));
}

#[sqlx::test]
async fn event_of_a_newer_version_is_shown_generically(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    sqlx::query(
        "insert into audit_events (id, actor_kind, actor_name, event, data)
         values (gen_random_uuid(), 'person', 'Unit 7', 'cart_painted', '{\"colour\": \"<b>green</b>\"}')",
    )
    .execute(&app.pool)
    .await
    .expect("a row");
    let page = priya.visit("/admin/activity").await;
    assert_eq!(lines(&page)[0], "Unit 7: Did something that a newer version recorded: cart painted");
    assert!(page.text(".log li:first-child dl").contains("<b>green</b>"), "{page}");
}

async fn csv(browser: &Browser, path: &str) -> Vec<csv::StringRecord> {
    let answer = browser.knock(Method::GET, path).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"activity.csv\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(answer.body.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark, for Excel"))
        .records()
        .collect::<Result<_, _>>()
        .expect("a whole file")
}

#[sqlx::test]
async fn csv_contains_every_row_of_the_filter(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    past(&app, 1_200).await;
    let page = priya.visit("/admin/activity?what=carts&from=2025-06-01").await;
    let rows = csv(&priya, &page.attribute(".download a", "href").expect("a download")).await;
    assert_eq!(
        rows[0].iter().collect::<Vec<_>>(),
        ["Time", "Person", "What", "Activity", "Cart", "Changes", "Reference", "IP address", "Browser", "Email"]
    );
    assert_eq!(
        rows[1].iter().collect::<Vec<_>>(),
        [
            "2025-06-15T12:00:00Z",
            "Order Time",
            "Carts",
            "Turned on Cart 0",
            "Cart 0",
            "Active: Off → On",
            "",
            "",
            "",
            ""
        ]
    );
    let carts: Vec<&str> = rows[1..].iter().map(|row| &row[4]).collect();
    assert_eq!(carts, (0..1_200).map(|n| format!("Cart {n}")).collect::<Vec<_>>(), "none lost between two batches");
    assert_eq!(csv(&priya, "/admin/activity.csv?what=tests").await.len(), 1, "only the header line");
    assert_eq!(csv(&priya, "/admin/activity.csv?from=2025-06-15&to=2025-06-15&person=system").await.len(), 722);
}

#[sqlx::test]
async fn csv_names_break_no_line_and_are_no_formula(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    sqlx::query(
        "insert into audit_events (id, at, actor_kind, actor_name, event, cart_id, cart_name, data, user_agent, what)
         values (gen_random_uuid(), now() + interval '1 minute', 'person', E'=Mallory\\n\\x1b[31m', 'cart_changed',
            gen_random_uuid(), E'@SUM(A1)\\r\\n\\x1b]0;x\\x07', $1, E'-Agent\\t\\x1b[2J', 'carts')",
    )
    .bind(serde_json::json!({ "changes": [{ "field": "Website Name", "before": "=1+1", "after": "a\u{202e}\nb" }] }))
    .execute(&app.pool)
    .await
    .expect("a row");
    let page = priya.visit("/admin/activity").await;
    assert_eq!(page.all(".log .by")[0], "=Mallory\\u{a}\\u{1b}[31m");
    assert_eq!(deeds(&page)[0], "Changed Website Name of @SUM(A1)\\u{d}\\u{a}\\u{1b}]0;x\\u{7}");
    assert!(!page.html.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{page}");
    let rows = csv(&priya, "/admin/activity.csv").await;
    assert_eq!(&rows[1][1], "'=Mallory\\u{a}\\u{1b}[31m");
    assert_eq!(&rows[1][4], "'@SUM(A1)\\u{d}\\u{a}\\u{1b}]0;x\\u{7}");
    assert_eq!(&rows[1][8], "'-Agent\\u{9}\\u{1b}[2J");
    for cell in rows.iter().flat_map(csv::StringRecord::iter) {
        assert!(!cell.contains(char::is_control), "{cell:?}");
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell:?}");
    }
}

#[sqlx::test]
async fn cart_filter_offers_the_newest_hundred_and_the_selected_cart(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    sqlx::query(
        "insert into audit_events (id, actor_kind, actor_name, event, cart_id, cart_name, what)
         select gen_random_uuid(), 'system', 'System', 'cart_turned_on',
            ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'Cart ' || lpad(n::text, 3, '0'), 'carts'
         from generate_series(1, 130) n",
    )
    .execute(&app.pool)
    .await
    .expect("rows");
    let page = priya.visit("/admin/activity").await;
    assert_eq!(page.options("Cart").len(), 101);
    assert_eq!(page.options("Cart")[1], "Cart 031");
    assert!(page.html.contains("The newest 100 carts are listed. For another one, open its own Activity."), "{page}");
    let page = priya.visit("/admin/activity?cart=00000000000000000000000000000007").await;
    assert_eq!((deeds(&page), page.options("Cart").len()), (vec!["Turned on Cart 007".to_owned()], 102));
    assert_eq!(page.all("#cart option[selected]"), ["Cart 007"]);
    assert!(events(&app.pool).await.len() > 130);
}
