//! A save, with its audit row and its commit to disk, against the same statements sent by hand over the same pool.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cartwright::ecommerce::{
    CartId, Ecommerce, Offered, Submission, Visitor, WebsiteName,
    shopify::{address::StoreAddress, client::Egress, credential::CredentialKind},
};
use sqlx::{Connection, PgPool, Row};
use uuid::Uuid;

use super::{
    ground::{Ground, Served, fill},
    report::{Goal, Report},
    rounds::Rounds,
};

const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(1_500);
const CLIENTS: usize = 8;

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let pool = ground.schema("saving").await?;
    fill(&pool, 1_000, 1).await?;
    let served = Served::start(pool.clone(), &Egress::default()).await?;
    let visitor = served.administrator(0).await?.visitor;
    let carts: Vec<Uuid> =
        sqlx::query_scalar("select id from carts where is_active order by id limit 16").fetch_all(&pool).await?;
    let (mut ours, mut theirs) = (Rounds::default(), Rounds::default());
    let names = Arc::new(AtomicUsize::new(0));
    for _ in 0..ROUNDS {
        let (ecommerce, visitor, carts) = (served.app.ecommerce.clone(), visitor.clone(), carts.clone());
        let (counter, visitor2, pool, carts2) = (Arc::clone(&names), visitor.clone(), pool.clone(), carts.clone());
        ours.add(
            saves(move |client| {
                let (ecommerce, visitor, cart, names) =
                    (ecommerce.clone(), visitor.clone(), carts[client], Arc::clone(&counter));
                async move { through_us(&ecommerce, &visitor, cart, &names).await }
            })
            .await?,
        );
        let counter = Arc::clone(&names);
        theirs.add(
            saves(move |client| {
                let (pool, visitor, cart, names) =
                    (pool.clone(), visitor2.clone(), carts2[CLIENTS + client], Arc::clone(&counter));
                async move { by_hand(&pool, &visitor, cart, &names).await }
            })
            .await?,
        );
    }
    report.figure("saves, ours", "saves/s", &ours, Goal::None);
    report.figure("  the same statements by hand", "saves/s", &theirs, Goal::None);
    report.figure("saves / the same statements by hand", "×", &ours.ratio_to(&theirs), Goal::AtLeast(0.7));
    served.close().await;
    ground.close().await?;
    Ok(())
}

/// Saves a second, from several clients, each with a cart of its own.
async fn saves<F, W>(save: F) -> anyhow::Result<f64>
where
    F: Fn(usize) -> W,
    W: Future<Output = anyhow::Result<()>> + Send + 'static,
    F: Send + Sync + 'static,
{
    let save = Arc::new(save);
    let end = Instant::now() + ROUND;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let save = Arc::clone(&save);
            tokio::spawn(async move {
                let mut count = 0_u32;
                while Instant::now() < end {
                    save(client).await?;
                    count += 1;
                }
                Ok::<_, anyhow::Error>(count)
            })
        })
        .collect();
    let mut all = 0;
    for client in clients {
        all += client.await??;
    }
    Ok(f64::from(all) / ROUND.as_secs_f64())
}

/// Opens the cart as the editor does, renames it and saves.
async fn through_us(ecommerce: &Ecommerce, visitor: &Visitor, cart: Uuid, names: &AtomicUsize) -> anyhow::Result<()> {
    let cart = ecommerce.find(CartId(cart)).await?.ok_or_else(|| anyhow::anyhow!("the cart is gone"))?;
    let submission = Submission {
        id: Uuid::now_v7(),
        name: WebsiteName::parse(&next_name(names))?,
        address: cart.address.clone(),
        offered: Offered::Blank { kind: CredentialKind::AccessToken, client_id: None },
        wants_active: true,
    };
    ecommerce.update(visitor.clone(), cart.id, cart.version, submission).await?;
    Ok(())
}

fn next_name(names: &AtomicUsize) -> String {
    format!("Shop {}", names.fetch_add(1, Ordering::Relaxed))
}

const COLUMNS: &str =
    "id, website_name, store_host, is_practice, is_active, status, version, credential_kind, client_id, secret_ending,
    secret_added_by, secret_added_at, credential_fingerprint, passed_at, shop_id, shop_name, last_test_id, last_class,
    last_title, missing_count, last_checked_at, failing_since, retired_by, is_disconnected, updated_at, updated_by";

/// What reaches the database in the same case, and nothing else.
async fn by_hand(pool: &PgPool, visitor: &Visitor, cart: Uuid, names: &AtomicUsize) -> anyhow::Result<()> {
    use sqlx::AssertSqlSafe;
    let read = AssertSqlSafe(format!("select {COLUMNS} from carts where id = $1"));
    let before = sqlx::query(read).bind(cart).fetch_one(pool).await?;
    let host: String = before.get("store_host");
    StoreAddress::from_host(&host).ok_or_else(|| anyhow::anyhow!("{host}"))?;
    let (name, old) = (next_name(names), before.get::<String, _>("website_name"));
    let mut connection = pool.acquire().await?;
    let mut work = connection.begin().await?;
    let lock = AssertSqlSafe(format!("select {COLUMNS} from carts where id = $1 for update"));
    sqlx::query(lock).bind(cart).fetch_one(&mut *work).await?;
    sqlx::query(
        "select credential_kind, client_id, store_host, secret, secret_ending, created_at > now() - interval '30 minutes'
         from unsaved_credentials where id = $1 and session_hash = $2",
    )
    .bind(Uuid::now_v7())
    .bind(&visitor.session)
    .fetch_optional(&mut *work)
    .await?;
    sqlx::query(
        "update carts set website_name = $2, retired_by = case when is_active and not $3 then $5 else retired_by end,
            is_active = $3, status = $4, version = version + 1, updated_at = now(), updated_by = $5 where id = $1",
    )
    .bind(cart)
    .bind(&name)
    .bind(true)
    .bind(before.get::<&str, _>("status"))
    .bind(visitor.by.name())
    .execute(&mut *work)
    .await?;
    sqlx::query(
        "insert into audit_events (id, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent)
         values ($1, 'person', $2, $3, 'cart_changed', $4, $5, $6, null, $7, null)",
    )
    .bind(Uuid::now_v7())
    .bind(visitor.by.actor.id())
    .bind(visitor.by.name())
    .bind(cart)
    .bind(&name)
    .bind(serde_json::json!({ "changes": [{ "field": "Website Name", "before": old, "after": name }] }))
    .bind(&visitor.by.origin.ip)
    .execute(&mut *work)
    .await?;
    work.commit().await?;
    Ok(())
}
