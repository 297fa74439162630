//! The cart list: empty, filtered, searched, paged, and with a row whose secret cannot be read.

use cartwright::{carts::CartId, practice::Scenario};
use sqlx::PgPool;

use crate::support::{Browser, Page, TestApp, dump::tamper};

fn names(page: &Page) -> Vec<String> {
    page.all("tbody th a")
}

/// Inserts this many drafts named `Tea 000` and so on, as a data migration would.
async fn many(app: &TestApp, count: usize) {
    for number in 0..count {
        let id = CartId(uuid::Uuid::now_v7());
        sqlx::query(
            "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
             values ($1, $1, 'shopify', $2, $3, false, 'draft', 'Priya Shah')",
        )
        .bind(id.0)
        .bind(format!("Tea {number:03}"))
        .bind(format!("tea-{number:03}.myshopify.com"))
        .execute(&app.pool)
        .await
        .expect("a draft");
    }
}

/// One cart of each status.
async fn mixed(app: &TestApp, priya: &Browser) {
    for (name, handle, scenario) in [
        ("Northwind Tea", "northwind-tea", Scenario::Well),
        ("Northwind Wholesale", "northwind-b2b", Scenario::ScopesMissing(&["write_inventory", "read_shipping"])),
    ] {
        app.open_store(handle);
        app.practice.stores().set(handle, scenario);
        app.connect(priya, name, handle).await;
    }
    app.open_store("old-store");
    app.draft(priya, "Old store", "old-store").await;
}

#[sqlx::test]
async fn empty_list_explains_the_first_step(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let page = priya.visit("/admin").await.follow("Ecommerce Integration").await;
    assert_eq!(page.h1(), "Ecommerce Integration");
    assert!(page.is_checked("Active"));
    assert_eq!(page.text("section.empty h2"), "Connect your first store");
    assert!(!page.has("table"), "{page}");
}

#[sqlx::test]
async fn each_cart_shows_its_status_as_text(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    mixed(&app, &priya).await;
    let page = priya.visit("/admin/ecommerce").await;
    assert_eq!(names(&page), ["Northwind Tea", "Northwind Wholesale", "Old store"]);
    assert_eq!(page.all("td .badge"), ["Connected", "Needs attention", "Draft"]);
    assert_eq!(page.all("td .under"), ["2 permissions missing", "Not tested yet"]);
    assert_eq!(page.all("tbody tr td:last-child"), ["On", "On", "Off"]);
    assert_eq!(page.all("tbody th code")[0], "northwind-tea.myshopify.com");
    assert_eq!(page.all(".filters a"), ["All", "Active 2", "Needs attention 1", "Inactive 1"]);
    assert!(priya.visit("/admin").await.html.contains("1 of 3 carts needs attention"));
}

#[sqlx::test]
async fn filters_and_search_show_matching_carts(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    mixed(&app, &priya).await;
    let page = priya.visit("/admin/ecommerce").await;
    for (words, shown) in [
        ("Active 2", vec!["Northwind Tea", "Northwind Wholesale"]),
        ("Needs attention 1", vec!["Northwind Wholesale"]),
        ("Inactive 1", vec!["Old store"]),
    ] {
        let filtered = page.follow(words).await;
        assert_eq!(names(&filtered), shown, "{words}");
        assert_eq!(filtered.all(".filters a[aria-current=page]"), [words]);
    }
    for (text, shown) in [
        ("tea", vec!["Northwind Tea"]),
        ("NORTHWIND", vec!["Northwind Tea", "Northwind Wholesale"]),
        ("b2b", vec!["Northwind Wholesale"]),
        (".myshopify.com", vec!["Northwind Tea", "Northwind Wholesale", "Old store"]),
        ("%", vec![]),
        ("_", vec![]),
        ("' or 1=1 --", vec![]),
    ] {
        let mut page = priya.visit("/admin/ecommerce").await;
        page.fill("Search carts", text);
        let found = page.press("Search").await;
        assert_eq!(names(&found), shown, "{text}");
        assert_eq!(found.value("Search carts"), text);
        if shown.is_empty() {
            assert!(
                found.text(".nothing").starts_with(&if text.len() < 3 {
                    format!("No name or address of a cart begins with “{text}”.")
                } else {
                    format!("No cart has “{text}” in its name or address.")
                }),
                "{found}"
            );
            assert_eq!(names(&found.follow("Clear search").await).len(), 3);
        }
    }
    for pasted in ["\u{202A}b2b\u{202C}", "\u{FEFF}b2b\u{200B}", "\u{A0}b2b\u{2003}", "b2b\u{AD}"] {
        let mut page = priya.visit("/admin/ecommerce").await;
        page.fill("Search carts", pasted);
        assert_eq!(names(&page.press("Search").await), ["Northwind Wholesale"], "{pasted:?}");
    }
    // The search is kept when the filter changes, and vice versa.
    let mut page = page.follow("Inactive 1").await;
    page.fill("Search carts", "northwind");
    let found = page.press("Search").await;
    assert!(found.path.contains("show=inactive") && found.path.contains("q=northwind"), "{}", found.path);
    assert!(names(&found).is_empty());
}

