//! The API reference: every operation of the table, every object and every kind of problem, for readers who are not signed
//! in too.

use cartwright::web::api::{problem::ProblemKind, v1::table};
use sqlx::PgPool;

use crate::support::TestApp;

#[sqlx::test]
async fn every_endpoint_is_explained_with_a_command(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let page = app.browser().visit("/help/api").await;
    assert_eq!(page.status, 200, "{page}");
    for endpoint in table::table() {
        let id = endpoint.operation["operationId"].as_str().expect("an operation has an id");
        let section = page.text(&format!("section[aria-labelledby=\"{id}\"]"));
        assert!(section.contains(&format!("{} {}", endpoint.method, endpoint.path)), "{id}: {section}");
        assert!(section.contains("curl"), "{id}: {section}");
    }
}

/// The `type` of a problem is a link to this page.
#[sqlx::test]
async fn type_of_every_problem_leads_to_its_line(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let page = app.browser().visit("/help/api").await;
    for kind in ProblemKind::ALL {
        let line = page.text(&format!("#{}", kind.slug()));
        assert!(line.contains(kind.title()) && line.contains(kind.status().as_str()), "{}: {line}", kind.slug());
    }
}

#[sqlx::test]
async fn links_within_the_page_lead_somewhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let page = app.browser().visit("/help/api").await;
    let links: Vec<&str> = page.html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        assert!(page.html.contains(&format!("id=\"{link}\"")), "#{link}");
    }
}
