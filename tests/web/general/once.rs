//! Uniqueness of names and stores, and idempotent saves.

use super::*;

#[sqlx::test]
async fn website_name_is_unique(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    app.open_store("northwind-b2b");
    for name in ["Northwind Tea", "NORTHWIND TEA", " northwind tea "] {
        let page = app.fill_new(&priya, name, "northwind-b2b").await.press("Save").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        let (class, sentence) = page.complaint("Website Name").expect("field error");
        assert_eq!(class, "NAME_TAKEN");
        assert_eq!(sentence, "Another cart is called Northwind Tea. Enter a different Website Name", "{name:?}");
        assert!(!page.has_field("Access Token"), "the token is kept: {page}");
    }
    let mut other = app.draft(&priya, "Northwind Wholesale", "northwind-b2b").await;
    other.fill("Website Name", "Northwind Tea");
    assert_eq!(other.press("Save").await.complaint_class("Website Name"), "NAME_TAKEN");
    assert_eq!(count(&app.pool, "carts").await, 2);
}

#[sqlx::test]
async fn visually_equal_names_are_equal(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.draft(&priya, "Caf\u{e9} Nord", "northwind-tea").await;
    app.open_store("northwind-b2b");
    for name in [
        "Caf\u{e9} Nord\u{200B}",
        "Caf\u{200B}\u{e9} Nord",
        "Cafe\u{301} Nord",
        "CAFE\u{301} NORD",
        "Caf\u{e9}\u{A0}Nord",
        "\u{FEFF}Caf\u{e9}\u{AD} \u{2060}Nord",
        "Caf\u{e9} Nord\u{3164}",
        "Caf\u{e9} N\u{FE0F}ord",
        "Caf\u{e9} Nord\u{E0041}",
    ] {
        let page = app.fill_new(&priya, name, "northwind-b2b").await.press("Save").await;
        assert_eq!(page.complaint_class("Website Name"), "NAME_TAKEN", "{name:?}");
    }
    for name in ["\u{200B}", "\u{3164}", "\u{2800}", "\u{301}", "\u{202E}\u{2066}", "\u{A0}\u{AD}"] {
        let page = app.fill_new(&priya, name, "northwind-b2b").await.press("Save").await;
        assert_eq!(page.complaint_class("Website Name"), "NAME_EMPTY", "{name:?}");
    }
    assert_eq!(count(&app.pool, "carts").await, 1);
    app.fill_new(&priya, "Cafe Nord", "northwind-b2b").await.press("Save").await;
    assert_eq!(count(&app.pool, "carts").await, 2, "a different letter is a different name");
}

/// Visually equal names that an older version stored as different.
#[sqlx::test(migrations = false)]
async fn existing_visually_equal_names_survive_the_migration(pool: PgPool) {
    // The tests' databases may be copies of one that has all migrations.
    sqlx::raw_sql("drop schema public cascade; create schema public").execute(&pool).await.expect("an empty database");
    let migrator = sqlx::migrate!();
    let before = migrator.iter().filter(|migration| migration.version < 19);
    for migration in before {
        sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.expect("migrated");
    }
    for (at, name) in ["Caf\u{e9}", "Caf\u{e9}\u{200B}", "Cafe\u{301}", "Tea"].into_iter().enumerate() {
        sqlx::query(
            "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by)
             values (gen_random_uuid(), gen_random_uuid(), 'shopify', $1, $2, false, 'draft', 'x')",
        )
        .bind(name)
        .bind(format!("store-{at}.myshopify.com"))
        .execute(&pool)
        .await
        .expect("a cart");
    }
    let migration = migrator.iter().find(|migration| migration.version == 19).expect("the migration");
    sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.expect("migrated");
    let twins: Vec<i32> =
        sqlx::query_scalar("select name_twin from carts order by 1").fetch_all(&pool).await.expect("twin numbers");
    assert_eq!(twins, [0, 0, 1, 2]);
}

#[sqlx::test]
async fn store_is_added_once(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let cart = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let page = app.fill_new(&priya, "The same again", "northwind-tea").await.press("Save").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let (class, sentence) = page.complaint("API URL").expect("field error");
    assert_eq!(class, "DUPLICATE");
    assert!(page.has("#api_url-n[hidden]"), "no success line below an error: {page}");
    assert_eq!(
        sentence,
        "Northwind Tea already uses this store. Open it instead of adding it again. Open Northwind Tea"
    );
    assert_eq!(page.follow("Open Northwind Tea").await.path, cart);
    assert_eq!(count(&app.pool, "carts").await, 1);
}