#[sqlx::test]
async fn filter_without_matches_is_explained(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 1).await;
    for (filter, sentence) in [("active", "No carts are active."), ("needs-attention", "No carts need attention.")] {
        let page = priya.visit(&format!("/admin/ecommerce?show={filter}")).await;
        assert_eq!(page.text(".nothing p:first-child"), sentence);
        assert_eq!(names(&page.follow("Show all carts").await), ["Tea 000"]);
    }
}

#[sqlx::test]
async fn cart_list_pages_show_fifty_carts_without_loss_or_repetition(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 120).await;
    let expected: Vec<String> = (0..120).map(|number| format!("Tea {number:03}")).collect();
    let first = priya.visit("/admin/ecommerce").await;
    assert_eq!(first.all(".pages a"), ["Next"]);
    assert_eq!(first.all(".filters a")[3], "Inactive 99+");
    let second = first.follow("Next").await;
    assert_eq!(second.all(".pages a"), ["Previous", "Next"]);
    let third = second.follow("Next").await;
    assert_eq!(third.all(".pages a"), ["Previous"]);
    assert_eq!([names(&first), names(&second), names(&third)].concat(), expected);
    assert_eq!(names(&third.follow("Previous").await), names(&second));
    let back = second.follow("Previous").await;
    assert_eq!(names(&back), names(&first));
    // Deleting a cart while paging skips none.
    tamper(&app.pool, "delete from carts where website_name = 'Tea 010'").await;
    assert_eq!(names(&first.follow("Next").await), names(&second));
}

#[sqlx::test]
async fn each_order_pages_through_all_carts_and_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 120).await;
    // A dozen carts of each status and of each hour; one in twelve was never checked.
    let numbered = "from (select id as of_cart, row_number() over (order by id)::int as n from carts) numbered";
    let words = "array['draft', 'connected', 'needs-attention', 'not-connected', 'inactive']";
    let hour = "'2026-11-01 00:00:00.123456+00'::timestamptz + make_interval(hours => n / 12)";
    tamper(&app.pool, &format!("update carts set status = ({words})[1 + n % 5] {numbered} where id = of_cart")).await;
    let checked = format!("update cart_health set last_checked_at = case when n % 12 > 0 then {hour} end");
    tamper(&app.pool, &format!("{checked} {numbered} where cart_id = of_cart")).await;
    for (head, sort, order, way) in [
        ("Cart", "-name", "lower(website_name) desc, id desc", "descending"),
        ("Status", "status", "status_rank, lower(website_name), id", "ascending"),
        ("Status", "-status", "status_rank desc, lower(website_name) desc, id desc", "descending"),
        ("Last checked", "checked", "h.last_checked_at nulls first, id", "ascending"),
        ("Last checked", "-checked", "h.last_checked_at desc nulls last, id desc", "descending"),
    ] {
        let mut page = priya.visit("/admin/ecommerce?show=inactive&q=tea").await.follow(head).await;
        if way == "descending" && head != "Cart" {
            page = page.follow(head).await;
        }
        assert!(
            page.path.contains(&format!("sort={sort}")) && page.path.contains("show=inactive&q=tea"),
            "{}",
            page.path
        );
        assert_eq!(page.all(&format!("th[aria-sort={way}]")), [head]);
        assert_eq!(page.all("th[aria-sort]").len(), 1);
        let query = sqlx::AssertSqlSafe(format!(
            "select website_name from carts join cart_health h on h.cart_id = id order by {order}"
        ));
        let expected: Vec<String> = sqlx::query_scalar(query).fetch_all(&app.pool).await.expect("the names");
        let second = page.follow("Next").await;
        let third = second.follow("Next").await;
        assert_eq!([names(&page), names(&second), names(&third)].concat(), expected, "{sort}");
        let back = third.follow("Previous").await;
        assert_eq!(names(&back), names(&second), "{sort}");
        assert_eq!(names(&back.follow("Previous").await), names(&page), "{sort}");
        // Filters and searches keep the order.
        assert!(page.follow("All").await.path.contains(&format!("sort={sort}")));
        assert!(page.press("Search").await.path.contains(&format!("sort={sort}")));
    }
}

