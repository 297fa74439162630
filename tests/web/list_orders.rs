//! Every filter in every order, with and without a search, integration on and off: paging forwards and back loses and
//! repeats nothing.

use cartwright::carts::{CartFilter, CartRow, ListQuery, Sort, SortBy};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::{TestApp, dump::tamper};

/// More than two pages for each filter, of all statuses, some checked at the same time and some never. Two names differ
/// only in letter case.
const CARTS: &str = "
    insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, passed_at, secret, credential_kind,
        credential_fingerprint, updated_by)
    select gen_random_uuid(), gen_random_uuid(), 'shopify', case when n % 2 = 0 then 'tea ' else 'TEA ' end || md5(n::text),
        'tea-' || n || '.myshopify.com', n % 5 < 3, (array['connected', 'needs-attention', 'not-connected', 'inactive', 'draft'])[1 + n % 5],
        now(), '\\x00', 'access_token', '\\x00', 'Sam Lee'
    from generate_series(1, 300) n";
const CHECKS: &str = "
    update cart_health set last_checked_at =
        case when n % 7 > 0 then '2026-11-01 00:00:00.123456+00'::timestamptz + make_interval(hours => n / 12) end
    from (select id, row_number() over (order by md5(id::text))::int as n from carts) numbered where cart_id = id";

#[derive(sqlx::FromRow)]
struct Cart {
    id: Uuid,
    website_name: String,
    name: String,
    status_rank: i16,
    status: String,
    is_active: bool,
    last_checked_at: Option<OffsetDateTime>,
}

/// The expected result of a query, computed by the specification.
fn expected(all: &[Cart], query: &ListQuery, on: bool) -> Vec<String> {
    let mut carts: Vec<&Cart> = all
        .iter()
        .filter(|cart| match query.filter {
            CartFilter::All => true,
            CartFilter::Active => on && cart.is_active,
            CartFilter::Inactive => !on || !cart.is_active,
            CartFilter::Attention => on && matches!(cart.status.as_str(), "needs-attention" | "not-connected"),
        })
        .filter(|cart| match query.search.as_deref() {
            None => true,
            Some(text) if text.len() < 3 => cart.name.starts_with(text),
            Some(text) => cart.name.contains(text),
        })
        .collect();
    carts.sort_by(|one, other| match query.sort.by {
        SortBy::Name => (&one.name, one.id).cmp(&(&other.name, other.id)),
        SortBy::Status => (one.status_rank, &one.name, one.id).cmp(&(other.status_rank, &other.name, other.id)),
        SortBy::Checked => (one.last_checked_at, one.id).cmp(&(other.last_checked_at, other.id)),
    });
    if query.sort.is_descending {
        carts.reverse();
    }
    carts.into_iter().map(|cart| cart.website_name.clone()).collect()
}

/// Pages through all results forwards and then back.
async fn walked(app: &TestApp, query: &ListQuery) -> (Vec<String>, Vec<String>) {
    let list = &app.app.carts;
    let mut connection = app.app.pool.acquire().await.expect("a connection");
    let names = |rows: &[CartRow]| rows.iter().map(|row| row.website_name.clone()).collect::<Vec<_>>();
    let mut page = list.list(&mut connection, query).await.expect("the first page");
    assert!(page.previous.is_none(), "{query:?}");
    let (mut forwards, mut backwards) = (vec![names(&page.rows)], Vec::new());
    while let Some(next) = page.next {
        let query = ListQuery { after: Some(next), ..query.clone() };
        page = list.list(&mut connection, &query).await.expect("the next page");
        forwards.push(names(&page.rows));
    }
    backwards.push(names(&page.rows));
    while let Some(previous) = page.previous {
        let query = ListQuery { before: Some(previous), ..query.clone() };
        page = list.list(&mut connection, &query).await.expect("the page before");
        backwards.push(names(&page.rows));
    }
    backwards.reverse();
    (forwards.concat(), backwards.concat())
}

#[sqlx::test]
async fn every_filter_in_every_order_pages_forwards_and_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    tamper(&app.pool, CARTS).await;
    tamper(&app.pool, CHECKS).await;
    let all: Vec<Cart> = sqlx::query_as(
        "select *, lower(website_name) as name, h.last_checked_at from carts join cart_health h on cart_id = id",
    )
    .fetch_all(&app.pool)
    .await
    .expect("the carts");
    for on in [true, false] {
        tamper(&app.pool, &format!("update ecommerce_integration set is_active = {on}")).await;
        for query in queries() {
            let expected = expected(&all, &query, on);
            let (forwards, backwards) = walked(&app, &query).await;
            assert_eq!(forwards, expected, "on: {on}, {query:?}");
            assert_eq!(backwards, expected, "on: {on}, back, {query:?}");
        }
    }
}

fn queries() -> Vec<ListQuery> {
    let mut queries = Vec::new();
    for filter in [CartFilter::All, CartFilter::Active, CartFilter::Inactive, CartFilter::Attention] {
        for by in [SortBy::Name, SortBy::Status, SortBy::Checked] {
            for is_descending in [false, true] {
                for search in [None, Some("tea"), Some("a1d"), Some("te"), Some("zz")] {
                    let (sort, search) = (Sort { by, is_descending }, search.map(str::to_owned));
                    queries.push(ListQuery { filter, sort, search, ..ListQuery::default() });
                }
            }
        }
    }
    queries
}