#[sqlx::test]
async fn resent_new_form_with_other_values_is_no_repetition(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let b2b = app.open_store("northwind-b2b");
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let first = page.knock("Save").send().await.location().to_owned();
    assert_eq!(page.knock("Save").send().await.location(), first, "the same form is the same save");
    page.fill("Website Name", "Northwind Tea London");
    let other = page.press("Save").await;
    assert_eq!(other.complaint_class("API URL"), "DUPLICATE", "{other}");
    page.fill("API URL", "northwind-b2b");
    page.fill("Access Token", expose(&b2b.access_token));
    let other = page.knock("Save").send().await;
    assert_eq!(other.status, StatusCode::SEE_OTHER, "{}", other.text());
    assert_ne!(other.location(), first);
    assert_eq!(count(&app.pool, "carts").await, 2);
}

/// Every field of the form counts, and for secrets the entered value.
#[sqlx::test]
async fn resent_saved_form_with_other_values_is_no_repetition(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let setting = |name: &str| (name.to_owned(), "on".to_owned());
    let others = [
        setting("update_order_status"),
        setting("update_inventory"),
        setting("write_products"),
        ("item_group".to_owned(), "Teas".to_owned()),
        ("access_token".to_owned(), format!("shpat_{}", "5a".repeat(16))),
    ];
    for (name, value) in others {
        let page = priya.visit(&path).await;
        let (_, action, fields) = page.submission("Save");
        let post = |fields: &[(String, String)]| priya.knock(axum::http::Method::POST, &action).form(fields).send();
        assert_eq!(post(&fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(post(&fields).await.status, StatusCode::SEE_OTHER, "the same form again");
        let mut changed: Vec<_> = fields.iter().filter(|(known, _)| *known != name).cloned().collect();
        changed.push((name.clone(), value));
        assert_eq!(post(&changed).await.status, StatusCode::CONFLICT, "{name}");
    }
}

#[sqlx::test]
async fn form_sent_twice_makes_one_cart(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let presses: Vec<_> = (0..10).map(|_| page.knock("Save").send()).collect();
    let answers = futures_util::future::join_all(presses).await;
    let to = answers[0].location().to_owned();
    for answer in &answers {
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, to.as_str()), "{}", answer.text());
    }
    assert_eq!(page.knock("Save").send().await.location(), to, "and once more, later");
    assert_eq!(count(&app.pool, "carts").await, 1);
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "cart_added").count(), 1);
}

/// The second submit finds no cart yet; by the time it reads the draft secret, the first has consumed it.
#[sqlx::test]
async fn concurrent_repeated_save_returns_the_first_result(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let (_, _, fields) = page.submission("Save");
    let form = &fields.iter().find(|(name, _)| name == "submission").expect("a submission id").1;
    let to = page.knock("Save").send().await.location().to_owned();
    // The second submit must see the first as uncommitted ...
    sqlx::query("update carts set submission_id = gen_random_uuid()").execute(&app.pool).await.expect("hidden");
    let mut first = app.pool.begin().await.expect("a transaction");
    sqlx::query("lock table unsaved_credentials").execute(&mut *first).await.expect("a lock");
    let overtaken = async {
        while !somebody_waits(&app.pool).await {
            tokio::task::yield_now().await;
        }
        // ... and then as committed.
        sqlx::query("update carts set submission_id = $1::uuid")
            .bind(form)
            .execute(&mut *first)
            .await
            .expect("shown again");
        first.commit().await.expect("committed");
    };
    let (answer, ()) = tokio::join!(page.knock("Save").send(), overtaken);
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, to.as_str()), "{}", answer.text());
    assert_eq!(count(&app.pool, "carts").await, 1);
}

/// Whether a statement in this database waits for a lock.
async fn somebody_waits(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database()))",
    )
    .fetch_one(pool)
    .await
    .expect("the locks")
}

#[sqlx::test]
async fn concurrent_adds_of_one_store_give_one_cart_and_one_error(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let sam = app.sign_in_as(&SAM).await;
    let (one, two) =
        (app.fill_new(&priya, "Tea one", "northwind-tea").await, app.fill_new(&sam, "Tea two", "northwind-tea").await);
    let (one, two) = tokio::join!(one.press("Save"), two.press("Save"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    let refused = if one.status == 200 { two } else { one };
    assert_eq!(refused.complaint_class("API URL"), "DUPLICATE", "{refused}");
    assert_eq!(count(&app.pool, "carts").await, 1);
}

/// Without script, a repeated click submits the same form again.
#[sqlx::test]
async fn repeated_save_is_no_conflict(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.fill("Website Name", "Northwind Tea London");
    page.uncheck("Active");
    let presses: Vec<_> = (0..4).map(|_| page.knock("Save").send()).collect();
    for answer in futures_util::future::join_all(presses).await {
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, page.path.as_str()),
            "{}",
            answer.text()
        );
    }
    let all = events(&app.pool).await;
    assert_eq!(all.iter().filter(|event| *event == "cart_turned_off").count(), 1);
    assert!(priya.visit(&page.path).await.banner().starts_with("Northwind Tea London is inactive."));
    // The same form with another value is a conflict, even with the user's own save.
    page.fill("Website Name", "Northwind Tea Paris");
    assert_eq!(page.press("Save").await.status, StatusCode::CONFLICT);
}