const SHORT_HINT: &str = "Beginnings only, up to 1,000 carts. Three characters search anywhere.";

#[sqlx::test]
async fn search_of_one_or_two_characters_finds_beginnings_and_says_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    sqlx::query(
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
         select gen_random_uuid(), gen_random_uuid(), 'shopify', name, host || '.myshopify.com', false, 'draft', 'Sam Lee'
         from (values ('東京ストア', 'tokyo'), ('Store 東京', 'b2b-tokyo'), ('Élan', 'elan'), ('Qi', 'tea-qi'), ('A%', 'percent')) as row (name, host)",
    )
    .execute(&app.pool)
    .await
    .expect("carts");
    for (text, shown) in [
        ("東京", vec!["東京ストア"]),
        ("é", vec!["Élan"]),
        ("qi", vec!["Qi"]),
        ("TE", vec!["Qi"]),
        ("b", vec!["Store 東京"]),
        ("t", vec!["Qi", "東京ストア"]),
        ("%", vec![]),
        ("a%", vec!["A%"]),
    ] {
        for sort in ["", "status", "-checked"] {
            let mut page = priya.visit(&format!("/admin/ecommerce?sort={sort}")).await;
            page.fill("Search carts", text);
            let found = page.press("Search").await;
            assert_eq!(found.status, 200);
            let mut carts = names(&found);
            carts.sort_unstable();
            assert_eq!(carts, shown, "{text} by {sort:?}");
            assert_eq!(found.text("#q-h"), SHORT_HINT);
        }
    }
    let mut page = priya.visit("/admin/ecommerce").await;
    page.fill("Search carts", "東京");
    let mut page = page.press("Search").await;
    // The selection on every page is what the list shows.
    page.check("All carts beginning with “東京”, on every page");
    assert_eq!(page.press("Test the selected carts").await.h1(), "Testing 1 cart");
    let longer = priya.visit("/admin/ecommerce?q=tok").await;
    assert!(longer.all("#q-h").is_empty());
    assert_eq!(names(&longer).len(), 2, "three characters are found anywhere");
}

#[sqlx::test]
async fn search_that_waits_for_the_person_s_first_holds_no_connection(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 1).await;
    let person = app.user_id(&crate::support::cast::PRIYA).await.parse().expect("an id");
    let turn = app.app.search_turns.try_take(person).expect("nobody searches");
    // More searches than the pool has connections.
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let priya = priya.clone();
            tokio::spawn(async move { names(&priya.visit("/admin/ecommerce?q=tea").await) })
        })
        .collect();
    // Meanwhile the list without a search and the search of another user are served.
    assert_eq!(names(&priya.visit("/admin/ecommerce").await), ["Tea 000"]);
    let sam = app.sign_in_as(&crate::support::cast::SAM).await;
    assert_eq!(names(&sam.visit("/admin/ecommerce?q=tea").await), ["Tea 000"]);
    assert!(waiting.iter().all(|search| !search.is_finished()), "they wait for their turn");
    drop(turn);
    for search in waiting {
        assert_eq!(search.await.expect("a page"), ["Tea 000"]);
    }
}

