//! Streams a running test: the page's head at once, a line per check, the region, the page's tail; for `app.js` only
//! the lines and the region.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::sync::mpsc;

use crate::app::App;
use crate::carts::{Cart, Progress, RunningTest, TestReport};
use crate::web::admin::ecommerce::shopify::{
    editor::view::{
        check_row::CheckLine,
        connection_test::{TESTING_END, TestView, TestingHead},
        general::GUIDE_MARK,
        guide::Guide,
        page::test_view,
    },
    permissions,
};
use crate::web::admin::shell::Shell;
use crate::web::frame::stream;

/// The page around a streamed test, sent unless `app.js` made the request.
#[derive(Debug)]
pub struct Frame {
    pub head: String,
    /// Holds [`GUIDE_MARK`].
    pub tail: String,
    pub guide: Guide,
}

/// Starts the response at once; the rest follows as the test proceeds.
pub fn stream(
    app: App,
    shell: Shell,
    cart: Option<Cart>,
    frame: Option<Frame>,
    host: String,
    mut running: RunningTest,
) -> Response {
    let (tell, pieces) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut frame = frame;
        if let Some(frame) = &frame {
            let testing = TestingHead { host }.render().unwrap_or_default();
            tell.send(format!("{}{testing}", frame.head)).ok();
        }
        while let Some(progress) = running.progress.recv().await {
            let piece = match progress {
                Progress::Check(check) => {
                    let line =
                        CheckLine { kind: running.kind, check, store: None, permission_count: permissions().len() };
                    line.line().unwrap_or_default()
                }
                Progress::Report(report) => {
                    let (done, region) = region(&app, &shell, cart.as_ref(), &report).await;
                    if let Some(frame) = &mut frame {
                        frame.guide.tick(running.kind, done);
                        format!("{TESTING_END}{region}")
                    } else {
                        region
                    }
                }
            };
            tell.send(piece).ok();
        }
        if let Some(Frame { tail, guide, .. }) = frame {
            tell.send(tail.replacen(GUIDE_MARK, &guide.render().unwrap_or_default(), 1)).ok();
        }
    });
    (StatusCode::OK, stream::html(pieces)).into_response()
}

/// The guide's steps that the test has proven done, and the region.
async fn region(app: &App, shell: &Shell, cart: Option<&Cart>, report: &TestReport) -> ([bool; 4], String) {
    metrics::counter!("cartwright_connection_tests_total", "class" => report.verdict.class.as_str()).increment(1);
    // Load the cart again: the region must show what the test changed, as the cart's page would.
    let cart = match cart {
        Some(cart) => Some(app.carts.find(cart.id).await.ok().flatten().unwrap_or_else(|| cart.clone())),
        None => None,
    };
    let view = test_view(app, shell, report, cart.as_ref()).await;
    (view.done, TestView { is_fresh: true, ..view }.render().unwrap_or_default())
}
