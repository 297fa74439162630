//! No request holds a database connection while it waits for another: with a pool of one, every page is served.
//! Otherwise sixteen concurrent requests could deadlock a pool of sixteen.

use axum::http::{Method, StatusCode};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::support::{
    TestApp,
    cast::{PRIYA, VERA},
    routes::{Blanks, doors},
};

#[sqlx::test]
async fn every_page_needs_one_connection_at_a_time(_: PgPoolOptions, options: PgConnectOptions) {
    let app = TestApp::start(PgPoolOptions::new().max_connections(1).connect_lazy_with(options)).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    let vera = app.sign_in_as(&VERA).await;
    for browser in [&app.sign_in_as(&PRIYA).await, &vera, &app.browser()] {
        for door in doors.iter().filter(|door| door.method == Method::GET) {
            let waiting = browser.knock(Method::GET, &door.path).send();
            let answer = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await;
            let answer = answer.unwrap_or_else(|_| panic!("{} deadlocks", door.name()));
            assert_ne!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}: {}", door.name(), answer.text());
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}: {}", door.name(), answer.text());
        }
    }
}