#[sqlx::test]
async fn search_finds_few_and_many_matches(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 1).await;
    sqlx::query(
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
         select gen_random_uuid(), gen_random_uuid(), 'shopify', case when n % 2 = 0 then 'Café ' else 'Kiosk ' end || lpad(n::text, 4, '0'),
             's-' || n || '.myshopify.com', false, 'draft', 'Sam Lee' from generate_series(1, 3000) n",
    )
    .execute(&app.pool)
    .await
    .expect("inserted");
    let find = async |text: &str| names(&priya.visit(&format!("/admin/ecommerce?q={text}")).await);
    assert_eq!(find("kiosk+2999").await, ["Kiosk 2999"], "beyond the first candidates");
    assert_eq!(find("s-2998.my").await, ["Café 2998"]);
    assert_eq!(find("CAF%C3%89+0002").await, ["Café 0002"]);
    assert_eq!(find("tea-000").await, ["Tea 000"]);
    assert_eq!(find("osk+29").await.len(), 50, "the odd ones");
    let first = find("myshopify").await;
    assert_eq!((first.len(), first[0].as_str()), (50, "Café 0002"));
    assert_eq!(find("kiosk").await[49], "Kiosk 0099", "more matches than are sorted");
    assert!(find("oskk+1").await.is_empty(), "its trigrams occur, but not in this order");
    // A renamed cart is found by its new name only, a deleted one not at all.
    tamper(&app.pool, "update carts set website_name = 'Kettle' where website_name = 'Kiosk 2999'").await;
    assert_eq!((find("kettle").await, find("kiosk+2999").await), (vec!["Kettle".to_owned()], vec![]));
    tamper(&app.pool, "delete from carts where website_name = 'Kettle'").await;
    assert!(find("kettle").await.is_empty());
}

#[sqlx::test]
async fn fifty_carts_are_one_page_and_fifty_one_are_two_pages(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    many(&app, 50).await;
    assert!(!priya.visit("/admin/ecommerce").await.has(".pages"));
    tamper(&app.pool, "update carts set website_name = 'TEA 0' where website_name = 'Tea 007'").await;
    let names_now = names(&priya.visit("/admin/ecommerce").await);
    assert_eq!(names_now[0], "TEA 0", "letter case does not affect the order");
    sqlx::query("delete from carts").execute(&app.pool).await.expect("empty");
    many(&app, 51).await;
    let page = priya.visit("/admin/ecommerce").await;
    assert_eq!((names(&page).len(), names(&page.follow("Next").await)), (50, vec!["Tea 050".to_owned()]));
}

#[sqlx::test]
async fn row_with_an_unreadable_secret_does_not_break_the_list(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    mixed(&app, &priya).await;
    tamper(&app.pool, "update carts set secret = '\\x00' where website_name = 'Northwind Tea'").await;
    let page = priya.visit("/admin/ecommerce").await;
    assert_eq!(names(&page).len(), 3, "{page}");
    let cart = page.follow("Northwind Tea").await;
    assert!(cart.html.contains("We cannot read the saved access token. Enter it again."), "{cart}");
    assert!(cart.has_field("Access Token"), "{cart}");
    // A test detects it without a call; the list shows it from then on.
    app.practice.journal().clear();
    let (_, action, mut fields) = cart.submission("Test Connection");
    fields.retain(|(name, _)| name != "access_token");
    priya.knock(axum::http::Method::POST, &action).form(&fields).send().await;
    app.assert_nothing_was_called();
    let row = priya.visit("/admin/ecommerce").await;
    assert_eq!(row.all("td .badge")[0], "Needs attention");
    assert_eq!(row.all("td .under")[0], "We cannot read the saved access token. Open the cart and enter it again.");
}

#[sqlx::test]
async fn pasted_address_finds_its_cart_and_is_not_rendered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    mixed(&app, &priya).await;
    for typed in [
        "https://northwind-tea.myshopify.com/admin",
        "https://admin.shopify.com/store/northwind-tea/products",
        "https://key:password@northwind-tea.myshopify.com/admin",
    ] {
        let query = serde_urlencoded::to_string([("q", typed)]).expect("a query");
        let page = priya.visit(&format!("/admin/ecommerce?{query}")).await;
        assert_eq!(names(&page), ["Northwind Tea"], "{typed}: {page}");
        assert_eq!(page.value("Search carts"), "northwind-tea.myshopify.com");
        assert!(!page.html.contains("key:password"), "{page}");
    }
}
