//! Baseline for the cart list: the least code that returns the same bytes. Axum with one route and no sessions, layers,
//! metrics or log; the same pool settings, the same template and only the statements that the page needs.

use std::net::SocketAddr;

use askama::Template;
use axum::{Router, extract::State, response::Html, routing::get};
use cartwright::database::Pool;
use cartwright::{
    carts::{ListQuery, Status},
    web::admin::{
        ecommerce::{
            StatusView,
            carts::{CartCountsView, CartList, CartRowView, CartTab},
        },
        filters::Moment,
        shell::{Person, Shell},
    },
};
use sqlx::Row;
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};

use super::ground::Served;

#[derive(Clone)]
struct Bare {
    pool: Pool,
    carts: cartwright::carts::Carts,
}

/// Serves the baseline. `/rows` queries only the fifty rows and hard-codes the rest of the page; `/all` queries all
/// that it shows.
pub async fn serve(pool: Pool, ours: &Served) -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let state = Bare { pool, carts: ours.app.carts.clone() };
    let router = Router::new().route("/rows", get(rows)).route("/all", get(all)).with_state(state);
    let service = router.into_make_service();
    Ok((address, tokio::spawn(async move { axum::serve(listener, service).await.unwrap_or_default() })))
}

async fn rows(State(bare): State<Bare>) -> Html<String> {
    let found = sqlx::query(
        "select id, website_name, lower(website_name), store_host, is_practice, is_active, status, last_class, last_title,
             missing_count, h.last_checked_at, failing_since, retired_by, is_disconnected,
             recent
         from carts left join cart_health h on h.cart_id = carts.id order by lower(website_name), id limit 51",
    )
    .fetch_all(&bare.pool)
    .await
    .expect("rows are loaded");
    let now = cartwright::clock::Clock::System.now();
    let next = found.get(49).map(|row| (row.get::<String, _>(2), row.get::<uuid::Uuid, _>(0)));
    let rows = found.iter().take(50).map(|row| {
        let title: Option<String> = row.get("last_title");
        let (status, checked) = (row.get::<&str, _>("status"), row.get::<Option<OffsetDateTime>, _>("last_checked_at"));
        let since: Option<OffsetDateTime> = row.get("failing_since");
        view(
            row.get(0),
            row.get(1),
            row.get("store_host"),
            status,
            title.as_deref(),
            since,
            checked,
            row.get("is_active"),
            &cartwright::carts::health::PastCheck::unpack(row.get("recent")),
            now,
        )
    });
    draw(rows.collect(), CartCountsView { active: 100, needs_attention: 100, inactive: 3 }, next)
}

async fn all(State(bare): State<Bare>) -> Html<String> {
    let mut connection = bare.pool.acquire().await.expect("a connection");
    let page = bare.carts.list(&mut connection, &ListQuery::default()).await.expect("list is loaded");
    drop(connection);
    let now = cartwright::clock::Clock::System.now();
    let rows = page.rows.iter().map(|row| {
        let status = row.status.as_str();
        let (name, host, title) = (row.website_name.clone(), row.store_host.clone(), row.last_title.as_deref());
        view(
            row.id.0,
            name,
            host,
            status,
            title,
            row.failing_since,
            row.last_checked_at,
            row.is_active,
            &row.recent,
            now,
        )
    });
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let counts = CartCountsView {
        active: count(page.counts.active),
        needs_attention: count(page.counts.attention),
        inactive: count(page.counts.inactive),
    };
    draw(rows.collect(), counts, page.next.map(|next| (next.name, next.id)))
}

#[expect(clippy::too_many_arguments, reason = "one argument per column of the query")]
fn view(
    id: uuid::Uuid,
    name: String,
    host: String,
    status: &str,
    title: Option<&str>,
    since: Option<OffsetDateTime>,
    checked: Option<OffsetDateTime>,
    active: bool,
    recent: &[cartwright::carts::health::PastCheck],
    now: OffsetDateTime,
) -> CartRowView {
    let (status, line) = match status {
        "connected" => (Status::Connected, None),
        "inactive" => (Status::Inactive, None),
        _ => {
            let line =
                title.zip(since).map(|(title, since)| format!("{title}. Started {}", Moment::new(since, now).words()));
            (Status::NotConnected, line)
        }
    };
    CartRowView {
        id: id.simple().to_string(),
        name,
        host,
        platform: "Shopify",
        status: StatusView { status, line, unchecked: None, is_practice: false },
        sparkline: cartwright::web::admin::charts::LineChart::of(recent, 24),
        last_checked: checked.map(|at| Moment::new(at, now)),
        active,
    }
}

/// The page shell as [`Served::administrator`] 0 gets it.
pub fn shell(path: String) -> Shell {
    Shell {
        product: "Order Time".into(),
        person: Some(Person {
            name: "Sam Lee".into(),
            email: "admin0@example.com".into(),
            can_change: true,
            theme: "system",
        }),
        csrf: "x".repeat(86),
        egress_addresses: Some(cartwright::outbound::egress_addresses::EgressAddresses::default()),
        path,
        ..Shell::default()
    }
}

fn draw(rows: Vec<CartRowView>, counts: CartCountsView, next: Option<(String, uuid::Uuid)>) -> Html<String> {
    let shell = shell("/admin/ecommerce".into());
    let href = |(name, id): (String, uuid::Uuid)| {
        let pairs = [("after", name), ("id", id.to_string())];
        format!("/admin/ecommerce?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
    };
    let page = CartList {
        shell,
        active: true,
        rows,
        filter: CartTab::All,
        sort: cartwright::carts::Sort::default(),
        counts,
        search: String::new(),
        is_empty: false,
        previous: None,
        next: next.map(href),
    };
    Html(page.render().expect("template renders"))
}
