//! The editor of a connected cart, requests per second, against a bare handler: the same statements and template, but
//! no session, layers or log.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Html,
    routing::get,
};
use cartwright::{
    app::App,
    audit::By,
    carts::{CartId, Visitor},
    practice::{Options, Practice, PracticeStore},
    web::admin::ecommerce::shopify::editor::{
        form_state::saved,
        view::{general::Stage, page::Editor},
    },
};
use secrecy::ExposeSecret;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use super::{
    browser::{Browser, hidden},
    ground::{Ground, Served},
    report::{Goal, Report},
    sides::{ROUNDS, Side, same_bytes},
};

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let ground = Ground::open().await?;
    let practice = Practice::start(Options::test()).await?;
    let egress = super::ground::way_to(&practice)?;
    let served = Served::start(ground.schema("editor").await?, &egress).await?;
    served.app.integration.switch(By::operator(), true).await?;
    let admin = served.administrator(0).await?;
    let cookies = admin.cookies();
    let path = saved(&served, &practice, &cookies).await?;
    let (bare, serving) = serve(served.app.clone(), admin.visitor).await?;
    same_bytes((served.address, &path, &cookies), (bare, &path), &["csrf", "submission"]).await?;
    let mut ours = Side::new(served.address, &path, &cookies, "").await?;
    let mut packed = Side::new(served.address, &path, &cookies, "Accept-Encoding: gzip\r\n").await?;
    let mut theirs = Side::new(bare, &path, "", "").await?;
    for _ in 0..ROUNDS {
        for side in [&mut ours, &mut theirs, &mut packed] {
            side.round().await?;
        }
    }
    report.figure("editor, ours", "requests/s", &ours.rounds, Goal::None);
    report.figure("  compressed", "requests/s", &packed.rounds, Goal::None);
    report.figure("  a bare handler, the same queries", "requests/s", &theirs.rounds, Goal::None);
    let ratio = ours.rounds.ratio_to(&theirs.rounds);
    report.figure("editor / bare handler, the same queries", "×", &ratio, Goal::AtLeast(0.8));
    serving.abort();
    served.close().await;
    ground.close().await?;
    Ok(())
}

/// Tests and saves a cart through the pages; returns the path of its editor.
async fn saved(served: &Served, practice: &Practice, cookies: &str) -> anyhow::Result<String> {
    const NEW: &str = "/admin/ecommerce/shopify/new";
    practice.stores().put("tea", PracticeStore::sample("tea"));
    let store = practice.stores().find("tea").context("store exists")?;
    let mut browser = Browser::open(served.address, cookies).await?;
    let page = browser.get(NEW).await?.text();
    let mut fields = vec![
        ("csrf", hidden(&page, "csrf")?),
        ("submission", hidden(&page, "submission")?),
        ("website_name", "Tea"),
        ("api_url", "https://tea.myshopify.com/admin/"),
        ("credential_kind", "access_token"),
        ("access_token", store.access_token.expose_secret()),
    ];
    let tested = browser.post(&format!("{NEW}/connection-tests"), &fields).await?.text();
    ensure!(tested.contains("data-class=\"CONNECTED\""), "{tested}");
    fields.pop();
    fields.push(("active", "on"));
    let answer = browser.post(NEW, &fields).await?;
    ensure!(answer.status == 303, "{:?}", answer.headers);
    let location = answer.header("location").context("response has a location")?;
    // The save banner is shown only once.
    browser.get(location).await?;
    Ok(location.to_owned())
}

#[derive(Clone)]
struct Bare {
    app: App,
    visitor: Visitor,
}

async fn serve(app: App, visitor: Visitor) -> anyhow::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/admin/ecommerce/shopify/{cart}/general", get(bare));
    let service = router.with_state(Bare { app, visitor }).into_make_service();
    Ok((address, tokio::spawn(async move { axum::serve(listener, service).await.unwrap_or_default() })))
}

async fn bare(State(Bare { app, visitor }): State<Bare>, Path(id): Path<Uuid>) -> Html<String> {
    let cart = app.carts.find(CartId(id)).await.expect("statement succeeds").expect("cart exists");
    let form = saved::of_cart(&cart);
    let submission = form.submission.parse().expect("submission id is a UUID");
    app.draft_secrets.find_form(&visitor, &cart).await.expect("statement succeeds");
    app.connection_tests.find_last(&visitor, submission, Some(cart.id)).await.expect("statement succeeds");
    let report = app.connection_tests.find(cart.last_test.expect("cart has a test")).await.expect("statement succeeds");
    let shell = super::bare::shell(format!("/admin/ecommerce/shopify/{}/general", id.simple()));
    let editor = Editor { app: &app, shell, cart: Some(cart), form, report, changed: None };
    let page = editor.page(Stage::Loaded).await.expect("page is built");
    Html(page.render().expect("template renders"))
}
