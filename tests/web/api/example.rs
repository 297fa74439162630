//! The example program of the documentation, run as its reader would.

use std::process::Output;

use cartwright::{
    api_keys::Scope,
    practice::{Canned, Scenario},
    web,
};
use sqlx::PgPool;
use tokio::{net::TcpListener, process::Command};

use crate::support::TestApp;

const TEA: &str = "northwind-tea";

/// Runs the example against a served copy of the site, with the practice stores behind their proxy.
async fn run(app: &TestApp) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(web::frame::server::serve(listener, web::site(app.app.clone()), std::future::pending()));
    let program = app.program(&[Scope::CartsRead, Scope::TokensIssue]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (key, roots) = (folder.path().join("key"), folder.path().join("roots.pem"));
    std::fs::write(&key, &program.key).expect("written");
    std::fs::write(&roots, app.practice.ca_pem()).expect("written");
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/sync.py"))
        .args(["--url", &format!("http://{address}"), "--proxy", &app.practice.proxy_url()])
        .arg("--key-file")
        .arg(&key)
        .arg("--ca-file")
        .arg(&roots)
        .output()
        .await
        .expect("python3 runs");
    serving.abort();
    output
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[sqlx::test]
async fn example_program_works_with_a_store_and_reports_a_refused_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store(TEA);
    app.connect(&priya, "Northwind Tea", TEA).await;
    let worked = run(&app).await;
    assert!(worked.status.success(), "{}", said(&worked));
    assert!(said(&worked).contains("Northwind Tea: the store calls itself"), "{}", said(&worked));
    assert!(said(&worked).contains("1 of 1 active carts answered."), "{}", said(&worked));

    app.practice.stores().set(TEA, Scenario::Says(Canned::Unauthorized));
    let refused = run(&app).await;
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("the store refused the token; check-queued"), "{}", said(&refused));
}
